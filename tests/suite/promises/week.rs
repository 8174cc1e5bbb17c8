//! A promise kept, endangered and broken over a week across a clock change, looked at by two processes at once that are
//! restarted in between: each message comes once.

use std::sync::Arc;

use chrono::Duration;
use tidegate::app::App;
use tidegate::imports::Mode;

use super::*;
use crate::dispatching::second_process;
use crate::running::start;
use crate::support::Dice;
use crate::support::stage::{csv, stage};
use crate::support::world::moment;

const ZONE: &str = "Europe/Paris";

/// Two processes look at once.
async fn both_look(world: &World, processes: &[Arc<App>; 2]) {
    let looks = processes.clone().map(|app| tokio::task::spawn_blocking(move || keeping::step(&app)));
    let mut done = 0;
    for look in looks {
        // SQLite lets one write at a time and may say so; the next beat comes anyway.
        done += usize::from(look.await.unwrap().is_ok());
    }
    assert!(done > 0);
    world.step(keeping::step).await;
}

on_both! {
    async fn each_turn_of_a_week_across_a_clock_change_is_told_once(world: World) {
        // Wednesday, 21 October, in Paris; on Sunday 02:30 comes twice.
        world.set_clock("2026-10-20T20:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |definition| definition.attempts = 1).await;
        scheduled(&world, &stage, "01:45", ZONE, &[&world.olive, &world.mo]).await;
        promise(&world, &stage, "02:30", ZONE).await;
        let file = world.folder().join("payroll.csv");
        let mut processes = [second_process(&world).await, second_process(&world).await];
        let mut dice = Dice(26);
        let (mut now, end) = (world.now(), moment("2026-10-27T10:00:00Z"));
        while now < end {
            now = now.plus(Duration::minutes(15));
            world.clock().set(now);
            let local = now.in_zone(chrono_tz::Europe::Paris).naive_local().format("%d %H:%M").to_string();
            match local.as_str() {
                // At 01:45 on the 22nd, 23rd, 25th and 26th the file is not there.
                "21 01:30" | "24 01:30" | "27 01:30" => csv(&world, "payroll", &[("1", "one")]),
                "21 12:00" | "24 12:00" => std::fs::remove_file(&file).unwrap(),
                _ => {}
            }
            if world.step(dispatcher::step).await.queued > 0 {
                both_look(&world, &processes).await;
                work_off(&world).await;
            }
            // Just in time on the 22nd, half an hour late on the 23rd, and on the 25th in the hour that comes twice.
            let by_hand = ["2026-10-22T00:15:00Z", "2026-10-23T01:00:00Z", "2026-10-25T01:00:00Z"];
            if by_hand.iter().any(|at| moment(at) == now) {
                csv(&world, "payroll", &[("1", "one")]);
                start(&world, &stage).await;
                work_off(&world).await;
                std::fs::remove_file(&file).unwrap();
            }
            both_look(&world, &processes).await;
            if dice.one_in(8) {
                processes[dice.between(0, 1) as usize] = second_process(&world).await;
            }
        }
        let risk = || line("at_risk", "payroll may not be ready by 02:30");
        let late = || line("late", "payroll is late: due by 02:30");
        let ready = |late: &str| line("ready", &format!("payroll is ready, {late} late"));
        let wanted = [
            // Kept on the 21st; endangered on the 22nd; broken on the 23rd.
            risk(), line("ready", "payroll is ready, in time after all"),
            risk(), late(), ready("30 minutes"),
            // Kept on the 24th; broken on the 25th, by the first 02:30 of the two.
            risk(), late(), ready("30 minutes"),
            // Broken on the 26th, until the run of the 27th came, which keeps that day's too.
            risk(), late(), ready("23 h 15 min"),
        ];
        for person in [&world.olive, &world.mo] {
            assert_eq!(told(&world, person, TURNS).await, wanted, "{}", person.name);
        }
        assert_eq!(told(&world, &world.ada, TURNS).await, []);
        let stands = stands(&world, &stage).await;
        assert_eq!((stands["state"].as_str(), stands["deadline"].as_str()), (Some("fresh"), Some("2026-10-28T01:30:00Z")));
    }
}
