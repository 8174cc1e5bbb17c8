//! Who changed what, from what, to what: as a page, as CSV, by the API; and how things stood on a day.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tidegate::db::Conn;
use tidegate::imports::Mode;
use tidegate::schedules::{About, Notify};

use crate::schedules::{create, daily, draft};
use crate::support::stage::stage;
use crate::support::*;

/// Olive schedules payroll for Mo's eyes and moves it by half an hour a day later; Mo was refused meanwhile.
async fn told(world: &World) -> i64 {
    world.set_clock("2026-10-05T08:00:00Z");
    let stage = stage(world, "payroll", Mode::Update, |_| ()).await;
    let notify = Some(Notify { about: About::Failed, member_ids: vec![world.mo.id], group_ids: Vec::new(), after: 1 });
    let schedule = create(world, tidegate::schedules::Draft { notify, ..draft(&stage, &daily("06:00")) }).await;
    world.api(&world.mo).await.get("members").await.is(403);
    world.step(tidegate::audit::write_refusals).await;
    world.set_clock("2026-10-06T08:00:00Z");
    let olive = world.api(&world.olive).await;
    let body = json!({"start_time": "06:30", "notify": {"about": "all", "member_ids": [world.mo.id, world.ada.id]}});
    olive.patch(&format!("schedules/{}", schedule.id), body).await.is(200);
    schedule.id
}

