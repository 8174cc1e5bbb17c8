//! Who comes first: what belongs together waits for one row, that of the Workspace, and takes it before any other.

use std::future::Future;
use std::time::{Duration as Elapsed, Instant};

use tidegate::db;
use tidegate::members::elsewhere;
use tidegate::members::{invitations, totp};
use tidegate::notifications::slack;

use crate::invitations::{id, invite};
use crate::support::cast::PASSWORD;
use crate::support::*;

/// Does something while somebody else changes the Workspace, and then the member Olive; it has to wait for them.
async fn after_others<T>(world: &World, what: impl Future<Output = T>) -> T {
    let (olive, app) = (world.olive.id, world.app().clone());
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let others = async {
        app.write(move |conn| {
            db::lock_row(conn, "workspace", 1)?;
            begun.send(()).unwrap();
            std::thread::sleep(Elapsed::from_millis(1_200));
            db::lock_row(conn, "members", olive)?;
            Ok(Instant::now())
        })
        .await
        .unwrap()
    };
    let what = async {
        has_begun.await.unwrap();
        let answer = what.await;
        (answer, Instant::now())
    };
    let (released, (answer, ended)) = tokio::join!(others, what);
    assert!(ended >= released, "it did not wait");
    answer
}

on_both! {
    async fn who_revokes_an_invitation_or_sends_it_again_waits_for_who_accepts_it(world: World) {
        invite(&world).await;
        let id = id(&world).await;
        let (by, now) = (world.read({
            let ada = world.ada.clone();
            move |conn| ada.by(conn)
        }).await, world.now());
        after_others(&world, invitations::again(world.app(), &by, id)).await.unwrap();
        after_others(&world, world.write(move |conn| invitations::revoke(conn, &by, id, now))).await;
    }

    async fn who_removes_slack_or_the_provider_waits_for_who_sets_it(world: World) {
        crate::elsewhere::pretend(&world).await;
        let (ada, now) = (world.ada.clone(), world.now());
        let by = world.read(move |conn| ada.by(conn)).await;
        let asks = by.clone();
        after_others(&world, world.write(move |conn| elsewhere::remove(conn, &asks, now))).await;
        world.write(move |conn| {
            use diesel::prelude::*;
            use tidegate::db::schema::slack as s;
            let row = (s::id.eq(1), s::sealed_token.eq("x"), s::team.eq("Acme"), s::set_at.eq(0));
            Ok(diesel::insert_into(s::table).values(row).execute(conn)?)
        }).await;
        after_others(&world, world.write(move |conn| slack::remove(conn, &by, now))).await;
    }

    async fn who_turns_a_second_factor_on_and_who_changes_members_hold_up_nobody_for_good(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/account/second-factor").await;
        let secret = olive.within("#secret").text().replace(' ', "");
        olive.everywhere().fill("Code", &totp::code(&secret, world.now()).unwrap()).fill("Current password", PASSWORD);
        after_others(&world, async { olive.press("Turn on").await; }).await;
        olive.answered(201);
    }
}
