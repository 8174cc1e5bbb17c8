//! One step: Administrators are told, in their inbox, when a way of telling people stops working, and when it works again.

use std::collections::BTreeSet;

use super::announcing::announce;
use super::deliveries_store::{self as deliveries, Tried};
use super::event::Event;
use super::incidents::store as incidents;
use super::letter;
use super::model::{Channel, DeliveryState, NoticeKind};
use super::slack;
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::members;

/// So many of the newest deliveries are looked at.
const NEWEST: i64 = 10;

/// Looks at each way. Safe in many processes at once. Blocks.
pub fn step(app: &App) -> Result<()> {
    let now = app.now();
    for channel in Channel::ALL.iter().copied() {
        let key = format!("channel:{channel}");
        let (tried, said, open) = app.db.read(|conn| {
            let tried = deliveries::tried(conn, channel, NEWEST)?;
            let said = match channel {
                Channel::Email => is_broken(&tried).map(str::to_owned),
                Channel::Slack => slack_is_broken(conn, &tried)?,
            };
            Ok((tried, said, incidents::open_by_key(conn, &key)?))
        })?;
        match (said, open) {
            (Some(said), None) => app.db.write(|conn| breaks(conn, app, (channel, &key), &said, now))?,
            (None, Some(incident)) if tried.first().is_some_and(|last| last.state == DeliveryState::Sent) => {
                app.db.write(|conn| works(conn, app, channel, incident.id, now))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What was said last where nothing gets through: one message was tried three times, or three to several members were
/// refused. One address that is wrong is not it.
fn is_broken(tried: &[Tried]) -> Option<&str> {
    let tried: Vec<&Tried> = tried.iter().take_while(|one| one.state != DeliveryState::Sent).collect();
    let waits = tried.iter().any(|one| one.state == DeliveryState::Waiting && one.attempt >= 3);
    let refused: Vec<&&Tried> = tried.iter().filter(|one| one.state == DeliveryState::Failed).collect();
    let members: BTreeSet<i64> = refused.iter().map(|one| one.member_id).collect();
    let broken = waits || (refused.len() >= 3 && members.len() > 1);
    tried.first().filter(|_| broken).map(|last| last.said.as_deref().unwrap_or_default())
}

/// Slack's answers say whether it takes nothing; that it does not know somebody's address is not it.
fn slack_is_broken(conn: &mut Conn, tried: &[Tried]) -> Result<Option<String>> {
    let refuses = slack::state(conn)?.and_then(|state| state.broken).map(|(_, said)| said);
    let mut since = tried.iter().take_while(|one| one.state != DeliveryState::Sent);
    let waits = since.find(|one| one.state == DeliveryState::Waiting && one.attempt >= 3);
    Ok(refuses.or_else(|| waits.and_then(|one| one.said.clone())))
}

fn words(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "E-mail",
        Channel::Slack => "Slack",
    }
}

fn breaks(conn: &mut Conn, app: &App, (channel, key): (Channel, &str), said: &str, now: Moment) -> Result<()> {
    let detail = letter::bounded(&format!(
        "{said} Notifications are in the inbox, and are sent again for a day until they get through."
    ));
    let (incident, is_new) = incidents::fails(conn, (None, key), (NoticeKind::Broken, &detail), (now, now))?;
    if !is_new {
        return Ok(());
    }
    let title = format!("{} notifications are not getting through", words(channel));
    let who = members::administrators(conn)?.into_iter().map(|member| member.id).collect();
    announce(conn, app, &event((incident.id, channel), NoticeKind::Broken, title, detail, who, now), now)
}

fn works(conn: &mut Conn, app: &App, channel: Channel, incident_id: i64, now: Moment) -> Result<()> {
    if !incidents::close(conn, incident_id, now)? {
        return Ok(());
    }
    let title = format!("{} notifications are getting through again", words(channel));
    let who = members::administrators(conn)?.into_iter().map(|member| member.id).collect();
    announce(conn, app, &event((incident_id, channel), NoticeKind::Recovered, title, String::new(), who, now), now)
}

fn event(
    (id, channel): (i64, Channel),
    kind: NoticeKind,
    title: String,
    detail: String,
    who: Vec<i64>,
    at: Moment,
) -> Event {
    let page = match channel {
        Channel::Email => "/settings/mail",
        Channel::Slack => "/settings/slack",
    };
    Event {
        key: format!("incident:{id}:{kind}"),
        kind,
        application_id: None,
        run_id: None,
        incident_id: None,
        link: Some(page.to_owned()),
        title,
        detail,
        at,
        who,
    }
}
