//! The same people in every test, and the same questions to ask of them.
//!
//! | | role | in "FP&A 2026" | elsewhere |
//! |---|---|---|---|
//! | Ada | Administrator | everything | everything |
//! | Olive | Importer | Import Data, Configure | |
//! | Mo | Viewer | View | |
//! | Ivy | Viewer | Import Data (without Can Import Data) | |
//! | Stranger | Importer | | Import Data, Configure in "Elsewhere" |
//! | Audrey | Auditor | sees all | sees all |
//! | Nobody | signed out | | |

use std::sync::OnceLock;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use diesel::prelude::*;
use tidegate::app::App;
use tidegate::clock::Moment;
use tidegate::db::Conn;
use tidegate::db::schema::{application_access, applications, members, roles, workspace};
use tidegate::error::Result;
use tidegate::members::By;
use tidegate::members::permissions::BUILT_IN_ROLES;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

#[derive(Clone, Debug)]
pub struct Person {
    pub id: i64,
    pub name: &'static str,
    pub email: String,
}

#[derive(Clone, Debug)]
pub struct Cast {
    pub ada: Person,
    pub olive: Person,
    pub mo: Person,
    pub ivy: Person,
    pub stranger: Person,
    pub audrey: Person,
    /// The id of "FP&A 2026", in Europe/Paris.
    pub application: i64,
    /// The id of "Elsewhere".
    pub elsewhere: i64,
}

impl Cast {
    /// Everybody who can sign in.
    pub fn everybody(&self) -> [&Person; 6] {
        [&self.ada, &self.olive, &self.mo, &self.ivy, &self.stranger, &self.audrey]
    }
}

impl Person {
    /// This person acting on a page, for calling actions directly.
    pub fn by(&self, conn: &mut Conn) -> Result<By> {
        let member = tidegate::members::by_id(conn, self.id)?;
        Ok(By::page(member.unwrap_or_else(|| panic!("{} is no member", self.name))))
    }
}

pub async fn enter(app: &App) -> Cast {
    let now = app.now();
    app.write(move |conn| insert(conn, now)).await.unwrap_or_else(|e| panic!("the cast cannot enter: {e:?}"))
}

fn insert(conn: &mut Conn, now: Moment) -> Result<Cast> {
    set_up(conn, now)?;
    let application = application(conn, "FP&A 2026", "Europe/Paris", now)?;
    let elsewhere = application_in_utc(conn, "Elsewhere", now)?;
    let cast = Cast {
        ada: member(conn, "Ada", "Administrator", now)?,
        olive: member(conn, "Olive", "Importer", now)?,
        mo: member(conn, "Mo", "Viewer", now)?,
        ivy: member(conn, "Ivy", "Viewer", now)?,
        stranger: member(conn, "Stranger", "Importer", now)?,
        audrey: member(conn, "Audrey", "Auditor", now)?,
        application,
        elsewhere,
    };
    grant(conn, application, &cast.olive, (true, true))?;
    grant(conn, application, &cast.mo, (false, false))?;
    grant(conn, application, &cast.ivy, (true, false))?;
    grant(conn, elsewhere, &cast.stranger, (true, true))?;
    Ok(cast)
}

/// The Workspace and its roles, unless opening the App made them.
fn set_up(conn: &mut Conn, now: Moment) -> Result<()> {
    if workspace::table.count().get_result::<i64>(conn)? == 0 {
        diesel::insert_into(workspace::table)
            .values((
                workspace::id.eq(1),
                workspace::name.eq("Acme"),
                workspace::time_zone.eq("Europe/Paris"),
                workspace::fingerprint.eq("test"),
                workspace::created_at.eq(now),
            ))
            .execute(conn)?;
    }
    if roles::table.count().get_result::<i64>(conn)? == 0 {
        for (name, permissions) in BUILT_IN_ROLES {
            let permissions = serde_json::to_string(permissions).unwrap();
            diesel::insert_into(roles::table)
                .values((roles::name.eq(name), roles::permissions.eq(permissions), roles::built_in.eq(true)))
                .execute(conn)?;
        }
    }
    Ok(())
}

fn application_in_utc(conn: &mut Conn, name: &str, now: Moment) -> Result<i64> {
    application(conn, name, "UTC", now)
}

/// Another Application, into which nobody is let yet.
pub fn application(conn: &mut Conn, name: &str, zone: &str, now: Moment) -> Result<i64> {
    Ok(diesel::insert_into(applications::table)
        .values((
            applications::name.eq(name),
            applications::name_key.eq(name.to_lowercase()),
            applications::time_zone.eq(zone),
            applications::created_at.eq(now),
        ))
        .returning(applications::id)
        .get_result(conn)?)
}

/// Another member, `name@acme.test`.
pub fn member(conn: &mut Conn, name: &'static str, role: &str, now: Moment) -> Result<Person> {
    let email = format!("{}@acme.test", name.to_lowercase());
    let role: i64 = roles::table.filter(roles::name.eq(role)).select(roles::id).first(conn)?;
    let id = diesel::insert_into(members::table)
        .values((
            members::email.eq(&email),
            members::email_key.eq(&email),
            members::name.eq(name),
            members::role_id.eq(role),
            members::password_hash.eq(password_hash()),
            members::created_at.eq(now),
        ))
        .returning(members::id)
        .get_result(conn)?;
    Ok(Person { id, name, email })
}

/// View, and with it (Import Data, Configure).
pub fn grant(conn: &mut Conn, application: i64, person: &Person, (import_data, configure): (bool, bool)) -> Result<()> {
    diesel::insert_into(application_access::table)
        .values((
            application_access::application_id.eq(application),
            application_access::member_id.eq(person.id),
            application_access::can_view.eq(true),
            application_access::can_import_data.eq(import_data),
            application_access::can_configure.eq(configure),
        ))
        .execute(conn)?;
    Ok(())
}

/// Of [`PASSWORD`], made once and cheaply; what is made while the product runs is dear.
fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let cheap = Params::new(Params::MIN_M_COST, 1, 1, None).unwrap();
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap);
        argon.hash_password(PASSWORD.as_bytes()).unwrap().to_string()
    })
}
