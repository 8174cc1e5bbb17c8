//! Every page that a person can reach by following links, for each of the cast: it opens, no link leads nowhere, every
//! control has a name, and the W3C's checker finds no error in it. Also where names hold what an attacker would type.

use std::collections::{BTreeMap, VecDeque};
use std::process::Command;

use scraper::{ElementRef, Html};
use tidegate::imports::Mode;

use crate::running::{start, work_off};
use crate::schedules::{create, daily, draft, every_five};
use crate::support::html::{self, names};
use crate::support::seed::{Seed, batch, seed};
use crate::support::stage::{csv, stage};
use crate::support::{Browser, Database, Person, World, settings, with_world};

/// What a name may be that somebody would rather not see run.
const NASTY: &str = "\"><img src=x onerror=alert(1)> ' hx-get=/x hx-trigger=load {{777*777}} & <b>";

/// A Workspace in which something happened: a run that succeeded, one with rejected rows, one that failed, one that
/// waits, schedules on and off.
pub async fn lived_in(world: &World, odd: &str) {
    csv(world, "words", &[("1", "one"), ("2", "two"), ("x", "not a number"), ("2", "twice")]);
    let words = stage(world, "words", Mode::Update, |_| ()).await;
    start(world, &words).await;
    work_off(world).await;
    let missing = stage(world, "missing", Mode::Replace, |_| ()).await;
    start(world, &missing).await;
    work_off(world).await;
    std::fs::write(world.folder().join("odd.csv"), format!("id,word\n1,\"{}\"\ny,{odd:?}\n", odd.replace('"', "\"\"")))
        .unwrap();
    let named = stage(world, "odd", Mode::Append, |_| ()).await;
    rename(world, named.configuration, odd).await;
    start(world, &named).await;
    work_off(world).await;
    start(world, &named).await;
    create(world, draft(&words, &daily("09:00"))).await;
    create(world, draft(&words, &every_five())).await;
    let mut off = draft(&named, &daily("10:30"));
    off.enabled = false;
    off.run_name = Some(odd.to_owned());
    create(world, off).await;
    crate::import_sets::create(world, odd, &[words.configuration, named.configuration, words.configuration]).await;
    crate::roles::make(world, odd, &[tidegate::members::Permission::ImportData]).await;
    let group = crate::groups::make(world, odd, &[&world.olive, &world.mo]).await;
    crate::groups::give(world, group, true, (true, false)).await;
    crate::translations::create(world, odd, &[(odd, "</textarea>"), ("CC-9914", "CC-9910")]).await;
    let freezes = [
        (odd, "2026-10-08T16:00:00Z", "2026-10-09T05:00:00Z"),
        ("Month's end", "2026-10-30T17:00:00Z", "2026-11-02T05:00:00Z"),
    ];
    for (name, from, to) in freezes {
        crate::freezes::create(world, name, from, to, true).await;
    }
}

/// Whatever the forms make of such a name, a page must bear it.
async fn rename(world: &World, configuration: i64, name: &str) {
    use diesel::prelude::*;
    use tidegate::db::schema::{applications, import_configurations as configurations, members};
    let (name, application, mo) = (name.to_owned(), world.application, world.mo.id);
    world
        .write(move |conn| {
            diesel::update(configurations::table.find(configuration))
                .set(configurations::name.eq(&name))
                .execute(conn)?;
            diesel::update(applications::table.find(application)).set(applications::name.eq(&name)).execute(conn)?;
            diesel::update(members::table.find(mo)).set(members::name.eq(&name)).execute(conn)?;
            Ok(())
        })
        .await;
}

/// Address to page.
pub type Pages = BTreeMap<String, String>;

