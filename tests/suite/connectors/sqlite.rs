//! A query on an SQLite file: what it may do, what its columns are called, which file it may read.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde_json::json;
use tempfile::TempDir;
use tidegate::connectors::{Content, FailureKind, FetchError, FetchRequest, Limits, Retry};
use tidegate::db::sqlite::Database;
use tidegate::formats::{Cell, FormatError, Record};

use super::contract::{Case, Situation, good};
use super::{as_csv, connector, ctx, failed, fetch_one, outside};

/// Runs SQL on a file, which is made when it is not there.
pub fn run_sql(file: &Path, sql: &str) -> Database {
    std::fs::File::options().append(true).create(true).open(file).unwrap();
    let mut db = Database::open(file).unwrap();
    db.execute(&CString::new(sql).unwrap()).unwrap();
    db
}

/// The good file as a table.
fn fill(file: &Path) {
    let rows: Vec<String> = good()
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').map(|(name, amount)| format!("('{name}', {amount})")).unwrap())
        .collect();
    run_sql(file, &format!("CREATE TABLE t (name, amount); INSERT INTO t VALUES {}", rows.join(", ")));
}

/// The contract's situations.
pub fn driver(situation: Situation) -> Option<Case> {
    use Situation::*;
    let (root, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let file = root.path().canonicalize().unwrap().join("a.csv");
    let mut query = "SELECT name, amount FROM t";
    let mut settings = file.clone();
    let mut meanwhile: Box<dyn FnOnce()> = Box::new(|| ());
    let mut held = None;
    fill(&file);
    let (tell, begun) = mpsc::channel();
    match situation {
        Good => {}
        Missing => settings = root.path().join("b.db"),
        RefusedSignIn => {
            settings = elsewhere.path().join("a.db");
            fill(&settings);
        }
        Cut => {
            run_sql(&file, "INSERT INTO t SELECT hex(randomblob(2000)), 1 FROM t, t u, t v, t w");
            std::fs::File::options().write(true).open(&file).unwrap().set_len(8_192).unwrap();
        }
        Changed => meanwhile = Box::new(move || drop(run_sql(&file, "UPDATE t SET amount = 9 WHERE amount = 1"))),
        Slow => held = Some(run_sql(&file, "BEGIN EXCLUSIVE")),
        Oversized => {
            query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(1000)) AS x FROM n";
        }
        Endless => {
            query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n";
            tell.send(()).unwrap();
        }
    }
    Some(Case {
        connector: connector("sqlite", json!({ "path": settings }), &[]),
        request: FetchRequest::Query(query.to_owned()),
        outside: outside(&[], &[PathBuf::from(root.path())], &elsewhere),
        limits: Limits::default(),
        meanwhile,
        begun: Some(begun),
        _keep: Box::new((root, elsewhere, held)),
    })
}

/// Asks the good file; answers what came as CSV.
fn ask(query: &str) -> Result<String, FetchError> {
    let case = driver(Situation::Good).unwrap();
    let fetched = fetch_one(&*case.connector, &FetchRequest::Query(query.to_owned()), &ctx(&case.outside))?;
    let Content::Rows(rows) = fetched.content else { panic!("a file") };
    Ok(String::from_utf8(as_csv(rows)?).unwrap())
}

#[test]
fn a_query_is_one_statement_that_reads() {
    assert_eq!(ask("SELECT count(*) AS n FROM t; -- all of it\n").unwrap(), "n\n2\n");
    assert_eq!(ask("WITH u AS (SELECT 1 AS a) SELECT a FROM u").unwrap(), "a\n1\n");
    for (query, kind, words) in [
        ("SELECT 1 AS a; SELECT 2 AS b", FailureKind::Request, "more than one statement"),
        ("SELECT 1 AS a; nonsense", FailureKind::Request, "refused the query"),
        (" -- nothing\n", FailureKind::Request, "has no query"),
        ("SELECT amount FROM u", FailureKind::Request, "no such table: u"),
        ("SELECT \"amuont\" AS a FROM t", FailureKind::Request, "no such column"),
        ("SELECT amount AS a FROM t WHERE name = :day", FailureKind::Request, "the variable :day"),
        ("SELECT ? AS a", FailureKind::Request, "the variable ?"),
        ("SELECT hex(zeroblob(600000)) AS a", FailureKind::TooLarge, "too large"),
        ("SELECT ?1 AS a FROM t WHERE", FailureKind::Request, "incomplete input"),
        ("DELETE FROM t", FailureKind::Refused, "may only read"),
        ("ATTACH 'b.db' AS b", FailureKind::Refused, "may only read"),
        ("PRAGMA table_info(t)", FailureKind::Refused, "may only read"),
        ("SELECT * FROM pragma_table_info('t')", FailureKind::Refused, "may only read"),
        ("CREATE TEMP TABLE u AS SELECT 1 AS a", FailureKind::Refused, "may only read"),
    ] {
        let error = failed(ask(query), kind, Retry::No);
        assert!(error.sentence.contains(words), "{query}: {error}");
    }
}

