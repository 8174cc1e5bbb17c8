//! A walk with hostile values through every form, every parameter and every address, as each person: nobody gets a 5xx,
//! nothing of another Application changes, and no page that shows what was typed runs it.
//!
//! The short walk sends each field of each form one value, the full one (`--full`) all sixty.

mod values;

use std::collections::{BTreeMap, BTreeSet};

use crate::support::browser::{Answer, Browser};
use crate::support::html;
use crate::support::routes::{self, Route};
use crate::support::*;

/// What may stand behind a `?`; each address is asked for each.
const PARAMETERS: [&str; 22] = [
    "q",
    "show",
    "sort",
    "page",
    "before",
    "after",
    "month",
    "date",
    "open",
    "part",
    "application",
    "configuration",
    "schedule",
    "status",
    "who",
    "kind",
    "from",
    "to",
    "next",
    "back",
    "was",
    "limit",
];

/// Done last, because they take away what others need.
fn takes_away(path: &str) -> bool {
    let ends = ["/archive", "/delete", "/deactivate", "/reset", "/refresh", "/switch", "/remove", "/revoke", "/end"];
    path.starts_with("/sign-out") || ends.iter().any(|end| path.ends_with(end))
}

/// A form as it stands in a page, its token left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    action: String,
    post: bool,
    fields: Vec<(String, String)>,
}

/// The forms of a page, one for each button.
fn forms(answer: &Answer) -> Vec<Form> {
    let page = scraper::Html::parse_document(&answer.body);
    let mut found = Vec::new();
    for button in html::select(page.root_element(), "form button:not([type=button]):not([disabled])") {
        let submission = html::submission(&page, button, &[]);
        let fields = submission.fields.into_iter().filter_map(|field| match field {
            html::Field::Text(name, value) if name != "csrf" => Some((name, value)),
            _ => None,
        });
        let action = submission.action.unwrap_or_else(|| answer.url.path().to_owned());
        found.push(Form { action, post: submission.post, fields: fields.collect() });
    }
    found
}

struct Walk<'a> {
    world: &'a World,
    values: Vec<String>,
    full: bool,
    /// The next value.
    turn: usize,
    sent: usize,
    wrong: Vec<String>,
}

impl Walk<'_> {
    fn next(&mut self) -> Vec<String> {
        if self.full {
            return self.values.clone();
        }
        self.turn += 1;
        vec![self.values[self.turn % self.values.len()].clone()]
    }

    fn heard(&mut self, who: &str, what: String, answer: &Answer) {
        self.sent += 1;
        if answer.status >= 500 {
            self.wrong.push(format!("{who}: {what}: {}", answer.status));
        }
    }

    async fn send(&mut self, browser: &mut Browser, who: &Option<Person>, form: &Form, (field, value): (usize, &str)) {
        let mut fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields[field].1 = value;
        let name = who.as_ref().map_or("Nobody", |person| person.name);
        let shown: String = value.chars().take(60).collect();
        let what = format!("{} {} = {shown:?}", form.action, fields[field].0);
        let answer = match form.post {
            true => browser.post(&form.action, &fields).await,
            false => browser.get(&with_query(&form.action, &fields)).await,
        };
        self.heard(name, what, &answer);
        if let Some(person) = who.as_ref().filter(|_| answer.url.path() == "/sign-in") {
            *browser = self.world.browser(person).await;
        }
    }
}

fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let mut url = url::form_urlencoded::Serializer::new(String::new());
    // No server reads a line of a megabyte.
    url.extend_pairs(fields.iter().map(|(n, v)| (n, v.chars().take(3_000).collect::<String>())));
    format!("{path}?{}", url.finish())
}

async fn browser_of(world: &World, who: &Option<Person>) -> Browser {
    match who {
        Some(person) => world.browser(person).await,
        None => world.nobody(),
    }
}

/// Every address with its values, and what one reads there.
async fn read_all(browser: &Browser, pages: &[(Route, String)]) -> Vec<Answer> {
    let mut read = Vec::new();
    for (_, path) in pages {
        let answer = browser.get(path).await;
        if answer.status == 200 && answer.body.contains("<form") {
            read.push(answer);
        }
    }
    read
}

/// What the stranger has, as a program sees it.
async fn theirs(world: &World) -> Vec<String> {
    let api = world.api(&world.stranger).await;
    let mut seen = Vec::new();
    for list in ["blocks", "import-configurations", "import-sets", "schedules", "runs", "freezes", "translations"] {
        seen.push(api.get(&format!("applications/{}/{list}", world.elsewhere)).await.body);
    }
    seen
}

