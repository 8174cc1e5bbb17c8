//! Every way to load, into every kind of Block, against a model: random files, and after each of them the Block holds
//! what the model holds, and the counts say what was done.

use std::collections::BTreeMap;

use super::*;
use crate::support::{Dice, settings};

/// Cells by column; none: empty.
type Row = Vec<Option<String>>;

/// A Block as the model knows it.
struct Model {
    block: Block,
    keys: Vec<usize>,
    /// The columns that may be a scope, one or several.
    scopes: Vec<Vec<usize>>,
    rows: Vec<Row>,
}

/// What a load did.
#[derive(Debug, Default, PartialEq)]
struct Did {
    added: i64,
    changed: i64,
    removed: i64,
    unchanged: i64,
    rejected: i64,
}

impl Model {
    fn key(&self, row: &Row) -> Row {
        self.keys.iter().map(|i| row[*i].clone()).collect()
    }

    /// What a load does; `None`: nothing, because every row is rejected.
    fn load(&mut self, mode: Mode, scope: &[usize], file: &[Row]) -> Option<Did> {
        let of = |row: &Row| -> Row { scope.iter().map(|i| row[*i].clone()).collect() };
        let mut good: Vec<Row> = Vec::new();
        for row in file {
            let key = self.key(row);
            let taken = !self.keys.is_empty() && good.iter().any(|there| self.key(there) == key);
            if !key.contains(&None) && !taken {
                good.push(row.clone());
            }
        }
        if matches!(mode, Mode::Append | Mode::ReplaceScope) && !self.keys.is_empty() {
            // A row that is rejected may take its values out of the scope.
            loop {
                let within: Vec<Row> = good.iter().map(of).collect();
                let goes = |row: &Row| mode == Mode::ReplaceScope && within.contains(&of(row));
                let stay: Vec<Row> = self.rows.iter().filter(|row| !goes(row)).map(|row| self.key(row)).collect();
                let before = good.len();
                good.retain(|row| !stay.contains(&self.key(row)));
                if good.len() == before || mode == Mode::Append {
                    break;
                }
            }
        }
        let mut did = Did { rejected: (file.len() - good.len()) as i64, ..Did::default() };
        if good.is_empty() {
            return None;
        }
        match mode {
            Mode::Replace => {
                did.removed = self.rows.len() as i64;
                self.rows.clear();
            }
            Mode::ReplaceScope => {
                let within: Vec<Row> = good.iter().map(of).collect();
                let before = self.rows.len();
                self.rows.retain(|row| !within.contains(&of(row)));
                did.removed = (before - self.rows.len()) as i64;
            }
            Mode::Append | Mode::Update => {}
        }
        for row in good {
            let key = self.key(&row);
            let keys = self.keys.clone();
            let same = |there: &&mut Row| keys.iter().map(|i| there[*i].clone()).collect::<Row>() == key;
            match self.rows.iter_mut().find(same).filter(|_| mode == Mode::Update) {
                Some(there) if *there == row => did.unchanged += 1,
                Some(there) => {
                    *there = row;
                    did.changed += 1;
                }
                None => {
                    self.rows.push(row);
                    did.added += 1;
                }
            }
        }
        Some(did)
    }

    fn holds(&self) -> BTreeMap<String, usize> {
        counted(self.rows.iter().map(line))
    }
}

fn line(row: &Row) -> String {
    row.iter().map(|cell| cell.clone().unwrap_or_default()).collect::<Vec<_>>().join(",")
}

fn counted(lines: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for line in lines {
        *counted.entry(line).or_default() += 1;
    }
    counted
}

fn models(db: &Databases) -> Vec<Model> {
    let here = application(db, "Modes");
    let block = |name: &str, kind, columns| create(db, here, draft(name, kind, columns)).unwrap();
    let list = vec![column("Code", Text).key(), column("Group", Text), column("Size", Integer)];
    let metric = vec![column("Month", Date).key(), column("Region", Text).key(), column("Value", Integer)];
    let lines = || vec![column("Month", Date), column("Region", Text), column("Amount", Integer)];
    let mut numbered = lines();
    numbered.insert(0, column("Number", Integer).key());
    let model = |block, keys: &[usize], scopes: &[&[usize]]| Model {
        block,
        keys: keys.to_vec(),
        scopes: scopes.iter().map(|scope| scope.to_vec()).collect(),
        rows: Vec::new(),
    };
    vec![
        model(block("Items", BlockKind::DimensionList, list), &[0], &[&[1], &[0], &[1, 2]]),
        model(block("Plan", BlockKind::Metric, metric), &[0, 1], &[&[0], &[1], &[0, 1]]),
        model(block("Lines", BlockKind::TransactionList, lines()), &[], &[&[0], &[1], &[0, 1]]),
        model(block("Numbered", BlockKind::TransactionList, numbered), &[0], &[&[1], &[2], &[1, 2]]),
    ]
}

/// Few different values, so that they meet; some are empty.
fn cell(dice: &mut Dice, column_type: ColumnType) -> Option<String> {
    if dice.one_in(9) {
        return None;
    }
    let n = dice.between(1, 6);
    Some(match column_type {
        Date => format!("2026-0{n}-01"),
        Text => ["north", "south", "east", "west", "it's", "Ärger"][n as usize - 1].to_owned(),
        _ => n.to_string(),
    })
}