/// Follows every link, and what htmx would ask for, from the home page on; but for those marked as leading on for ever,
/// from day to day and week to week.
pub async fn crawl(browser: &mut Browser, wrong: &mut Vec<String>, who: &str) -> Pages {
    let mut pages = Pages::new();
    let mut seen = BTreeMap::from([("/".to_owned(), "the beginning".to_owned())]);
    let mut open = VecDeque::from([("/".to_owned(), false)]);
    while let Some((path, part)) = open.pop_front() {
        let answer = if part { browser.htmx(&path).await } else { browser.get(&path).await };
        let from = seen[path.split("back=").next().unwrap_or_default()].clone();
        if answer.status != 200 {
            wrong.push(format!("{who}: {path}, linked at {from}: {}", answer.status));
            continue;
        }
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let page = Html::parse_document(&answer.body);
        for link in html::select(
            page.root_element(),
            "a[href]:not([rel=nofollow]), link[href], script[src], use[href], [data-hx-get]:not([rel=nofollow])",
        ) {
            let Some(to) = ["href", "src"].iter().find_map(|name| link.value().attr(name)) else {
                let to = link.value().attr("data-hx-get").unwrap().to_owned();
                if seen.insert(to.clone(), path.clone()).is_none() {
                    open.push_back((to, true));
                }
                continue;
            };
            let Ok(url) = answer.url.join(to) else {
                wrong.push(format!("{who}: {path}: what is {to}?"));
                continue;
            };
            if url.origin() != answer.url.origin() {
                wrong.push(format!("{who}: {path} leads away to {to}"));
                continue;
            }
            let to = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
            // The way back that an address carries makes no other page of it.
            let known = to.split("back=").next().unwrap_or_default().to_owned();
            if seen.len() < 400 && seen.insert(known, path.clone()).is_none() {
                open.push_back((to, false));
            }
        }
        if part {
            continue;
        }
        check(&page, &format!("{who}: {path}"), wrong);
        check_way(&page, &path, &format!("{who}: {path}"), wrong);
        pages.insert(path, answer.body);
    }
    pages
}

/// One way around for all pages: the Workspace is in each breadcrumb and sidebar, and so is the Application that a page
/// belongs to.
fn check_way(page: &Html, path: &str, at: &str, wrong: &mut Vec<String>) {
    let root = page.root_element();
    let inside = path.starts_with("/runs/") || path.starts_with("/applications/") && path != "/applications/new";
    let crumbs: Vec<String> = html::select(root, ".crumbs li").into_iter().map(html::text).collect();
    let home = path == "/" || path.starts_with("/applications") && !path.contains("/applications/");
    if !home && crumbs.first().map(String::as_str) != Some("Workspace") {
        wrong.push(format!("{at}: the breadcrumb is {crumbs:?}"));
    }
    let application = html::select(root, ".side .appbox > a").into_iter().next().and_then(|a| a.value().attr("href"));
    let second =
        html::select(root, ".crumbs li:nth-child(2) a").into_iter().next().and_then(|a| a.value().attr("href"));
    if inside && (application.is_none() || crumbs.len() > 2 && second != application) {
        wrong.push(format!("{at}: the Application is not in {crumbs:?}"));
    }
    if html::select(root, ".side nav a[href='/account']").len() != 1 {
        wrong.push(format!("{at}: no way to the pages of the Workspace"));
    }
}

/// What a checker of HTML does not know.
fn check(page: &Html, at: &str, wrong: &mut Vec<String>) {
    let root = page.root_element();
    if html::select(root, "h1").len() != 1 {
        wrong.push(format!("{at}: {} first headings", html::select(root, "h1").len()));
    }
    for control in html::select(root, "input:not([type=hidden]), select, textarea, button, a[href], summary") {
        if names(page, control).is_empty() {
            wrong.push(format!("{at}: nobody can name {}", control.html()));
        }
    }
    for form in html::select(root, "form[method=post]") {
        let token = |e: &ElementRef<'_>| e.value().attr("name") == Some("csrf") && e.value().attr("value") != Some("");
        if !html::select(form, "input[type=hidden]").iter().any(token) {
            wrong.push(format!("{at}: a form without a token: {}", form.value().attr("action").unwrap_or_default()));
        }
    }
    if !html::select(root, "[style], [onclick], [onerror], [onload], img[src=x], [hx-get], [hx-trigger]").is_empty() {
        wrong.push(format!("{at}: something was not escaped, or has a style of its own"));
    }
    if html::text(root).contains("603729") {
        wrong.push(format!("{at}: a name was computed"));
    }
}

