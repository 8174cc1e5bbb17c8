//! A load that is tried out says what the load then does, leaves nothing behind, and is in nobody's way.

use std::cell::Cell as Once;
use std::collections::BTreeMap;

use tidegate::applications::blocks::difference::{Difference, Kind, RowChange};
use tidegate::applications::blocks::{BlockRow, trial};
use tidegate::imports::pipeline::{Source, run_if_unchanged};

use super::*;
use crate::support::{Dice, settings};

/// Tries a load out; what it found, and what it staged and rejected is gone.
fn tried(db: &Databases, plan: &Plan, csv: &str, midway: &dyn Fn()) -> Result<LoadReport, LoadError> {
    let mut plan = plan.clone();
    plan.is_trial = true;
    let (key, source, cancelled) = (trial::run(), text(csv), AtomicBool::new(false));
    let context = LoadContext {
        blocks: &db.blocks,
        run: &key,
        fence: i64::MAX,
        clock: &SetClock::at(NOW),
        cancelled: &cancelled,
        deadline: None,
        progress: &|_| {},
    };
    let unchanged = || {
        midway();
        Ok(())
    };
    let report = run_if_unchanged(&plan, Source::File(&source), &context, &unchanged);
    db.blocks.write(|conn| trial::end(conn, &key)).unwrap();
    assert!(!db.blocks.read(|conn| rejects::any(conn, key.id)).unwrap());
    report
}

fn line(block: &Block, row: &Option<BlockRow>) -> Option<String> {
    let cells = row.as_ref()?.cells.iter().zip(&block.columns).map(|(cell, column)| cell.text(column.column_type));
    Some(cells.collect::<Vec<_>>().join(","))
}

/// Changed (old and new), added, removed, unchanged.
type Model = (Vec<(String, String)>, Vec<String>, Vec<String>, i64);

/// What became of the rows of a Block by the model.
fn model(block: &Block, before: &[String], after: &[String]) -> Model {
    let (mut changed, mut added, mut removed, mut unchanged) = (Vec::new(), Vec::new(), Vec::new(), 0);
    if block.is_keyed() {
        let by_key = |rows: &[String]| -> BTreeMap<String, String> {
            rows.iter().map(|row| (row.split(',').next().unwrap().to_owned(), row.clone())).collect()
        };
        let (old, new) = (by_key(before), by_key(after));
        for (key, row) in &new {
            match old.get(key) {
                None => added.push(row.clone()),
                Some(was) if was == row => unchanged += 1,
                Some(was) => changed.push((was.clone(), row.clone())),
            }
        }
        removed.extend(old.iter().filter(|(key, _)| !new.contains_key(*key)).map(|(_, row)| row.clone()));
    } else {
        let mut counts: BTreeMap<&String, (i64, i64)> = BTreeMap::new();
        before.iter().for_each(|row| counts.entry(row).or_default().0 += 1);
        after.iter().for_each(|row| counts.entry(row).or_default().1 += 1);
        for (row, (was, is)) in counts {
            unchanged += was.min(is);
            added.extend((was..is).map(|_| row.clone()));
            removed.extend((is..was).map(|_| row.clone()));
        }
    }
    changed.sort();
    (changed, added, removed, unchanged)
}

