//! The suite's own tools do what they say.

use crate::support::*;

on_both! {
    async fn the_house_answers(world: World) {
        let mut nobody = world.nobody();
        nobody.visit("/healthz").await.sees("ok");
        nobody.visit("/readyz").await.sees("ready");
        assert_eq!(nobody.open("/no-such-page").await, 404);
        nobody.sees("There is nothing here");
    }
}
