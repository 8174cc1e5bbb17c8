//! A Workspace that stands by sends no message, not even one that tries the way.

use diesel::prelude::*;
use serde_json::Value;
use tidegate::db::schema::{audit_log, workspace};

use crate::support::*;

const TESTS: [&str; 3] = ["/settings/mail/test", "/settings/slack/test", "settings/notifications/test"];

async fn audited(world: &World, action: &'static str) -> Vec<Value> {
    let rows = world.read(move |conn| {
        let of = audit_log::table.filter(audit_log::action.eq(action)).order(audit_log::id);
        Ok(of.select(audit_log::after).load::<Option<String>>(conn)?)
    });
    rows.await.into_iter().map(|after| serde_json::from_str(&after.unwrap()).unwrap()).collect()
}

on_both! {
    async fn a_test_message_leaves_only_a_workspace_that_lives_and_is_told_of(world: World) {
        let now = world.now();
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/settings/mail").await;
        assert_eq!(ada.post(TESTS[0], &[]).await.status, 200);
        assert_eq!(world.mails().len(), 1);
        let said = audited(&world, "mail.tested").await;
        assert_eq!((said.len(), &said[0]["to"]), (1, &Value::from("ada@acme.test")));
        world.write(move |conn| {
            Ok(diesel::update(workspace::table).set(workspace::standing_by_since.eq(now)).execute(conn)?)
        }).await;
        let outlet = format!("/applications/{}/{}", world.application, TESTS[2]);
        for (path, fields) in [
            (TESTS[0], vec![]),
            (TESTS[1], vec![]),
            (&*outlet, vec![("outlet", "webhook"), ("url", "http://127.0.0.1:9/"), ("secret", "x"), ("about", "all")]),
        ] {
            let answer = ada.post(path, &fields).await;
            assert_eq!(answer.status, 409, "{path}: {}", answer.text());
            assert!(answer.text().contains("This Workspace is a copy that stands by, and sends no message."), "{path}");
        }
        assert_eq!(world.mails().len(), 1);
        assert_eq!(audited(&world, "mail.tested").await.len(), 1);
    }
}
