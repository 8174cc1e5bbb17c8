//! Which thing is the same as which in another Application: written by who copies it there, and kept whatever becomes of
//! the names.

use std::collections::HashSet;

use crate::db::prelude::*;
use crate::db::schema::kin;
use crate::db::{Conn, on, text_enum};
use crate::error::Result;

text_enum! {
    /// What can have its like elsewhere.
    pub enum Kind { Configuration = "configuration", Set = "set", Schedule = "schedule" }
}

/// Two that are the same: what kind, the one here and the one there.
pub type Pair = (Kind, i64, i64);

/// Each copy and its original, of an Application and the one that it came from. Those that are known are left as they are.
pub fn relate(conn: &mut Conn, (copy_in, original_in): (i64, i64), pairs: &[Pair]) -> Result<()> {
    let known: HashSet<Pair> = related(conn, copy_in, original_in)?.into_iter().collect();
    let rows: Vec<_> = pairs
        .iter()
        .filter(|pair| !known.contains(pair))
        .map(|(kind, copy, original)| {
            (
                kin::kind.eq(*kind),
                kin::copy_id.eq(*copy),
                kin::original_id.eq(*original),
                kin::copy_in.eq(copy_in),
                kin::original_in.eq(original_in),
            )
        })
        .collect();
    for some in rows.chunks(1_000) {
        on!(conn, c => diesel::insert_into(kin::table).values(some).execute_rows(c))?;
    }
    Ok(())
}

/// Those of two Applications, whichever was copied from the other; deleted things among them.
pub fn related(conn: &mut Conn, here: i64, there: i64) -> Result<Vec<Pair>> {
    let of = |copy: i64, original: i64| {
        kin::table
            .filter(kin::copy_in.eq(copy).and(kin::original_in.eq(original)))
            .order((kin::kind, kin::copy_id, kin::original_id))
            .select((kin::kind, kin::copy_id, kin::original_id))
    };
    let mut pairs: Vec<Pair> = of(here, there).load(conn)?;
    let back: Vec<Pair> = of(there, here).load(conn)?;
    pairs.extend(back.into_iter().map(|(kind, copy, original)| (kind, original, copy)));
    Ok(pairs)
}

/// All of an Application are others from now on.
pub fn forget(conn: &mut Conn, application_id: i64) -> Result<()> {
    let of = kin::copy_in.eq(application_id).or(kin::original_in.eq(application_id));
    diesel::delete(kin::table.filter(of)).execute(conn)?;
    Ok(())
}
