//! Mail to a server that others use, too, with a clock that stands still: it is down, says not now, says no, or hangs.

use tidegate::app::App;
use tidegate::db::schema::deliveries;
use tidegate::mail::Mailer;

use super::*;
use crate::support::Database;
use crate::support::databases::with_changed_world;
use crate::support::mail_server::{MailServer, Wire};
use crate::support::settings;

/// A World with a mail server, in which a failure is about to be told to Olive.
pub fn with_server(body: impl AsyncFn(&World, &mut MailServer)) {
    for database in [Database::Sqlite, Database::Postgres] {
        let mut server = MailServer::start(Wire::Plain);
        let url = server.url("127.0.0.1");
        let from = "Tidegate <tidegate@example.com>";
        let change = |app: &mut App| {
            app.mail = Mailer::new(from, Some(&url), app.outside().network, std::env::temp_dir()).unwrap();
        };
        with_changed_world(database, change, |world| async {
            let world = world;
            world.set_clock("2026-10-05T08:00:00Z");
            let stage = failing(&world, "payroll").await;
            telling(&world, &stage, About::Failed, &[&world.olive]).await;
            body(&world, &mut server).await;
        });
    }
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

async fn status(world: &World) -> String {
    world.api(&world.olive).await.get("runs").await.items()[0]["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_server_that_is_down_is_waited_for() {
    with_server(async |world, server| {
        server.down();
        morning(world, 5).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt), ("waiting", 1));
        assert_eq!(said, "The mail server 127.0.0.1 refused the connection. Check that it is running.");
        server.up();
        tell(world).await;
        assert!(server.received().is_empty(), "not before its time");
        world.advance(Duration::seconds(61));
        tell(world).await;
        tell(world).await;
        let received = server.received();
        assert_eq!((received.len(), &received[0].to), (1, &vec![world.olive.email.clone()]));
        assert_eq!((delivery(world).await, status(world).await), (("sent".into(), 2, String::new()), "failed".into()));
    });
}

#[test]
fn not_now_is_tried_again_and_no_is_not() {
    with_server(async |world, server| {
        server.does(&["451 4.3.0 busy", "550 5.1.1 no such mailbox"]);
        morning(world, 5).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt), ("waiting", 1));
        assert!(said.starts_with("The mail server did not accept the message:") && said.contains("busy"), "{said}");
        world.advance(Duration::seconds(61));
        tell(world).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt), ("failed", 2));
        assert!(said.starts_with("The mail server refused the message:") && said.contains("no such mailbox"), "{said}");
        for _ in 0..30 {
            world.advance(Duration::hours(1));
            tell(world).await;
        }
        let received = server.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].header("Message-ID"), received[1].header("Message-ID"));
        assert_eq!((status(world).await, told(world, &world.olive).await.len()), ("failed".into(), 1));
    });
}

/// It has the message and says nothing: nobody knows, so it is sent again, the same by its id. Takes as long as a mail server
/// is waited for.
#[test]
fn a_server_that_hangs_may_be_sent_the_same_again() {
    if !settings::full() {
        return println!("skipped: it takes three minutes (--full)");
    }
    with_server(async |world, server| {
        server.does(&["hang"]);
        morning(world, 5).await;
        let (state, attempt, said) = delivery(world).await;
        assert_eq!((state.as_str(), attempt), ("waiting", 1));
        assert_eq!(said, "The mail server did not answer in time.");
        world.advance(Duration::seconds(61));
        tell(world).await;
        assert_eq!((delivery(world).await.0, status(world).await), ("sent".into(), "failed".into()));
        let received = server.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].header("Message-ID"), received[1].header("Message-ID"));
    });
}
