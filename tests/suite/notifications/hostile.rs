//! Names that want to be more than names, in mail: past the checks of the pages, as an old database may hold them.

use tidegate::db::schema::{applications, incident_targets, incidents, runs};

use super::real_server::with_server;
use super::*;

#[test]
fn a_name_is_a_name_and_nothing_else() {
    with_server(async |world, server| {
        let (olive, application) = (world.olive.id, world.application);
        world
            .write(move |conn| {
                let name = "Olive\r\nBcc: spy@evil.test\r\nX-Mean: yes";
                diesel::update(members::table.find(olive)).set(members::name.eq(name)).execute(conn)?;
                let name = "FP\u{202e}&A\r\nSummary: http://evil.test\r\n<b>2026</b>";
                diesel::update(applications::table.find(application)).set(applications::name.eq(name)).execute(conn)?;
                Ok(())
            })
            .await;
        let long = "x".repeat(10_240);
        let names: [(&str, &str); 6] = [
            ("pay\r\nBcc: spy@evil.test\r\n\r\n<html>roll", "pay Bcc: spy@evil.test <html>roll failed"),
            ("pay\u{202e}llor\u{200b}", "payllor failed"),
            ("<!channel> <@U1> pay", "<!channel> <@U1> pay failed"),
            ("\"><img src=x onerror=alert(1)><script>", "\"><img src=x onerror=alert(1)><script> failed"),
            ("=?utf-8?q?pay=0d=0aBcc:_spy@evil.test?=", "= ?utf-8?q?pay=0d=0aBcc:_spy@evil.test?= failed"),
            (&long, "…"),
        ];
        for (day, (name, shown)) in (5..).zip(names) {
            world.set_clock(&format!("2026-10-{day:02}T09:00:01Z"));
            world.step(dispatcher::step).await;
            work_off(world).await;
            let name = name.to_owned();
            world
                .write(move |conn| {
                    let newest = runs::table.select(diesel::dsl::max(runs::id)).first::<Option<i64>>(conn)?.unwrap();
                    diesel::update(runs::table.find(newest)).set(runs::name.eq(name)).execute(conn)?;
                    // What broke yesterday is over, so that today is told anew.
                    diesel::update(incidents::table).set(incidents::closed_at.eq(1)).execute(conn)?;
                    diesel::update(incident_targets::table).set(incident_targets::recovered_at.eq(1)).execute(conn)?;
                    Ok(())
                })
                .await;
            tell(world).await;
            let received = server.received();
            assert_eq!(received.len(), day - 4);
            let mail = received.last().unwrap();
            assert_eq!(mail.to, [world.olive.email.as_str()]);
            assert_eq!(
                mail.header("To"),
                format!("\"Olive Bcc: spy@evil.test X-Mean: yes\" <{}>", world.olive.email),
                "one addressee"
            );
            let known = [
                "From",
                "To",
                "Subject",
                "Message-ID",
                "Date",
                "References",
                "In-Reply-To",
                "Auto-Submitted",
                "MIME-Version",
                "Content-Type",
            ];
            for (header, _) in &mail.headers {
                assert!(known.contains(&header.as_str()), "{header}: {}", mail.raw);
            }
            let subject = mail.header("Subject");
            let starts = subject.starts_with(shown) || shown == "…" && subject.contains("xxx… failed (FP&A");
            assert!(starts && subject.chars().count() <= 200, "{shown}: {subject}");
            assert!(subject.ends_with("(FP&A Summary: http://evil.test <b>2026</b>)"), "{subject}");
            assert!(mail.raw.lines().all(|line| line.len() <= 998), "no line is longer than the wire allows");
            for tag in ["<img", "<script", "<b>2026", "<html>roll", "<!channel"] {
                assert!(!mail.html.contains(tag), "{tag}: {}", mail.html);
            }
            for part in [&mail.text, &mail.html, &mail.raw] {
                assert!(!part.contains(['\u{202e}', '\u{200b}']), "{part}");
            }
            assert!(!mail.text.lines().any(|line| line.starts_with("Summary: http://evil")), "{}", mail.text);
        }
    });
}
