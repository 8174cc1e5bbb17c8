//! A long history, made by the database itself: configurations with schedules in "FP&A 2026", a tenth of the runs in
//! "Elsewhere", and the rare things (held runs, runs by token) at its far end, where only an index finds them.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tidegate::db::Conn;
use tidegate::imports::Mode;
use tidegate::schedules::{Draft, RuleDraft, actions};

use super::World;
use super::stage::{Stage, stage};

/// What is made. Every size but the number of runs is that of the product's goals unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    pub configurations: i64,
    /// Of each configuration, four at most.
    pub schedules: i64,
    pub runs: i64,
    /// Over how many days the runs lie, up to now.
    pub days: i64,
    /// Over how many further Applications the tenth that is elsewhere is spread.
    pub applications: i64,
    /// Whether each run has a step and a line of log too.
    pub whole: bool,
}

impl Seed {
    pub fn runs(runs: i64) -> Self {
        Self { configurations: 200, schedules: 4, runs, days: 400, applications: 1, whole: false }
    }
}

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// `1 .. count` as `n.i`.
fn series(count: i64) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {count})")
}

pub fn batch(conn: &mut Conn, sql: &str) -> tidegate::error::Result<()> {
    match conn {
        Conn::Pg(conn) => conn.batch_execute(sql)?,
        Conn::Sqlite(conn) => conn.batch_execute(sql)?,
    }
    Ok(())
}

/// Fills the World and answers its first configuration, of which the others are copies.
pub async fn seed(world: &World, of: Seed) -> Stage {
    let first = stage(world, "seeded", Mode::Append, |_| ()).await;
    let rules = [
        json!({"repeat": "hours", "every": 8}),
        json!({"repeat": "days"}),
        json!({"repeat": "weeks", "weekdays": ["mon", "thu"]}),
        json!({"repeat": "minutes", "every": 15, "window": {"from": "07:00", "to": "19:00"}}),
    ];
    for mut rule in rules.into_iter().take(of.schedules as usize) {
        rule["start_date"] = json!("2026-01-01");
        rule["start_time"] = json!("06:00");
        rule["time_zone"] = json!("Europe/Paris");
        let draft = Draft {
            target: tidegate::imports::Target::Configuration(first.configuration),
            run_name: None,
            rule: RuleDraft::from_json(rule.as_object().unwrap()),
            enabled: true,
            off_until: None,
            notify: None,
            parameters: None,
        };
        let (olive, now, secrets) = (world.olive.clone(), world.now(), world.app().secrets.clone());
        let application = world.application;
        world
            .write(move |conn| {
                let by = olive.by(conn)?;
                actions::create(conn, &secrets, &by, application, draft, now)
            })
            .await;
    }
    let sql = sql(world, &first, of);
    world.write(move |conn| batch(conn, &sql)).await;
    world.step(tidegate::runs::counting::step).await;
    world
        .read(|conn| match conn {
            // As autovacuum would, in time.
            Conn::Pg(_) => batch(conn, "VACUUM ANALYZE"),
            Conn::Sqlite(_) => batch(conn, "PRAGMA wal_checkpoint(TRUNCATE)"),
        })
        .await;
    first
}

