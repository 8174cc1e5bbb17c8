//! The inbox, the bell, and what a member chose.

use super::*;

/// Olive is told something.
pub async fn note(world: &World, title: &'static str) -> i64 {
    let (id, now) = (world.olive.id, world.now());
    world
        .write(move |conn| {
            let values = (
                notices::member_id.eq(id),
                notices::key.eq(title),
                notices::kind.eq("failed"),
                notices::title.eq(title),
                notices::detail.eq("No file matches."),
                notices::at.eq(now),
            );
            diesel::insert_into(notices::table).values(values).execute(conn)?;
            Ok(notices::table.select(diesel::dsl::max(notices::id)).first::<Option<i64>>(conn)?.unwrap())
        })
        .await
}

on_both! {
    async fn a_message_leads_to_its_run_and_is_read_then(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.sees("No notifications yet");
        morning(&world, 5).await;
        assert!(olive.htmx("/notifications/bell").await.text().contains("1 unread"));
        olive.visit("/notifications").await.sees("payroll failed").sees("payroll.csv").sees("FP&A 2026").sees("Today, Mon 5 Oct");
        olive.press("payroll failed (unread)").await.answered(200);
        assert!(olive.path().starts_with("/runs/"), "{}", olive.path());
        assert!(!olive.htmx("/notifications/bell").await.text().contains("unread"));
        olive.visit("/notifications?show=unread").await.sees("You have read everything");
        olive.visit("/notifications").await.press("Mark unread: payroll failed").await.sees("Mark read");
        olive.visit("/notifications?show=unread").await.press("Mark all read").await.sees("Marked 1 notification as read.");
    }

    async fn what_another_was_told_is_not_there(world: World) {
        let id = note(&world, "secret").await;
        for person in [&world.ada, &world.mo, &world.stranger] {
            let other = world.browser(person).await;
            assert_eq!(other.post(&format!("/notifications/{id}"), &[("read", "on"), ("open", "on")]).await.status, 404, "{}", person.name);
            assert!(!other.get("/notifications").await.text().contains("secret"));
            let api = world.api(person).await;
            api.patch(&format!("notifications/{id}"), json!({"read": true})).await.is(404);
            assert_eq!(api.get("notifications").await.items().len(), 0);
        }
    }

    async fn programs_read_and_mark_messages(world: World) {
        let first = note(&world, "first").await;
        note(&world, "second").await;
        let olive = world.api(&world.olive).await;
        let all = olive.get("notifications?limit=1").await;
        assert_eq!((all.items()[0]["title"].as_str(), all.json["next"].is_string()), (Some("second"), true));
        let next = all.json["next"].as_str().unwrap();
        assert_eq!(olive.get(&format!("notifications?limit=1&after={next}")).await.items()[0]["id"], first);
        let read = olive.patch(&format!("notifications/{first}"), json!({"read": true})).await;
        assert_eq!((&read.is(200).json["read"], read.json["read_at"].is_string()), (&json!(true), true));
        assert_eq!(olive.get("notifications?read=false").await.items().len(), 1);
        assert_eq!(olive.get("notifications?read=true").await.items()[0]["id"], first);
        let refused = olive.patch(&format!("notifications/{first}"), json!({"read": "soon", "title": "x"})).await;
        assert_eq!(refused.is(422).wrong_fields(), ["read", "title"]);
        olive.patch(&format!("notifications/{first}"), json!({"read": false})).await.is(200);
        assert_eq!(olive.get("notifications?read=false").await.items().len(), 2);
    }

    async fn who_wants_no_mail_gets_none(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications/settings").await.sees("1 schedule in");
        olive.untick(&format!("E-mail to {}", world.olive.email)).press("Save").await.sees("You are notified in your inbox only.");
        morning(&world, 5).await;
        assert_eq!((told(&world, &world.olive).await.len(), world.mails().len()), (1, 0));
        olive.visit("/notifications/settings").await.tick(&format!("E-mail to {}", world.olive.email)).press("Save").await;
        csv(&world, "payroll", &[("1", "one")]);
        morning(&world, 6).await;
        assert_eq!((told(&world, &world.olive).await.len(), world.mails().len()), (2, 1));
    }
}
