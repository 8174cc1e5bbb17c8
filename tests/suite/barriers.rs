//! What keeps people out of a page, as axe-core finds it in a real browser: every kind of page and every dialog, in
//! light and dark at a desk and in light on a small phone. Nothing is wider than the screen, nothing on the console.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use scraper::Html;
use serde_json::json;
use tidegate::imports::Mode;

use crate::journeys::list;
use crate::pages::{crawl, lived_in};
use crate::running::{start, work_off};
use crate::support::stage::{csv, stage};
use crate::support::{Chrome, Database, Look, World, cast, html, settings, with_world};
use crate::{elsewhere, invitations, passwords, second_factor};

/// Name, width, dark.
const LOOKS: [(&str, u32, bool); 3] = [("light", 1440, false), ("dark", 1440, true), ("phone", 360, false)];

/// Asks axe for violations, how wide the page is, and whether a dialog scrolls as a whole.
const LOOK_AT: &str = "\
    return axe.run(document, { \
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], \
        resultTypes: ['violations'], \
    }).then(found => ({ \
        violations: found.violations.map(v => [v.id, v.nodes.length + ' of', v.nodes[0].target.join(' '), \
            (v.nodes[0].failureSummary || '').split('\\n')[1] || ''].join(' ').trim()), \
        passes: found.passes.length, \
        width: document.documentElement.scrollWidth, \
        hidden: !!document.activeElement?.closest('[aria-hidden=true], .vh'), \
        loose: [...document.querySelectorAll('dialog[open]')].some(d => d.scrollHeight > d.clientHeight), \
    }))";

struct Looker {
    chrome: Chrome,
    axe: String,
    wrong: Vec<String>,
    looked: usize,
    /// One look of each page, each look in its turn.
    in_turn: bool,
}

impl Looker {
    async fn new(world: &World) -> Self {
        let axe = settings::axe().expect("TIDEGATE_TEST_AXE is not set: run tests/run.sh, or name axe.min.js");
        let axe = std::fs::read_to_string(axe).unwrap();
        let chrome = Chrome::open(world, None, Look::default()).await;
        Self { chrome, axe: format!("{axe}\nreturn 1"), wrong: Vec::new(), looked: 0, in_turn: false }
    }

    /// Every look of what is open, or the one whose turn it is.
    async fn look(&mut self, what: &str) {
        let Self { chrome, axe, wrong, looked, in_turn } = self;
        assert_eq!(chrome.script(axe).await, 1, "axe is there");
        let turn = *looked % LOOKS.len();
        let looks = if *in_turn { &LOOKS[turn..=turn] } else { &LOOKS[..] };
        for &(name, width, dark) in looks {
            let scheme = if dark { "dark" } else { "light" };
            let features = json!([
                { "name": "prefers-color-scheme", "value": scheme },
                // Colours on their way to others are nobody's.
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]);
            chrome.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
            let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 400 });
            chrome.cdp("Emulation.setDeviceMetricsOverride", size).await;
            let found = chrome.script(LOOK_AT).await;
            let violations = found["violations"].as_array().unwrap();
            wrong.extend(violations.iter().map(|v| format!("{what} ({name}): {}", v.as_str().unwrap_or_default())));
            if found["width"].as_u64() > Some(width.into()) {
                wrong.push(format!("{what} ({name}): {} points wide", found["width"]));
            }
            if found["hidden"] == true {
                wrong.push(format!("{what} ({name}): the focus is on something hidden"));
            }
            if found["loose"] == true {
                // A jump to a field would push its head out of sight.
                wrong.push(format!("{what} ({name}): the dialog itself scrolls, not what is in it"));
            }
            assert!(found["passes"].as_u64() > Some(3), "{what}: axe looked at something: {found}");
            *looked += 1;
        }
        wrong.extend(chrome.console().await.into_iter().map(|said| format!("{what}: on the console: {said}")));
    }

    /// Says all that is wrong, unless nothing is.
    fn done(mut self) {
        self.wrong.sort();
        assert!(self.wrong.is_empty(), "{} looks, wrong is:\n{}", self.looked, self.wrong.join("\n"));
    }
}

