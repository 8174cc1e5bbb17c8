//! Strangers before the door to the provider: they keep nobody out, come in by no address that only looks like a member's, and
//! are told of in the audit log.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::audit_log;
use tidegate::members::actions::{self, Change};
use tidegate::members::totp;

use super::played::{Does, Played};
use super::{set_up, signed_in, unhurried};
use crate::support::*;

/// Somebody sets out, and is led back; the status in the end.
async fn sets_out(browser: &mut Browser) -> u16 {
    browser.open("/sign-in/elsewhere?next=/account").await
}

/// Where the denied sign-ins came from, and with what.
async fn denied(world: &World) -> Vec<(Option<String>, Option<String>)> {
    world
        .read(|conn| {
            let of = audit_log::table.filter(audit_log::action.eq("member.sign_in_refused")).order(audit_log::id);
            Ok(of.select((audit_log::from_address, audit_log::after)).load(conn)?)
        })
        .await
}

on_both! {
    async fn the_provider_is_asked_anew_once_in_five_minutes_or_when_it_is_set_up_anew(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        let before = played.looked();
        for _ in 0..3 {
            assert_eq!(sets_out(&mut world.nobody()).await, 200);
        }
        assert_eq!(played.looked(), before + 1);
        world.advance(Duration::minutes(5));
        assert_eq!(sets_out(&mut world.nobody()).await, 200);
        assert_eq!(played.looked(), before + 2);
        set_up(&world, &played.issuer).await;
        assert_eq!(sets_out(&mut world.nobody()).await, 200);
        assert_eq!(played.looked(), before + 4, "once for the Administrator, once for whoever sets out");
    }

    async fn who_only_sets_out_waits_and_holds_up_neither_who_comes_back_nor_who_is_known(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        let mut olive = world.nobody();
        assert_eq!(sets_out(&mut olive).await, 200);
        olive.within(".side-foot").press("Sign out").await;
        played.does(Does::Shows);
        let mut back = world.nobody();
        assert_eq!(sets_out(&mut back).await, 200);
        let way = back.body.strip_prefix(world.at()).unwrap().to_owned();
        for _ in 0..4 {
            assert_eq!(sets_out(&mut world.nobody()).await, 200);
        }
        let mut late = world.nobody();
        assert_eq!(sets_out(&mut late).await, 429);
        late.sees("Too many attempts. Wait 1 second, then try again.");
        assert_eq!(sets_out(&mut olive).await, 200, "a browser in which somebody signed in");
        // However many wait for the provider who set out.
        let held = world.app().asking.acquire_many(16).await.unwrap();
        played.does(Does::Honest);
        assert_eq!(back.open(&way).await, 200);
        drop(held);
        assert_eq!(sets_out(&mut world.nobody()).await, 200, "who came in makes an end of the count");
        // Who comes back comes once, also where they are not let in.
        played.does(Does::Shows);
        let mut again = world.nobody();
        sets_out(&mut again).await;
        let way = again.body.strip_prefix(world.at()).unwrap().to_owned();
        played.does(Does::OtherKey);
        assert_eq!(again.open(&way).await, 409);
        again.sees("Signing in with Acme did not work.");
        assert_eq!(again.open(&way).await, 409);
        again.sees("was used already");
    }

    async fn an_address_that_only_looks_like_a_member_s_opens_nothing(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        let (ada, mo, now) = (world.ada.clone(), world.mo.id, world.now());
        world.write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, mo, Change { email: Some("mark@acme.test".into()), ..Change::default() }, now)
        }).await;
        for email in ["mar\u{212a}@acme.test", " mark@acme.test", "mark@acme.test\n", "mark@acme.test\u{a0}"] {
            unhurried(&world).await;
            played.does(Does::Claims("email", json!(email)));
            let mut stranger = world.nobody();
            assert_eq!(sets_out(&mut stranger).await, 409, "{email:?}");
            stranger.sees("There is no active member");
        }
        played.does(Does::Claims("email", json!("MARK@Acme.test")));
        let mut mo = world.nobody();
        assert_eq!(sets_out(&mut mo).await, 200);
        mo.sees("mark@acme.test");
    }

    async fn who_is_not_let_in_is_told_of_and_who_is_with_a_code_of_both(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        let mut expected = 0;
        for does in [
            Does::OtherKey, Does::Claims("nonce", json!("another")), Does::Claims("iss", json!("https://other.example.com")),
            Does::Claims("email_verified", json!(false)), Does::Back("code=good&iss=https://other.example.com"),
            Does::OtherUserInfo, Does::Claims("email", json!("una@acme.test")),
        ] {
            unhurried(&world).await;
            played.does(does.clone());
            assert_eq!(sets_out(&mut world.nobody()).await, 409, "{does:?}");
            expected += 1;
            assert_eq!(denied(&world).await.len(), expected, "{does:?}");
        }
        let all = denied(&world).await;
        let one = (Some("127.0.0.1".to_owned()), Some("{\"with\":\"Acme\"}".to_owned()));
        assert!(all.iter().all(|row| *row == one), "{all:?}");
        // What is not there, or was cancelled, is no attempt.
        unhurried(&world).await;
        for does in [Does::Answers("/token", String::new()), Does::Back("error=access_denied")] {
            played.does(does);
            assert_eq!(sets_out(&mut world.nobody()).await, 409);
        }
        assert_eq!(denied(&world).await.len(), expected);
        let (olive, secret) = (world.olive.id, totp::fresh());
        let sealed = world.app().secrets.seal(&format!("second_factors {olive}"), &secret).unwrap();
        world.write(move |conn| {
            use tidegate::db::schema::second_factors as f;
            let values = (f::member_id.eq(olive), f::sealed.eq(sealed), f::last_step.eq(0), f::set_at.eq(0));
            Ok(diesel::insert_into(f::table).values(values).execute(conn)?)
        }).await;
        unhurried(&world).await;
        played.does(Does::Honest);
        let mut olive = world.nobody();
        sets_out(&mut olive).await;
        olive.sees("Enter your code");
        olive.fill("Code", &totp::code(&secret, world.now()).unwrap()).press("Continue").await;
        assert_eq!(olive.path(), "/account");
        assert_eq!(signed_in(&world).await, [("Olive".to_owned(), "{\"with\":\"Acme, code\"}".to_owned())]);
    }
}
