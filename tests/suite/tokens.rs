//! API tokens: until when they work, and what they may do.

use chrono::Duration;
use diesel::prelude::*;
use tidegate::db::schema::{api_tokens, audit_log};
use tidegate::members::{leaving, tokens};

use crate::support::api::Api;
use crate::support::*;

/// A member makes one that ends after so many days, as the page offers it.
async fn made(browser: &mut Browser, name: &str, ends: &str) -> String {
    browser.visit("/account").await.fill("Name of a new token", name).choose("Ends", ends);
    browser.press("Create token").await.answered(201);
    browser.within("#fresh-token").text()
}

async fn number(world: &World) -> i64 {
    world.read(|conn| Ok(api_tokens::table.count().get_result(conn)?)).await
}

on_both! {
    async fn a_token_ends_on_its_day_and_says_so(world: World) {
        let mut olive = world.browser(&world.olive).await;
        let (short, ever) = (made(&mut olive, "monthly", "After 30 days").await, made(&mut olive, "lasting", "Never").await);
        let (short, ever) = (Api::new(world.at(), &short), Api::new(world.at(), &ever));
        olive.visit("/account").await.in_row("monthly").sees("Sat 7 Nov 2026").sees("Revoke").sees_no("ended");
        olive.everywhere().in_row("lasting").sees("never");
        let said = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::action.eq("token.created")).order(audit_log::id);
            Ok(of.select(audit_log::after).load::<Option<String>>(conn)?)
        }).await;
        assert!(said[0].as_ref().unwrap().contains("\"expires_at\":\"2026-11-07T"), "{said:?}");
        assert!(said[1].as_ref().unwrap().contains("\"expires_at\":null"), "{said:?}");
        short.get("applications").await.is(200);
        world.advance(Duration::days(30));
        let refused = short.get("applications").await;
        refused.is(401);
        assert_eq!(refused.json["detail"], "This API token has ended. Create a new one on the page Your account.");
        assert!(refused.headers.contains_key("www-authenticate"));
        ever.get("applications").await.is(200);
        let (id, now) = (world.olive.id, world.now());
        assert_eq!(world.read(move |conn| leaving::doors(conn, id, now)).await.tokens, 1, "the other is no door any more");
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/account").await.in_row("monthly").sees("ended Sat 7 Nov 2026");
        olive.press("Remove monthly").await.answered(200).sees_no("monthly");
        short.get("applications").await.is(401);
    }

    async fn nothing_but_what_is_offered_makes_a_token(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/account").await;
        for (field, value) in [
            ("scope", "rule"), ("scope", "READ"), ("scope", ""), ("token_expires", "0"), ("token_expires", "-1"),
            ("token_expires", "7"), ("token_expires", "99999999999999999999"),
        ] {
            let answer = olive.post("/account/tokens", &[("token_name", "robot"), (field, value)]).await;
            assert_eq!(answer.status, 422, "{field}={value}");
            assert!(answer.body.contains(&format!("href=\"#{field}\"")), "{field}={value}: {}", answer.body);
        }
        // None is not everything: that has a box of its own.
        let none = olive.post("/account/tokens", &[("token_name", "robot")]).await;
        assert!(none.status == 422 && none.text().contains("Choose what the token may do"), "{}", none.text());
        assert_eq!(number(&world).await, 0);
        // What was ticked is there again.
        olive.untick("read").tick("run").choose("Ends", "After 90 days").press("Create token").await.answered(422);
        olive.fill("Name of a new token", "robot").press("Create token").await.answered(201);
        olive.in_row("robot").sees("run").sees_no("read").sees("2027");
        olive.visit("/account").await.fill("Name of a new token", "all of it").tick("Everything you may do").press("Create token").await.answered(201);
        let all = Api::new(world.at(), &olive.within("#fresh-token").text());
        olive.everywhere().in_row("all of it").sees_no("read");
        all.get("applications").await.is(200);
        all.post(&format!("applications/{}/schedules", world.application), serde_json::json!({})).await.is(422);
    }

    /// Whoever loads again the address at which a secret was shown once comes to the page to which it belongs.
    async fn what_was_shown_once_is_not_shown_again_and_not_missed(world: World) {
        let mut olive = world.browser(&world.olive).await;
        made(&mut olive, "robot", "Never").await;
        assert_eq!(olive.path(), "/account/tokens");
        olive.visit("/account/tokens").await.sees("Your account").sees_no("tg_");
        assert_eq!(olive.path(), "/account");
        let mut ada = world.browser(&world.ada).await;
        for (from, to) in [
            ("/members/invitations", "/members".to_owned()),
            ("/members/invitations/7/again", "/members".to_owned()),
            (&format!("/members/{}/reset-link", world.mo.id), format!("/members/{}", world.mo.id)),
            ("/account/second-factor/codes", "/account/second-factor".to_owned()),
        ] {
            ada.visit(from).await;
            assert_eq!(ada.path(), to, "{from}");
        }
    }

    async fn nothing_but_a_right_goes_into_a_role_and_nothing_but_an_id_into_a_list(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/roles").await;
        let role = [("name", "Robots"), ("permission", "import_data"), ("permission", "rule")];
        assert_eq!(ada.post("/roles", &role).await.status, 422);
        ada.visit("/groups").await;
        let group = [("name", "Robots"), ("member", "x")];
        assert_eq!(ada.post("/groups", &group).await.status, 422);
        ada.visit("/roles").await.sees_no("Robots");
        ada.visit("/groups").await.sees_no("Robots");
    }

    async fn no_token_ends_in_the_past(world: World) {
        let (olive, now) = (world.olive.clone(), world.now());
        let made = world.try_write(move |conn| {
            let by = olive.by(conn)?;
            tokens::create(conn, &by, &tokens::New { name: "late", scopes: &[], expires_at: Some(now) }, now)
        });
        assert!(made.await.unwrap_err().to_string().contains("still to come"));
    }
}