fn sql(world: &World, first: &Stage, of: Seed) -> String {
    let (here, olive, now) = (world.application, world.olive.id, world.now().micros());
    let (c, runs) = (first.configuration, of.runs);
    let step = of.days * DAY / runs;
    let copies = |application: &str, count: i64, name: &str| {
        format!(
            "{} INSERT INTO import_configurations (application_id, name, name_key, block_id, connection_id, created_at) \
             SELECT a.id, '{name} ' || n.i, '{name} ' || n.i, c.block_id, c.connection_id, c.created_at \
             FROM n CROSS JOIN applications a JOIN import_configurations c ON c.id = {c} WHERE a.id {application};",
            series(count)
        )
    };
    let mut sql = String::new();
    if of.applications > 1 {
        sql += &format!(
            "{} INSERT INTO applications (name, name_key, time_zone, created_at) \
             SELECT 'Elsewhere ' || n.i, 'elsewhere ' || n.i, 'UTC', {now} FROM n;\n",
            series(of.applications - 1)
        );
    }
    sql += &(copies(&format!("= {here}"), of.configurations - 1, "copy") + &copies(&format!("<> {here}"), 10, "other"));
    sql += &format!(
        "INSERT INTO configuration_versions \
         (configuration_id, version, block_id, connection_id, definition, created_by, created_at) \
         SELECT o.id, 1, v.block_id, v.connection_id, v.definition, v.created_by, v.created_at \
         FROM import_configurations o JOIN configuration_versions v ON v.configuration_id = {c} WHERE o.id <> {c};\n\
         INSERT INTO schedules (application_id, configuration_id, target_key, slot_key, rule, enabled, next_at, \
         owner_id, created_at, updated_at, updated_by) \
         SELECT s.application_id, o.id, 'c' || o.id, 'c' || o.id || substr(s.slot_key, length('c{c}') + 1), s.rule, \
         s.enabled, s.next_at + o.id * 60000000, s.owner_id, s.created_at, s.updated_at, s.updated_by \
         FROM import_configurations o JOIN schedules s ON s.configuration_id = {c} \
         WHERE o.id <> {c} AND o.application_id = {here};\n"
    );
    sql += &format!(
        "INSERT INTO schedules (application_id, configuration_id, target_key, slot_key, rule, enabled, next_at, \
         owner_id, created_at, updated_at, updated_by) \
         SELECT o.application_id, o.id, 'c' || o.id, 'c' || o.id || substr(s.slot_key, length('c{c}') + 1), s.rule, \
         s.enabled, s.next_at + o.id * 60000000, s.owner_id, s.created_at, s.updated_at, s.updated_by \
         FROM import_configurations o JOIN schedules s ON s.id = \
         (SELECT min(id) FROM schedules WHERE configuration_id = {c}) WHERE o.application_id <> {here};\n"
    );
    // The n-th schedule and configuration, so that each has its share of the runs.
    sql += &format!(
        "CREATE TEMP TABLE nth AS SELECT row_number() OVER (ORDER BY s.id) - 1 AS k, s.id AS schedule_id, \
         s.configuration_id FROM schedules s WHERE s.application_id = {here};\n\
         CREATE TEMP TABLE other AS SELECT row_number() OVER (ORDER BY id) - 1 AS k, id, application_id \
         FROM import_configurations WHERE application_id <> {here};\n\
         CREATE UNIQUE INDEX nth_k ON nth (k); CREATE UNIQUE INDEX other_k ON other (k);\n"
    );
    let many = of.configurations * of.schedules;
    let status = "CASE WHEN n.i BETWEEN 20 AND 22 THEN 'held' WHEN n.i % 50 = 7 THEN 'failed' \
                  WHEN n.i % 50 = 8 THEN 'partial' WHEN n.i % 200 = 9 THEN 'skipped' WHEN n.i % 200 = 10 THEN 'missed' \
                  WHEN n.i % 100 = 11 THEN 'cancelled' ELSE 'success' END";
    let columns = "uid, application_id, configuration_id, configuration_version, block_id, schedule_id, planned_at, \
                   trigger_kind, started_by, as_member_id, name, status, cause, attempt, queued_at, started_at, finished_at";
    let at = format!("({now} - ({runs} - n.i) * {step} - 60000000)");
    let (block, others) = (first.block, of.applications * 10);
    sql += &format!(
        "{} INSERT INTO runs ({columns}) SELECT 'seed' || n.i, \
         CASE WHEN o.id IS NULL THEN {here} ELSE o.application_id END, coalesce(o.id, t.configuration_id), 1, {block}, \
         CASE WHEN o.id IS NULL AND n.i % 97 <> 1 AND n.i > 5 THEN t.schedule_id END, \
         CASE WHEN o.id IS NULL AND n.i % 97 <> 1 AND n.i > 5 THEN {at} END, \
         CASE WHEN n.i <= 5 THEN 'api' WHEN o.id IS NOT NULL OR n.i % 97 = 1 THEN 'member' ELSE 'schedule' END, \
         {olive}, {olive}, 'seeded', {status}, CASE WHEN n.i % 50 = 7 THEN 'There is no file. Look for it.' END, 1, \
         {at}, CASE WHEN n.i % 200 IN (9, 10) THEN NULL ELSE {at} + 1000000 END, {at} + 1000000 + n.i % 90 * 1000000 \
         FROM n JOIN nth t ON t.k = n.i % {many} LEFT JOIN other o ON n.i % 10 = 5 AND o.k = n.i / 10 % {others} \
         ORDER BY n.i;\n",
        series(runs)
    );
    sql += "INSERT INTO run_results (run_id, rows_read, rows_added, rows_changed, rows_removed, rows_unchanged, \
            rows_rejected, bytes, source_name) SELECT id, 100, 90, 0, 0, 0, 10, 4096, 'seeded.csv' FROM runs \
            WHERE status IN ('success', 'partial', 'held') AND uid LIKE 'seed%';\n";
    if of.whole {
        sql += "INSERT INTO run_steps (run_id, position, name, status, detail, started_at, duration_us) \
                SELECT id, p.n, 'Read', 'success', '100 rows.', queued_at, 1000 FROM runs \
                CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1) p WHERE uid LIKE 'seed%';\n\
                INSERT INTO run_log (run_id, at, level, message) SELECT id, queued_at, 'info', 'Attempt 1 started.' \
                FROM runs WHERE uid LIKE 'seed%';\n\
                INSERT INTO outcomes (run_id, kind, at, status) SELECT id, 'ended', queued_at, status FROM runs \
                WHERE uid LIKE 'seed%';\n";
    }
    // The statuses of the configurations are those of the runs that ended last.
    sql + "UPDATE import_configurations SET status_run_id = (SELECT r.id FROM runs r \
           WHERE r.configuration_id = import_configurations.id AND r.finished_at IS NOT NULL \
           AND r.status IN ('success', 'partial', 'failed', 'held') ORDER BY r.finished_at DESC, r.id DESC LIMIT 1);\n\
           UPDATE import_configurations SET status = (SELECT r.status FROM runs r WHERE r.id = status_run_id), \
           status_at = (SELECT r.finished_at FROM runs r WHERE r.id = status_run_id);\n\
           DROP TABLE nth; DROP TABLE other;"
}

