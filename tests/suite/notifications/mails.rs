//! Mail to a server that takes it, refuses it, or leaves one in doubt.

use tidegate::app::App;
use tidegate::db::schema::deliveries;
use tidegate::mail::Mailer;

use super::*;
use crate::support::Database;
use crate::support::databases::with_changed_world;
use crate::support::smtp::{Deed, Smtp, header};

/// A World with this mail server, in which a failure is about to be told to Olive.
fn with_server(database: Database, body: impl AsyncFnOnce(&World, &Smtp)) {
    let smtp = Smtp::start();
    let from = "Tidegate <tidegate@example.com>";
    let change = |app: &mut App| {
        app.mail = Mailer::new(from, Some(&smtp.url), app.outside().network, std::env::temp_dir()).unwrap();
    };
    with_changed_world(database, change, |world| async {
        let world = world;
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        body(&world, &smtp).await;
    });
}

/// State, attempts and what was said of the only delivery.
async fn delivery(world: &World) -> (String, i32, String) {
    world
        .read(|conn| {
            let (state, attempt, said): (String, i32, Option<String>) =
                deliveries::table.select((deliveries::state, deliveries::attempt, deliveries::said)).first(conn)?;
            Ok((state, attempt, said.unwrap_or_default()))
        })
        .await
}

fn both(body: impl AsyncFn(&World, &Smtp)) {
    for database in [Database::Sqlite, Database::Postgres] {
        with_server(database, async |world, smtp| body(world, smtp).await);
    }
}

#[test]
fn a_message_arrives_once_and_reads_well() {
    both(async |world, smtp| {
        morning(world, 5).await;
        tell(world).await;
        let received = smtp.received();
        assert_eq!(received.len(), 1);
        let mail = &received[0];
        assert!(header(mail, "To").contains(&world.olive.email), "{mail}");
        assert!(
            header(mail, "Message-ID").starts_with('<') && header(mail, "References").starts_with("<incident-"),
            "{mail}"
        );
        assert!(mail.contains("text/plain") && mail.contains("text/html"), "{mail}");
        for part in [
            "payroll failed",
            "Planned: Mon 5 Oct 2026, 09:00, UTC",
            "Next run: Tue 6 Oct 2026, 09:00, UTC",
            "Owner: Olive",
        ] {
            assert!(mail.contains(part), "{part}: {mail}");
        }
        assert_eq!(delivery(world).await, ("sent".into(), 1, String::new()));
    });
}

#[test]
fn what_may_pass_is_tried_again_under_the_same_id() {
    both(async |world, smtp| {
        smtp.does(&[Deed::Answers("451 busy"), Deed::HangsUp]);
        morning(world, 5).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt), ("waiting", 1));
        assert!(said.starts_with("The mail server did not accept the message:"), "{said}");
        tell(world).await;
        assert_eq!(smtp.received().len(), 1, "not before its time");
        let id = world.api(&world.olive).await.get("runs").await.items()[0]["id"].as_i64().unwrap();
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{id}")).await.sees("Olive (e-mail not accepted yet, tried again)");
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/runs/{id}")).await.sees("tried again: The mail server did not accept the message");
        world.advance(Duration::seconds(61));
        tell(world).await;
        assert_eq!(delivery(world).await.0, "waiting", "nobody knows whether it arrived");
        world.advance(Duration::minutes(3));
        tell(world).await;
        assert_eq!(delivery(world).await, ("sent".into(), 3, String::new()));
        let ids: Vec<String> = smtp.received().iter().map(|mail| header(mail, "Message-ID").to_owned()).collect();
        assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(run(world, id).await.status.words(), "Failed");
    });
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    both(async |world, smtp| {
        smtp.does(&[Deed::Answers("550 no such mailbox")]);
        morning(world, 5).await;
        world.advance(Duration::hours(5));
        tell(world).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt, smtp.received().len()), ("failed", 1, 1));
        assert!(said.starts_with("The mail server refused the message:") && said.contains("no such mailbox"), "{said}");
        assert_eq!(told(world, &world.olive).await.len(), 1, "the inbox has it");
    });
}

#[test]
fn after_a_day_it_is_given_up() {
    both(async |world, smtp| {
        smtp.does(&[Deed::Answers("451 busy"); 60]);
        morning(world, 5).await;
        for _ in 0..60 {
            world.advance(Duration::hours(1));
            tell(world).await;
        }
        let (state, attempt, said) = delivery(world).await;
        assert_eq!(state, "failed");
        assert!((20..30).contains(&attempt) && said.starts_with("Gave up after a day."), "{attempt} {said}");
    });
}

/// A process is killed between taking a delivery and writing down what came of it.
#[test]
fn a_sender_that_died_leaves_one_doubt_and_one_line() {
    both(async |world, smtp| {
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
        tell(world).await;
        assert_eq!(smtp.received().len(), 0, "it is still another's");
        world.advance(Duration::minutes(4));
        tell(world).await;
        tell(world).await;
        assert_eq!((smtp.received().len(), delivery(world).await.0), (1, "sent".into()));
        assert_eq!(told(world, &world.olive).await.len(), 1);
    });
}