on_both! {
    async fn a_moment_is_said_as_html_knows_it(world: World) {
        let id = told(&world).await;
        world.set_clock("2026-10-06T09:00:00.123456Z");
        world.api(&world.olive).await.patch(&format!("schedules/{id}"), json!({"start_time": "06:45"})).await.is(200);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit").await;
        assert_eq!(ada.count("time[datetime='2026-10-06T09:00:00.123Z']"), 1, "three digits of a second, not six");
    }

    async fn a_change_says_what_it_was_and_what_it_is(world: World) {
        told(&world).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit").await;
        ada.sees("Changed the schedule of payroll");
        ada.sees("Every day at 06:00, UTC").sees("Every day at 06:30, UTC");
        ada.sees("Notify about: failed").sees("all").sees("Recipients: Mo").sees("Ada, Mo");
        ada.sees("API, 127.0.0.1").sees("by the API token test");
        ada.sees("Denied: GET /api/v1/members").sees("Created the Connection Folder of payroll");
        // By who, kind, days and words.
        ada.choose("Who", "Mo").press("Filter").await.sees("Denied: GET").sees_no("payroll");
        ada.choose("Who", "Anyone").choose("Kind", "Schedules").press("Filter").await;
        ada.sees("Changed the schedule of").sees("Created the schedule of").sees_no("Denied:").sees_no("Connection Folder");
        ada.fill("From", "2026-10-06").press("Filter").await.sees("Changed the schedule of").sees_no("Created the");
        ada.fill("To", "2026-10-05").press("Filter").await.answered(422).sees("From is after To.").sees("No entry matches this filter");
        assert_eq!(ada.count("#from[aria-invalid][aria-describedby='from-err']"), 1, "the field is marked");
        for path in ["/audit?until=2026-13-40", "/audit?from=9999-01-01", "/audit.csv?until=2026-13-40"] {
            let unread = ada.get(path).await;
            assert!(unread.status == 422 && unread.text().contains("Choose a day."), "{path}: {}", unread.text());
        }
        ada.follow("Show all").await;
        ada.fill("What", "06:30").press("Filter").await.sees("Changed the schedule of").sees_no("Created");
        ada.choose("Kind", "Denied").fill("What", "").press("Filter").await.sees("Denied: GET").sees_no("payroll");
        // What nobody would send is answered all the same.
        for odd in ["who=x&kind=y&of=schedule&before=-1", "of=schedule:1&q=%00"] {
            let audrey = world.browser(&world.audrey).await;
            assert_eq!(audrey.get(&format!("/audit?{odd}")).await.status, 200, "{odd}");
        }
    }

    async fn the_log_goes_on_page_by_page_and_into_a_spreadsheet(world: World) {
        let ada = world.api(&world.ada).await;
        for n in 0..60 {
            ada.post("applications", json!({"name": format!("=Plan {n}"), "time_zone": "UTC"})).await.is(201);
        }
        let mut page = world.browser(&world.ada).await;
        // Each was made, and gave its maker access.
        page.visit("/audit").await.sees("=Plan 59").sees("=Plan 35").sees_no("=Plan 34");
        page.follow("Show older entries").await.sees("=Plan 34").sees_no("=Plan 35");
        let csv = page.get("/audit.csv").await;
        let mut rows = csv::Reader::from_reader(csv.body.as_bytes());
        assert!(csv.body.lines().all(|line| line.starts_with('"') && line.ends_with('"')), "each cell is quoted");
        let names: Vec<String> = rows.records().map(|row| row.unwrap()[9].to_owned()).filter(|n| n.contains("Plan")).collect();
        assert_eq!((names.len(), names[0].as_str()), (60, "'=Plan 59"));
        let first = ada.get("audit?limit=2").await.json;
        assert_eq!((&first["items"][1]["action"], &first["items"][1]["after"]["name"]), (&json!("application.created"), &json!("=Plan 59")));
        assert_eq!((&first["items"][0]["action"], &first["items"][0]["after"]["configure"]), (&json!("access.changed"), &json!(true)));
        let next = ada.get(&format!("audit?limit=2&after={}", first["next"].as_str().unwrap())).await.json;
        assert_eq!(next["items"][1]["after"]["name"], "=Plan 58");
        assert_eq!(first["items"][0]["from"], "127.0.0.1");
        ada.get("audit?denied=perhaps").await.is(422);
    }

    async fn a_day_is_as_it_was(world: World) {
        let schedule = told(&world).await;
        world.set_clock("2026-10-07T08:00:00Z");
        world.api(&world.olive).await.delete(&format!("schedules/{schedule}")).await.is(204);
        let audrey = world.browser(&world.audrey).await;
        let as_of = async |day: &str| {
            let answer = audrey.get(&format!("/audit/as-of?day={day}")).await;
            assert_eq!(answer.status, 200);
            serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()
        };
        let (fifth, sixth, seventh) = (as_of("2026-10-05").await, as_of("2026-10-06").await, as_of("2026-10-07").await);
        assert_eq!(fifth["schedules"][0]["is"]["sentence"], "Every day at 06:00, UTC");
        assert_eq!(fifth["schedules"][0]["name"], "payroll");
        assert_eq!(sixth["schedules"][0]["is"]["sentence"], "Every day at 06:30, UTC");
        assert_eq!(seventh["schedules"], json!([]));
        assert_eq!(as_of("2026-10-04").await["schedules"], json!([]));
        let mapped = &seventh["import_configurations"][0];
        assert_eq!((&mapped["name"], mapped["is"]["mode"].as_str()), (&json!("payroll"), Some("update")));
        let role = |role: &serde_json::Value| role["built_in"] == true && role["is"]["permissions"][0] == "import_data";
        assert!(seventh["roles"].as_array().unwrap().iter().any(role), "{}", seventh["roles"]);
        // What is archived takes with it all that was in it, from that day on.
        world.set_clock("2026-10-08T08:00:00Z");
        world.api(&world.ada).await.delete(&format!("applications/{}", world.application)).await.is(204);
        let eighth = as_of("2026-10-08").await;
        assert_eq!(eighth["import_configurations"], json!([]));
        assert_eq!(as_of("2026-10-07").await["import_configurations"], seventh["import_configurations"]);
        for day in ["yesterday", "2026-10-09"] {
            assert_eq!(audrey.get(&format!("/audit/as-of?day={day}")).await.status, 422, "{day}");
        }
        // Whoever chose it on the page is still there, and finds it at its field.
        let mut audrey = audrey;
        audrey.visit("/audit").await.fill("Day", "2026-10-09").within("form[action='/audit/as-of']").press("Download").await;
        audrey.answered(422).sees("Entries").sees("Nothing is known of later days");
        assert_eq!(audrey.count("#day[aria-invalid][max='2026-10-08']"), 1);
        assert_eq!(audrey.value("Day"), "2026-10-09");
    }

    /// Who did it stands beside it, and is not what it was done to.
    async fn signing_in_is_told_of_who_did_it(world: World) {
        let mut mo = world.nobody();
        mo.visit("/sign-in").await.fill("E-mail", "mo@acme.test").fill("Password", cast::PASSWORD).press("Sign in").await.answered(200);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit").await.in_row("Signed in").sees("Mo").sees_no("Signed in Mo");
        assert!(ada.get("/audit.csv").await.body.contains("\"member.signed_in\",\"member\","), "the file has both");
    }

    async fn who_changes_their_profile_keeps_role_and_address(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let ada = world.api(&world.ada).await;
        ada.patch(&format!("members/{}", world.olive.id), json!({"role": "Modeler"})).await.is(200);
        world.set_clock("2026-10-06T08:00:00Z");
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/account").await.fill("Name", "Olivia").press("Save").await.sees("Your account is saved.");
        let mut page = world.browser(&world.ada).await;
        page.visit("/audit").await.in_row("Changed their own profile").sees("Olivia");
        world.set_clock("2026-10-07T08:00:00Z");
        // As it was once told.
        let (id, now) = (world.olive.id, world.now());
        world.write(move |conn| {
            let own = |name: &str| json!({"name": name, "time_zone": null, "shortcuts": true, "theme": null});
            let entry = tidegate::audit::Entry::of("member.changed", "member", id).before(own("Olivia")).after(own("Liv"));
            tidegate::audit::record(conn, &tidegate::audit::Actor::nobody("Olivia", "page"), entry, now)
        }).await;
        let audrey = world.browser(&world.audrey).await;
        for (day, name) in [("2026-10-05", "Olive"), ("2026-10-06", "Olivia"), ("2026-10-07", "Olivia")] {
            let answer = audrey.get(&format!("/audit/as-of?day={day}")).await;
            let all: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            let of: Vec<_> = all["members"].as_array().unwrap().iter().filter(|m| m["id"] == world.olive.id).collect();
            let is = of.iter().map(|m| (&m["is"]["name"], &m["is"]["role"], &m["is"]["email"], &m["is"]["active"]));
            let wanted = (&json!(name), &json!("Modeler"), &json!("olive@acme.test"), &json!(true));
            assert_eq!(is.collect::<Vec<_>>(), [wanted], "{day}");
        }
    }

    async fn an_entry_is_neither_changed_nor_removed(world: World) {
        told(&world).await;
        for deed in ["UPDATE audit_log SET member_name = 'Nobody'", "DELETE FROM audit_log"] {
            let refused = world.read(move |conn| {
                let done = match conn {
                    Conn::Pg(conn) => conn.batch_execute(deed),
                    Conn::Sqlite(conn) => conn.batch_execute(deed),
                };
                Ok(done.unwrap_err().to_string())
            });
            assert!(refused.await.contains("the audit log is only added to"), "{deed}");
        }
    }

    async fn a_schedule_gets_back_what_it_was(world: World) {
        let schedule = told(&world).await;
        let changes = format!("/applications/{}/schedules/{schedule}/changes", world.application);
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&list).await.follow("Changes").await.sees("Every day at 06:00, UTC").sees("Every day at 06:30, UTC");
        ada.sees("API, 127.0.0.1");
        ada.press("Restore what it was before Today, 08:00").await.sees("Restored: Every day at 06:00, UTC. You are its Owner now.");
        let is = world.api(&world.ada).await.get(&format!("schedules/{schedule}")).await.json;
        let recipients = (&is["notify"]["about"], &is["notify"]["member_ids"]);
        assert_eq!((is["owner_id"].as_i64(), recipients), (Some(world.ada.id), (&json!("failed"), &json!([world.mo.id]))));
        // A colleague sees who, but not from where; who may not import here sees nothing.
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&changes).await.sees("Changed the schedule of payroll").sees_no("127.0.0.1");
        assert_eq!(world.browser(&world.mo).await.get(&changes).await.status, 403);
        assert_eq!(world.browser(&world.stranger).await.get(&changes).await.status, 404);
        // Another thing's entry is no entry of this.
        let made = world.read(|conn| tidegate::audit::list(conn, &tidegate::audit::Filter::default(), None, 200)).await;
        let of_another = made.iter().find(|entry| entry.subject_kind != "schedule").unwrap().id;
        assert_eq!(olive.post(&format!("{changes}/{of_another}"), &[]).await.status, 404);
        let created = made.iter().find(|entry| entry.action == "schedule.created").unwrap().id;
        assert_eq!(olive.post(&format!("{changes}/{created}"), &[]).await.status, 409);
    }

    async fn a_configuration_gets_back_what_it_was_and_meets_the_same_checks(world: World) {
        let stage = stage(&world, "prices", Mode::Update, |_| ()).await;
        let olive = world.api(&world.olive).await;
        let configuration = format!("import-configurations/{}", stage.configuration);
        let first = olive.get(&configuration).await.json;
        for change in [json!({"attempts": 7, "name": "Prices by day"}), json!({"mode": "append", "overlap": "queue"})] {
            olive.patch(&configuration, change).await.is(200);
        }
        let page = format!("/applications/{}/settings/{configuration}", world.application);
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&page).await.follow("Changes").await.sees("Attempts: 3 → became 7").sees("as a new version");
        let path = browser.path();
        // The difference first.
        browser.in_row("Attempts: 3 → became 7").follow("Restore …").await;
        browser.sees("Restore Prices by day").sees("Back to version 1, until Olive changed it").sees("Attempts").sees("Overlap");
        browser.press("Restore").await.sees("Restored: Prices by day as in version 1.");
        let is = olive.get(&configuration).await.json;
        assert_eq!((&is["version"], &is["name"], &is["attempts"], &is["mode"], &is["overlap"]),
            (&json!(4), &first["name"], &first["attempts"], &first["mode"], &first["overlap"]));
        browser.sees("Prices by day → became prices");
        // Somebody else saves meanwhile; then it is as it was.
        let log = world.read(|conn| tidegate::audit::list(conn, &tidegate::audit::Filter::default(), None, 200)).await;
        let entry = log.iter().filter(|entry| entry.action == "import_configuration.updated").min_by_key(|entry| entry.id).unwrap().id;
        let of_another = format!("/applications/{}/settings/import-configurations/TAKEN/changes/{entry}", world.application);
        let entry = format!("{path}/{entry}");
        browser.visit(&entry).await.sees("There is nothing to restore.");
        olive.patch(&configuration, json!({"attempts": 2})).await.is(200);
        browser.visit(&entry).await;
        olive.patch(&configuration, json!({"attempts": 4})).await.is(200);
        browser.press("Restore").await.answered(412).sees("Olive changed \"prices\"");
        browser.press("Restore").await.sees("Restored: prices as in version 1.");
        assert_eq!(browser.post(&entry, &[("version", "7")]).await.status, 409, "it is as it was then");
        // The same checks as saving: another has the name, or the column is gone.
        olive.patch(&configuration, json!({"name": "Other"})).await.is(200);
        let mut body = first.clone();
        body.as_object_mut().unwrap().retain(|key, _| ["name", "block_id", "connection_id", "source", "mode"].contains(&key.as_str()));
        let taken = olive.make(&format!("applications/{}/import-configurations", world.application), body).await;
        browser.visit(&entry).await.press("Restore").await.answered(409).sees("already exists in this Application");
        // What is no entry of it, or says nothing, is not there; who may not asks in vain.
        let created = log.iter().find(|entry| entry.action == "import_configuration.created").unwrap().id;
        for foreign in [created, 999_999, -1] {
            assert_eq!(browser.get(&format!("{path}/{foreign}")).await.status, 404);
            assert_eq!(browser.post(&format!("{path}/{foreign}"), &[("version", "x")]).await.status, 404);
        }
        assert_eq!(browser.get(&of_another.replace("TAKEN", &taken.to_string())).await.status, 404);
        for (person, status) in [(&world.mo, 403), (&world.audrey, 403), (&world.stranger, 404)] {
            assert_eq!(world.browser(person).await.get(&entry).await.status, status, "{}", person.name);
            assert_eq!(world.browser(person).await.post(&entry, &[("version", "1")]).await.status, status);
        }
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&path).await.sees_no("Restore");
        // Deleted, it has its history still, and nothing is restored.
        olive.delete(&configuration).await.is(204);
        browser.visit(&path).await.sees("Deleted the import configuration").sees_no("Restore");
        assert_eq!(browser.get(&entry).await.status, 404);
    }

    async fn a_set_gets_back_its_steps(world: World) {
        let (first, second) = (stage(&world, "prices", Mode::Update, |_| ()).await, stage(&world, "rates", Mode::Update, |_| ()).await);
        let set = crate::import_sets::create(&world, "Month end", &[first.configuration, second.configuration]).await;
        let olive = world.api(&world.olive).await;
        let steps = json!({"steps": [{"configuration_id": second.configuration, "partial_fails": true}], "name": "Close"});
        olive.patch(&format!("import-sets/{}", set.id), steps).await.is(200);
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/applications/{}/settings/import-sets/{}", world.application, set.id)).await.follow("Changes").await;
        let path = browser.path();
        browser.follow("Restore …").await.sees("rates (Partial counts as failed)").sees("prices, rates").sees("Month end");
        browser.press("Restore").await.sees("Restored: Close as in version 1.");
        let is = olive.get(&format!("import-sets/{}", set.id)).await.json;
        assert_eq!((&is["name"], is["steps"].as_array().unwrap().len(), &is["version"]), (&json!("Month end"), 2, &json!(3)));
        // A step whose import is gone keeps it from coming back.
        olive.patch(&format!("import-sets/{}", set.id), json!({"name": "Later", "steps": [{"configuration_id": second.configuration}]})).await.is(200);
        olive.delete(&format!("import-configurations/{}", first.configuration)).await.is(204);
        browser.visit(&path).await;
        browser.in_row("Month end → became Later").follow("Restore …").await.press("Restore").await;
        browser.answered(422).sees("\"prices\" was deleted. Choose another import configuration.");
    }

    async fn what_differs_in_a_list_is_told_by_what_becomes_of_it(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        let olive = world.api(&world.olive).await;
        let configuration = format!("import-configurations/{}", prices.configuration);
        for trim in [false, true] {
            let mapping = json!([{"from": "id", "to": "id"}, {"from": "word", "to": "word", "trim": trim}]);
            olive.patch(&configuration, json!({"mapping": mapping})).await.is(200);
        }
        let set = crate::import_sets::create(&world, "Month end", &[prices.configuration]).await;
        let steps = json!([{"configuration_id": prices.configuration, "partial_fails": true}]);
        olive.patch(&format!("import-sets/{}", set.id), json!({"steps": steps})).await.is(200);
        let settings = format!("/applications/{}/settings", world.application);
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("{settings}/{configuration}")).await.follow("Changes").await;
        browser.in_row("changed: word").follow("Restore …").await;
        // What is there now is not nothing.
        browser.in_row("changed by restoring: word").sees("Mapping").sees_no("nothing");
        browser.visit(&format!("{settings}/import-sets/{}", set.id)).await.follow("Changes").await.sees("changed: prices");
    }
}
