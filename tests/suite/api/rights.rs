//! Every address of the API × every person. One that is missing here fails, and so does one that is no more.
//!
//! | sign | the answer |
//! |---|---|
//! | `o` | what was asked for |
//! | `v` | gets past every right: done, or refused for what was sent |
//! | `x` | 403: may see it, may not do it |
//! | `.` | 404: what one may not see answers like what is not there |
//! | `?` | 401 |
//!
//! What is refused changes nothing.

use reqwest::Method;
use serde_json::json;

use super::{weekly, words};
use crate::support::World;
use crate::support::api::{Api, Reply};
use crate::support::routes::{self, Route};

/// Ada, Olive, Mo, Ivy, Stranger, Audrey, and a token that nobody has.
const TABLE: &[(&str, &str)] = &[
    ("GET audit", "oxxxxo?"),
    ("GET members", "oxxxxo?"),
    ("POST members", "vxxxxx?"),
    ("GET members/{m}", "oxxxxo?"),
    ("PATCH members/{m}", "vxxxxx?"),
    ("GET roles", "oxxxxo?"),
    ("POST roles", "vxxxxx?"),
    ("GET roles/{role}", "oxxxxo?"),
    ("PATCH roles/{role}", "vxxxxx?"),
    ("DELETE roles/{role}", "vxxxxx?"),
    ("GET groups", "oxxxxo?"),
    ("POST groups", "vxxxxx?"),
    ("GET groups/{group}", "oxxxxo?"),
    ("PATCH groups/{group}", "vxxxxx?"),
    ("DELETE groups/{group}", "vxxxxx?"),
    ("GET applications", "oooooo?"),
    ("POST applications", "vxxxxx?"),
    ("GET applications/{a}", "oooo.o?"),
    ("PATCH applications/{a}", "vvxx.x?"),
    ("DELETE applications/{a}", "vvxx.x?"),
    ("POST applications/{a}/clone", "vxxx.x?"),
    ("POST applications/{a}/promotions", "vvxx.x?"),
    ("POST applications/{a}/refresh", "vxxx.x?"),
    ("POST applications/{a}/reset", "vxxx.x?"),
    ("PUT applications/{a}/access/{m}", "vvxx.x?"),
    ("DELETE applications/{a}/access/{m}", "vvxx.x?"),
    ("PUT applications/{a}/group-access/{group}", "vvxx.x?"),
    ("DELETE applications/{a}/group-access/{group}", "vvxx.x?"),
    ("GET applications/{a}/blocks", "oooo.o?"),
    ("POST applications/{a}/blocks", "vvxx.x?"),
    ("GET blocks/{b}", "oooo.o?"),
    ("PATCH blocks/{b}", "vvxx.x?"),
    ("DELETE blocks/{b}", "vvxx.x?"),
    ("GET blocks/{b}/rows", "oooo.o?"),
    ("GET blocks/{b}/rows.csv", "oooo.o?"),
    ("GET blocks/{b}/contents", "oooo.o?"),
    ("POST blocks/{b}/restore", "vvxx.x?"),
    ("GET connections", "oxxxxo?"),
    ("POST connections", "vxxxxx?"),
    ("GET connections/{c}", "oxxxxo?"),
    ("PATCH connections/{c}", "vxxxxx?"),
    ("DELETE connections/{c}", "vxxxxx?"),
    ("POST connections/{c}/test", "vxxxxx?"),
    ("GET applications/{a}/import-configurations", "ooxx.o?"),
    ("POST applications/{a}/import-configurations", "vvxx.x?"),
    ("GET import-configurations/{i}", "ooxx.o?"),
    ("PATCH import-configurations/{i}", "vvxx.x?"),
    ("DELETE import-configurations/{i}", "vvxx.x?"),
    ("POST import-configurations/{i}/runs", "vvxx.x?"),
    ("POST import-sets/{set}/runs", "vvxx.x?"),
    ("POST import-configurations/{i}/files", "vvxx.x?"),
    ("GET applications/{a}/import-sets", "ooxx.o?"),
    ("POST applications/{a}/import-sets", "vvxx.x?"),
    ("GET import-sets/{set}", "ooxx.o?"),
    ("PATCH import-sets/{set}", "vvxx.x?"),
    ("DELETE import-sets/{set}", "vvxx.x?"),
    ("GET import-configurations/{i}/ready-by", "ooxx.o?"),
    ("PUT import-configurations/{i}/ready-by", "vvxx.x?"),
    ("DELETE import-configurations/{i}/ready-by", "vvxx.x?"),
    ("GET import-sets/{set}/ready-by", "ooxx.o?"),
    ("PUT import-sets/{set}/ready-by", "vvxx.x?"),
    ("DELETE import-sets/{set}/ready-by", "vvxx.x?"),
    ("GET applications/{a}/kept-files", "ooxx.o?"),
    ("POST applications/{a}/kept-files", "vvxx.x?"),
    ("GET kept-files/{kept}", "ooxx.o?"),
    ("PUT kept-files/{kept}", "vvxx.x?"),
    ("DELETE kept-files/{kept}", "vvxx.x?"),
    ("GET notifications", "oooooo?"),
    ("PATCH notifications/{n}", ".v....?"),
    ("GET applications/{a}/translations", "ooxx.o?"),
    ("POST applications/{a}/translations", "vvxx.x?"),
    ("GET translations/{t}", "ooxx.o?"),
    ("PATCH translations/{t}", "vvxx.x?"),
    ("DELETE translations/{t}", "vvxx.x?"),
    ("POST import-configurations/{i}/test-run", "vvxx.x?"),
    ("GET applications/{a}/schedules", "ooxx.o?"),
    ("POST applications/{a}/schedules", "vvxx.x?"),
    ("POST schedules/preview", "vvvvvv?"),
    ("GET schedules/{s}", "ooxx.o?"),
    ("PATCH schedules/{s}", "vvxx.x?"),
    ("DELETE schedules/{s}", "vvxx.x?"),
    ("POST schedules/{s}/copy", "vvxx.x?"),
    ("POST schedules/{s}/take-ownership", "vvxx.x?"),
    ("GET schedules/{s}/occurrences", "ooxx.o?"),
    ("GET applications/{a}/freezes", "ooxx.o?"),
    ("POST applications/{a}/freezes", "vvxx.x?"),
    ("GET freezes/{f}", "ooxx.o?"),
    ("PATCH freezes/{f}", "vvxx.x?"),
    ("DELETE freezes/{f}", "vvxx.x?"),
    ("POST freezes/{f}/end", "vvxx.x?"),
    ("GET runs", "oooooo?"),
    ("GET runs/{r}", "oooo.o?"),
    ("GET runs/{r}/rejected-rows.csv", "ooxx.o?"),
    ("GET runs/{r}/log", "oooo.o?"),
    ("POST runs/{r}/cancel", "vvxx.x?"),
    ("POST runs/{r}/files", "vvxx.x?"),
    ("POST runs/{r}/again", "vvxx.x?"),
    ("POST runs/{r}/approve", "vvxx.x?"),
    ("POST runs/{r}/reject", "vvxx.x?"),
    ("GET openapi.json", "oooooo?"),
];