fn of_kind(block: &Block, found: &Difference, kind: Kind) -> Vec<(Option<String>, Option<String>)> {
    let rows = found.first.iter().filter(|row| row.kind() == kind);
    let each = |row: &RowChange| {
        let both = (line(block, &row.before), line(block, &row.after));
        (0..row.times).map(move |_| both.clone()).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = rows.flat_map(each).collect();
    all.sort();
    all
}

/// A kind of Block: how to make it, and a random row of it.
type Rolled = (fn(&Databases, i64) -> Block, fn(&mut Dice) -> String, &'static str);

fn metric(db: &Databases, application: i64) -> Block {
    let columns = vec![column("Day", Integer).key(), column("Value", Number)];
    create(db, application, draft("Metric", BlockKind::Metric, columns)).unwrap()
}

const KINDS: [Rolled; 3] = [
    (
        items,
        |dice| format!("k{},{},{}", dice.between(1, 30), dice.pick(&["", "one", "two"]), dice.between(0, 2)),
        "Code,Name,Size",
    ),
    (metric, |dice| format!("{},{}", dice.between(1, 30), dice.pick(&["", "1.5", "-2"])), "Day,Value"),
    (log, |dice| format!("2026-01-0{},{}", dice.between(1, 4), dice.pick(&["", "1", "2"])), "Day,Amount"),
];

on_both! {
    fn a_trial_says_what_the_load_then_does(db: Databases) {
        let mut dice = Dice(settings::seed());
        let mut run = 0;
        for (make, roll, head) in KINDS {
            for mode in [Mode::Append, Mode::Update, Mode::Replace] {
                let block = make(db, application(db, &format!("{mode} {head}")));
                if mode == Mode::Update && !block.is_keyed() {
                    continue;
                }
                let mut plan = plan(db, &block, mode);
                (plan.guard, plan.rejects.load_good) = (Guard::OFF, Some(true));
                for round in 0..5 {
                    let rows: Vec<String> = (0..dice.between(1, 40)).map(|_| roll(&mut dice)).collect();
                    let csv = format!("{head}\n{}\n", rows.join("\n"));
                    let before = shown(db, &block);
                    let trial = tried(db, &plan, &csv, &|| ());
                    assert_eq!(shown(db, &block), before);
                    run += 1;
                    let loaded = load(db, &plan, &text(&csv), run);
                    let what = format!("{mode} into {}, round {round}, seed {}", block.name, settings::seed());
                    let (trial, loaded) = match (trial, loaded) {
                        (Ok(trial), Ok(loaded)) => (trial, loaded),
                        // All were rejected.
                        (Err(one), Err(other)) => {
                            assert_eq!(one.to_string(), other.to_string(), "{what}");
                            continue;
                        }
                        other => panic!("{what}: {other:?}"),
                    };
                    assert_eq!((trial.outcome, trial.counts.read, trial.counts.rejected),
                        (loaded.outcome, loaded.counts.read, loaded.counts.rejected), "{what}");
                    let found = *trial.difference.unwrap();
                    let (changed, added, removed, unchanged) = model(&block, &before, &shown(db, &block));
                    let counts = (found.changed, found.added, found.removed);
                    assert_eq!(counts, (changed.len() as i64, added.len() as i64, removed.len() as i64), "{what}");
                    if mode == Mode::Replace {
                        assert_eq!(found.unchanged, unchanged, "{what}");
                    } else {
                        let Counts { added, changed, unchanged, .. } = loaded.counts;
                        assert_eq!((found.added, found.changed, found.unchanged), (added, changed, unchanged), "{what}");
                    }
                    let one = |row: String| (None, Some(row));
                    let pairs: Vec<_> = changed.into_iter().map(|(old, new)| (Some(old), Some(new))).collect();
                    assert_eq!(of_kind(&block, &found, Kind::Changed), pairs, "{what}");
                    let mut news: Vec<_> = added.into_iter().map(one).collect();
                    news.sort();
                    assert_eq!(of_kind(&block, &found, Kind::Added), news, "{what}");
                    let mut gone: Vec<_> = removed.into_iter().map(|row| (Some(row), None)).collect();
                    gone.sort();
                    assert_eq!(of_kind(&block, &found, Kind::Removed), gone, "{what}");
                }
            }
        }
    }
}

on_both! {
    fn columns_that_a_load_does_not_fill_stay_by_update_and_are_emptied_by_replace(db: Databases) {
        let block = items(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Replace), &text("Code,Name,Size\na,one,1\nb,two,2\n"), 1).unwrap();
        let found = *tried(db, &plan(db, &block, Mode::Update), "Code,Size\na,1\nb,3\n", &|| ()).unwrap().difference.unwrap();
        assert_eq!((found.added, found.changed, found.removed, found.unchanged), (0, 1, 0, 1));
        assert_eq!(of_kind(&block, &found, Kind::Changed), [(Some("b,two,2".into()), Some("b,two,3".into()))]);
        assert_eq!(found.first[0].differs, [false, false, true]);
        let found = *tried(db, &plan(db, &block, Mode::Replace), "Code,Size\na,1\n", &|| ()).unwrap().difference.unwrap();
        assert_eq!((found.added, found.changed, found.removed, found.unchanged), (0, 1, 1, 0));
        assert_eq!(of_kind(&block, &found, Kind::Changed), [(Some("a,one,1".into()), Some("a,,1".into()))]);
    }
}

on_both! {
    fn long_texts_are_cut_and_known_to_differ(db: Databases) {
        let block = items(db, application(db, "A"));
        let long = "ü".repeat(600);
        load(db, &plan(db, &block, Mode::Replace), &text(&format!("Code,Name\na,{long}x\n")), 1).unwrap();
        let found = *tried(db, &plan(db, &block, Mode::Replace), &format!("Code,Name\na,{long}y\n"), &|| ())
            .unwrap().difference.unwrap();
        assert_eq!((found.changed, &found.first[0].differs), (1, &vec![false, true, false]));
        assert_eq!(line(&block, &found.first[0].after).unwrap(), format!("a,{}…,", "ü".repeat(500)));
    }
}

on_both! {
    fn fifty_rows_of_each_kind_are_shown_and_all_are_counted(db: Databases) {
        let block = items(db, application(db, "A"));
        let rows = |from: i64, to: i64, name: &str| -> String { (from..to).map(|n| format!("{n:04},{name}\n")).collect() };
        load(db, &plan(db, &block, Mode::Replace), &text(&format!("Code,Name\n{}", rows(0, 300, "old"))), 1).unwrap();
        let csv = format!("Code,Name\n{}{}", rows(100, 200, "old"), rows(200, 500, "new"));
        let found = *tried(db, &plan(db, &block, Mode::Replace), &csv, &|| ()).unwrap().difference.unwrap();
        assert_eq!((found.added, found.changed, found.removed, found.unchanged), (200, 100, 100, 100));
        let kinds = [Kind::Changed, Kind::Added, Kind::Removed].map(|kind| of_kind(&block, &found, kind).len());
        assert_eq!((kinds, found.first.len()), ([50; 3], 150));
    }
}

on_both! {
    /// Whoever began first and whoever has the higher fence.
    fn a_trial_and_a_load_of_one_block_go_on_together(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &text("Code\na\n"), 1).unwrap();
        let again = Once::new(0);
        let midway = || {
            again.set(again.get() + 1);
            load(db, &plan, &text("Code\nb\n"), 2).unwrap();
        };
        let report = tried(db, &plan, "Code\na\nb\nc\n", &midway).unwrap();
        assert_eq!((again.get(), shown(db, &block)), (1, vec!["b,,".to_owned()]));
        let found = report.difference.unwrap();
        assert_eq!((found.added, found.unchanged), (2, 1), "compared with what is there in the end");
        load(db, &plan, &text("Code\nd\n"), 3).unwrap();
        assert_eq!(shown(db, &block), ["d,,"]);
    }
}