/// The W3C's checker, once over all.
fn validate(pages: &[(String, Pages)], wrong: &mut Vec<String>) {
    let jar = settings::html_checker().expect("TIDEGATE_TEST_VNU is not set: run tests/run.sh, or name vnu.jar");
    let folder = tempfile::tempdir().unwrap();
    let mut at = BTreeMap::new();
    for (number, (who, path, body)) in
        pages.iter().flat_map(|(who, pages)| pages.iter().map(move |(path, body)| (who, path, body))).enumerate()
    {
        let name = format!("{number}.html");
        std::fs::write(folder.path().join(&name), body).unwrap();
        at.insert(name, format!("{who}: {path}"));
    }
    let checked = Command::new("java")
        .args(["-Xss1m", "-jar"])
        .arg(jar)
        .args(["--errors-only", "--skip-non-html", "--format", "gnu"])
        .arg(folder.path())
        .output()
        .expect("java runs");
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    // "file:/tmp/…/3.html":12.1-12.9: error: …
    for line in said.lines() {
        let file = line.split(".html").next().and_then(|l| l.rsplit('/').next()).map(|n| format!("{n}.html"));
        let page = file.and_then(|file| at.get(&file)).map_or("", String::as_str);
        wrong.push(format!("{page}: {}", line.rsplit_once(".html\":").map_or(line, |(_, rest)| rest)));
    }
    assert!(checked.status.success() || !said.is_empty(), "the checker ran");
}