/// Every import of the Application is promised for each morning.
pub async fn promise_all(world: &World, stage: &Stage) {
    let olive = world.api(&world.olive).await;
    let every_day = json!({"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "time": "08:00", "time_zone": "Europe/Paris"});
    olive.put(&format!("import-configurations/{}/ready-by", stage.configuration), every_day).await.is(200);
    let (here, first) = (world.application, stage.configuration);
    let sql = format!(
        "INSERT INTO promises (application_id, configuration_id, target_key, rule, version, updated_at, updated_by, state, \
         settled, counts_from) SELECT p.application_id, c.id, 'c' || c.id, p.rule, 1, p.updated_at, p.updated_by, p.state, \
         p.settled, p.counts_from FROM import_configurations c JOIN promises p ON p.configuration_id = {first} \
         WHERE c.id <> {first} AND c.application_id = {here}"
    );
    world.write(move |conn| batch(conn, &sql)).await;
}

/// Ada was told 2,000 times, and 60 things are broken, each in five imports.
pub async fn tell_much(world: &World) {
    let (ada, at) = (world.ada.id, world.now().micros());
    let sql = format!(
        "{} INSERT INTO incidents (application_id, key, kind, cause, opened_at, last_at, told_at, failures, taken_by, \
         taken_at) SELECT a.id, 'seed' || n.i, 'failed', 'There is no file. Look for it.', {at} - n.i, {at} - n.i, {at}, 3, \
         CASE WHEN n.i % 3 = 0 THEN {ada} END, CASE WHEN n.i % 3 = 0 THEN {at} END FROM n \
         JOIN (SELECT id, row_number() OVER (ORDER BY id) AS k FROM applications) a ON a.k = 1 + n.i % 19;\n\
         INSERT INTO incident_targets (incident_id, target_key, run_id, at) SELECT i.id, 'c' || r.configuration_id, \
         max(r.id), max(r.queued_at) FROM incidents i JOIN (SELECT id, configuration_id, queued_at, application_id, \
         dense_rank() OVER (PARTITION BY application_id ORDER BY configuration_id) AS k FROM runs WHERE id % 100 < 20) r \
         ON r.application_id = i.application_id AND r.k <= 5 GROUP BY i.id, r.configuration_id;\n",
        series(60)
    ) + &format!(
        "{} INSERT INTO notices (member_id, key, kind, application_id, run_id, incident_id, title, detail, at, read_at) \
         SELECT {ada}, 'seed' || n.i, 'failed', i.application_id, t.run_id, i.id, 'Words failed', 'There is no file.', \
         {at} - n.i * 60000000, CASE WHEN n.i % 5 > 0 THEN {at} END FROM n \
         JOIN (SELECT id, application_id, row_number() OVER (ORDER BY id) AS k FROM incidents) i ON i.k = 1 + n.i % 60 \
         JOIN (SELECT incident_id, max(run_id) AS run_id FROM incident_targets GROUP BY incident_id) t \
         ON t.incident_id = i.id;\n",
        series(2_000)
    );
    world.write(move |conn| batch(conn, &sql)).await;
}