async fn walk(world: World) {
    let known = routes::values(&world).await;
    crate::pages::lived_in(&world, "\"><script>window.taken=1</script>").await;
    let pages: Vec<(Route, String)> = routes::all()
        .into_iter()
        .filter(|route| route.method == "GET" && !route.is_api())
        .map(|route| (route.clone(), route.filled(&known)))
        .collect();
    let full = settings::full();
    let mut walk = Walk { world: &world, values: values::all(), full, turn: 0, sent: 0, wrong: Vec::new() };
    let before = theirs(&world).await;
    let [mo, ivy, audrey] = [&world.mo, &world.ivy, &world.audrey].map(|person| Some(person.clone()));
    let [olive, stranger, ada] = [&world.olive, &world.stranger, &world.ada].map(|person| Some(person.clone()));
    let people = [None, mo, ivy, audrey, olive, ada, stranger];
    let mut last: Vec<(Option<Person>, Form)> = Vec::new();
    // A form that several people see is filled in by each in the full walk, by one of them in the short one.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for who in &people {
        if who.as_ref().is_some_and(|person| person.id == world.stranger.id) {
            assert_eq!(theirs(&world).await, before, "somebody else changed what is the stranger's");
        }
        let mut browser = browser_of(&world, who).await;
        let found: BTreeSet<Form> = read_all(&browser, &pages).await.iter().flat_map(forms).collect();
        for form in found {
            if takes_away(&form.action) {
                last.push((who.clone(), form));
                continue;
            }
            let names: Vec<&str> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
            let times = seen.entry(format!("{} {}", form.action, names.join(" "))).or_default();
            *times += 1;
            if !full && *times > 1 {
                continue;
            }
            for field in 0..form.fields.len() {
                for value in walk.next() {
                    walk.send(&mut browser, who, &form, (field, &value)).await;
                }
            }
        }
        addresses(&mut walk, &browser, who, &known).await;
    }
    shown(&world, &pages).await;
    for (who, form) in last {
        let mut browser = browser_of(&world, &who).await;
        for field in 0..form.fields.len() {
            for value in walk.next() {
                walk.send(&mut browser, &who, &form, (field, &value)).await;
            }
        }
    }
    assert!(walk.sent > 1_000, "only {} were sent", walk.sent);
    assert!(walk.wrong.is_empty(), "{} of {}: {:#?}", walk.wrong.len(), walk.sent, walk.wrong);
}

/// What stands in the address itself: ids, and what follows the question mark.
async fn addresses(walk: &mut Walk<'_>, browser: &Browser, who: &Option<Person>, known: &[(&str, String)]) {
    let name = who.as_ref().map_or("Nobody", |person| person.name);
    for route in routes::all().into_iter().filter(|route| !route.is_api()) {
        for value in walk.next() {
            let short: String = value.chars().take(2_000).collect();
            let odd: String =
                url::form_urlencoded::byte_serialize(short.as_bytes()).collect::<String>().replace('+', "%20");
            if route.path.contains('{') {
                // The last of its names is the odd one.
                let (first, _) = route.path.rsplit_once('{').unwrap_or_default();
                let first = Route { path: first.to_owned(), method: route.method.clone() }.filled(known);
                let path = format!("{first}{odd}");
                let answer = match route.method.as_str() {
                    "GET" => browser.get(&path).await,
                    _ => browser.post(&path, &[]).await,
                };
                walk.heard(name, format!("{} {path}", route.method), &answer);
            }
            if route.method == "GET" {
                let parameter = PARAMETERS[walk.turn % PARAMETERS.len()];
                let path = with_query(&route.filled(known), &[(parameter, &value)]);
                let answer = browser.get(&path).await;
                walk.heard(name, format!("GET {path}"), &answer);
            }
        }
    }
}

/// What was typed stands in pages now. None of it runs, in a real browser.
async fn shown(world: &World, pages: &[(Route, String)]) {
    if world.database() != Database::Sqlite {
        return;
    }
    let chrome = Chrome::open(world, Some(&world.ada), Look::default()).await;
    let browser = world.browser(&world.ada).await;
    for (route, path) in pages.iter().filter(|(route, _)| !route.path.contains("static")) {
        if !browser.get(path).await.body.contains("<main") {
            continue;
        }
        chrome.goto(path).await;
        assert_eq!(chrome.script("return typeof window.taken").await, "undefined", "{}", route.path);
    }
    // Some of them are not there any more.
    chrome.quiet_but(&[404, 410]).await;
    chrome.close().await;
}

on_both! {
    async fn a_walk_with_hostile_values(world: World) {
        walk(world).await;
    }
}