#[test]
fn columns_have_names_of_their_own() {
    assert_eq!(
        ask("SELECT t.amount AS one, u.amount AS two FROM t, t u LIMIT 1").unwrap().lines().next(),
        Some("one,two")
    );
    let error = failed(ask("SELECT t.name, u.Name FROM t, t u"), FailureKind::Request, Retry::No);
    assert!(error.sentence.contains("with AS"), "{error}");
    failed(ask("SELECT 1 AS ''"), FailureKind::Request, Retry::No);
}

#[test]
fn cells_keep_their_types_and_what_is_no_text_is_damage() {
    let case = driver(Situation::Good).unwrap();
    let query = "SELECT 9007199254740993 AS i, 1.5 AS r, 'x' AS t, NULL AS n, x'00' AS b, CAST(x'ff' AS TEXT) AS u, \
                 'a' || char(0) AS z";
    let fetched = fetch_one(&*case.connector, &FetchRequest::Query(query.to_owned()), &ctx(&case.outside)).unwrap();
    let Content::Rows(mut rows) = fetched.content else { panic!("a file") };
    let mut record = Record::new();
    assert!(rows.next(&mut record).unwrap());
    assert_eq!(record.cell(0), Cell::Integer(9_007_199_254_740_993, b"9007199254740993"));
    assert_eq!(record.cell(1), Cell::Number(1.5, b"1.5"));
    assert_eq!((record.cell(2), record.cell(3)), (Cell::Text(b"x"), Cell::Null));
    assert!(matches!(record.cell(4), Cell::Binary(_)));
    let damage: Vec<_> = record.damage().iter().map(|d| (d.column, d.code())).collect();
    assert_eq!(damage, [(Some(5), "not_in_encoding"), (Some(6), "nul")]);
    assert!(!rows.next(&mut record).unwrap());
}

#[test]
fn links_lead_nowhere_else_and_other_files_are_no_databases() {
    let (root, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fill(&elsewhere.path().join("a.db"));
    std::os::unix::fs::symlink(elsewhere.path().join("a.db"), root.path().join("link.db")).unwrap();
    std::fs::write(root.path().join("text.db"), good().repeat(1_000)).unwrap();
    let outside = outside(&[], &[root.path().to_owned()], &elsewhere);
    for (name, kind) in
        [("link.db", FailureKind::Refused), ("text.db", FailureKind::Answer), (".", FailureKind::Refused)]
    {
        let sqlite = connector("sqlite", json!({ "path": root.path().join(name) }), &[]);
        let asked = fetch_one(&*sqlite, &FetchRequest::Query("SELECT 1 AS a".into()), &ctx(&outside));
        let read = asked.and_then(|fetched| match fetched.content {
            Content::Rows(rows) => as_csv(rows),
            Content::File { .. } => panic!("a file"),
        });
        // A statement that needs no table does not look into the file.
        if name != "text.db" {
            failed(read, kind, Retry::No);
        }
        failed(sqlite.test(&ctx(&outside)), kind, Retry::No);
    }
}

#[test]
fn a_query_that_is_stopped_says_why_where_it_stops() {
    let case = driver(Situation::Endless).unwrap();
    let context = ctx(&case.outside);
    let fetched = fetch_one(&*case.connector, &case.request, &context).unwrap();
    let Content::Rows(mut rows) = fetched.content else { panic!("a file") };
    context.cancel.cancel();
    match rows.next(&mut Record::new()) {
        Err(FormatError::Source { cause, may_pass: false }) => assert!(cause.to_string().contains("cancelled")),
        other => panic!("{other:?}"),
    }
}