/// A path without its numbers and its query: pages of one kind have the same.
fn kind(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap();
    let parts = path.split('/').map(|part| if part.parse::<i64>().is_ok() { "…" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What a page is made of: its elements by name, class and role.
fn stuff(body: &str) -> BTreeSet<String> {
    let page = Html::parse_document(body);
    let described = html::select(page.root_element(), "body *").into_iter().map(|element| {
        let attr = |name: &str| element.value().attr(name).unwrap_or_default();
        format!("{} {} {}", element.value().name(), attr("class"), attr("role"))
    });
    described.collect()
}

/// In one look each, in all with `--full`.
#[test]
fn no_page_has_a_barrier() {
    with_world(Database::Sqlite, |world| async move {
        let began = Instant::now();
        lived_in(&world, "Odd words").await;
        let mut looker = Looker::new(&world).await;
        looker.in_turn = !settings::full();
        elsewhere::pretend(&world).await;
        second_factor::phone(&world, &world.ivy).await;
        looker.chrome.goto("/sign-in").await;
        looker.look("Nobody: /sign-in").await;
        looker.chrome.fill("E-mail", &world.ivy.email).await;
        looker.chrome.fill("Password", cast::PASSWORD).await;
        looker.chrome.click("Sign in").await;
        looker.chrome.arrives("/sign-in/code?next=%2F").await;
        looker.look("Nobody: /sign-in/code").await;
        let (reset, invitation) = (passwords::link(&world).await, invitations::invite(&world).await);
        for path in ["/password/forgot", &reset, &invitation] {
            looker.chrome.goto(path).await;
            looker.look(&format!("Nobody: {path}")).await;
        }
        let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for person in [&world.ada, &world.olive, &world.audrey] {
            let mut browser = world.browser(person).await;
            let pages = crawl(&mut browser, &mut looker.wrong, person.name).await;
            looker.chrome.sign_in(&browser.session().unwrap()).await;
            for (path, body) in pages {
                // Of each kind one, and those that show somebody something else.
                let (kind, stuff) = (kind(&path), stuff(&body));
                let known = seen.get(&kind);
                if known.is_some_and(|known| person.id == world.ada.id || stuff.is_subset(known)) {
                    continue;
                }
                looker.chrome.goto(&path).await;
                looker.look(&format!("{}: {path}", person.name)).await;
                seen.entry(kind).or_default().extend(stuff);
            }
        }
        looker.chrome.sign_in(&world.session(&world.ada).await).await;
        for path in ["/ownership/hand-over?from=OLIVE&to=STRANGER", "/members/OLIVE/deactivate"] {
            let path = path.replace("OLIVE", &world.olive.id.to_string());
            let path = path.replace("STRANGER", &world.stranger.id.to_string());
            looker.chrome.goto(&path).await;
            looker.look(&format!("Ada: {path}")).await;
        }
        looker.chrome.goto("/no-such-page").await;
        looker.chrome.console().await;
        looker.look("Ada: /no-such-page").await;
        println!("{} looks at {} kinds of pages in {:?}", looker.looked, seen.len(), began.elapsed());
        assert!(seen.len() > 20, "{:?}", seen.keys());
        looker.done();
    });
}

/// What a test run found, on its own page and in the wizard, and what runs changed.
#[test]
fn no_test_run_has_a_barrier() {
    with_world(Database::Sqlite, |world| async move {
        let stage = crate::support::stage::stage(&world, "first", tidegate::imports::Mode::Update, |_| ()).await;
        crate::support::stage::csv(&world, "first", &[("1", "one"), ("2", "two")]);
        let first = crate::running::start(&world, &stage).await;
        crate::running::work_off(&world).await;
        crate::support::stage::csv(&world, "first", &[("1", "uno"), ("3", "three"), ("x", "y")]);
        let mut looker = Looker::new(&world).await;
        looker.chrome.sign_in(&world.session(&world.olive).await).await;
        let imports = format!("/applications/{}/settings/import-configurations", world.application);
        looker.chrome.goto(&format!("{imports}/{}", stage.configuration)).await;
        looker.chrome.click("Test run").await;
        looker.chrome.sees("1 changed row").await;
        looker.look("a test run").await;
        looker.chrome.goto(&format!("{imports}/new")).await;
        looker.chrome.click("first.csv").await;
        looker.chrome.click("Preview").await;
        looker.chrome.sees("Map the columns").await;
        looker.chrome.click("Map the columns").await;
        looker.chrome.sees("Save and choose when").await;
        looker.chrome.click("Test run").await;
        looker.chrome.sees("Nothing was loaded.").await;
        looker.look("a test run of the wizard").await;
        looker.chrome.goto(&format!("/runs/{}/changes", first.id)).await;
        looker.look("what a run changed").await;
        let (_, held) = crate::running::held::hold(&world, |world| crate::running::held::many(world, 3)).await;
        looker.chrome.goto(&format!("/runs/{}", held.id)).await;
        looker.chrome.sees("Would be removed").await;
        looker.look("what a held run would change, on its Summary").await;
        looker.chrome.goto(&format!("/runs/{}/changes", held.id)).await;
        looker.look("what a held run would change").await;
        looker.done();
    });
}

#[test]
fn no_dialog_has_a_barrier() {
    with_world(Database::Sqlite, |world| async move {
        lived_in(&world, "Odd words").await;
        let mut looker = Looker::new(&world).await;
        looker.chrome.sign_in(&world.session(&world.olive).await).await;
        looker.chrome.goto(&list(&world)).await;
        let openers = "return [...document.querySelectorAll('[data-hx-get][data-hx-target=\"#dialog\"]')].map(e => e.dataset.hxGet)";
        let openers: Vec<String> = serde_json::from_value(looker.chrome.script(openers).await).unwrap();
        let one_of_each: BTreeMap<String, String> =
            openers.into_iter().map(|path| (format!("{}?{}", kind(&path), path.contains('?')), path)).collect();
        assert!(one_of_each.len() > 3, "{one_of_each:?}");
        for path in one_of_each.values() {
            let chrome = &looker.chrome;
            chrome.goto(&list(&world)).await;
            let open = format!("document.querySelector('[data-hx-get=\"{path}\"]').click(); return 1");
            chrome.script(&open).await;
            opened(chrome).await;
            looker.look(&format!("the dialog {path}")).await;
            if path.ends_with("/new") {
                every_part(&mut looker).await;
            }
        }
        assert!(looker.looked > 15, "{one_of_each:?}");
        looker.done();
    });
}

#[test]
fn the_rows_of_a_block_have_no_barrier() {
    with_world(Database::Sqlite, |world| async move {
        let stage = stage(&world, "words", Mode::Replace, |_| ()).await;
        for words in [[("1", "tide"), ("2", "gate")], [("1", "turned"), ("3", "new")]] {
            csv(&world, "words", &words);
            start(&world, &stage).await;
            work_off(&world).await;
        }
        let here = format!("/applications/{}/blocks/{}", world.application, stage.block);
        let mut looker = Looker::new(&world).await;
        looker.chrome.sign_in(&world.session(&world.olive).await).await;
        for query in
            ["", "?sort=-2&f=2~contains~e&f=1~range~1~9", "?q=none", "?column=1&is=range&value=x&to=5", "/rows/1"]
        {
            looker.chrome.goto(&format!("{here}{query}")).await;
            looker.look(&format!("rows{query}")).await;
        }
        looker.chrome.goto(&here).await;
        looker.chrome.click("Details of row 2").await;
        opened(&looker.chrome).await;
        looker.look("the drawer of a row").await;
        looker.chrome.goto(&format!("{here}/restore/1")).await;
        looker.look("before a restore").await;
        looker.wrong.retain(|said| !said.contains("status of 422"));
        looker.done();
    });
}

async fn opened(chrome: &Chrome) {
    let there = "return document.querySelectorAll('dialog[open]').length";
    chrome.until("the dialog opens", async || (chrome.script(there).await == 1).then_some(())).await;
}

/// The parts of the schedule dialog that do not show at first, and what it says when something is wrong.
async fn every_part(looker: &mut Looker) {
    let all = "const d = document.querySelector('dialog[open]'); \
               for (const e of d.querySelectorAll('details')) e.open = true; \
               for (const name of ['window_on', 'notify']) d.querySelector(`[name=${name}]`).click(); \
               d.querySelector('[name=repeat][value=minutes]').click(); return 1";
    looker.chrome.script(all).await;
    looker.look("the dialog, by minutes").await;
    let wrong = "const d = document.querySelector('dialog[open]'); \
                 document.getElementById('recipients').open = false; \
                 d.querySelector('[name=repeat][value=months]').click(); \
                 d.querySelector('[name=time_zone]').value = 'Mars'; \
                 d.querySelector('.btn-primary[type=submit]').click(); return 1";
    looker.chrome.script(wrong).await;
    looker.chrome.sees("correcting").await;
    looker.look("the dialog, refused").await;
    looker.wrong.retain(|said| !said.contains("status of 422"));
}
