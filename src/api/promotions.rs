//! Imports and schedules taken from one Application to another.

use std::collections::BTreeMap;

use super::call::Call;
use super::{Answer, Body, Reply, Shown};
use crate::environments::Kind;
use crate::promotions::PromotionAnswer;
use crate::promotions::actions::{self, Picked, Wish};
use crate::shape::{Ids, sent};

sent! {
    /// A Connection of the source, and what is read in its place in the target.
    pub struct ReadInsteadBody {
        connection_id: i64 = "Name a Connection that the source reads through." => 3,
        /// One of the same kind that is authorised for the target.
        use_id: i64 = "Name the Connection to use in the target." => 4,
    }
}

sent! {
    /// What is promoted, and to where. Without any ids all that differs is.
    pub struct PromotionBody {
        to_id: i64 = "Name the Application to promote to." => 4,
        /// Default: what is there already, else the same Connection where it is authorised.
        connections: Vec<ReadInsteadBody>,
        configuration_ids: Ids,
        set_ids: Ids,
        schedule_ids: Ids,
        /// Whether only to answer what would change. Default: false.
        dry_run: bool,
        /// The `mark` of a dry run: refused with 412 if something else would change by now.
        seen: String,
    }
}

/// `POST applications/{a}/promotions`
pub async fn promote(call: Call, body: Body<PromotionBody>) -> Answer<Shown<PromotionAnswer>> {
    let (from, now, app) = (call.id("a")?, call.now(), call.app.clone());
    let answer = call
        .once(body, move |conn, by, body| {
            actions::enter(conn, by, from)?;
            let sent = body.read()?;
            let connections = sent.connections.unwrap_or_default();
            let connections = connections.into_iter().filter_map(|one| Some((one.connection_id?, one.use_id)));
            let wish = Wish { from, to: sent.to_id.unwrap_or_default(), connections: connections.collect() };
            if sent.dry_run.unwrap_or_default() {
                let reckoned = actions::preview(conn, &app, by, &wish, now)?;
                reckoned.errors.clone().ok_or(())?;
                return Ok(Reply::ok(PromotionAnswer::of(&reckoned, &BTreeMap::new())));
            }
            let chosen = [
                (Kind::Configuration, sent.configuration_ids),
                (Kind::Set, sent.set_ids),
                (Kind::Schedule, sent.schedule_ids),
            ];
            let picked = match chosen.iter().all(|(_, ids)| ids.is_none()) {
                true => Picked::All,
                false => {
                    let each = |(kind, ids): (Kind, Option<Ids>)| {
                        ids.into_iter().flat_map(|ids| ids.0).map(move |id| (kind, id))
                    };
                    Picked::These(chosen.into_iter().flat_map(each).collect())
                }
            };
            let done = actions::promote(conn, &app, by, (&wish, &picked), sent.seen.as_deref(), now)?;
            Ok(Reply::ok(PromotionAnswer::of(&done.reckoned, &done.things)))
        })
        .await?;
    call.app.work.notify_one();
    Ok(answer)
}
