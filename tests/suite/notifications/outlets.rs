//! Where an Application posts: a Slack channel, an incoming webhook, a webhook that is signed.

use tidegate::app::App;
use tidegate::db::schema::{applications, audit_log, outlets as kept, posts, runs};
use tidegate::secrets::{Secrets, signature};

use super::slack::{POST, set_up, tell_all, told_morning, with_slack};
use super::*;
use crate::support::Database;
use crate::support::browser::Browser;
use crate::support::databases::with_changed_world;
use crate::support::receiver::{Deed, Receiver, TOKEN};

const SECRET: &str = "canary-secret-4711";

fn page(world: &World) -> String {
    format!("/applications/{}/settings/notifications", world.application)
}

/// Ada sets a webhook of the Application.
async fn webhook(world: &World, url: &str, about: &str) -> Browser {
    let mut ada = world.browser(&world.ada).await;
    ada.visit(&page(world)).await.within("#webhook");
    ada.fill("Address", url).fill("Signing secret", SECRET).choose("Posts about", about).press("Save Webhook").await;
    ada
}

async fn slack_webhook(world: &World, url: &str) {
    let mut ada = world.browser(&world.ada).await;
    ada.visit(&page(world))
        .await
        .within("#slack-webhook")
        .fill("Address", url)
        .press("Save Slack incoming webhook")
        .await;
    ada.sees("Saved.");
}

/// State, attempts and what was said of the newest post.
async fn post(world: &World) -> (String, i32, String) {
    world
        .read(|conn| {
            let (state, attempt, said): (String, i32, Option<String>) =
                posts::table.order(posts::id.desc()).select((posts::state, posts::attempt, posts::said)).first(conn)?;
            Ok((state, attempt, said.unwrap_or_default()))
        })
        .await
}

#[test]
fn a_webhook_is_signed_and_told_once() {
    with_slack(async |world, receiver| {
        webhook(world, &format!("{}/in?key=canary-url", receiver.at), "Failed")
            .await
            .sees("Webhook at 127.0.0.1 posts about: Failed.");
        receiver.does("/in?key=canary-url", &[Deed::Answers(500, "", "<b>canary-body</b>")]);
        told_morning(world, 5).await;
        let (state, attempt, said) = post(world).await;
        assert_eq!((state.as_str(), attempt), ("waiting", 1));
        assert_eq!(said, "127.0.0.1 reported an error on its side (500). If this persists, ask its owner.");
        world.advance(Duration::seconds(61));
        tell_all(world).await;
        tell_all(world).await;
        let received = receiver.received("/in?key=canary-url");
        assert_eq!((received.len(), post(world).await.0), (2, "sent".into()));
        for sent in &received {
            let timestamp = sent.header("tidegate-timestamp");
            let signed = signature(SECRET.as_bytes(), format!("{timestamp}.{}", sent.body).as_bytes());
            assert_eq!(sent.header("tidegate-signature"), format!("v1={signed}"));
            assert_eq!(sent.header("content-type"), "application/json");
            assert_eq!(sent.header("tidegate-event"), sent.json()["id"].as_str().unwrap());
        }
        assert_ne!(received[0].header("tidegate-timestamp"), received[1].header("tidegate-timestamp"));
        assert_eq!(received[0].json()["id"], received[1].json()["id"], "one event");
        let body = received[0].json();
        assert_eq!((&body["type"], &body["title"]), (&json!("failed"), &json!("payroll failed")));
        assert_eq!(
            (&body["run"]["status"], &body["run"]["planned_at"]),
            (&json!("failed"), &json!("2026-10-05T09:00:00Z"))
        );
        assert_eq!(body["run"]["next_run_at"], "2026-10-06T09:00:00Z");
        assert!(
            body["detail"].as_str().unwrap().contains("payroll.csv")
                && body["text"].as_str().unwrap().contains("payroll.csv")
        );
        assert!(body["run"]["url"].as_str().unwrap().ends_with(&format!("/runs/{}", body["run"]["id"])));
        assert_eq!(body["application"]["name"], "FP&A 2026");
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", body["run"]["id"])).await.sees("Webhook");
        // Its secrets are nowhere.
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&page(world)).await.sees("Works");
        let (sealed, entries) = world
            .read(|conn| {
                let sealed: Option<String> = kept::table.select(kept::sealed).first(conn)?;
                let entries: Vec<Option<String>> =
                    audit_log::table.filter(audit_log::action.like("outlet.%")).select(audit_log::after).load(conn)?;
                Ok((sealed, entries))
            })
            .await;
        assert_eq!(entries.len(), 1);
        for text in [ada.body.clone(), sealed.unwrap(), entries[0].clone().unwrap(), said] {
            assert!(!text.contains("canary"), "{text}");
        }
    });
}

