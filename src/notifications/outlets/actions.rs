//! What Administrators do with the outlets of an Application: their addresses are secrets, as those of Connections.

use url::Url;

use super::model::{Outlet, OutletKind, OutletSecrets};
use super::store;
use crate::applications::Entered;
use crate::audit::Entry;
use crate::clock::Moment;
use crate::connectors::NetworkPolicy;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::members::By;
use crate::notifications::slack;
use crate::schedules::About;
use crate::secrets::Secrets;
use crate::workspace;

/// A secret that signs has at least so many characters.
const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: usize = 200;
const LONGEST_URL: usize = 2_000;
const LONGEST_CHANNEL: usize = 80;

/// An outlet as somebody typed it.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub about: String,
    /// The Slack channel.
    pub channel: String,
    /// Blank: as it is.
    pub url: String,
    /// Blank: as it is.
    pub secret: String,
    pub version: Option<i64>,
}

/// An outlet with its secrets in the clear.
#[derive(Clone)]
pub struct Target {
    pub kind: OutletKind,
    pub about: About,
    pub address: String,
    pub secrets: OutletSecrets,
}

/// Those of an Application, for who configures it or sees everything.
pub fn list(conn: &mut Conn, by: &By, entered: &Entered) -> Result<Vec<Outlet>> {
    if !entered.sees_everything {
        entered.need_configure(conn, by)?;
    }
    store::of_application(conn, entered.application.id)
}

/// Whether a member may change outlets.
pub fn may_change(by: &By) -> bool {
    by.member.is_administrator()
}

/// What somebody typed, with the secrets that are kept where they are blank.
pub fn draft(
    conn: &mut Conn,
    secrets: &Secrets,
    network: &NetworkPolicy,
    (application_id, kind): (i64, OutletKind),
    typed: &Draft,
) -> Result<Target> {
    let mut errors = FieldErrors::new();
    let about = About::parse(&typed.about);
    if about.is_none() {
        errors.add("about", "Choose what to post.");
    }
    let mut target =
        Target { kind, about: about.unwrap_or(About::Failed), address: String::new(), secrets: OutletSecrets::new() };
    if kind == OutletKind::SlackChannel {
        target.address = channel(&typed.channel, &mut errors);
        if slack::state(conn)?.is_none() {
            errors.add(
                "channel",
                "Slack is not set up in this Workspace. An Administrator can set it up on the Slack page.",
            );
        }
    } else {
        let kept = store::of_kind(conn, application_id, kind)?.filter(|outlet| !outlet.address.is_empty());
        if let Some(kept) = kept {
            target.secrets = open(conn, secrets, kept.id)?.map(|target| target.secrets).unwrap_or_default();
        }
        if !typed.url.is_empty() {
            target.secrets.insert("url".into(), typed.url.clone());
        }
        if kind == OutletKind::Webhook && !typed.secret.is_empty() {
            target.secrets.insert("secret".into(), typed.secret.clone());
        }
        target.address = check_url(target.secrets.get("url"), network, &mut errors);
        if kind == OutletKind::Webhook {
            check_secret(target.secrets.get("secret"), &mut errors);
        }
    }
    errors.ok_or(())?;
    Ok(target)
}

/// `#finance`, or Slack's id of a channel.
fn channel(typed: &str, errors: &mut FieldErrors) -> String {
    let name = typed.strip_prefix('#').unwrap_or(typed);
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() {
        errors.add("channel", "Enter the name of the channel.");
    } else if name.chars().count() > LONGEST_CHANNEL || !name.chars().all(fits) {
        errors.add("channel", "Use up to 80 letters, digits, dashes and underscores, such as #finance.");
    }
    if name.len() >= 9 && name.starts_with(['C', 'G']) && slack::is_id(name) {
        return name.to_owned();
    }
    format!("#{}", name.to_lowercase())
}

/// The host of an address that may be reached.
fn check_url(url: Option<&String>, network: &NetworkPolicy, errors: &mut FieldErrors) -> String {
    let Some(url) = url else {
        errors.add("url", "Enter the address.");
        return String::new();
    };
    let parsed = Url::parse(url).ok().filter(|parsed| url.len() <= LONGEST_URL && parsed.has_host());
    let Some(parsed) = parsed else {
        errors.add("url", "Enter the full address, such as https://hooks.example.com/…");
        return String::new();
    };
    if let Err(refused) = network.check_url(&parsed) {
        errors.add("url", refused.sentence);
    }
    parsed.host_str().unwrap_or_default().to_owned()
}

