//! A second factor: besides the password, a code that an app on the member's phone makes of a secret and the time. Each
//! code is taken once, and guesses are counted like those of passwords. Ten recovery codes stand in for a lost phone.

use actix_web::web::Data;
use serde_json::json;

use super::known::Known;
use super::links::{self, Letter};
use super::model::{By, Member};
use super::sign_in::{self, Entered, Knock};
use super::store::second_factors::{self as kept, Kept};
use super::throttle::{self, Who};
use super::{half_way, store, totp};
use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::going::Refused;
use crate::secrets::{self, Secrets};
use crate::web::network;
use crate::workspace::{self, Whom};

/// So many recovery codes are made.
pub const CODES: usize = 10;
const WRONG: &str =
    "This code is not right, or it was used before. Wait for the next code of your app, or enter a recovery code.";

/// Where the secret of a member's second factor is kept.
fn place(member_id: i64) -> String {
    format!("second_factors {member_id}")
}

/// Where one is kept that is not turned on yet: in its form.
fn draft_place(member_id: i64) -> String {
    format!("new second factor of {member_id}")
}

/// How a member's second factor stands.
pub struct State {
    /// When it was turned on.
    pub set_at: Moment,
    /// How many recovery codes are not used yet.
    pub codes_left: i64,
}

/// `None`: there is none.
pub fn state(conn: &mut Conn, member_id: i64) -> Result<Option<State>> {
    let Some(kept) = kept::get(conn, member_id)? else { return Ok(None) };
    Ok(Some(State { set_at: kept.set_at, codes_left: kept::codes_left(conn, member_id)? }))
}

/// Whether a member has one.
pub fn is_on(conn: &mut Conn, member_id: i64) -> Result<bool> {
    Ok(kept::get(conn, member_id)?.is_some())
}

/// Whether one is demanded of this member, who has none. Whoever has no password signs in elsewhere, where that
/// is seen to.
pub fn is_missing(conn: &mut Conn, demanded_of: Whom, member: &Member) -> Result<bool> {
    let demanded = match demanded_of {
        Whom::Nobody => false,
        Whom::Administrators => member.is_administrator(),
        Whom::Everybody => true,
    };
    Ok(demanded && kept::has_password_alone(conn, member.id)?)
}

/// Whether one can be set up: it is added to a password.
pub fn fits(conn: &mut Conn, member_id: i64) -> Result<bool> {
    kept::has_password_alone(conn, member_id)
}

/// Demands one of these members.
pub fn demand(conn: &mut Conn, by: &By, whom: Whom, now: Moment) -> Result<()> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "workspace", 1)?;
    let before = workspace::second_factor_of(conn)?;
    workspace::set_second_factor_of(conn, whom)?;
    if before == whom {
        return Ok(());
    }
    let said = |whom: Whom| json!({ "second_factor_of": whom });
    by.audit(conn, Entry::about("workspace.changed", "workspace").before(said(before)).after(said(whom)), now)
}

/// A secret that is not turned on yet.
pub struct Draft {
    /// As an app takes it.
    pub secret: String,
    /// The same, for the form.
    pub sealed: String,
}

/// A new secret, for the form that turns it on.
pub fn draft(secrets: &Secrets, member_id: i64) -> Result<Draft> {
    let secret = totp::fresh();
    let sealed = secrets.seal(&draft_place(member_id), &secret)?;
    Ok(Draft { secret, sealed })
}

/// The one that a form sent back; `None`: it is none of ours.
pub fn draft_again(secrets: &Secrets, member_id: i64, sealed: &str) -> Option<Draft> {
    let secret = secrets.open(&draft_place(member_id), sealed).ok()?;
    Some(Draft { secret, sealed: sealed.to_owned() })
}

/// What a member proves with: their current password, in this browser.
pub struct Proof<'a> {
    pub current: &'a str,
    pub known: Option<Known>,
}

async fn prove(app: &App, by: &By, proof: Proof<'_>) -> Result<()> {
    if proof.current.is_empty() {
        return Err(AppError::invalid("current", "Enter your current password."));
    }
    sign_in::confirm(app, &by.member.email, proof.current, by.from, proof.known).await
}

