//! Where members sign in besides here, in the database: one row.

use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::sign_in_elsewhere as elsewhere;
use crate::error::Result;

/// The one row.
const ONE: i64 = 1;

/// As it is kept.
#[derive(Clone, Debug, Queryable)]
pub struct Kept {
    pub issuer: String,
    pub client_id: String,
    pub sealed_secret: String,
    pub label: String,
    pub set_at: Moment,
}

pub fn get(conn: &mut Conn) -> Result<Option<Kept>> {
    let columns =
        (elsewhere::issuer, elsewhere::client_id, elsewhere::sealed_secret, elsewhere::label, elsewhere::set_at);
    Ok(elsewhere::table.find(ONE).select(columns).first(conn).optional()?)
}

/// Puts this in the place of what was set.
pub fn set(conn: &mut Conn, kept: &Kept) -> Result<()> {
    remove(conn)?;
    diesel::insert_into(elsewhere::table)
        .values((
            elsewhere::id.eq(ONE),
            elsewhere::issuer.eq(&kept.issuer),
            elsewhere::client_id.eq(&kept.client_id),
            elsewhere::sealed_secret.eq(&kept.sealed_secret),
            elsewhere::label.eq(&kept.label),
            elsewhere::set_at.eq(kept.set_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn set_sealed(conn: &mut Conn, sealed_secret: &str) -> Result<()> {
    diesel::update(elsewhere::table.find(ONE)).set(elsewhere::sealed_secret.eq(sealed_secret)).execute(conn)?;
    Ok(())
}

pub fn remove(conn: &mut Conn) -> Result<()> {
    diesel::delete(elsewhere::table.find(ONE)).execute(conn)?;
    Ok(())
}
