//! Slack, played by a twin of its API: a token, members found by e-mail, one message each, whatever Slack answers.

use tidegate::app::App;
use tidegate::db::schema::{audit_log, deliveries, slack as kept};
use tidegate::notifications::outlets::posting;

use super::*;
use crate::support::Database;
use crate::support::databases::with_changed_world;
use crate::support::receiver::{Deed, Receiver, TOKEN};

pub const POST: &str = "/api/chat.postMessage";
const LOOKUP: &str = "/api/users.lookupByEmail";

/// A World with this Slack, on each database; a daily import fails, of which Olive is told.
pub fn with_slack(body: impl AsyncFn(&World, &Receiver)) {
    for database in [Database::Sqlite, Database::Postgres] {
        let receiver = Receiver::start();
        let api = receiver.api();
        with_changed_world(
            database,
            |app: &mut App| app.slack_api = api,
            |world| async {
                let world = world;
                world.set_clock("2026-10-05T08:00:00Z");
                let stage = failing(&world, "payroll").await;
                telling(&world, &stage, About::Failed, &[&world.olive]).await;
                body(&world, &receiver).await;
            },
        );
    }
}

/// Ada sets the token.
pub async fn set_up(world: &World) {
    let mut ada = world.browser(&world.ada).await;
    ada.visit("/settings/slack").await.fill("Bot token", TOKEN).press("Save").await;
    ada.sees("Slack is set up for the Slack workspace Acme <b>.");
}

/// Where slack.com cannot be found, nobody is sent to look for a wrong address.
#[test]
fn a_server_that_cannot_reach_slack_says_so() {
    for database in [Database::Sqlite, Database::Postgres] {
        let change = |app: &mut App| app.slack_api = "https://slack.invalid/api/".parse().unwrap();
        with_changed_world(database, change, |world| async {
            let world = world;
            let mut ada = world.browser(&world.ada).await;
            ada.visit("/settings/slack").await.fill("Bot token", TOKEN).press("Save").await;
            ada.sees("This server cannot reach Slack at slack.invalid. Ask whoever runs the server to check its internet access");
            ada.sees_no("Check the address");
        });
    }
}

/// Tells all that is to be told, by every way.
pub async fn tell_all(world: &World) {
    tell(world).await;
    delivering::slack_step(world.app()).await.unwrap();
    posting::step(world.app()).await.unwrap();
}

/// The morning of a day, told by every way.
pub async fn told_morning(world: &World, day: u32) {
    morning(world, day).await;
    tell_all(world).await;
}

/// State, attempts and what was said of the newest delivery in Slack.
async fn delivery(world: &World) -> (String, i32, String) {
    world
        .read(|conn| {
            let (state, attempt, said): (String, i32, Option<String>) = deliveries::table
                .filter(deliveries::channel.eq("slack"))
                .order(deliveries::id.desc())
                .select((deliveries::state, deliveries::attempt, deliveries::said))
                .first(conn)?;
            Ok((state, attempt, said.unwrap_or_default()))
        })
        .await
}

