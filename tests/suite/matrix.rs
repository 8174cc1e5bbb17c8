//! Every address × every person. An address that is missing from the table fails, and so does one that is no more.
//!
//! | sign | the answer |
//! |---|---|
//! | `o` | the page, or the thing asked for |
//! | `>` | on to another page |
//! | `v` | the post gets past every right (done, or sent back with what is wrong in it) |
//! | `x` | 403: may see it, may not do it |
//! | `.` | 404: what one may not see answers like what is not there |
//! | `?` | off to the sign-in page |
//!
//! A post that is refused changes nothing.

use crate::support::browser::{Answer, Browser};
use crate::support::routes::{self, Route};
use crate::support::{Database, World, with_world};

/// The columns.
const PEOPLE: [&str; 7] = ["Ada", "Olive", "Mo", "Ivy", "Stranger", "Audrey", "Nobody"];

/// Ada administers; Olive imports and configures here; Mo views; Ivy has Import Data without Can Import Data; Stranger
/// is at home elsewhere; Audrey audits; Nobody is signed out.
const TABLE: &[(&str, &str)] = &[
    ("GET /static/{name:.*}", "ooooooo"),
    ("GET /healthz", "ooooooo"),
    ("GET /readyz", "ooooooo"),
    // Members and the door
    ("GET /setup", "......."),
    ("POST /setup", "......."),
    ("GET /sign-in", ">>>>>>o"),
    ("POST /sign-in", "vvvvvvv"),
    // Nobody is half-way in.
    ("GET /sign-in/code", ">>>>>>?"),
    ("POST /sign-in/code", "vvvvvv?"),
    // Nothing is set up elsewhere.
    ("GET /sign-in/elsewhere", ">>>>>>?"),
    ("GET /sign-in/elsewhere/return", ">>>>>>?"),
    ("POST /sign-out", ">>>>>>>"),
    ("GET /password/forgot", "ooooooo"),
    ("POST /password/forgot", "vvvvvvv"),
    ("GET /password/reset/{reset}", "ooooooo"),
    ("POST /password/reset/{reset}", "vvvvvvv"),
    ("GET /invitations/{invitation}", "ooooooo"),
    ("POST /invitations/{invitation}", "vvvvvvv"),
    ("GET /signed-in", "oooooo?"),
    ("GET /session", "oooooo?"),
    ("GET /account", "oooooo?"),
    ("POST /account", "vvvvvv?"),
    ("GET /account/password", ">>>>>>?"),
    ("POST /account/password", "vvvvvv?"),
    ("GET /account/second-factor", "oooooo?"),
    ("POST /account/second-factor", "vvvvvv?"),
    ("GET /account/second-factor/codes", ">>>>>>?"),
    ("POST /account/second-factor/codes", "vvvvvv?"),
    ("POST /account/second-factor/off", "vvvvvv?"),
    ("POST /account/sessions/{session}/end", ".v....?"),
    ("POST /account/sessions/end", "vvvvvv?"),
    ("GET /account/tokens", ">>>>>>?"),
    ("POST /account/tokens", "vvvvvv?"),
    ("POST /account/tokens/{token}/revoke", ".v....?"),
    ("GET /members", "oxxxxo?"),
    ("POST /members", "vxxxxx?"),
    ("GET /members/invitations", ">xxxx>?"),
    ("POST /members/invitations", "vxxxxx?"),
    ("GET /members/invitations/{invited}/again", ">xxxx>?"),
    ("POST /members/invitations/{invited}/again", "vxxxxx?"),
    ("POST /members/invitations/{invited}/revoke", "vxxxxx?"),
    ("GET /members/{member}", "oxxxxx?"),
    ("POST /members/{member}", "vxxxxx?"),
    ("GET /members/{member}/switch", ">xxxxx?"),
    ("POST /members/{member}/switch", "vxxxxx?"),
    ("GET /members/{member}/reset-link", ">xxxxx?"),
    ("POST /members/{member}/reset-link", "vxxxxx?"),
    ("POST /members/{member}/sessions/end", "vxxxxx?"),
    ("POST /members/{member}/second-factor/off", "vxxxxx?"),
    ("GET /members/{member}/deactivate", "oxxxxx?"),
    ("POST /members/{member}/deactivate", "vxxxxx?"),
    ("GET /roles", "oxxxxo?"),
    ("POST /roles", "vxxxxx?"),
    ("GET /roles/{role}", "oxxxxx?"),
    ("POST /roles/{role}", "vxxxxx?"),
    ("GET /roles/{role}/delete", "oxxxxx?"),
    ("POST /roles/{role}/delete", "vxxxxx?"),
    ("GET /groups", "oxxxxo?"),
    ("POST /groups", "vxxxxx?"),
    ("GET /groups/{group}", "oxxxxo?"),
    ("POST /groups/{group}", "vxxxxx?"),
    ("GET /groups/{group}/delete", "oxxxxx?"),
    ("POST /groups/{group}/delete", "vxxxxx?"),
    // Ownership
    ("GET /ownership", "oxxxxx?"),
    ("GET /ownership/hand-over", "oxxxxx?"),
    ("POST /ownership/hand-over", "vxxxxx?"),
    ("POST /ownership/{hand}/undo", "vxxxxx?"),
    ("GET /settings/sign-in", "oxxxxx?"),
    ("POST /settings/sign-in", "vxxxxx?"),
    ("POST /settings/sign-in/remove", ".xxxxx?"),
    ("POST /settings/sign-in/second-factor", "vxxxxx?"),
    ("GET /settings/mail", "oxxxxx?"),
    ("POST /settings/mail/test", "vxxxxx?"),
    // Applications
    ("GET /", "oooooo?"),
    ("GET /applications", "oooooo?"),
    ("POST /applications", "vxxxxx?"),
    ("GET /applications/new", "oxxxxx?"),
    ("GET /applications/{a}", "oooo.o?"),
    ("GET /applications/{a}/settings", "oooo.o?"),
    ("POST /applications/{a}/settings", "vvxx.x?"),
    ("GET /applications/{a}/archive", "ooxx.x?"),
    ("POST /applications/{a}/archive", "vvxx.x?"),
    ("GET /applications/{a}/settings/members", "ooxx.o?"),
    ("POST /applications/{a}/settings/members/{m}", "vvxx.x?"),
    ("POST /applications/{a}/settings/members/groups/{group}", "vvxx.x?"),
    // Copies: this one was never cloned or reset, and is no copy.
    ("GET /settings/environment", "oxxxxx?"),
    ("POST /settings/environment", "vxxxxx?"),
    ("GET /applications/{a}/settings/environment", "ooxx.o?"),
    ("GET /applications/{a}/promote", "ooxx.x?"),
    ("POST /applications/{a}/promote", "vvxx.x?"),
    ("GET /applications/{a}/clone", "oxxx.x?"),
    ("POST /applications/{a}/clone", "vxxx.x?"),
    ("GET /applications/{a}/refresh", ">xxx.x?"),
    ("POST /applications/{a}/refresh", "vxxx.x?"),
    ("GET /applications/{a}/reset", "oxxx.x?"),
    ("POST /applications/{a}/reset", "vxxx.x?"),
    ("GET /applications/{a}/settings/import-scheduling/review", ">>xx.>?"),
    ("POST /applications/{a}/settings/import-scheduling/review", "vvxx.x?"),
    // Blocks
    ("GET /applications/{a}/blocks", "oooo.o?"),
    ("GET /applications/{a}/blocks/new", "ooxx.x?"),
    ("POST /applications/{a}/blocks/new", "vvxx.x?"),
    ("GET /applications/{a}/blocks/{b}", "oooo.o?"),
    ("GET /applications/{a}/blocks/{b}/rows.csv", "oooo.o?"),
    // The Block is empty: it has no row yet, and nothing to restore.
    ("GET /applications/{a}/blocks/{b}/rows/{row}", "......?"),
    ("GET /applications/{a}/blocks/{b}/restore/{r}", ">>xx.x?"),
    ("POST /applications/{a}/blocks/{b}/restore/{r}", "vvxx.x?"),
    ("GET /applications/{a}/blocks/{b}/edit", "ooxx.x?"),
    ("POST /applications/{a}/blocks/{b}/edit", "vvxx.x?"),
    ("GET /applications/{a}/blocks/{b}/delete", "ooxx.x?"),
    ("POST /applications/{a}/blocks/{b}/delete", "vvxx.x?"),
    // The REST API
    ("GET /rest-api", "oooooo?"),
    ("GET /rest-api/openapi.json", "oooooo?"),
    // Import configurations
    ("GET /applications/{a}/settings/import-configurations", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-configurations/new", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/new/files", "vvxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/new/preview", "vvxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/new/mapping", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-configurations/{i}", "ooxx.o?"),
    ("POST /applications/{a}/settings/import-configurations/{i}", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/when", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/delete", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/{i}/delete", "vvxx.x?"),
    // Connections
    ("GET /connections", "oxxxxo?"),
    ("GET /connections/new", "oxxxxx?"),
    ("POST /connections/new", "vxxxxx?"),
    ("GET /connections/new/test", ">xxxxx?"),
    ("POST /connections/new/test", "vxxxxx?"),
    ("GET /connections/{c}", "oxxxxo?"),
    ("POST /connections/{c}", "vxxxxx?"),
    ("GET /connections/{c}/test", ">xxxx>?"),
    ("POST /connections/{c}/test", "vxxxxx?"),
    ("GET /connections/{c}/delete", "oxxxxx?"),
    ("POST /connections/{c}/delete", "vxxxxx?"),
    // Import configurations
    ("GET /applications/{a}/settings/import-configurations", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-configurations/new", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/new/files", "vvxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/new/preview", "vvxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/new/mapping", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-configurations/{i}", "ooxx.o?"),
    ("POST /applications/{a}/settings/import-configurations/{i}", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/when", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/delete", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/{i}/delete", "vvxx.x?"),
    // Import sets
    ("GET /applications/{a}/settings/import-sets", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-sets/new", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-sets/new", "vvxx.x?"),
    ("POST /applications/{a}/settings/import-sets/preview", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-sets/{set}", "ooxx.o?"),
    ("POST /applications/{a}/settings/import-sets/{set}", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-sets/{set}/steps/{position}", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-sets/{set}/steps/{position}", "vvxx.x?"),
    ("POST /applications/{a}/settings/import-sets/{set}/copy", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-sets/{set}/delete", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-sets/{set}/delete", "vvxx.x?"),
    // Ready by
    ("GET /applications/{a}/settings/import-configurations/{i}/ready-by", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/{i}/ready-by", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-sets/{set}/ready-by", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-sets/{set}/ready-by", "vvxx.x?"),
    // Kept files
    ("GET /applications/{a}/settings/kept-files", "ooxx.o?"),
    ("GET /applications/{a}/settings/kept-files/files", "ooxx.o?"),
    ("POST /applications/{a}/settings/kept-files/files", "vvxx.x?"),
    ("GET /applications/{a}/settings/kept-files/{kept}", "ooxx.o?"),
    ("GET /applications/{a}/settings/kept-files/{kept}/files", "ooxx.o?"),
    ("POST /applications/{a}/settings/kept-files/{kept}/files", "vvxx.x?"),
    ("GET /applications/{a}/settings/kept-files/{kept}/versions/{version}", "ooxx.x?"),
    ("GET /applications/{a}/settings/kept-files/{kept}/delete", "ooxx.x?"),
    ("POST /applications/{a}/settings/kept-files/{kept}/delete", "vvxx.x?"),
    // Notifications
    ("GET /notifications", "oooooo?"),
    ("POST /notifications", "vvvvvv?"),
    ("GET /notifications/bell", "oooooo?"),
    ("GET /notifications/settings", "oooooo?"),
    ("POST /notifications/settings", "vvvvvv?"),
    ("POST /notifications/{n}", ".v....?"),
    ("GET /settings/slack", "oxxxxx?"),
    ("POST /settings/slack", "vxxxxx?"),
    ("POST /settings/slack/test", "vxxxxx?"),
    ("POST /settings/slack/remove", ".xxxxx?"),
    ("GET /applications/{a}/settings/notifications", "ooxx.o?"),
    ("POST /applications/{a}/settings/notifications", "vxxx.x?"),
    ("GET /applications/{a}/settings/notifications/test", ">>xx.>?"),
    ("POST /applications/{a}/settings/notifications/test", "vxxx.x?"),
    ("POST /applications/{a}/settings/notifications/remove", "vxxx.x?"),
    ("GET /incidents/{incident}", "oooo.o?"),
    ("POST /incidents/{incident}/take", "vvxx.x?"),
    ("POST /incidents/{incident}/snooze", "vvxx.x?"),
    ("POST /incidents/{incident}/run-again", "vvxx.x?"),
    // Calendars to subscribe to: one needs no more than the address.
    // Audit log
    ("GET /audit", "oxxxxo?"),
    ("GET /audit.csv", "oxxxxo?"),
    ("GET /audit/as-of", "oxxxxo?"),
    ("GET /applications/{a}/schedules/{s}/changes", "ooxx.o?"),
    // There is no such entry.
    ("POST /applications/{a}/schedules/{s}/changes/{entry}", "..xx.x?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/changes", "ooxx.o?"),
    // What the entry is of is another thing: who may restore finds nothing.
    ("GET /applications/{a}/settings/import-configurations/{i}/changes/{entry}", "..xx.x?"),
    ("POST /applications/{a}/settings/import-configurations/{i}/changes/{entry}", "..xx.x?"),
    ("GET /applications/{a}/settings/import-sets/{set}/changes", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-sets/{set}/changes/{entry}", "..xx.x?"),
    ("POST /applications/{a}/settings/import-sets/{set}/changes/{entry}", "..xx.x?"),
    // Calendars to subscribe to
    ("GET /calendar", "oooooo?"),
    ("POST /calendar", "vvvvvv?"),
    ("POST /calendar/revoke", "vvvvvv?"),
    ("GET /calendar/{feed}.ics", "ooooooo"),
    // Translations
    ("GET /applications/{a}/settings/translations", "ooxx.o?"),
    ("GET /applications/{a}/settings/translations/new", "ooxx.x?"),
    ("POST /applications/{a}/settings/translations/new", "vvxx.x?"),
    ("GET /applications/{a}/settings/translations/{t}", "ooxx.o?"),
    ("POST /applications/{a}/settings/translations/{t}", "vvxx.x?"),
    ("GET /applications/{a}/settings/translations/{t}/delete", "ooxx.x?"),
    ("POST /applications/{a}/settings/translations/{t}/delete", "vvxx.x?"),
    // Freezes
    ("GET /applications/{a}/settings/freezes", "ooxx.o?"),
    ("POST /applications/{a}/settings/freezes", "vvxx.x?"),
    ("POST /applications/{a}/settings/freezes/preview", "vvxx.x?"),
    ("GET /applications/{a}/settings/freezes/{f}", "ooxx.o?"),
    ("POST /applications/{a}/settings/freezes/{f}", "vvxx.x?"),
    ("POST /applications/{a}/settings/freezes/{f}/end", "vvxx.x?"),
    ("GET /applications/{a}/settings/freezes/{f}/delete", "ooxx.x?"),
    ("POST /applications/{a}/settings/freezes/{f}/delete", "vvxx.x?"),
    // Import Scheduling
    ("GET /applications/{a}/settings/import-scheduling", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-scheduling/configurations/{i}", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-scheduling/sets/{set}", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-scheduling/calendar", "ooxx.o?"),
    ("GET /applications/{a}/settings/import-scheduling/calendar/entry", "..xx..?"),
    ("GET /applications/{a}/schedules/new", "ooxx.x?"),
    ("GET /applications/{a}/schedules/configurations", "ooxx.x?"),
    ("POST /applications/{a}/schedules/preview", "vvxx.v?"),
    ("GET /applications/{a}/schedules/bulk", ">>xx.x?"),
    ("POST /applications/{a}/schedules/bulk", "vvxx.x?"),
    ("POST /applications/{a}/schedules/take-ownership", "vvxx.x?"),
    ("POST /applications/{a}/schedules/undo", "vvxx.x?"),
    ("POST /applications/{a}/schedules", "vvxx.x?"),
    ("GET /applications/{a}/schedules/{s}/edit", "ooxx.x?"),
    ("POST /applications/{a}/schedules/{s}", "vvxx.x?"),
    ("POST /applications/{a}/schedules/{s}/switch", "vvxx.x?"),
    ("POST /applications/{a}/schedules/{s}/take-ownership", "vvxx.x?"),
    ("GET /applications/{a}/schedules/{s}/copy", "ooxx.x?"),
    ("GET /applications/{a}/schedules/{s}/off-until", "ooxx.x?"),
    ("POST /applications/{a}/schedules/{s}/off-until", "vvxx.x?"),
    ("POST /applications/{a}/schedules/{s}/restore", "vvxx.x?"),
    ("GET /applications/{a}/schedules/{s}/delete", "ooxx.x?"),
    ("POST /applications/{a}/schedules/{s}/delete", "vvxx.x?"),
    // Runs
    ("POST /applications/{a}/settings/import-configurations/{i}/runs", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-sets/{set}/run", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-sets/{set}/runs", ">>xx.x?"),
    ("GET /applications/{a}/settings/import-sets/{set}/history", "oooo.o?"),
    ("GET /applications/{a}/settings/import-sets/{set}/history.csv", "oooo.o?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/schedules", ">>xx.>?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/run", "ooxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/{i}/files", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/test-run", ">>xx.x?"),
    ("POST /applications/{a}/settings/import-configurations/{i}/test-run", "vvxx.x?"),
    ("POST /applications/{a}/settings/import-configurations/{i}/test-run/files", "vvxx.x?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/history", "oooo.o?"),
    ("GET /applications/{a}/settings/import-configurations/{i}/history.csv", "oooo.o?"),
    ("GET /runs/{r}", "oooo.o?"),
    ("GET /runs/{r}/rejected-rows.csv", "ooxx.o?"),
    ("GET /runs/{r}/changes", "oooo.o?"),
    ("GET /runs/{r}/files", "ooxx.x?"),
    ("POST /runs/{r}/files", "vvxx.x?"),
    ("POST /runs/{r}/treat-as-empty", "vvxx.x?"),
    ("POST /runs/{r}/translate", "vvxx.x?"),
    ("POST /runs/{r}/create-items", "vvxx.x?"),
    ("GET /runs/{r}/log.txt", "oooo.o?"),
    ("POST /runs/{r}/cancel", "vvxx.x?"),
    ("POST /runs/{r}/again", "vvxx.x?"),
    ("GET /runs/{r}/approve", ">>xx.x?"),
    ("POST /runs/{r}/approve", "vvxx.x?"),
    ("POST /runs/{r}/reject", "vvxx.x?"),
];

#[test]
fn the_table_has_every_address_and_no_other() {
    let routes = routes::all();
    let table = |name: &str| TABLE.iter().any(|(listed, _)| *listed == name);
    let missing: Vec<_> = routes.iter().filter(|r| !r.is_api() && !table(&r.name())).map(Route::name).collect();
    assert!(missing.is_empty(), "not in the table of tests/suite/matrix.rs: {missing:#?}");
    let gone: Vec<_> = TABLE.iter().filter(|(listed, _)| !routes.iter().any(|r| r.name() == *listed)).collect();
    assert!(gone.is_empty(), "no longer in src/routes.rs: {gone:#?}");
}

on_both! {
    async fn who_may_look_at_what(world: World) {
        let values = routes::values(&world).await;
        let people = people(&world).await;
        let mut wrong = Vec::new();
        for (route, wanted) in table("GET") {
            let mut got = String::new();
            for browser in &people {
                got.push(sign(&route, &browser.get(&route.filled(&values)).await));
            }
            compare(&route, wanted, &got, &mut wrong);
        }
        none(&wrong);
    }
}

/// Each post in a World of its own: those who may not go first and change nothing; then those who may.
#[test]
fn who_may_do_what() {
    let wrong = std::sync::Mutex::new(Vec::new());
    let posts: Vec<_> = table("POST").collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while let Some((route, wanted)) = posts.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    with_world(Database::Sqlite, |world| post_as_everybody(world, route, wanted, &wrong));
                }
            });
        }
    });
    none(&wrong.into_inner().unwrap());
}

async fn post_as_everybody(world: World, route: &Route, wanted: &str, wrong: &std::sync::Mutex<Vec<String>>) {
    let values = routes::values(&world).await;
    let people = people(&world).await;
    let path = route.filled(&values);
    let mut got = vec![' '; people.len()];
    let mut notes = Vec::new();
    let before = world.fingerprint().await;
    let may = |i: &usize| matches!(wanted.as_bytes()[*i], b'v' | b'>');
    for i in (0..people.len()).filter(|i| !may(i)) {
        got[i] = sign(route, &people[i].post(&path, &[]).await);
    }
    if world.fingerprint().await != before {
        notes.push(format!("{}: a refused post changed something", route.name()));
    }
    let mut done = false;
    for i in (0..people.len()).filter(may) {
        let answer = people[i].post(&path, &[]).await;
        // The one before may have taken it away.
        got[i] = if done && answer.status == 404 { wanted.as_bytes()[i] as char } else { sign(route, &answer) };
        done = true;
    }
    let mut wrong = wrong.lock().unwrap();
    wrong.extend(notes);
    compare(route, wanted, &got.into_iter().collect::<String>(), &mut wrong);
}

/// What belongs to another Application answers, at one's own Application's address, like what is not there.
#[test]
fn what_belongs_elsewhere_is_not_there() {
    with_world(Database::Sqlite, |world| async move {
        let values = routes::values(&world).await;
        let stranger = world.browser(&world.stranger).await;
        let before = world.fingerprint().await;
        let mut wrong = Vec::new();
        for (route, _) in table("GET").chain(table("POST")) {
            // Members belong to the Workspace, and are let into any Application.
            let inner =
                route.path.strip_prefix("/applications/{a}/").filter(|rest| !rest.starts_with("settings/members"));
            let Some(inner) = inner.filter(|rest| rest.contains('{')) else {
                continue;
            };
            let elsewhere = format!("/applications/{}/{inner}", world.elsewhere);
            let at = |values: &[(&'static str, String)]| {
                Route { path: elsewhere.clone(), method: route.method.clone() }.filled(values)
            };
            let mut answers = Vec::new();
            for path in [at(&values), at(&[])] {
                let answer =
                    if route.method == "GET" { stranger.get(&path).await } else { stranger.post(&path, &[]).await };
                answers.push((answer.status, answer.text()));
            }
            if answers[0].0 != 404 || answers[0] != answers[1] {
                wrong.push(format!("{}: {} {:?}", route.name(), answers[0].0, answers[1].0));
            }
        }
        none(&wrong);
        assert_eq!(world.fingerprint().await, before);
    });
}

fn table(method: &str) -> impl Iterator<Item = (Route, &'static str)> {
    TABLE.iter().filter_map(move |(name, wanted)| {
        let path = name.strip_prefix(method)?.strip_prefix(' ')?;
        assert_eq!(wanted.len(), PEOPLE.len(), "{name}");
        Some((Route { path: path.to_owned(), method: method.to_owned() }, *wanted))
    })
}

async fn people(world: &World) -> Vec<Browser> {
    let mut browsers = Vec::new();
    for person in [&world.ada, &world.olive, &world.mo, &world.ivy, &world.stranger, &world.audrey] {
        assert_eq!(person.name, PEOPLE[browsers.len()]);
        browsers.push(world.browser(person).await);
    }
    let mut nobody = world.nobody();
    nobody.open("/sign-in").await; // for the cookie that its token belongs to
    browsers.push(nobody);
    browsers
}

fn sign(route: &Route, answer: &Answer) -> char {
    match answer.status {
        403 => 'x',
        404 => '.',
        _ if answer.url.path() == "/sign-in" && route.path != "/sign-in" && route.path != "/sign-out" => '?',
        _ if answer.redirected => {
            if route.method == "GET" {
                '>'
            } else {
                'v'
            }
        }
        200 if route.method == "GET" => 'o',
        200..=299 | 409 | 412 | 422 | 429 if route.method != "GET" => 'v',
        _ => '!',
    }
}

fn compare(route: &Route, wanted: &str, got: &str, wrong: &mut Vec<String>) {
    if wanted.replace('>', "v") != got.replace('>', "v") {
        wrong.push(format!("{:<60} wanted {wanted} got {got}", route.name()));
    }
}

#[track_caller]
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{} {}\n{}", " ".repeat(60), PEOPLE.join(" "), wrong.join("\n"));
}
