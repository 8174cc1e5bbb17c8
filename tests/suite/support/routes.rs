//! The table of all addresses, read from `src/routes.rs` and `src/routes/api.rs`, and one concrete address for each.

use diesel::prelude::*;
use reqwest::Method;
use serde_json::json;
use tidegate::db::schema::{api_tokens, hand_overs as h, sessions};
use tidegate::imports::{Mode, Target};
use tidegate::members::Permission;
use tidegate::runs;

use super::World;
use super::settings::root;
use super::stage::stage;
use crate::{
    feeds, freezes, groups, import_sets, invitations, kept_files, notifications, passwords, roles, schedules,
    translations,
};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub path: String,
    /// `GET`, `POST`, …
    pub method: String,
}

impl Route {
    pub fn method(&self) -> Method {
        self.method.parse().unwrap()
    }

    /// `POST /sign-out`
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// With these values for `{name}`; the rest become an id that nothing has.
    pub fn filled(&self, values: &[(&str, String)]) -> String {
        let mut path = String::new();
        let mut rest = self.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap();
            let name = name.split(':').next().unwrap();
            let value = values.iter().find(|(n, _)| *n == name).map_or("999999", |(_, value)| value);
            path.push_str(before);
            path.push_str(value);
            rest = after;
        }
        path + rest
    }
}

/// Every `.route("/path", method().to(…))` in the order of the file.
pub fn all() -> Vec<Route> {
    let text = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let text = text("src/routes.rs") + &text("src/routes/api.rs");
    assert!(!text.contains("scope("), "an address stands whole in routes.rs, so that it is found by searching for it");
    let routes = text.split(".route(").skip(1).map(|line| {
        let (path, rest) = line.trim_start().strip_prefix('"').and_then(|l| l.split_once('"')).expect(line);
        let method = rest.trim_start_matches([',', ' ', '\n']);
        let method = method.strip_prefix("web::").unwrap_or(method);
        let method: String = method.chars().take_while(char::is_ascii_alphabetic).collect();
        let known = ["get", "post", "put", "patch", "delete"].contains(&method.as_str());
        assert!(known, "{path}: write the route as .route(\"…\", get().to(…)), not {method}");
        Route { path: path.to_owned(), method: method.to_uppercase() }
    });
    routes.collect()
}

/// A thing that exists in "FP&A 2026" for each `{name}` in an address.
pub async fn values(world: &World) -> Vec<(&'static str, String)> {
    let stage = stage(world, "things", Mode::Update, |_| ()).await;
    let token = token(world).await;
    let schedule = schedules::create(world, schedules::draft(&stage, &schedules::daily("09:00"))).await;
    let (olive, now, configuration) = (world.olive.clone(), world.now(), stage.configuration);
    let secrets = world.app().secrets.clone();
    let run = world
        .write(move |conn| {
            let by = olive.by(conn)?;
            runs::actions::start_by_hand(conn, &secrets, &by, Target::Configuration(configuration), None, None, now)
        })
        .await;
    let freeze = freezes::create(world, "Year-end close", "2026-12-31T17:00:00Z", "2027-01-04T05:00:00Z", true).await;
    let table = translations::create(world, "Cost centres", &[("CC-9914", "CC-9910")]).await;
    let set = import_sets::create(world, "Month end", &[stage.configuration]).await;
    let kept = kept_files::keep(world, "sales.csv", "id,word\n1,one\n").await;
    // A step that asks for something.
    let by_hand = kept_files::by_hand(world, "by hand", Mode::Update).await;
    let steps = json!({"steps": [{"configuration_id": stage.configuration},
        {"configuration_id": by_hand.configuration, "parameters": {"file": kept}}]});
    world.api(&world.olive).await.patch(&format!("import-sets/{}", set.id), steps).await.is(200);
    let notice = notifications::inbox::note(world, "Told").await;
    let incident = notifications::incidents::breaks(world, &stage).await;
    let feed = feeds::make(world, &world.olive, None).await;
    let feed = feed.trim_start_matches("/calendar/").trim_end_matches(".ics").to_owned();
    let invitation = invitations::invite(world).await.trim_start_matches("/invitations/").to_owned();
    let reset = passwords::link(world).await.trim_start_matches("/password/reset/").to_owned();
    let values = vec![
        ("invitation", invitation),
        ("invited", invitations::id(world).await.to_string()),
        ("reset", reset),
        ("name", "app.css".to_owned()),
        ("a", world.application.to_string()),
        ("b", stage.block.to_string()),
        ("c", stage.connection.to_string()),
        ("entry", "1".to_owned()),
        ("f", freeze.id.to_string()),
        ("incident", incident.to_string()),
        ("feed", feed),
        ("group", groups::make(world, "Planning team", &[]).await.to_string()),
        ("hand", hand_over(world).await.to_string()),
        ("i", stage.configuration.to_string()),
        ("kept", kept.to_string()),
        ("m", world.mo.id.to_string()),
        ("member", world.mo.id.to_string()),
        ("n", notice.to_string()),
        ("position", "2".to_owned()),
        ("r", run.run.id.to_string()),
        ("role", roles::make(world, "Night operator", &[Permission::ImportData]).await.to_string()),
        ("row", "1".to_owned()),
        ("s", schedule.id.to_string()),
        ("set", set.id.to_string()),
        ("t", table.id.to_string()),
        ("session", session(world).await.to_string()),
        ("token", token.to_string()),
        ("version", "1".to_owned()),
    ];
    for route in all() {
        let names = route.path.split('{').skip(1).map(|rest| rest.split(['}', ':']).next().unwrap());
        for name in names {
            assert!(values.iter().any(|(known, _)| *known == name), "{}: give {{{name}}} a value here", route.path);
        }
    }
    values
}

/// One of nothing, from Olive to Ada.
async fn hand_over(world: &World) -> i64 {
    let (ada, olive, now) = (world.ada.id, world.olive.id, world.now());
    let row = move |conn: &mut tidegate::db::Conn| {
        let people = (h::by_id.eq(ada), h::from_id.eq(olive), h::to_id.eq(ada));
        let made = diesel::insert_into(h::table).values((
            people,
            h::at.eq(now.micros()),
            h::leaves.eq(false),
            h::untold.eq(false),
        ));
        Ok(made.returning(h::id).get_result(conn)?)
    };
    world.write(row).await
}

/// A session of Olive's.
async fn session(world: &World) -> i64 {
    world.session(&world.olive).await;
    world.read(|conn| Ok(sessions::table.select(sessions::id).order(sessions::id.desc()).first(conn)?)).await
}

/// A token of Olive's.
async fn token(world: &World) -> i64 {
    world.api(&world.olive).await;
    world.read(|conn| Ok(api_tokens::table.select(api_tokens::id).first(conn)?)).await
}
