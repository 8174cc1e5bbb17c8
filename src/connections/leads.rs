//! Where Connections lead what is asked of them, and how. A secret that somebody gave for one such way is sent on no other.

use std::collections::HashMap;

use super::model::Connection;
use super::store;
use crate::db::Conn;
use crate::error::Result;

/// Of what reads through no Connection.
pub const NOWHERE: &str = "0";

/// Where each of some Connections leads, by id.
#[derive(Clone, Debug, Default)]
pub struct Leads(HashMap<i64, String>);

impl Leads {
    pub fn of(connections: &[Connection]) -> Self {
        Self(connections.iter().map(|connection| (connection.id, connection.leads())).collect())
    }

    /// Where this Connection leads; [`NOWHERE`] for none.
    pub fn to(&self, connection_id: Option<i64>) -> String {
        let way = |id| format!("{id} {}", self.0.get(&id).map_or("", String::as_str));
        connection_id.map_or_else(|| NOWHERE.to_owned(), way)
    }
}

/// Of these, archived ones too. One query.
pub fn leads(conn: &mut Conn, ids: &[i64]) -> Result<Leads> {
    if ids.is_empty() {
        return Ok(Leads::default());
    }
    let found = store::settings_of(conn, ids)?.into_iter();
    Ok(Leads(found.map(|(id, kind, settings)| (id, super::model::leads(&kind, &settings))).collect()))
}
