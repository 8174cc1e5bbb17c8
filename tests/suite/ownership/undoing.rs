//! For a week a hand-over can be undone: what nobody changed since goes back, and the rest is named.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{hand_over_lines, hand_overs, members};
use tidegate::error::{AppError, Result};
use tidegate::members::actions::{self, Change};
use tidegate::ownership::leaving::{Fate, Leaving, leave};
use tidegate::ownership::{self, actions::Undone};

use super::*;
use crate::support::cast;

async fn undo(world: &World, id: i64) -> Result<Undone> {
    let (ada, now) = (world.ada.clone(), world.now());
    world
        .try_write(move |conn| {
            let by = ada.by(conn)?;
            ownership::undo(conn, &by, crate::support::ENDERS, id, now)
        })
        .await
}

fn conflict(answer: Result<Undone>) -> String {
    match answer {
        Err(AppError::Conflict(words)) => words,
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn what_somebody_changed_since_stays(world: World) {
        let made = owned(&world, &["06:00", "07:00", "08:00"], &[&world.olive, &world.ada]).await;
        let id = hands_over(&world, passing(&world.olive, &world.ada)).await.unwrap().id.unwrap();
        assert_eq!(stands(&world, made[0].id).await.1, [world.ada.id], "who was told before is told once");
        let api = world.api(&world.ada).await;
        api.patch(&format!("schedules/{}", made[1].id), json!({"start_time": "07:30"})).await.is(200);
        api.delete(&format!("schedules/{}", made[2].id)).await.is(204);
        world.advance(Duration::days(7));
        let undone = undo(&world, id).await.unwrap();
        assert_eq!((undone.back, undone.changed, undone.unable), (1, 2, 0));
        assert_eq!(undone.words(), "Undone. 1 schedule is as it was; 2 were changed since and stay.");
        let mut told = vec![world.olive.id, world.ada.id];
        told.sort_unstable();
        assert_eq!(stands(&world, made[0].id).await, (world.olive.id, told, made[0].version + 2));
        assert_eq!(stands(&world, made[1].id).await.0, world.ada.id);
        assert_eq!(conflict(undo(&world, id).await), "Ada undid this hand-over already.");
    }

    /// Who has it back knows that they had it, and is told so.
    async fn the_former_owner_hears_that_it_is_theirs_again(world: World) {
        owned(&world, &["06:00", "07:00"], &[&world.olive, &world.mo]).await;
        let id = hands_over(&world, passing(&world.olive, &world.ada)).await.unwrap().id.unwrap();
        let look = async || {
            world.advance(Duration::minutes(1));
            world.step(tidegate::notifications::owners::changes).await;
        };
        look().await;
        undo(&world, id).await.unwrap();
        look().await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.sees("You own 2 schedules again");
        olive.sees("Ada no longer owns them. They run with your rights again. You are notified.").sees_no("Olive now owns");
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/notifications").await.sees("Ada now owns 2 schedules that notify you").sees("2 schedules that notify you belong to Olive again");
        mo.sees("They run with Olive's rights again.");
    }

    /// Whoever was told that they own them is told that they no longer do, recipient or not.
    async fn who_had_them_for_a_while_hears_that_they_have_them_no_more(world: World) {
        owned(&world, &["06:00", "07:00"], &[&world.olive]).await;
        let (application, now) = (world.application, world.now());
        let una = world
            .write(move |conn| {
                let una = cast::member(conn, "Una", "Importer", now)?;
                cast::grant(conn, application, &una, (true, false))?;
                Ok(una)
            })
            .await;
        let id = hands_over(&world, passing(&world.olive, &una)).await.unwrap().id.unwrap();
        world.advance(Duration::minutes(1));
        world.step(tidegate::notifications::owners::changes).await;
        let mut told = world.browser(&una).await;
        told.visit("/notifications").await.sees("You now own 2 schedules").sees("Olive owned them before. They run with your rights now.");
        undo(&world, id).await.unwrap();
        world.advance(Duration::minutes(1));
        world.step(tidegate::notifications::owners::changes).await;
        told.visit("/notifications").await.sees("You no longer own 2 schedules").sees("Olive owns them again.");
    }

    async fn it_goes_back_to_nobody_who_cannot_run_it(world: World) {
        let made = owned(&world, &["06:00"], &[]).await;
        let id = hands_over(&world, passing(&world.olive, &world.ada)).await.unwrap().id.unwrap();
        let olive = world.olive.id;
        world.write(move |conn| Ok(diesel::update(members::table.find(olive)).set(members::active.eq(false)).execute(conn)?)).await;
        assert_eq!(conflict(undo(&world, id).await), "Nothing was undone: 1 stays: its former Owner may not run it.");
        assert_eq!(stands(&world, made[0].id).await.0, world.ada.id);
    }

    /// Activated since, and closed anew for another reason.
    async fn it_opens_no_account_that_was_closed_anew(world: World) {
        owned(&world, &["06:00"], &[]).await;
        let goes = || {
            let (ada, olive, heir, now) = (world.ada.clone(), world.olive.id, world.ada.id, world.now());
            world.write(move |conn| {
                let by = ada.by(conn)?;
                let leaving = Leaving { member: olive, role: None, fate: Fate::Hand, to: Some(heir), recipients: true };
                leave(conn, &by, crate::support::ENDERS, &leaving, now)
            })
        };
        let id = goes().await.done.unwrap().id.unwrap();
        for active in [true, false] {
            world.advance(Duration::minutes(1));
            let (ada, olive, now) = (world.ada.clone(), world.olive.id, world.now());
            world.write(move |conn| {
                let by = ada.by(conn)?;
                let change = Change { active: Some(active), ..Change::default() };
                actions::update(conn, &by, crate::support::ENDERS, olive, change, now)
            }).await;
        }
        assert_eq!(conflict(undo(&world, id).await), "Nothing was undone: 1 stays: its former Owner may not run it.");
        let olive = world.olive.id;
        assert!(!world.read(move |conn| Ok(tidegate::members::by_id(conn, olive)?.unwrap().active)).await);
    }

    async fn after_a_week_it_stands_and_after_a_month_it_is_forgotten(world: World) {
        owned(&world, &["06:00"], &[]).await;
        let id = hands_over(&world, passing(&world.olive, &world.ada)).await.unwrap().id.unwrap();
        world.advance(Duration::days(7) + Duration::seconds(1));
        assert_eq!(conflict(undo(&world, id).await), "A hand-over can be undone for 7 days.");
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/ownership").await.in_row("Olive to Ada").sees_no("Undo");
        let now = world.now();
        assert_eq!(world.write(move |conn| ownership::forget_old(conn, now)).await, 0);
        world.advance(Duration::days(24));
        let now = world.now();
        assert_eq!(world.write(move |conn| ownership::forget_old(conn, now)).await, 1);
        let left = world.read(|conn| Ok((hand_overs::table.count().get_result::<i64>(conn)?, hand_over_lines::table.count().get_result::<i64>(conn)?))).await;
        assert_eq!(left, (0, 0));
        assert!(matches!(undo(&world, id).await, Err(AppError::NotFound)));
    }

    async fn of_two_who_undo_at_once_one_does(world: World) {
        let made = owned(&world, &["06:00"], &[]).await;
        let id = hands_over(&world, passing(&world.olive, &world.ada)).await.unwrap().id.unwrap();
        let (one, two) = tokio::join!(undo(&world, id), undo(&world, id));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert_eq!(stands(&world, made[0].id).await, (world.olive.id, vec![], made[0].version + 2));
    }
}