/// Turns it on, once its first code and the password are right; the recovery codes, which are shown this once. Where somebody is
/// signed in by the password alone, that ends, but for the session which turned it on.
pub async fn turn_on(app: &App, by: &By, draft: Draft, code: &str, proof: Proof<'_>) -> Result<Vec<String>> {
    let step = totp::step_of(&draft.secret, &spaceless(code), 0, app.now());
    let step = step.ok_or_else(|| {
        AppError::invalid(
            "code",
            "This is not the code that the app shows now. Check the clock of your phone, and try again.",
        )
    })?;
    prove(app, by, proof).await?;
    let (by, secrets, now) = (by.clone(), app.secrets.clone(), app.now());
    app.write(move |conn| {
        let id = by.member.id;
        // It holds the Workspace's row, which everybody takes before a member's.
        workspace::need_key(conn, &secrets)?;
        db::lock_row(conn, "members", id)?;
        if is_on(conn, id)? {
            return Err(AppError::Conflict("Your second factor is on already.".into()));
        }
        kept::insert(conn, id, &secrets.seal(&place(id), &draft.secret)?, step, now)?;
        let codes = make_codes(conn, id)?;
        by.audit(conn, Entry::of("member.second_factor_on", "member", id), now)?;
        store::sessions::end_sessions(conn, id, by.session())?;
        Ok(codes)
    })
    .await
}

fn make_codes(conn: &mut Conn, member_id: i64) -> Result<Vec<String>> {
    let codes: Vec<String> = std::iter::repeat_with(secrets::random_code).take(CODES).collect();
    let hashes: Vec<String> = codes.iter().map(|code| hash(code)).collect();
    kept::set_codes(conn, member_id, &hashes)?;
    Ok(codes)
}

fn hash(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    secrets::hash("recovery code", &plain)
}