#[test]
fn an_administrator_sets_a_token_that_is_never_shown_again() {
    with_slack(async |world, slack| {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/settings/slack").await.fill("Bot token", "xoxp-1").press("Save").await.answered(422);
        ada.sees("A bot token begins with xoxb-");
        ada.fill("Bot token", "xoxb-wrong")
            .press("Save")
            .await
            .answered(422)
            .sees("Slack does not accept the bot token.");
        set_up(world).await;
        ada.visit("/settings/slack").await.sees("Acme <b>");
        ada.press("Test").await.sees("has no user with the e-mail address");
        slack.knows(&world.ada.email, "U0ADA");
        ada.press("Test").await.sees("Slack sent a message to");
        assert_eq!(slack.shown()[0].0, "U0ADA");
        assert!(!ada.body.contains(TOKEN), "{}", ada.body);
        let (sealed, entries) = world
            .read(|conn| {
                let sealed: String = kept::table.select(kept::sealed_token).first(conn)?;
                let entries: Vec<(String, Option<String>)> = audit_log::table
                    .filter(audit_log::action.like("slack.%"))
                    .order(audit_log::id)
                    .select((audit_log::action, audit_log::after))
                    .load(conn)?;
                Ok((sealed, entries))
            })
            .await;
        assert!(!sealed.contains("canary"));
        let actions: Vec<&str> = entries.iter().map(|(action, _)| action.as_str()).collect();
        assert_eq!(actions, ["slack.set", "slack.tested", "slack.tested"]);
        assert_eq!(entries[0].1.as_deref(), Some(r#"{"team":"Acme <b>"}"#));
        assert!(!format!("{entries:?}").contains("canary"));
        ada.visit("/settings/slack").await.press("Remove Slack").await.sees("its token is deleted.").sees("Set up");
        for person in [&world.olive, &world.audrey] {
            assert_eq!(world.browser(person).await.get("/settings/slack").await.status, 403);
        }
    });
}

#[test]
fn a_member_is_told_once_and_asked_for_once() {
    with_slack(async |world, slack| {
        set_up(world).await;
        slack.knows(&world.olive.email, "U0OLIVE");
        told_morning(world, 5).await;
        tell_all(world).await;
        let shown = slack.shown();
        assert_eq!((shown.len(), shown[0].0.as_str()), (1, "U0OLIVE"));
        let text = shown[0].1.to_string();
        for part in [
            "*payroll failed*",
            "FP&amp;A 2026",
            "payroll.csv",
            "Planned:",
            "UTC",
            "Next run:",
            "|View Summary>",
            "|Run Again>",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(shown[0].1["link_names"], false);
        let id = world.api(&world.olive).await.get("runs").await.items()[0]["id"].as_i64().unwrap();
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{id}")).await.sees("Olive (also by Slack, also by e-mail)");
        // It works again, which is told too; Slack is asked for nobody twice.
        csv(world, "payroll", &[("1", "one")]);
        told_morning(world, 6).await;
        assert_eq!((slack.shown().len(), slack.received(LOOKUP).len()), (2, 1));
        assert!(slack.shown()[1].1.to_string().contains("*payroll works again*"));
    });
}

#[test]
fn whom_slack_does_not_know_is_asked_for_once_a_day() {
    with_slack(async |world, slack| {
        set_up(world).await;
        told_morning(world, 5).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt), ("failed", 1));
        assert_eq!(
            said,
            format!(
                "Slack has no user with the e-mail address {}. Use the same address in Slack and here.",
                world.olive.email
            )
        );
        csv(world, "payroll", &[("1", "one")]);
        world.set_clock("2026-10-06T08:59:00Z");
        let api = world.api(&world.olive).await;
        let configuration = api.get("runs").await.items()[0]["configuration_id"].clone();
        api.post(&format!("import-configurations/{configuration}/runs"), json!({})).await.is(202);
        work_off(world).await;
        tell_all(world).await;
        assert_eq!((delivery(world).await.0, slack.received(LOOKUP).len()), ("failed".into(), 1));
        // A day later, or under another address, they may be there.
        slack.knows(&world.olive.email, "U0OLIVE");
        std::fs::remove_file(world.folder().join("payroll.csv")).unwrap();
        told_morning(world, 7).await;
        assert_eq!((delivery(world).await.0, slack.received(LOOKUP).len()), ("sent".into(), 2));
        let mut ada = world.browser(&world.ada).await;
        let id = world.api(&world.ada).await.get("runs?status=failed").await.items()[1]["id"].clone();
        ada.visit(&format!("/runs/{id}")).await.sees("Slack not accepted: Slack has no user");
    });
}

#[test]
fn a_member_may_want_none() {
    with_slack(async |world, slack| {
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications/settings").await.sees_no("Slack");
        set_up(world).await;
        slack.knows(&world.olive.email, "U0OLIVE");
        let label = format!("Slack message to {}", world.olive.email);
        olive.visit("/notifications/settings").await.untick(&label).press("Save").await;
        olive.sees("You are notified in your inbox and by e-mail.");
        told_morning(world, 5).await;
        assert_eq!(
            (slack.count(), told(world, &world.olive).await.len()),
            (1, 1),
            "the token was tried, and nothing more"
        );
        olive.visit("/notifications/settings").await.tick(&label).press("Save").await.sees("in Slack and by e-mail");
        csv(world, "payroll", &[("1", "one")]);
        told_morning(world, 6).await;
        assert_eq!(slack.shown().len(), 1);
    });
}

#[test]
fn what_slack_cannot_take_now_comes_when_it_says() {
    with_slack(async |world, slack| {
        set_up(world).await;
        slack.knows(&world.olive.email, "U0OLIVE");
        slack.does(POST, &[Deed::Answers(429, "Retry-After: 600", ""), Deed::Answers(503, "", "busy"), Deed::HangsUp]);
        told_morning(world, 5).await;
        assert_eq!(delivery(world).await, ("waiting".into(), 1, "Slack received too many messages (429).".into()));
        for (seconds, requests) in [(599, 1), (1, 2), (121, 3)] {
            world.advance(Duration::seconds(seconds));
            tell_all(world).await;
            assert_eq!(slack.received(POST).len(), requests);
        }
        // The third took it and hung up: it goes once more under the same id, and Slack shows it once.
        assert_eq!((delivery(world).await.0, slack.shown().len()), ("waiting".into(), 1));
        world.advance(Duration::minutes(5));
        tell_all(world).await;
        assert_eq!(delivery(world).await, ("sent".into(), 4, String::new()));
        let ids: Vec<_> = slack.received(POST).iter().map(|sent| sent.json()["client_msg_id"].clone()).collect();
        assert!(ids.len() == 4 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(slack.shown().len(), 1);
        assert_eq!(world.api(&world.olive).await.get("runs").await.items()[0]["status"], "failed");
    });
}

#[test]
fn what_slack_refuses_for_good_is_said_and_mended() {
    with_slack(async |world, slack| {
        set_up(world).await;
        slack.knows(&world.olive.email, "U0OLIVE");
        slack.does(POST, &[Deed::Answers(200, "", r#"{"ok":false,"error":"account_inactive"}"#)]);
        told_morning(world, 5).await;
        world.advance(Duration::hours(5));
        tell_all(world).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt, slack.received(POST).len()), ("failed", 1, 1));
        assert!(said.contains("account_inactive") && said.contains("Install the app again"), "{said}");
        let state = world.read(tidegate::notifications::slack_state).await.unwrap();
        assert!(state.broken.is_some_and(|(_, why)| why == said));
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/settings/slack").await.sees("Slack has accepted no message since").sees("Install the app again");
        set_up(world).await;
        assert_eq!(world.read(tidegate::notifications::slack_state).await.unwrap().broken, None);
        ada.visit("/settings/slack").await.sees_no("has accepted no message");
    });
}

/// Words of Slack's that are none of ours are not repeated.
#[test]
fn an_answer_that_is_none_of_slacks_is_not_repeated() {
    with_slack(async |world, slack| {
        set_up(world).await;
        slack.knows(&world.olive.email, "U0OLIVE");
        slack.does(POST, &[Deed::Answers(200, "", r#"{"ok":false,"error":"<script>secret 4711</script>"}"#)]);
        told_morning(world, 5).await;
        assert_eq!(delivery(world).await, ("failed".into(), 1, "Slack did not accept the message (unknown).".into()));
    });
}

/// A process is killed between taking a delivery and writing down what came of it.
#[test]
fn a_sender_that_died_leaves_one_message() {
    with_slack(async |world, slack| {
        set_up(world).await;
        slack.knows(&world.olive.email, "U0OLIVE");
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(world).await;
        world.step(announcing::step).await;
        let (now, lease) = (world.now(), world.now().plus(Duration::minutes(3)));
        world
            .write(move |conn| {
                let taken = (deliveries::state.eq("sending"), deliveries::attempt.eq(1), deliveries::next_at.eq(lease));
                diesel::update(deliveries::table.filter(deliveries::next_at.le(now))).set(taken).execute(conn)?;
                Ok(())
            })
            .await;
        tell_all(world).await;
        assert_eq!(slack.shown().len(), 0, "it is still another's");
        world.advance(Duration::minutes(4));
        tell_all(world).await;
        tell_all(world).await;
        assert_eq!((slack.received(POST).len(), delivery(world).await.0), (1, "sent".into()));
    });
}
