//! How promises stand where programs and pages ask.

use tidegate::imports::Mode;
use tidegate::promises::{Counts, of_applications};

use super::*;
use crate::running::start;
use crate::support::stage::{csv, stage};
use crate::{freezes, import_sets};

on_both! {
    async fn a_partial_run_keeps_it_and_says_so(world: World) {
        world.set_clock("2026-10-05T05:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        scheduled(&world, &stage, "07:30", "Europe/Paris", &[&world.olive]).await;
        promise(&world, &stage, "08:00", "Europe/Paris").await;
        let before = stands(&world, &stage).await;
        assert_eq!((&before["state"], &before["expected_at"]), (&json!("fresh"), &json!("2026-10-05T05:30:00Z")));
        csv(&world, "payroll", &[("1", "one"), ("x", "no number")]);
        world.set_clock("2026-10-05T05:30:00Z");
        beat(&world).await;
        let after = stands(&world, &stage).await;
        assert_eq!((&after["state"], &after["ready_at"]), (&json!("fresh"), &json!("2026-10-05T05:30:00Z")));
        assert_eq!(after["note"], "Ready since 07:30 with rejected rows, due by 08:00");
        world.set_clock("2026-10-05T06:00:30Z");
        beat(&world).await;
        assert_eq!(stands(&world, &stage).await["deadline"], "2026-10-06T06:00:00Z");
        assert_eq!(told(&world, &world.olive, TURNS).await, []);
    }

    async fn nothing_is_told_of_what_passed_in_a_long_outage(world: World) {
        world.set_clock("2026-10-05T04:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |definition| definition.attempts = 1).await;
        scheduled(&world, &stage, "07:00", "Europe/Paris", &[&world.olive]).await;
        promise(&world, &stage, "08:00", "Europe/Paris").await;
        beat(&world).await;
        // Away from Monday to Thursday. The newest occurrence runs, and fails.
        world.set_clock("2026-10-08T07:00:00Z");
        beat(&world).await;
        beat(&world).await;
        assert_eq!(told(&world, &world.olive, TURNS).await, [line("late", "payroll is late: due by 08:00")]);
        csv(&world, "payroll", &[("1", "one")]);
        start(&world, &stage).await;
        work_off(&world).await;
        world.set_clock("2026-10-08T07:10:00Z");
        beat(&world).await;
        assert_eq!(told(&world, &world.olive, TURNS).await.len(), 2);
        assert!(stands(&world, &stage).await["note"].as_str().unwrap().starts_with("Ready since 09:00, "));
    }

    async fn during_a_freeze_it_rests(world: World) {
        world.set_clock("2026-10-05T04:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        scheduled(&world, &stage, "07:00", "Europe/Paris", &[&world.olive]).await;
        promise(&world, &stage, "08:00", "Europe/Paris").await;
        freezes::create(&world, "Close", "2026-10-05T04:30:00Z", "2026-10-05T20:00:00Z", false).await;
        world.set_clock("2026-10-05T05:30:00Z");
        beat(&world).await;
        let rests = stands(&world, &stage).await;
        assert_eq!(rests["state"], "resting");
        assert!(rests["note"].as_str().unwrap().starts_with("Frozen by \"Close\" until Mon 5 Oct 2026, 22:00"));
        let mut olive = world.browser(&world.olive).await;
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        olive.visit(&list).await.sees("Frozen by");
        world.set_clock("2026-10-05T06:30:00Z");
        beat(&world).await;
        assert_eq!((&stands(&world, &stage).await["state"], told(&world, &world.olive, TURNS).await.len()), (&json!("fresh"), 0));
    }

    async fn a_set_is_promised_too_and_keeps_the_promises_of_its_steps(world: World) {
        world.set_clock("2026-10-05T04:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        csv(&world, "payroll", &[("1", "one")]);
        let set = import_sets::create(&world, "Month end", &[stage.configuration]).await;
        let olive = world.api(&world.olive).await;
        let body = json!({"set_id": set.id, "repeat": "days", "start_date": "2026-10-01", "start_time": "07:00",
            "time_zone": "Europe/Paris", "notify": {"about": "failed", "member_ids": [world.olive.id]}});
        olive.post(&format!("applications/{}/schedules", world.application), body).await.is(201);
        let path = format!("import-sets/{}/ready-by", set.id);
        let made = olive.put(&path, every_day("08:00", "Europe/Paris")).await;
        assert_eq!((&made.is(200).json["set_id"], &made.json["configuration_id"]), (&json!(set.id), &Value::Null));
        promise(&world, &stage, "08:00", "Europe/Paris").await;
        // By itself the import plans nothing: its set does.
        assert_eq!(stands(&world, &stage).await["expected_at"], "2026-10-05T05:00:00Z");
        world.set_clock("2026-10-05T05:00:00Z");
        world.step(dispatcher::step).await;
        for _ in 0..4 {
            work_off(&world).await;
        }
        world.step(keeping::step).await;
        for json in [stands(&world, &stage).await, olive.get(&path).await.json] {
            assert_eq!((&json["state"], &json["ready_at"]), (&json!("fresh"), &json!("2026-10-05T05:00:00Z")), "{json}");
        }
    }

    async fn applications_count_theirs(world: World) {
        world.set_clock("2026-10-05T04:00:00Z");
        let (one, two) = (stage(&world, "one", Mode::Update, |_| ()).await, stage(&world, "two", Mode::Update, |_| ()).await);
        csv(&world, "one", &[("1", "one")]);
        scheduled(&world, &one, "06:30", "Europe/Paris", &[&world.olive]).await;
        promise(&world, &one, "08:00", "Europe/Paris").await;
        promise(&world, &two, "08:00", "Europe/Paris").await;
        let application = world.application;
        let counts = || async { world.read(move |conn| of_applications(conn, &[application])).await.remove(&application) };
        world.set_clock("2026-10-05T04:30:00Z");
        beat(&world).await;
        assert_eq!(counts().await, Some(Counts { fresh: 1, at_risk: 1, ..Counts::default() }));
        world.set_clock("2026-10-05T06:00:00Z");
        beat(&world).await;
        assert_eq!(counts().await, Some(Counts { fresh: 1, late: 1, ..Counts::default() }));
        let mut overview = world.browser(&world.olive).await;
        overview.visit("/").await.sees("1 Late").sees("1 Fresh").sees("1 needs you");
        overview.within("#need").sees("two is late Due by").sees_no("one is late");
        overview.follow("View schedules: two is late").await.sees("two");
        // What was deleted rests.
        let olive = world.api(&world.olive).await;
        olive.delete(&format!("import-configurations/{}", two.configuration)).await.is(204);
        beat(&world).await;
        assert_eq!(counts().await, Some(Counts { fresh: 1, resting: 1, ..Counts::default() }));
        olive.get(&format!("import-configurations/{}/ready-by", two.configuration)).await.is(404);
        assert_eq!(told(&world, &world.olive, TURNS).await, []);
    }
}