fn spaceless(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

/// New recovery codes in the place of the others.
pub async fn renew_codes(app: &App, by: &By, proof: Proof<'_>) -> Result<Vec<String>> {
    prove(app, by, proof).await?;
    let (by, now) = (by.clone(), app.now());
    app.write(move |conn| {
        let id = by.member.id;
        db::lock_row(conn, "members", id)?;
        if !is_on(conn, id)? {
            return Err(AppError::Conflict("Your second factor is off.".into()));
        }
        by.audit(conn, Entry::of("member.recovery_codes_made", "member", id), now)?;
        make_codes(conn, id)
    })
    .await
}

/// Turns off one's own.
pub async fn turn_off(app: &App, by: &By, proof: Proof<'_>) -> Result<()> {
    prove(app, by, proof).await?;
    let (by, now) = (by.clone(), app.now());
    app.write(move |conn| {
        db::lock_row(conn, "members", by.member.id)?;
        if kept::remove(conn, by.member.id)? {
            by.audit(conn, Entry::of("member.second_factor_off", "member", by.member.id), now)?;
        }
        Ok(())
    })
    .await
}

/// Takes it off a member who lost the phone and the codes, and tells them; `true`: a letter goes to them.
pub async fn take_off(app: &Data<App>, by: &By, id: i64) -> Result<(Member, bool)> {
    let (asks, by, now) = (app.clone(), by.clone(), app.now());
    let taken = app.write(move |conn| {
        by.need_administrator(conn)?;
        if id == by.member.id {
            let words = "Turn off your own second factor under Your account, with your password.";
            return Err(AppError::Conflict(words.into()));
        }
        let member = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
        let actor = by.actor(conn)?;
        if !lose(conn, &actor, id, now)? {
            return Err(AppError::Conflict(format!("{} has no second factor.", member.name)));
        }
        let letter = Letter {
            workspace: workspace::get(conn)?.name,
            title: "Your second factor was turned off".into(),
            detail: format!(
                "{} turned off the second factor of your account. From now on your password alone signs you in.",
                by.member.name
            ),
            button: "Open your account",
            url: asks.base_url.join("account/second-factor").map_err(AppError::internal)?.into(),
            ends: "If you did not ask for this, tell an Administrator, and set a new password.".into(),
            because: "it is about the safety of your account.",
            to: (member.name.clone(), member.email.clone()),
        };
        Ok((member, links::unmailed(&asks, conn)?.is_none().then_some(letter)))
    });
    let (member, letter) = taken.await?;
    let told = letter.is_some();
    if let Some(letter) = letter {
        let app = app.clone();
        actix_web::rt::spawn(async move {
            if let Err(error) = links::post(&app, &letter).await {
                let cause = error.to_string();
                tracing::warn!(cause, "a member could not be told that their second factor is off");
            }
        });
    }
    Ok((member, told))
}

/// Removes it for somebody who lost it; `false` where there is none.
pub(super) fn lose(conn: &mut Conn, actor: &Actor, member_id: i64, now: Moment) -> Result<bool> {
    let lost = kept::remove(conn, member_id)?;
    if lost {
        audit::record(conn, actor, Entry::of("member.second_factor_taken", "member", member_id), now)?;
    }
    Ok(lost)
}

/// Somebody let in by a code.
pub struct ByCode {
    pub entered: Entered,
    /// How many recovery codes are left, where one was used.
    pub codes_left: Option<i64>,
}

/// What a code was taken as.
enum Taken {
    Step,
    Recovery,
}

/// Lets in who is half-way in and has the code; `SignedOut` where nobody is.
pub async fn enter(app: &App, half_way: &str, code: &str, knock: Knock) -> Result<ByCode> {
    let now = app.now();
    let way = half_way::open(&app.secrets, half_way, now).ok_or(AppError::SignedOut)?;
    let (id, from) = (way.member_id, network(knock.from.address));
    let (secrets, code, cookie) = (app.secrets.clone(), spaceless(code), half_way.to_owned());
    let entered = app.write(move |conn| {
        // One code at a time: a guess is counted before the next one is looked at.
        db::lock_row(conn, "members", id)?;
        if !store::key_by_id(conn, id)?.is_some_and(|key| way.is_by(&key)) {
            return Err(AppError::SignedOut);
        }
        let who = Who::code(id, knock.from.address).with(knock.known.as_ref(), Some(id));
        throttle::check(conn, &who, now)?;
        let Some(taken) = take(conn, &secrets, id, &code, now)? else {
            throttle::failed(conn, &who, now)?;
            return Ok(None);
        };
        let (purpose, hash) = half_way::spent(&cookie);
        if !store::codes::spend(conn, purpose, &hash, way.until, now)? {
            return Err(AppError::SignedOut);
        }
        throttle::succeeded(conn, &who)?;
        let (said, codes_left) = match taken {
            Taken::Step => ("code", None),
            Taken::Recovery => ("recovery code", Some(kept::codes_left(conn, id)?)),
        };
        let with = way.with.map_or_else(|| said.to_owned(), |provider| format!("{provider}, {said}"));
        let entered = sign_in::begin(conn, id, &knock, Some(json!({ "with": with })), now)?;
        Ok(Some(ByCode { entered, codes_left }))
    });
    if let Some(entered) = entered.await? {
        return Ok(entered);
    }
    let refused = Refused { action: "member.code_refused", member: None, channel: "page", from };
    if app.refusals.count(&refused, now) {
        let actor = Actor::nobody("nobody", refused.channel).from(&refused.from);
        let entry = Entry::of(refused.action, "member", id);
        app.write(move |conn| audit::record(conn, &actor, entry, now)).await?;
    }
    Err(AppError::invalid("code", WRONG))
}

/// Takes a code of the app, or one for recovery; `None`: it is neither, or was taken before.
fn take(conn: &mut Conn, secrets: &Secrets, id: i64, code: &str, now: Moment) -> Result<Option<Taken>> {
    // Whoever turned it off meanwhile, by an Administrator or a command, signs in anew.
    let Kept { sealed, last_step, .. } = kept::get(conn, id)?.ok_or(AppError::SignedOut)?;
    if !totp::is_code(code) {
        return Ok(kept::use_code(conn, id, &hash(code), now)?.then_some(Taken::Recovery));
    }
    let secret = secrets.open(&place(id), &sealed).map_err(|_| {
        let words =
            "Your second factor cannot be opened with the server's key. Use a recovery code, or ask an Administrator.";
        AppError::Conflict(words.into())
    })?;
    let step = totp::step_of(&secret, code, last_step, now);
    Ok(match step {
        Some(step) if kept::take(conn, id, step)? => Some(Taken::Step),
        _ => None,
    })
}

/// Seals the secrets with another key.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<()> {
    for (id, sealed) in kept::all_sealed(conn)? {
        let secret = old.open(&place(id), &sealed).map_err(|_| {
            AppError::Conflict(format!(
                "the second factor of member {id} cannot be opened with the current key; turn it off on the member's page, \
                 then change the key"
            ))
        })?;
        kept::set_sealed(conn, id, &new.seal(&place(id), &secret)?)?;
    }
    Ok(())
}