on_both! {
    fn what_a_dead_trial_left_goes_with_a_cleanup_once_nobody_can_be_at_it(db: Databases) {
        let block = items(db, application(db, "A"));
        let key = trial::run();
        let staging = db.blocks.write(|conn| trial::begin(conn, &block, &key, NOW)).unwrap();
        let cell = rejects::RejectedCell {
            line: 2,
            column: "Code".into(),
            value: "x".into(),
            code: "missing".into(),
            reason: "r".into(),
            advice: "a".into(),
        };
        let mut batch = rejects::RejectBatch::default();
        batch.cells.push(cell);
        batch.keep(rejects::RejectedLine { line: 2, fields: vec!["x".into()] });
        db.blocks.lend(|conn| rejects::write(conn, &staging, &batch)).unwrap();
        let staged = db.blocks.read(generations::staged).unwrap();
        assert_eq!(staged.len(), 1);
        assert!(trial::goes_on(&staged[0], NOW.plus(chrono::Duration::minutes(14))));
        assert!(!trial::goes_on(&staged[0], NOW.plus(chrono::Duration::minutes(16))));
        assert_eq!(generations::cleanup(&db.blocks, &staged, &[]), 1);
        assert!(tables(db).is_empty());
        assert!(!db.blocks.read(|conn| rejects::any(conn, key.id)).unwrap());
        assert!(db.blocks.read(generations::staged).unwrap().is_empty());
    }
}