fn route(name: &str) -> Route {
    let (method, path) = name.split_once(' ').unwrap();
    Route { method: method.to_owned(), path: format!("/api/v1/{path}") }
}

#[test]
fn the_table_has_every_address_and_no_other() {
    let mut there: Vec<String> = routes::all().iter().filter(|r| r.is_api()).map(Route::name).collect();
    let mut listed: Vec<String> = TABLE.iter().map(|(name, _)| route(name).name()).collect();
    there.sort();
    listed.sort();
    assert_eq!(there, listed);
}

on_both! {
    async fn who_may_do_what(world: World) {
        let stage = words(&world).await;
        let ada = world.api(&world.ada).await;
        let schedules = format!("applications/{}/schedules", world.application);
        let schedule = ada.make(&schedules, weekly(stage.configuration)).await;
        let run = ada.post(&format!("import-configurations/{}/runs", stage.configuration), json!({})).await.is(202).id();
        let year_end = json!({"name": "Year-end close", "from": "2026-12-31T17:00:00Z", "to": "2027-01-04T05:00:00Z"});
        let freeze = ada.make(&format!("applications/{}/freezes", world.application), year_end).await;
        let table = ada.make(&format!("applications/{}/translations", world.application), json!({"name": "T"})).await;
        let steps = json!({"name": "Month end", "steps": [{"configuration_id": stage.configuration}]});
        let set = ada.make(&format!("applications/{}/import-sets", world.application), steps).await;
        let by = json!({"weekdays": ["mon"], "time": "08:00", "time_zone": "UTC"});
        for of in [format!("import-configurations/{}", stage.configuration), format!("import-sets/{set}")] {
            ada.put(&format!("{of}/ready-by"), by.clone()).await.is(200);
        }
        let kept = crate::kept_files::keep(&world, "sales.csv", "id,word\n1,one\n").await;
        let notice = crate::notifications::inbox::note(&world, "Told").await;
        let group = ada.make("groups", json!({"name": "Planning team"})).await;
        let role = ada.make("roles", json!({"name": "Night operator"})).await;
        let values = [
            ("a", world.application.to_string()),
            ("b", stage.block.to_string()),
            ("c", stage.connection.to_string()),
            ("f", freeze.to_string()),
            ("group", group.to_string()),
            ("i", stage.configuration.to_string()),
            ("kept", kept.to_string()),
            ("m", world.audrey.id.to_string()),
            ("n", notice.to_string()),
            ("r", run.to_string()),
            ("role", role.to_string()),
            ("s", schedule.to_string()),
            ("set", set.to_string()),
            ("t", table.to_string()),
        ];
        let mut people = vec![ada];
        for person in [&world.olive, &world.mo, &world.ivy, &world.stranger, &world.audrey] {
            let api = world.api(person).await;
            api.get("applications").await.is(200); // from now on the token was used
            people.push(api);
        }
        people.push(Api::new(world.at(), "wrong"));
        let before = world.fingerprint().await;
        let mut got: Vec<Vec<char>> = TABLE.iter().map(|(_, wanted)| wanted.chars().collect()).collect();
        // Those who may not go first; then those who may, with a version that nothing has, so that nothing is lost.
        for allowed in [false, true] {
            for ((name, wanted), got) in TABLE.iter().zip(&mut got) {
                let route = route(name);
                let path = route.filled(&values);
                for (i, sign) in wanted.char_indices().filter(|(_, sign)| matches!(sign, 'o' | 'v') == allowed) {
                    let request = people[i].request(route.method(), path.strip_prefix("/api/v1/").unwrap());
                    let request = request.header("If-Match", "\"0\"");
                    let request = if route.method() == Method::GET { request } else { request.json(&json!({})) };
                    let reply = Reply::of(request).await;
                    got[i] = match reply.status {
                        401 => '?',
                        403 => 'x',
                        404 => '.',
                        405 | 500.. => '!',
                        200 if sign == 'o' => 'o',
                        _ => 'v',
                    };
                }
            }
            if !allowed {
                assert_eq!(world.fingerprint().await, before, "what was refused changed something");
            }
        }
        for ((name, wanted), got) in TABLE.iter().zip(got) {
            assert_eq!(got.into_iter().collect::<String>(), *wanted, "{name}");
        }
    }
}
