//! The safe face of SQLite: what it answers, and what it lets nobody do.

use super::*;

fn open(watch: Watch) -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("a.db");
    std::fs::write(&path, b"").unwrap();
    let mut db = Database::open(&path).unwrap();
    db.execute(c"CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (NULL, x'00ff')").unwrap();
    drop(db);
    let db = Database::open_for_queries(&path, 10_000, watch).unwrap();
    (folder, db)
}

#[test]
fn rows_come_with_their_types() {
    let (_keep, mut db) = open(Box::new(|| false));
    let (id, rest) = db.prepare("SELECT a, b, 1.5 AS c FROM t; -- and no more").unwrap();
    assert_eq!((db.columns(id), rest), (vec!["a".into(), "b".into(), "c".into()], " -- and no more"));
    assert!(db.step(id).unwrap());
    assert_eq!((db.cell(id, 0), db.cell(id, 1)), (SqliteValue::Integer(1), SqliteValue::Text(b"x")));
    assert_eq!(db.cell(id, 2), SqliteValue::Real(1.5));
    assert!(db.step(id).unwrap());
    assert_eq!((db.cell(id, 0), db.cell(id, 1)), (SqliteValue::Null, SqliteValue::Blob(&[0, 255])));
    assert_eq!(db.cell(id, 9), SqliteValue::Null);
    assert!(!db.step(id).unwrap());
}

#[test]
fn somebody_elses_sql_may_only_read() {
    let (_keep, mut db) = open(Box::new(|| false));
    for sql in [
        "ATTACH 'b.db' AS b",
        "PRAGMA query_only = OFF",
        "INSERT INTO t VALUES (3, 4)",
        "CREATE TEMP TABLE u (a)",
        "SELECT load_extension('x')",
        "VACUUM INTO 'c.db'",
        "BEGIN",
        "SELECT * FROM pragma_database_list",
    ] {
        let ran = db.prepare(sql).and_then(|(id, _)| db.step(id));
        assert!(ran.is_err(), "{sql}");
    }
    let (id, _) = db.prepare("SELECT zeroblob(100000)").unwrap();
    assert!(db.step(id).is_err());
}

#[test]
fn a_name_in_double_quotes_is_a_column_or_nothing() {
    let (_keep, mut db) = open(Box::new(|| false));
    assert!(db.prepare("SELECT \"a\" FROM t").is_ok());
    for sql in ["SELECT \"amuont\" AS a FROM t", "SELECT a FROM t WHERE b = \"x\""] {
        assert!(db.prepare(sql).unwrap_err().message.contains("no such column"), "{sql}");
    }
}

#[test]
fn variables_are_seen() {
    let (_keep, mut db) = open(Box::new(|| false));
    for (sql, variables) in [
        ("SELECT a FROM t", &[][..]),
        ("SELECT a FROM t WHERE b = :day", &[":day"]),
        ("SELECT a FROM t WHERE b = ? OR b = $b", &["?", "$b"]),
    ] {
        let (id, _) = db.prepare(sql).unwrap();
        assert_eq!(db.variables(id), variables, "{sql}");
    }
}

#[test]
fn what_was_bound_by_a_copy_stays_over_all_steps() {
    let (_keep, mut db) = open(Box::new(|| false));
    let sql =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT ? || i, ?, ?, ? FROM n";
    let (id, _) = db.prepare(sql).unwrap();
    {
        let text = String::from("x'; DROP TABLE t; --");
        let values =
            [SqliteValue::Text(text.as_bytes()), SqliteValue::Integer(7), SqliteValue::Real(0.5), SqliteValue::Null];
        db.bind(id, &values).unwrap();
    }
    for i in 1..=3 {
        assert!(db.step(id).unwrap());
        let text = format!("x'; DROP TABLE t; --{i}");
        assert_eq!(db.cell(id, 0), SqliteValue::Text(text.as_bytes()));
        assert_eq!(db.cell(id, 1), SqliteValue::Integer(7));
        assert_eq!((db.cell(id, 2), db.cell(id, 3)), (SqliteValue::Real(0.5), SqliteValue::Null));
    }
    assert!(!db.step(id).unwrap());
    assert!(db.bind(id, &[SqliteValue::Null; 9]).is_err());
}

#[test]
fn what_one_function_is_given_is_bounded() {
    let (_keep, mut db) = open(Box::new(|| false));
    let pattern = format!("SELECT 'x' LIKE '{}'", "%a".repeat(501));
    let (id, _) = db.prepare(&pattern).unwrap();
    assert!(db.step(id).is_err());
    assert!(db.prepare(&format!("SELECT {}1{}", "(1+".repeat(101), ")".repeat(101))).is_err());
}

#[test]
fn a_watch_stops_what_goes_on_for_ever() {
    let (_keep, mut db) = open(Box::new(|| true));
    let (id, _) =
        db.prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n").unwrap();
    assert_eq!(db.step(id).unwrap_err().code, ffi::SQLITE_INTERRUPT);
}

#[test]
fn what_is_not_bound_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    std::fs::write(&path, b"").unwrap();
    let mut db = Database::open(&path).unwrap();
    db.execute(c"CREATE TABLE t (a, b)").unwrap();
    let (id, _) = db.prepare("INSERT INTO t VALUES (?, ?)").unwrap();
    assert!(db.run(id, |binder| binder.integer(1)).is_err());
    assert!(db.run(id, |binder| (0..3).for_each(|n| binder.integer(n))).is_err());
    let text = "text".to_owned();
    db.run(id, |binder| {
        binder.text(text.as_bytes());
        binder.null();
    })
    .unwrap();
    let (id, _) = db.prepare("SELECT count(*), max(a) FROM t").unwrap();
    assert!(db.step(id).unwrap());
    assert_eq!((db.cell(id, 0), db.cell(id, 1)), (SqliteValue::Integer(1), SqliteValue::Text(b"text")));
}