on_both! {
    fn each_mode_into_each_kind_of_block_does_what_the_model_does(db: Databases) {
        let mut dice = Dice(settings::seed());
        // A thousand in all on each database, in the long version.
        let rounds = if settings::full() { 250 } else { 30 };
        let mut run = 0;
        for mut model in models(db) {
            for round in 0..rounds {
                run += 1;
                let keyed = !model.keys.is_empty();
                let mode = *dice.pick(&[&Mode::Append, &Mode::Update, &Mode::Replace, &Mode::ReplaceScope]);
                if mode == Mode::Update && !keyed {
                    continue;
                }
                let scope = model.scopes[dice.between(0, model.scopes.len() as i64 - 1) as usize].clone();
                let many = dice.between(1, 14);
                let columns: Vec<ColumnType> = model.block.columns.iter().map(|c| c.column_type).collect();
                let mut file: Vec<Row> = (0..many)
                    .map(|_| columns.iter().map(|kind| cell(&mut dice, *kind)).collect())
                    .collect();
                // A row of nothing but delimiters is no row.
                file.retain(|row: &Row| row.iter().any(Option::is_some));
                if file.is_empty() {
                    continue;
                }
                let mut plan = Plan { guard: Guard::OFF, ..plan(db, &model.block, mode) };
                plan.rejects.load_good = Some(true);
                if mode == Mode::ReplaceScope {
                    plan.scope = scope.iter().map(|i| model.block.columns[*i].name.clone()).collect();
                }
                let head: Vec<&str> = model.block.columns.iter().map(|c| c.name.as_str()).collect();
                let lines: String = file.iter().map(|row| format!("{}\n", line(row))).collect();
                let said = format!("{} {mode} {:?} round {round}:\n{lines}", model.block.name, plan.scope);
                let ended = load(db, &plan, &text(&format!("{}\n{lines}", head.join(","))), run);
                match model.load(mode, &scope, &file) {
                    Some(did) => {
                        let counts = ended.unwrap_or_else(|why| panic!("{said}{why}")).counts;
                        let ours = Did {
                            added: counts.added,
                            changed: counts.changed,
                            removed: counts.removed,
                            unchanged: counts.unchanged,
                            rejected: counts.rejected,
                        };
                        assert_eq!(ours, did, "{said}");
                    }
                    None => assert_eq!(ended.unwrap_err().kind, FailureKind::Rejected, "{said}"),
                }
                assert_eq!(counted(shown(db, &model.block).into_iter()), model.holds(), "{said}");
                assert_eq!(count(db, &model.block), model.rows.len() as i64, "{said}");
            }
        }
    }
}

on_both! {
    fn a_scope_is_guarded_by_what_lies_within_it(db: Databases) {
        let block = log(db, application(db, "A"));
        let mut whole = String::from("Day,Amount\n");
        for n in 0..40 {
            whole.push_str(&format!("2026-01-01,{n}\n2026-02-01,{n}\n"));
        }
        load(db, &plan(db, &block, Mode::Append), &text(&whole), 1).unwrap();
        let scoped = |guard| {
            let mut plan = Plan { guard, ..plan(db, &block, Mode::ReplaceScope) };
            plan.scope = vec!["day".into()];
            plan
        };
        let few = text("Day,Amount\n2026-02-01,7\n");
        let held = load(db, &scoped(Guard::default()), &few, 2).unwrap();
        assert_eq!(held.outcome, Outcome::Held(Stopped { rows: 1, usual: 40 }));
        assert_eq!(count(db, &block), 80);
        // Approved, it does what it would have done.
        let (key, clock) = (run_key(2), SetClock::at(NOW));
        let context = LoadContext {
            blocks: &db.blocks,
            run: &key,
            fence: 3,
            clock: &clock,
            cancelled: &AtomicBool::new(false),
            deadline: None,
            progress: &|_| {},
        };
        let approved = tidegate::imports::pipeline::approve(&scoped(Guard::default()), &context).unwrap().counts;
        assert_eq!((approved.added, approved.removed, count(db, &block)), (1, 40, 41));
        // A month that is not there makes no room, and an empty source has no scope.
        let new = load(db, &scoped(Guard::default()), &text("Day,Amount\n2026-03-01,1\n"), 4).unwrap().counts;
        assert_eq!((new.added, new.removed), (1, 0));
        let empty = load(db, &scoped(Guard::default()), &text("Day,Amount\n"), 5).unwrap();
        assert_eq!(empty.outcome, Outcome::NothingNew);
        // By a Replace mode a rejected row stops the load, unless somebody chose otherwise.
        let failed = load(db, &scoped(Guard::OFF), &text("Day,Amount\n2026-01-01,x\n2026-01-01,1\n"), 6).unwrap_err();
        assert_eq!((failed.kind, count(db, &block)), (FailureKind::Rejected, 42));
    }
}

on_both! {
    fn empty_cells_are_a_value_of_a_scope(db: Databases) {
        let block = log(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Append), &text("Day,Amount\n,1\n2026-01-01,2\n,3\n"), 1).unwrap();
        let mut plan = Plan { guard: Guard::OFF, ..plan(db, &block, Mode::ReplaceScope) };
        plan.scope = vec!["Day".into()];
        let counts = load(db, &plan, &text("Day,Amount\n,9\n"), 2).unwrap().counts;
        assert_eq!((counts.added, counts.removed), (1, 2));
        assert_eq!(shown(db, &block), ["2026-01-01,2", ",9"]);
        // By equal names a source without the column would make every row lie within.
        let failure = load(db, &plan, &text("Amount\n1\n"), 4).unwrap_err();
        assert!(failure.cause.starts_with("Nothing fills \"Day\", which says which rows are replaced."), "{}", failure.cause);
        assert_eq!(count(db, &block), 2);
        plan.scope = vec!["Gone".into()];
        let failure = load(db, &plan, &text("Day,Amount\n,9\n"), 3).unwrap_err();
        assert!(failure.cause.contains("no such column"), "{}", failure.cause);
    }
}
