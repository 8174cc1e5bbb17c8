//! By which ways members let themselves be told, in the database.

use std::collections::HashMap;

use crate::db::prelude::*;
use crate::db::schema::member_channels;
use crate::db::{Conn, on};
use crate::error::Result;

/// What a member chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub email: bool,
    pub slack: bool,
    /// Mail comes once a day, at this hour of the member's zone.
    pub digest_hour: Option<i32>,
    /// Also of what somebody may have to do something about.
    pub digest_all: bool,
}

impl Default for Choice {
    fn default() -> Self {
        Self { email: true, slack: true, digest_hour: None, digest_all: false }
    }
}

/// What these members chose; of one who chose nothing, all ways at once.
pub fn of(conn: &mut Conn, member_ids: &[i64]) -> Result<HashMap<i64, Choice>> {
    type Row = (i64, bool, bool, Option<i32>, bool);
    let rows: Vec<Row> = member_channels::table
        .filter(member_channels::member_id.eq_any(member_ids))
        .select((
            member_channels::member_id,
            member_channels::email,
            member_channels::slack,
            member_channels::digest_hour,
            member_channels::digest_all,
        ))
        .load(conn)?;
    let mut chosen: HashMap<i64, Choice> = member_ids.iter().map(|id| (*id, Choice::default())).collect();
    for (id, email, slack, digest_hour, digest_all) in rows {
        chosen.insert(id, Choice { email, slack, digest_hour, digest_all });
    }
    Ok(chosen)
}

/// Keeps what a member chose.
pub fn choose(conn: &mut Conn, member_id: i64, choice: Choice) -> Result<()> {
    let values = (
        member_channels::email.eq(choice.email),
        member_channels::slack.eq(choice.slack),
        member_channels::digest_hour.eq(choice.digest_hour),
        member_channels::digest_all.eq(choice.digest_all),
    );
    on!(conn, c => diesel::insert_into(member_channels::table)
        .values((member_channels::member_id.eq(member_id), values))
        .on_conflict(member_channels::member_id)
        .do_update()
        .set(values)
        .execute(c))?;
    Ok(())
}