async fn walk(world: &World, people: &[&Person]) {
    let mut wrong = Vec::new();
    let mut all = Vec::new();
    for person in people {
        let mut browser = world.browser(person).await;
        let pages = crawl(&mut browser, &mut wrong, person.name).await;
        assert!(pages.len() > 2, "{} gets around: {:?}", person.name, pages.keys());
        all.push((person.name.to_owned(), pages));
    }
    let mut nobody = world.nobody();
    nobody.open("/sign-in").await;
    all.push(("Nobody".to_owned(), Pages::from([("/sign-in".to_owned(), nobody.body.clone())])));
    nobody.open("/no-such-page").await;
    all.push(("Nobody".to_owned(), Pages::from([("/no-such-page".to_owned(), nobody.body.clone())])));
    validate(&all, &mut wrong);
    let pages: usize = all.iter().map(|(_, pages)| pages.len()).sum();
    wrong.sort();
    wrong.truncate(100);
    assert!(wrong.is_empty(), "{pages} pages, wrong is:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_sound_for_everybody() {
    with_world(Database::Sqlite, |world| async move {
        lived_in(&world, "Odd words").await;
        walk(&world, &world.everybody()).await;
    });
}

#[test]
fn an_empty_workspace_is_sound_too() {
    with_world(Database::Sqlite, |world| async move { walk(&world, &[&world.ada, &world.stranger]).await });
}

#[test]
fn names_are_shown_and_never_run() {
    with_world(Database::Postgres, |world| async move {
        lived_in(&world, NASTY).await;
        walk(&world, &[&world.ada, &world.olive]).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees(NASTY);
    });
}

/// The same page as for what one may not see, not a word of a program.
#[test]
fn an_address_with_no_number_in_it_is_not_there() {
    with_world(Database::Sqlite, |world| async move {
        let olive = world.browser(&world.olive).await;
        for id in ["abc", "1e3", "99999999999999999999", "%00", "-"] {
            let answer = olive.get(&format!("/applications/{id}/settings/import-scheduling")).await;
            assert_eq!(answer.status, 404, "{id}");
            assert!(answer.text().contains("Not found"), "{id}: {}", answer.text());
        }
    });
}

/// What went wrong is said within the shell, to whoever is signed in; the message of a page before is not lost there.
#[test]
fn errors_keep_the_way_around() {
    with_world(Database::Sqlite, |world| async move {
        let mut olive = world.browser(&world.olive).await;
        for (path, status) in [("/no-such-page", 404), ("/applications/999999", 404), ("/members", 403)] {
            assert_eq!(olive.open(path).await, status, "{path}");
            olive.within(".side").sees("Olive").sees("Your account");
            olive.everywhere();
            assert_eq!(olive.count("main h1"), 1, "{path}");
        }
        let mut nobody = world.nobody();
        assert_eq!(nobody.open("/no-such-page").await, 404);
        assert_eq!(nobody.count(".side"), 0);
        let part = olive.htmx("/no-such-page").await;
        assert!(!part.body.contains("class=\"side\""), "a fragment is none of a page");
    });
}

/// A hundred of each: found by what is typed, in the order that is asked for, fifty at a time.
#[test]
fn long_lists_are_searched_sorted_and_paged() {
    with_world(Database::Sqlite, |world| async move {
        let here = format!("/applications/{}", world.application);
        seed(&world, Seed { configurations: 100, schedules: 1, runs: 100, days: 1, applications: 1, whole: false })
            .await;
        let (application, now) = (world.application, world.now().micros());
        let many = "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 199) INSERT INTO";
        let sql = format!(
            "{many} blocks (application_id, name, name_key, kind, created_at) \
             SELECT {application}, 'Straße ' || i, 'straße ' || i, 'transaction_list', {now} FROM n; \
             {many} connections (name, name_key, kind, settings, created_at) \
             SELECT 'Straße ' || i, 'straße ' || i, 'folder', '{{}}', {now} FROM n; \
             {many} members (email, email_key, name, role_id, created_at) \
             SELECT 'm' || i || '@acme.test', 'm' || i || '@acme.test', 'Straße ' || i, 1, {now} FROM n;"
        );
        world.write(move |conn| batch(conn, &sql)).await;
        let mut ada = world.browser(&world.ada).await;
        for (path, words, sort) in [
            ("/members".to_owned(), "STRASSE 15", "role"),
            (format!("{here}/settings/members"), "STRASSE 15", "role"),
            ("/connections".to_owned(), "STRASSE 15", "kind"),
            (format!("{here}/blocks"), "STRASSE 15", "rows"),
            (format!("{here}/settings/import-configurations"), "COPY 9", "last"),
        ] {
            ada.visit(&path).await.sees("1 to 50 of");
            assert_eq!(ada.count("#list tbody tr"), 50, "{path}");
            ada.follow("Next 50").await.sees("51 to 100 of");
            ada.follow("Previous 50").await.sees("1 to 50 of");
            ada.fill("Filter by", words).press("Filter").await;
            let found = ada.count("#list tbody tr");
            assert!((10..=11).contains(&found), "{path}: {found}");
            assert_eq!(ada.open(&format!("{path}?q=nothing+of+the+sort&sort={sort}")).await, 200);
            ada.sees("Nothing matches “nothing of the sort”.");
            ada.follow("Clear filter").await.sees("1 to 50 of");
            assert_eq!(ada.open(&format!("{path}?sort={sort}&page=2")).await, 200);
            ada.sees("51 to 100 of");
        }
        // What was done in the list leads back to the same part of it.
        ada.visit("/members?q=strasse&page=2").await.in_row("Straße 170").follow("Deactivate Straße 170").await;
        ada.press("Deactivate").await;
        assert!(ada.path().contains("q=strasse&page=2"), "{}", ada.path());
    });
}

/// A configuration's page says when it runs and how its last runs went.
#[test]
fn a_configuration_shows_its_schedules_and_last_runs() {
    with_world(Database::Sqlite, |world| async move {
        lived_in(&world, "Odd words").await;
        let mut olive = world.browser(&world.olive).await;
        let list = format!("/applications/{}/settings/import-configurations", world.application);
        // The first that was made.
        olive.visit(&format!("{list}/1")).await.sees("words");
        let part = olive.htmx(&format!("{}/schedules", olive.path())).await;
        assert_eq!(part.status, 200);
        for words in ["Every day at 09:00", "Every 5 minutes", "Next: ", "Partial", "Show history"] {
            assert!(part.text().contains(words), "{words}: {}", part.text());
        }
        olive.follow("Its schedules and last runs").await.sees("Every day at 09:00");
    });
}
