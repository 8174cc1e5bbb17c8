//! Where values go: bound in a query, encoded in a path and an address, and nowhere else.

use super::*;
use crate::support::stage::{csv, folder_connection};

on_both! {
    /// The seed's wish: employee groups to exclude, as a parameter of the integration.
    async fn groups_are_excluded_by_a_bound_list(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT id, word FROM staff WHERE grp NOT IN ({groups}) ORDER BY id", json!([groups()])).await;
        let ended = run_with(&world, &staff.olive, import, json!({"groups": ["Seasonal", "It's"]})).await;
        assert_eq!(ended.cause, None);
        assert_eq!(staff.words(&world).await, ["Ann", "Cid"]);
        let none = run_with(&world, &staff.olive, import, json!({})).await;
        assert_eq!((none.cause, staff.words(&world).await.len()), (None, 4), "none excluded");
        let all = json!({"groups": ["Hourly", "Seasonal", "Interns", "It's"]});
        let answer = run_with(&world, &staff.olive, import, all.clone()).await;
        assert_eq!(answer.cause, None);
        let shown = staff.olive.get(&format!("runs/{}", answer.id)).await;
        assert_eq!((&shown.json["parameters"], &shown.json["resolved_parameters"]), (&all, &all));
        let refused = staff.olive.post(&format!("import-configurations/{import}/runs"),
            json!({"parameters": {"groups": ["Nobody"], "country": "FR"}})).await;
        assert_eq!(refused.is(422).wrong_fields(), ["parameters.country", "parameters.groups"]);
    }

    async fn what_is_declared_wrongly_is_said_at_its_field(world: World) {
        let staff = employees(&world).await;
        let refused = |query: &'static str, parameters: Value| {
            let body = json!({"name": "Wrong", "block_id": staff.block, "connection_id": staff.connection,
                "source": {"query": query}, "mode": "replace", "parameters": parameters});
            let (olive, at) = (&staff.olive, format!("{}/import-configurations", staff.here));
            async move {
                let reply = olive.post(&at, body).await;
                reply.wrong_fields().into_iter().map(str::to_owned).collect::<Vec<_>>()
            }
        };
        let text = json!({"name": "a", "type": "text"});
        for (query, parameters, fields) in [
            ("SELECT {b}", json!([text]), vec!["source.query"]),
            ("SELECT '{a}'", json!([text]), vec!["source.query"]),
            ("SELECT 1 WHERE 'x' = {groups}", json!([groups()]), vec!["source.query"]),
            ("SELECT 1", json!([{"name": "a-b", "type": "text"}]), vec!["parameters[0].name"]),
            ("SELECT 1", json!([text, {"name": "A", "type": "number"}]), vec!["parameters[1].name"]),
            ("SELECT 1", json!([{"name": "a", "type": "date", "default": "soon"}]), vec!["parameters[0].default"]),
            ("SELECT 1", json!([{"name": "a", "type": "secret", "default": "x"}]), vec!["parameters[0].default"]),
            ("SELECT 1", json!([{"name": "a", "type": "choice"}]), vec!["parameters[0].choices"]),
            ("SELECT 1", json!([{"name": "a", "type": "money"}]), vec!["parameters[0].type"]),
            ("SELECT 1", json!([{"name": "a", "type": "text", "max": 1}]), vec!["parameters[0].max"]),
        ] {
            assert_eq!(refused(query, parameters).await, fields, "{query}");
        }
    }

    async fn no_value_is_read_as_sql(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT id, word FROM staff WHERE word = {word}", json!([{"name": "word", "type": "text", "required": true}])).await;
        for hostile in ["' OR 1=1 --", "Ann'; DROP TABLE staff; --", "Ann\u{0}x", "{word}", "$tidegate1", "?1; SELECT 1"] {
            let body = json!({ "parameters": {"word": hostile} });
            let begun = staff.olive.post(&format!("import-configurations/{import}/runs"), body).await;
            if hostile.contains('\0') {
                assert_eq!(begun.is(422).wrong_fields(), ["parameters.word"]);
                continue;
            }
            let id = begun.is(202).id();
            work_off(&world).await;
            let ended = run(&world, id).await;
            assert_eq!(ended.cause, None, "{hostile}");
            assert_eq!(ended.result.unwrap().read, 0, "{hostile}");
        }
        let found = run_with(&world, &staff.olive, import, json!({"word": "Ann"})).await;
        assert_eq!((found.cause, staff.words(&world).await), (None, vec!["Ann".to_owned()]));
        let missing = staff.olive.post(&format!("import-configurations/{import}/runs"), json!({})).await;
        assert_eq!(missing.is(422).wrong_fields(), ["parameters.word"]);
    }

    async fn no_value_leads_a_path_elsewhere(world: World) {
        let olive = world.api(&world.olive).await;
        let connection = folder_connection(&world, "files").await;
        let block = block(&world, "words").await;
        std::fs::create_dir_all(world.folder().join("in")).unwrap();
        csv(&world, "secret", &[("9", "not to be read")]);
        csv(&world, "in/a b", &[("1", "read")]);
        let body = json!({"name": "Files", "block_id": block, "connection_id": connection, "mode": "append",
            "source": {"path": "in/{name}.csv"}, "mapping": [{"from": "id", "to": "id"}, {"constant": "{{{name}}}", "to": "word"}],
            "parameters": [{"name": "name", "type": "text"}]});
        let import = olive.make(&format!("applications/{}/import-configurations", world.application), body).await;
        for hostile in ["../secret", "..", "x/../../secret", "/etc/passwd", "a\\..\\b", "a\nb", "a\u{2028}b"] {
            let ended = run_with(&world, &olive, import, json!({"name": hostile})).await;
            let cause = ended.cause.unwrap_or_default();
            assert!(cause.contains("The value of name cannot stand in a path"), "{hostile}: {cause}");
            assert_eq!(ended.result.map_or(0, |result| result.read), 0);
        }
        let ended = run_with(&world, &olive, import, json!({})).await;
        assert!(ended.cause.unwrap_or_default().contains("The parameter name has no value"));
        let ended = run_with(&world, &olive, import, json!({"name": "a b"})).await;
        assert_eq!(ended.cause, None);
        assert_eq!(ended.result.unwrap().source_name.as_deref(), Some("a b.csv"));
        let rows = olive.get(&format!("blocks/{block}/rows")).await;
        assert_eq!(rows.items()[0]["word"], "{a b}");
    }

    /// As before there were parameters.
    async fn braces_of_an_import_without_parameters_are_braces(world: World) {
        let olive = world.api(&world.olive).await;
        let connection = folder_connection(&world, "files").await;
        let block = block(&world, "words").await;
        csv(&world, "{month}{", &[("1", "one")]);
        let body = json!({"name": "Files", "block_id": block, "connection_id": connection, "mode": "append",
            "source": {"path": "{month}{.csv"}});
        let import = olive.make(&format!("applications/{}/import-configurations", world.application), body).await;
        assert_eq!(run_with(&world, &olive, import, json!({})).await.cause, None);
    }

    async fn an_address_and_its_headers_take_values_as_they_may(world: World) {
        use std::io::{Read, Write};
        let (olive, block) = (world.api(&world.olive).await, block(&world, "words").await);
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        let settings = json!({"url": format!("http://{at}/exports/{{day:%Y}}"), "headers": {"X-Group": "g {group} {x}", "X-Key": "{token}"}});
        let connection = connection(&world, "Web", "http", settings).await;
        let body = json!({"name": "Web", "block_id": block, "connection_id": connection, "mode": "append", "attempts": 1,
            "source": {"path": "{day:%Y%m}/{group}.csv?of={group}"},
            "parameters": [{"name": "day", "type": "date", "default": "end of last month"}, {"name": "group", "type": "text"},
                {"name": "token", "type": "secret"}]});
        let import = olive.make(&format!("applications/{}/import-configurations", world.application), body).await;
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
            while !text.windows(4).any(|end| end == b"\r\n\r\n") {
                let n = stream.read(&mut buffer).unwrap();
                text.extend_from_slice(&buffer[..n]);
            }
            let body = "id,word\n1,one\n";
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).unwrap();
            String::from_utf8(text).unwrap()
        });
        for hostile in ["a\r\nX-Evil: 1", "é", "a/b", ".."] {
            let ended = run_with(&world, &olive, import, json!({"group": hostile, "token": "k"})).await;
            assert!(ended.cause.unwrap_or_default().contains("cannot stand in a"), "{hostile}");
        }
        let ended = run_with(&world, &olive, import, json!({"group": "R&D ?#", "token": "k3y"})).await;
        assert_eq!(ended.cause, None);
        let heard = heard.join().unwrap();
        assert!(heard.starts_with("GET /exports/2026/202609/R%26D%20%3F%23.csv?of=R%26D%20%3F%23 HTTP/1.1\r\n"), "{heard}");
        assert!(heard.to_lowercase().contains("x-group: g r&d ?# {x}\r\n"), "{heard}");
        assert!(heard.to_lowercase().contains("x-key: k3y\r\n"), "{heard}");
    }

    async fn a_test_run_takes_values_too(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT id, word FROM staff WHERE grp IN ({groups})", json!([groups()])).await;
        let test = async |values: Value| {
            let at = format!("import-configurations/{import}/test-run");
            staff.olive.post(&at, json!({ "parameters": values })).await
        };
        let tested = test(json!({"groups": ["Hourly", "Interns"]})).await;
        assert_eq!(tested.is(200).json["rows"]["read"], 2, "{}", tested.body);
        assert_eq!(test(json!({"groups": "Hourly"})).await.is(422).wrong_fields(), ["parameters.groups"]);
        assert_eq!(test(json!({"x": 1})).await.is(422).wrong_fields(), ["parameters.x"]);
    }
}
