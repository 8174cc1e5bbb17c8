//! The first start: the roles, and the code by which the first Administrator proves to be whoever started the program.

use chrono_tz::Tz;
use serde_json::json;

use super::actions::{self, NewMember};
use super::model::check_email;
use super::permissions::ADMINISTRATOR;
use super::sign_in::Entered;
use super::store::codes;
use super::store::sessions::{self, Origin};
use super::throttle::{self, Who};
use super::{passwords, store};
use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::names::check_name;
use crate::web::network;
use crate::{secrets, workspace};

const PURPOSE: &str = "setup";
const WRONG_CODE: &str = "This is not the set-up code. It is on the first lines that the program printed when it \
                          started: \"setup code: …\".";

/// Makes the roles that every Workspace has. Every process calls it when it starts.
pub fn prepare(conn: &mut Conn) -> Result<()> {
    store::add_built_in_roles(conn)
}

/// A set-up code to print, while there is no Administrator. Codes printed by earlier starts go on working until there
/// is one.
pub fn code(conn: &mut Conn, now: Moment) -> Result<Option<String>> {
    if store::has_administrator(conn)? {
        return Ok(None);
    }
    let code = secrets::random_code();
    codes::insert(conn, PURPOSE, &hash(&code), now)?;
    Ok(Some(code))
}

/// However it was typed.
fn hash(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    secrets::hash("setup code", &plain.to_ascii_uppercase())
}

/// `NotFound` once there is an Administrator: the door is gone.
pub fn need_open(conn: &mut Conn) -> Result<()> {
    if store::has_administrator(conn)? { Err(AppError::NotFound) } else { Ok(()) }
}

/// What the first Administrator fills in.
pub struct Begin {
    pub code: String,
    pub email: String,
    pub name: String,
    pub password: String,
    pub workspace: String,
    pub time_zone: Result<Tz, String>,
}

/// Makes the first Administrator, names the Workspace, and signs them in.
pub async fn begin(app: &App, begin: Begin, from: Origin) -> Result<Entered> {
    let (now, who, code) = (app.now(), Who::setup(from.address), begin.code.clone());
    let asked = who.clone();
    let right = app
        .write(move |conn| {
            need_open(conn)?;
            throttle::check(conn, &asked, now)?;
            let right = codes::is_open(conn, PURPOSE, &hash(&code))?;
            if !right {
                throttle::failed(conn, &asked, now)?;
            }
            Ok(right)
        })
        .await?;
    let mut errors = FieldErrors::new();
    if !right {
        errors.add("code", WRONG_CODE);
    }
    let name = check_name("name", &begin.name, None, &mut errors);
    let email = check_email(&begin.email, &mut errors);
    if let Err(reason) = passwords::check(&begin.password, &[&email, &name]) {
        errors.add("password", reason);
    }
    let workspace = check_name("workspace", &begin.workspace, None, &mut errors);
    if let Err(reason) = &begin.time_zone {
        errors.add("time_zone", reason);
    }
    errors.ok_or(())?;
    let time_zone = begin.time_zone.map_err(|reason| AppError::invalid("time_zone", reason))?;
    let password = passwords::hash(app, &begin.password, &[]).await?;
    let code = begin.code;
    app.write(move |conn| {
        // Of two who hold the code, one comes first.
        crate::db::lock_row(conn, "workspace", 1)?;
        need_open(conn)?;
        if !codes::is_open(conn, PURPOSE, &hash(&code))? {
            return Err(AppError::NotFound);
        }
        codes::use_up(conn, PURPOSE, now)?;
        throttle::succeeded(conn, &who)?;
        let actor = Actor::nobody("set-up code", "page").from(network(from.address));
        let new = NewMember { email, name, role: ADMINISTRATOR.into(), password: Some(password) };
        let member = actions::insert(conn, &actor, new, now)?;
        workspace::set(conn, &workspace, time_zone)?;
        let after = json!({ "name": workspace, "time_zone": time_zone.name() });
        audit::record(conn, &actor, Entry::about("workspace.set_up", "workspace").after(after), now)?;
        Ok(Entered { member_id: member.id, cookie: sessions::start_session(conn, member.id, &from, now)? })
    })
    .await
}
