//! How many import configurations stand how, across several Applications; the caller has entered each.

use diesel::dsl::{count_star, max};

use super::model::ConfigurationStatus;
use crate::clock::Moment;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::import_configurations as configurations;
use crate::error::Result;

/// So many configurations of one Application with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub application_id: i64,
    /// `None`: none of their runs has ended.
    pub status: Option<ConfigurationStatus>,
    pub count: i64,
    /// When the last of the runs ended that their statuses are of.
    pub last_at: Option<Moment>,
}

pub fn standing(conn: &mut Conn, application_ids: &[i64]) -> Result<Vec<Standing>> {
    type Row = (i64, Option<ConfigurationStatus>, i64, Option<Moment>);
    let here = configurations::application_id.eq_any(application_ids).and(configurations::archived_at.is_null());
    let rows: Vec<Row> = configurations::table
        .filter(here)
        .group_by((configurations::application_id, configurations::status))
        .select((configurations::application_id, configurations::status, count_star(), max(configurations::status_at)))
        .load(conn)?;
    let standing = |(application_id, status, count, last_at)| Standing { application_id, status, count, last_at };
    Ok(rows.into_iter().map(standing).collect())
}
