//! When it was: one table by two clocks.

use super::RunScene;
use crate::clock::Moment;

/// One of a run's moments.
pub(super) struct Time {
    pub label: &'static str,
    /// Empty where it is that of the line above.
    pub date: String,
    pub local: String,
    pub utc: String,
}

impl RunScene {
    /// The run's moments by the schedule's clock and by UTC; the date where it is another than in the line above.
    pub(super) fn times(&self) -> Vec<Time> {
        let (run, zone) = (&self.summary.run, self.zone());
        let mut day = String::new();
        let all = [
            ("Planned for", run.planned_at),
            ("Until", run.planned_until),
            ("Queued", Some(run.queued_at)),
            ("Started", run.started_at),
            ("Finished", run.finished_at),
        ];
        let time = |(label, at): (&'static str, Option<Moment>)| {
            let local = at?.in_zone(zone);
            let date = local.format("%a %-d %b %Y").to_string();
            let date = if date == day { String::new() } else { date };
            if !date.is_empty() {
                day.clone_from(&date);
            }
            Some(Time {
                label,
                date,
                local: local.format("%H:%M:%S").to_string(),
                utc: at?.utc().format("%H:%M:%S").to_string(),
            })
        };
        all.into_iter().filter_map(time).collect()
    }
}