#[test]
fn what_is_refused_for_good_is_said_where_it_is_mended() {
    with_slack(async |world, receiver| {
        let url = format!("{}/in", receiver.at);
        webhook(world, &url, "Failed").await;
        for (day, (answer, words)) in (5..).zip([
            (Deed::Answers(404, "", ""), "127.0.0.1 has nothing at this address (404)"),
            (Deed::Answers(302, "Location: http://127.0.0.1:1/", ""), "which is not followed"),
            (Deed::Answers(401, "", ""), "refused the message (401)"),
        ]) {
            receiver.does("/in", &[answer]);
            told_morning(world, day).await;
            let (state, attempt, said) = post(world).await;
            assert_eq!((state.as_str(), attempt), ("failed", 1), "{said}");
            assert!(said.contains(words), "{said}");
            let mut olive = world.browser(&world.olive).await;
            olive.visit(&page(world)).await.sees("Failing").sees(words).sees("Ada can change this.");
            // In order again, and broken the next day: another event.
            csv(world, "payroll", &[(&day.to_string(), "one")]);
            world.advance(Duration::hours(1));
            let api = world.api(&world.olive).await;
            let configuration = api.get("runs").await.items()[0]["configuration_id"].clone();
            api.post(&format!("import-configurations/{configuration}/runs"), json!({})).await.is(202);
            work_off(world).await;
            tell_all(world).await;
            assert_eq!(receiver.received("/in").last().unwrap().json()["type"], "recovered");
            std::fs::remove_file(world.folder().join("payroll.csv")).unwrap();
        }
    });
}

