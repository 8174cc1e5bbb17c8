//! What a freeze will skip is said before: in the dialog, by the API, in the calendar.

use serde_json::{Value, json};
use tidegate::imports::Mode;

use super::create as freeze;
use crate::schedules::{create, daily, draft, every_five};
use crate::support::stage::stage;
use crate::support::{Person, World};

/// From Friday to Saturday noon, in UTC.
async fn close(world: &World) {
    freeze(world, "Close", "2026-10-09T00:00:00Z", "2026-10-10T12:00:00Z", false).await;
}

const FORETOLD: &str = "Frozen by \"Close\" until Sat 10 Oct 2026, 14:00 (Europe/Paris): it will be skipped.";

async fn notes(world: &World, by: &Person) -> Vec<Value> {
    let asked = json!({
        "application_id": world.application,
        "repeat": "days", "start_date": "2026-10-09", "start_time": "09:00", "time_zone": "UTC",
    });
    let reply = world.api(by).await.post("schedules/preview?count=3", asked).await;
    reply.is(200).json["occurrences"].as_array().unwrap().iter().map(|o| o["note"].clone()).collect()
}

on_both! {
    async fn the_preview_says_which_runs_will_be_skipped(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        close(&world).await;
        let mut olive = world.browser(&world.olive).await;
        let form = format!("/applications/{}/schedules/new?configuration={}", world.application, stage.configuration);
        olive.visit(&form).await;
        olive.sees(FORETOLD);
        assert_eq!(olive.count(".runs .flag"), 2, "Friday and Saturday at 06:00 in Paris, of five");
        let held = Value::from(FORETOLD);
        assert_eq!(notes(&world, &world.olive).await, [held.clone(), held, Value::Null]);
        assert_eq!(notes(&world, &world.mo).await, [Value::Null, Value::Null, Value::Null], "freezes are not Mo's to see");
    }

    async fn the_calendar_shows_what_will_be_skipped(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let schedule = create(&world, draft(&stage, &daily("09:00"))).await;
        close(&world).await;
        let mut olive = world.browser(&world.olive).await;
        let calendar = format!("/applications/{}/settings/import-scheduling/calendar", world.application);
        olive.visit(&calendar).await;
        olive.sees("Frozen: Close").sees("Frozen until 12:00: Close").sees("Will be skipped");
        olive.sees("Frozen by \"Close\" from Fri 9 Oct 2026, 00:00 until Sat 10 Oct 2026, 12:00");
        assert_eq!((olive.count(".cal-day .ev.frozen"), olive.count(".cal-day .ev.plan:not(.frozen)")), (2, 1));
        olive.visit(&format!("{calendar}/entry?schedule={}&at=2026-10-09T09:00:00Z", schedule.id)).await;
        olive.sees(FORETOLD);
        for (view, frozen) in [("month", 2), ("day&date=2026-10-09", 1), ("day&date=2026-10-11", 0)] {
            olive.visit(&format!("{calendar}?view={view}")).await;
            assert_eq!(olive.count(".ev.frozen"), frozen, "{view}");
        }
        // What runs often is counted: Friday, and half of Saturday.
        create(&world, draft(&stage, &every_five())).await;
        olive.visit(&calendar).await;
        olive.sees("864 planned, 432 of them frozen");
    }
}
