//! TLS to a PostgreSQL server: who it is gets checked before anything is said to it.

use std::path::PathBuf;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use url::Url;

use crate::support::process::{self, Process};
use crate::support::{Database, Place, settings, world};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The address of a place by host name, with that certificate authority.
fn address(place: &Place, host: &str, authority: &str) -> Option<String> {
    let folder = PathBuf::from(settings::postgres_tls()?);
    let mut url = Url::parse(&place.database_url()?).unwrap();
    url.set_host(Some(host)).unwrap();
    let authority = folder.join(authority);
    url.set_query(Some(&format!("sslmode=verify-full&sslrootcert={}", authority.display())));
    Some(url.into())
}

fn start(place: &Place, url: &str) -> Vec<String> {
    let data = place.data_dir().to_str().unwrap().to_owned();
    ["--listen", "127.0.0.1:0", "--data-dir", &data, "--database-url", url].map(str::to_owned).to_vec()
}

#[test]
fn a_server_whose_certificate_is_right_is_spoken_to_over_tls_alone() {
    let Some(place) = Place::make(Database::Postgres) else { return };
    let Some(url) = address(&place, "localhost", "ca.pem") else {
        return println!("skipped: TIDEGATE_TEST_POSTGRES_TLS is not set, this server has no certificate of ours");
    };
    let (args, key) = (start(&place, &url), world::secret_key());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut process = Process::start_with(&args, &[("TIDEGATE_SECRET_KEY", &key)]);
    process.listening();
    let mut conn = PgConnection::establish(&place.database_url().unwrap()).unwrap();
    let of_it = |ssl: bool| {
        format!(
            "SELECT count(*) AS count FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid \
             WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND s.ssl = {ssl}"
        )
    };
    let over_tls: Count = diesel::sql_query(of_it(true)).get_result(&mut conn).unwrap();
    let in_the_clear: Count = diesel::sql_query(of_it(false)).get_result(&mut conn).unwrap();
    assert!(over_tls.count > 0);
    assert_eq!(in_the_clear.count, 0);
    drop(conn);
    assert!(process.stop().success());
}

#[test]
fn a_wrong_certificate_stops_the_start_in_one_line() {
    let Some(place) = Place::make(Database::Postgres) else { return };
    let key = world::secret_key();
    // Signed by somebody else; and of another host than the one that was asked for.
    for (host, authority) in [("localhost", "other.pem"), ("127.0.0.1", "ca.pem")] {
        let Some(url) = address(&place, host, authority) else {
            return println!("skipped: TIDEGATE_TEST_POSTGRES_TLS is not set, this server has no certificate of ours");
        };
        let args = start(&place, &url);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = process::run(&args, &[("TIDEGATE_SECRET_KEY", &key)], "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{host}, {authority}: {said}");
        assert!(said.contains("certificate"), "{host}, {authority}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
