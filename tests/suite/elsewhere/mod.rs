//! Signing in elsewhere: at a provider that others use, too, and at one that does everything wrong.

mod bad;
mod log;
mod played;
mod real;
mod strangers;

use diesel::prelude::*;
use tidegate::db::schema::{audit_log, sessions};

use crate::support::*;

/// As the provider knows it.
const SECRET: &str = "S3CR3T-canary of the client";

/// An Administrator sets a provider up.
async fn set_up(world: &World, issuer: &str) {
    log::listen();
    let mut ada = world.browser(&world.ada).await;
    ada.visit("/settings/sign-in").await.fill("Issuer", issuer).fill("Client ID", "tidegate");
    ada.fill("Client secret", SECRET).fill("Name of the provider", "Acme");
    ada.press("Test and save").await;
    ada.answered(200).sees("Members can sign in with Acme now.");
}

/// As if nobody had set out before.
async fn unhurried(world: &World) {
    use tidegate::db::schema::sign_in_attempts as a;
    world.write(|conn| Ok(diesel::delete(a::table.filter(a::account_key.like("elsewhere:%"))).execute(conn)?)).await;
}

/// A provider that nobody asks: for the look of pages.
pub async fn pretend(world: &World) {
    use tidegate::db::schema::sign_in_elsewhere as e;
    let row =
        (e::id.eq(1), e::issuer.eq("https://sign-in.acme.test"), e::client_id.eq("tidegate"), e::label.eq("Acme"));
    world
        .write(move |conn| {
            let rest = (e::sealed_secret.eq("x"), e::set_at.eq(0));
            Ok(diesel::insert_into(e::table).values((row, rest)).execute(conn)?)
        })
        .await;
}

/// How many sessions there are of others than Ada.
async fn sessions_of_others(world: &World) -> i64 {
    let ada = world.ada.id;
    world.read(move |conn| Ok(sessions::table.filter(sessions::member_id.ne(ada)).count().get_result(conn)?)).await
}

/// Who signed in, and how.
async fn signed_in(world: &World) -> Vec<(String, String)> {
    let rows = world.read(|conn| {
        let of = audit_log::table.filter(audit_log::action.eq("member.signed_in")).order(audit_log::id);
        Ok(of.select((audit_log::member_name, audit_log::after)).load::<(String, Option<String>)>(conn)?)
    });
    rows.await.into_iter().map(|(who, after)| (who, after.unwrap_or_default())).collect()
}