fn check_secret(secret: Option<&String>, errors: &mut FieldErrors) {
    let length = secret.map_or(0, |secret| secret.chars().count());
    if length == 0 {
        errors.add("secret", "Enter a signing secret. The receiver uses it to check that a message is from Tidegate.");
    } else if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&length) {
        errors.add(
            "secret",
            format!(
                "Enter {SHORTEST_SECRET} to {LONGEST_SECRET} characters. \"openssl rand -hex 32\" makes a good secret."
            ),
        );
    }
}

/// Saves an outlet. `Stale` where somebody else changed it since `typed` was opened.
pub fn save(
    conn: &mut Conn,
    secrets: &Secrets,
    network: &NetworkPolicy,
    by: &By,
    (application_id, kind): (i64, OutletKind),
    typed: &Draft,
    now: Moment,
) -> Result<Outlet> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "applications", application_id)?;
    let before = store::of_kind(conn, application_id, kind)?;
    check_version(before.as_ref(), typed.version)?;
    let target = draft(conn, secrets, network, (application_id, kind), typed)?;
    let id = match &before {
        Some(before) => before.id,
        None => store::insert(conn, application_id, kind, now)?,
    };
    let sealed = match target.secrets.is_empty() {
        true => None,
        false => {
            workspace::need_key(conn, secrets)?;
            let text = serde_json::to_string(&target.secrets).map_err(|_| AppError::internal("sealed secrets"))?;
            Some(secrets.seal(&Outlet::place(id), &text)?)
        }
    };
    let version = before.as_ref().map_or(1, |before| before.version + 1);
    store::write(conn, id, (target.about, &target.address), sealed.as_deref(), version, now)?;
    let (after, _) = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let mut entry = Entry::of("outlet.saved", "outlet", id).application(application_id).after(after.json());
    if let Some(before) = before.filter(|before| !before.address.is_empty()) {
        entry = entry.before(before.json());
    }
    by.audit(conn, entry, now)?;
    Ok(after)
}

fn check_version(there: Option<&Outlet>, opened: Option<i64>) -> Result<()> {
    let there = there.filter(|outlet| !outlet.address.is_empty()).map(|outlet| outlet.version);
    if there == opened {
        return Ok(());
    }
    Err(AppError::Stale(
        "Someone else changed this after you opened the page. To see the new version, open it in another tab.".into(),
    ))
}

/// Removes an outlet with its secrets; what went to it stays in the Summaries.
pub fn remove(
    conn: &mut Conn,
    by: &By,
    (application_id, kind): (i64, OutletKind),
    version: Option<i64>,
    now: Moment,
) -> Result<()> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "applications", application_id)?;
    let before = store::of_kind(conn, application_id, kind)?.filter(|outlet| !outlet.address.is_empty());
    let before = before.ok_or(AppError::NotFound)?;
    check_version(Some(&before), version)?;
    store::write(conn, before.id, (before.about, ""), None, before.version + 1, now)?;
    let entry = Entry::of("outlet.removed", "outlet", before.id).application(application_id).before(before.json());
    by.audit(conn, entry, now)
}

/// An outlet that is there, opened; none where its secrets do not open with this key.
pub fn open(conn: &mut Conn, secrets: &Secrets, id: i64) -> Result<Option<Target>> {
    let (outlet, sealed) = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let opened = match sealed {
        None => OutletSecrets::new(),
        Some(sealed) => match secrets.open(&Outlet::place(id), &sealed).map(|text| serde_json::from_str(&text)) {
            Ok(Ok(opened)) => opened,
            _ => return Ok(None),
        },
    };
    Ok(Some(Target { kind: outlet.kind, about: outlet.about, address: outlet.address, secrets: opened }))
}

/// Seals all that is sealed with another key.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<()> {
    for (id, sealed) in store::all_sealed(conn)? {
        let text = old.open(&Outlet::place(id), &sealed).map_err(|_| {
            AppError::Conflict(
                "the webhook of an Application cannot be opened with the current key; enter it again on the \
                 Application's Notifications page, or remove it, then change the key"
                    .into(),
            )
        })?;
        store::set_sealed(conn, id, &new.seal(&Outlet::place(id), &text)?)?;
    }
    Ok(())
}