#[test]
fn a_channel_is_posted_to_by_the_workspaces_app() {
    with_slack(async |world, receiver| {
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&page(world))
            .await
            .within("#slack-channel")
            .sees("Set up Slack first. This Workspace is not connected to Slack.");
        set_up(world).await;
        ada.visit(&page(world)).await.within("#slack-channel");
        ada.fill("Channel", "fin ance").press("Save Slack channel").await.answered(422);
        ada.sees("Use up to 80 letters, digits, dashes and underscores");
        ada.within("#slack-channel").fill("Channel", "Finance").choose("Posts about", "All imports");
        receiver.does(POST, &[Deed::Answers(200, "", r#"{"ok":false,"error":"not_in_channel"}"#)]);
        ada.press("Test Slack channel").await.sees("The Slack app is not in the channel. Invite it there.");
        ada.within("#slack-channel").press("Test Slack channel").await.sees("#finance accepted a test message.");
        ada.within("#slack-channel").press("Save Slack channel").await.sees("Slack #finance posts about: All imports.");
        told_morning(world, 5).await;
        tell_all(world).await;
        let mut mo = world.browser(&world.mo).await;
        let id = world.api(&world.olive).await.get("runs").await.items()[0]["id"].clone();
        mo.visit(&format!("/runs/{id}")).await.sees("Slack #finance");
        csv(world, "payroll", &[("1", "one")]);
        told_morning(world, 6).await;
        csv(world, "payroll", &[("2", "two")]);
        told_morning(world, 7).await;
        let shown: Vec<String> = receiver
            .shown()
            .into_iter()
            .filter(|(to, _)| to == "#finance")
            .map(|(_, m)| m["text"].to_string())
            .collect();
        assert_eq!(shown.len(), 4, "{shown:?}");
        for (message, words) in
            shown.iter().zip(["This test message", "payroll failed", "payroll works again", "payroll succeeded"])
        {
            assert!(message.contains(words), "{words}: {message}");
        }
    });
}

#[test]
fn an_incoming_webhook_is_given_no_message_twice() {
    with_slack(async |world, receiver| {
        slack_webhook(world, &format!("{}/hook", receiver.at)).await;
        receiver.does("/hook", &[Deed::Answers(500, "", ""), Deed::HangsUp]);
        told_morning(world, 5).await;
        assert_eq!(post(world).await.0, "waiting");
        world.advance(Duration::seconds(61));
        tell_all(world).await;
        let (state, _, said) = post(world).await;
        assert!(
            state == "failed" && said.ends_with("It may have arrived, so it is not sent again."),
            "{state}: {said}"
        );
        world.advance(Duration::hours(2));
        tell_all(world).await;
        assert_eq!(receiver.received("/hook").len(), 2);
        receiver.does("/hook", &[Deed::Answers(404, "", "no_service")]);
        csv(world, "payroll", &[("1", "one")]);
        told_morning(world, 6).await;
        let (state, _, said) = post(world).await;
        assert!(
            state == "failed" && said.starts_with("Slack no longer knows this incoming webhook"),
            "{state}: {said}"
        );
    });
}

/// A process is killed between taking a post and writing down what came of it.
#[test]
fn a_sender_that_died_leaves_one_event() {
    with_slack(async |world, receiver| {
        webhook(world, &format!("{}/in", receiver.at), "Failed").await;
        slack_webhook(world, &format!("{}/hook", receiver.at)).await;
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(world).await;
        world.step(announcing::step).await;
        let lease = world.now().plus(Duration::minutes(3));
        world
            .write(move |conn| {
                let taken = (posts::state.eq("sending"), posts::attempt.eq(1), posts::next_at.eq(lease));
                diesel::update(posts::table).set(taken).execute(conn)?;
                Ok(())
            })
            .await;
        tell_all(world).await;
        assert_eq!(receiver.count(), 0, "they are still another's");
        world.advance(Duration::minutes(4));
        tell_all(world).await;
        tell_all(world).await;
        assert_eq!((receiver.received("/in").len(), receiver.received("/hook").len()), (1, 0));
        let said: Vec<Option<String>> =
            world.read(|conn| Ok(posts::table.order(posts::id).select(posts::said).load(conn)?)).await;
        assert_eq!(said[0], None);
        assert!(said[1].as_ref().unwrap().starts_with("Tidegate stopped while it was sending this."), "{said:?}");
    });
}

/// Private addresses are refused when they are written, when a name leads to them, and when a redirect does.
#[test]
fn a_webhook_reaches_no_closed_network() {
    for database in [Database::Sqlite, Database::Postgres] {
        let canary = Receiver::start();
        let change = |app: &mut App| app.config.allowed_networks.clear();
        with_changed_world(database, change, |world| async {
            let world = world;
            world.set_clock("2026-10-05T08:00:00Z");
            let stage = failing(&world, "payroll").await;
            telling(&world, &stage, About::Failed, &[&world.olive]).await;
            let port = canary.at.rsplit(':').next().unwrap().to_owned();
            for address in
                ["127.0.0.1", "127.1", "0x7f000001", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "0.0.0.0"]
            {
                webhook(&world, &format!("http://{address}:{port}/in"), "Failed")
                    .await
                    .answered(422)
                    .sees("--allow-network");
            }
            for (address, words) in [
                ("file:///etc/passwd", "Enter the full address"),
                ("gopher://example.com/", "Only http:// and https://"),
                ("https://me:secret@example.com/", "user name or password"),
            ] {
                webhook(&world, address, "Failed").await.answered(422).sees(words);
            }
            webhook(&world, &format!("http://localhost:{port}/in"), "Failed").await.sees("Saved.");
            told_morning(&world, 5).await;
            let (state, attempt, said) = post(&world).await;
            assert_eq!((state.as_str(), attempt, canary.count()), ("failed", 1, 0), "{said}");
            assert!(said.contains("may not be reached"), "{said}");
            let mut ada = world.browser(&world.ada).await;
            ada.visit(&page(&world)).await.within("#webhook").press("Test Webhook").await.sees("may not be reached");
            assert_eq!(canary.count(), 0);
        });
    }
}

#[test]
fn a_name_mentions_nobody() {
    with_slack(async |world, receiver| {
        set_up(world).await;
        receiver.knows(&world.olive.email, "U0OLIVE");
        slack_webhook(world, &format!("{}/hook", receiver.at)).await;
        let application = world.application;
        world
            .write(move |conn| {
                let name = "<!here|FP\u{202e}&A>\n@channel";
                diesel::update(applications::table.find(application)).set(applications::name.eq(name)).execute(conn)?;
                Ok(())
            })
            .await;
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(world).await;
        world
            .write(|conn| {
                let name = format!("<!channel> <@U1> <http://evil.test|Summary> {}", "&".repeat(10_240));
                diesel::update(runs::table).set(runs::name.eq(name)).execute(conn)?;
                Ok(())
            })
            .await;
        tell_all(world).await;
        let messages = [receiver.shown()[0].1.clone(), receiver.received("/hook")[0].json()];
        for message in messages {
            let text = message.to_string();
            for part in ["<!", "<@", "<http://evil", "\u{202e}"] {
                assert!(!text.contains(part), "{part}: {text}");
            }
            assert!(
                text.contains("&lt;!channel&gt; &lt;@U1&gt;") && text.contains("&lt;!here|FP&amp;A&gt; @channel"),
                "{text}"
            );
            assert_eq!((&message["link_names"], &message["parse"]), (&json!(false), &json!("none")));
            for block in message["blocks"].as_array().unwrap() {
                assert_eq!(block["text"]["verbatim"], true);
                assert!(block["text"]["text"].as_str().unwrap().chars().count() <= 3_000);
            }
        }
    });
}

/// What a test lacks is marked at its field, with scripts and without.
#[test]
fn a_test_that_lacks_something_says_at_which_field() {
    with_slack(async |world, _| {
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&page(world)).await;
        let typed = [("outlet", "webhook"), ("about", "failed"), ("url", ""), ("secret", "short")];
        let part = ada.htmx_post(&format!("{}/test", page(world)), &typed).await;
        assert_eq!(part.status, 200);
        for wrong in
            [r#"data-wrong="webhook-url">Enter the address."#, r#"data-wrong="webhook-secret">Enter 16 to 200"#]
        {
            assert!(part.body.contains(wrong), "{wrong}: {}", part.body);
        }
        ada.within("#webhook").fill("Signing secret", "short").press("Test Webhook").await.answered(422);
        assert_eq!(ada.count("#webhook-url[aria-invalid], #webhook-secret[aria-invalid]"), 2);
    });
}

/// A change of key takes them along; what was removed is sent nothing more.
#[test]
fn secrets_follow_the_key_and_what_is_removed_is_told_nothing() {
    with_slack(async |world, receiver| {
        set_up(world).await;
        webhook(world, &format!("{}/in", receiver.at), "Failed").await;
        let new = Secrets::from_base64(&tidegate::secrets::random_key()).unwrap();
        let (app, key) = (world.app().clone(), new.clone());
        tidegate::app::off_thread(move || tidegate::keys::rotate(&app, &key)).await.unwrap();
        let token = world.read(move |conn| tidegate::notifications::slack::token(conn, &new)).await;
        assert_eq!(token.unwrap().0, TOKEN);
        // This process has the old one still.
        told_morning(world, 5).await;
        assert_eq!(post(world).await.2, "Its address cannot be opened with the server's key. Enter it again.");
        let mut ada = world.browser(&world.ada).await;
        csv(world, "payroll", &[("1", "one")]);
        morning(world, 6).await;
        ada.visit(&page(world)).await.within("#webhook").press("Remove Webhook").await.sees("Webhook is removed.");
        tell_all(world).await;
        let (state, _, said) = post(world).await;
        assert_eq!((state.as_str(), said.as_str()), ("failed", "It was removed before this was sent."));
        assert_eq!(receiver.received("/in").len(), 0);
        ada.visit(&page(world)).await.within("#webhook").sees("Not set up");
    });
}

/// What one opened and another changed meanwhile is not lost in silence.
#[test]
fn two_who_save_are_told_of_each_other() {
    with_slack(async |world, receiver| {
        let url = format!("{}/in", receiver.at);
        let mut first = world.browser(&world.ada).await;
        first.visit(&page(world)).await.within("#webhook");
        webhook(world, &url, "All imports").await.sees("Saved.");
        first.fill("Address", &url).fill("Signing secret", SECRET).press("Save Webhook").await.answered(412);
        first.sees("Someone else changed this").sees("Enter it again");
        // Blank secrets stay as they are.
        first.within("#webhook").choose("Posts about", "Failed and partial").press("Save Webhook").await;
        first.sees("Webhook at 127.0.0.1 posts about: Failed and partial.");
        first.within("#webhook").press("Test Webhook").await.sees("127.0.0.1 accepted a test message.");
        let sent = receiver.received("/in")[0].clone();
        let signed =
            signature(SECRET.as_bytes(), format!("{}.{}", sent.header("tidegate-timestamp"), sent.body).as_bytes());
        assert_eq!(sent.header("tidegate-signature"), format!("v1={signed}"));
        assert_eq!(sent.json()["type"], "test");
    });
}

#[test]
fn a_webhook_that_does_not_answer_holds_up_no_other() {
    with_slack(async |world, receiver| {
        webhook(world, &format!("{}/in", receiver.at), "Failed").await;
        slack_webhook(world, &format!("{}/hook", receiver.at)).await;
        receiver.does("/in", &[Deed::WaitsFor("/hook")]);
        told_morning(world, 5).await;
        let posted: Vec<(String, i32)> = world
            .read(|conn| Ok(posts::table.order(posts::id).select((posts::state, posts::attempt)).load(conn)?))
            .await;
        assert_eq!(posted, [("sent".into(), 1), ("sent".into(), 1)]);
    });
}
