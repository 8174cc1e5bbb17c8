//! Several messages in one mail: once a day for who wants it so, and for everybody after many in a short time.

use tidegate::notifications::gathering;

use super::*;

/// Tells, gathers, and hands over.
async fn gather(world: &World) {
    tell(world).await;
    world.step(gathering::step).await;
    delivering::step(world.app()).await.unwrap();
}

on_both! {
    async fn everything_comes_once_a_day(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications/settings").await.choose("When to send e-mail", "Everything once a day").choose("Send the daily mail at", "07:00").press("Save").await.sees("by a daily mail at 07:00");
        for name in ["payroll", "headcount"] {
            let stage = failing(&world, name).await;
            telling(&world, &stage, About::Failed, &[&world.olive, &world.mo]).await;
        }
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        gather(&world).await;
        assert_eq!((told(&world, &world.olive).await.len(), world.mails().len()), (2, 2), "Mo's mails alone");
        world.set_clock("2026-10-06T04:59:00Z");
        gather(&world).await;
        assert_eq!(world.mails().len(), 2);
        // 07:00 in Olive's zone.
        world.set_clock("2026-10-06T07:00:30Z");
        gather(&world).await;
        gather(&world).await;
        let mails = world.mails();
        let digest = mails.iter().find(|mail| mail.contains("Subject: 2 notifications: 2 failed")).unwrap_or_else(|| panic!("{mails:?}"));
        assert!(digest.contains("payroll failed") && digest.contains("headcount failed") && digest.contains("Open your inbox"), "{digest}");
        assert_eq!(mails.len(), 3);
        // The inbox has the two and no third.
        olive.visit("/notifications").await.sees("payroll failed").sees("headcount failed").sees_no("2 notifications");
    }

    async fn nonsense_is_refused(world: World) {
        let olive = world.browser(&world.olive).await;
        for (when, hour) in [("weekly", "8"), ("daily", "banana"), ("daily", "24"), ("daily", "-1"), ("<script>", "")] {
            let answer = olive.post("/notifications/settings", &[("email", "on"), ("mail_when", when), ("digest_hour", hour)]).await;
            assert_eq!(answer.status, 422, "{when} {hour}");
        }
    }

    async fn what_needs_somebody_comes_at_once_and_the_rest_once_a_day(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications/settings").await.choose("When to send e-mail", "Problems at once, the rest once a day").press("Save").await;
        let (bad, good) = (failing(&world, "payroll").await, failing(&world, "sales").await);
        telling(&world, &bad, About::All, &[&world.olive]).await;
        telling(&world, &good, About::All, &[&world.olive]).await;
        csv(&world, "sales", &[("1", "one")]);
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        gather(&world).await;
        let mails = world.mails();
        assert!(mails.len() == 1 && mails[0].contains("Subject: payroll failed"), "{mails:?}");
        // One by itself is no digest.
        world.set_clock("2026-10-06T08:30:00Z");
        gather(&world).await;
        let mails = world.mails();
        assert!(mails.len() == 2 && mails.iter().any(|mail| mail.contains("Subject: sales succeeded")), "{mails:?}");
    }

    async fn after_ten_mails_the_rest_comes_together(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        for n in 0..15 {
            let stage = failing(&world, &format!("store {n}")).await;
            telling(&world, &stage, About::Failed, &[&world.olive]).await;
        }
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        gather(&world).await;
        assert_eq!((told(&world, &world.olive).await.len(), world.mails().len()), (15, 10));
        world.advance(Duration::minutes(5));
        gather(&world).await;
        let mails = world.mails();
        assert!(mails.len() == 11 && mails.iter().any(|mail| mail.contains("Subject: 5 notifications: 5 failed")), "{mails:?}");
    }
}

#[test]
fn after_ten_messages_in_slack_the_rest_comes_together() {
    slack::with_slack(async |world, twin| {
        slack::set_up(world).await;
        twin.knows(&world.olive.email, "U0OLIVE");
        for n in 0..59 {
            let stage = failing(world, &format!("store {n}")).await;
            telling(world, &stage, About::Failed, &[&world.olive]).await;
        }
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(world).await;
        gather(world).await;
        slack::tell_all(world).await;
        assert_eq!((told(world, &world.olive).await.len(), twin.shown().len()), (60, 10));
        world.advance(Duration::minutes(5));
        gather(world).await;
        slack::tell_all(world).await;
        slack::tell_all(world).await;
        let shown = twin.shown();
        let (who, message) = shown.last().unwrap();
        assert_eq!((shown.len(), who.as_str()), (11, "U0OLIVE"));
        assert!(message["text"].as_str().unwrap().starts_with("50 notifications: 50 failed"), "{message}");
        // Slack takes 3,000 characters in one section.
        let blocks = message["blocks"].as_array().unwrap();
        let texts: Vec<&str> = blocks.iter().map(|block| block["text"]["text"].as_str().unwrap()).collect();
        assert!(
            texts.iter().all(|text| text.len() <= 3_000) && texts.concat().matches("*Failed, ").count() == 50,
            "{texts:?}"
        );
        // By mail the same goes, for itself.
        assert_eq!(world.mails().len(), 11);
    });
}
