//! Applications, and who has access to them.

use chrono_tz::Tz;

use super::call::{Call, Nothing, matches};
use super::{Answer, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::applications::actions::{self, Change, NewApplication, SPACING};
use crate::applications::{self, Application, Grants};
use crate::clock::Moment;
use crate::db::Pool;
use crate::shape::{answer, sent};

sent! {
    /// The fields of an Application to create or change.
    pub struct ApplicationBody {
        name: String = "Enter a name." => "Planning 2027",
        /// An IANA time zone name. Default: UTC.
        time_zone: Tz,
        /// How many minutes apart imports on one Connection, configuration or Block should start. Default: 15.
        spacing_minutes: i32 => 15,
    }
}

answer! {
    /// A planning application inside the Workspace.
    pub struct ApplicationAnswer of (application: &Application) {
        id: i64 = application.id,
        version: i64 = application.version,
        created_at: Moment = application.created_at;
        body: ApplicationBody = ApplicationBody {
            name: Some(application.name.clone()),
            time_zone: Some(application.time_zone),
            spacing_minutes: Some(application.spacing_minutes),
        }
    }
}

sent! {
    /// The permissions to give a member in an Application. Import Data and Configure include View.
    pub struct AccessBody {
        /// Blocks, history and summaries.
        view: bool,
        /// Runs and schedules.
        import_data: bool => true,
        /// Blocks, import configurations and who has access.
        configure: bool,
    }
}

answer! {
    /// A member's permissions in an Application.
    pub struct AccessAnswer of (application_id: i64, member_id: i64, grants: Grants) {
        application_id: i64 = application_id,
        member_id: i64 = member_id,
        view: bool = grants.view,
        import_data: bool = grants.import_data,
        configure: bool = grants.configure,
    }
}

/// `GET applications`: those that the member sees.
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<ApplicationAnswer>>> {
    let seen = call.read(applications::seen_by).await?;
    Ok(Reply::ok(call.query.of_all(seen, |a| a.id, |a| ApplicationAnswer::of(&a))))
}

/// `POST applications`
pub async fn create(call: Call, body: Body<ApplicationBody>) -> Answer<Made<ApplicationAnswer>> {
    let now = call.now();
    call.once(body, move |conn, by, body| {
        actions::need_create(conn, by)?;
        let sent = body.read()?;
        let new = NewApplication {
            name: sent.name.unwrap_or_default(),
            time_zone: sent.time_zone.unwrap_or(Tz::UTC),
            spacing_minutes: sent.spacing_minutes.unwrap_or(SPACING),
        };
        let made = actions::create(conn, by, &new, now)?;
        Ok(Reply::created(format!("applications/{}", made.id), ApplicationAnswer::of(&made)))
    })
    .await
}

/// `GET applications/{a}`
pub async fn show(call: Call) -> Answer<Shown<ApplicationAnswer>> {
    let id = call.id("a")?;
    let entered = call.read(move |conn, by| applications::enter(conn, by, id)).await?;
    Ok(Reply::ok(ApplicationAnswer::of(&entered.application)))
}

/// `PATCH applications/{a}`
pub async fn update(call: Call, body: Body<Patch<ApplicationBody>>) -> Answer<Shown<ApplicationAnswer>> {
    let (id, version, now) = (call.id("a")?, call.expected(), call.now());
    let save = |pool: Pool| {
        call.change(body.clone(), move |conn, by, body| {
            let entered = applications::enter(conn, by, id)?;
            entered.need_configure(conn, by)?;
            let Some(sent) = body.over(&ApplicationAnswer::of(&entered.application).body)? else {
                matches(version, entered.application.version)?;
                return Ok(entered.application);
            };
            let ApplicationBody { name, time_zone, spacing_minutes } = sent;
            // Null brings the default back.
            let (time_zone, spacing_minutes) = (time_zone.or(Some(Tz::UTC)), spacing_minutes.or(Some(SPACING)));
            actions::edit(conn, &pool, by, id, &Change { name, time_zone, spacing_minutes, version }, now)
        })
    };
    let saved = call.patiently(|| save(call.app.blocks.clone()));
    Ok(Reply::ok(ApplicationAnswer::of(&saved.await?)))
}

/// `DELETE applications/{a}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("a")?, call.expected(), call.now(), call.app.in_use);
    let gone = call.change(body, move |conn, by, body| {
        let entered = applications::enter(conn, by, id)?;
        entered.need_configure(conn, by)?;
        body.read()?;
        matches(expected, entered.application.version)?;
        actions::archive(conn, in_use, by, id, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

/// `PUT applications/{a}/access/{m}`
pub async fn give_access(call: Call, body: Body<AccessBody>) -> Answer<Shown<AccessAnswer>> {
    let (id, member_id, now) = (call.id("a")?, call.id("m")?, call.now());
    let given = call.change(body, move |conn, by, body| {
        applications::enter(conn, by, id)?.need_configure(conn, by)?;
        let sent = body.read()?;
        let grants = Grants {
            view: sent.view.unwrap_or(false),
            import_data: sent.import_data.unwrap_or(false),
            configure: sent.configure.unwrap_or(false),
        };
        actions::set_access(conn, by, id, member_id, grants, now)
    });
    Ok(Reply::ok(AccessAnswer::of(id, member_id, given.await?)))
}

/// `DELETE applications/{a}/access/{m}`
pub async fn take_access(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, member_id, now) = (call.id("a")?, call.id("m")?, call.now());
    let taken = call.change(body, move |conn, by, body| {
        applications::enter(conn, by, id)?.need_configure(conn, by)?;
        body.read()?;
        actions::set_access(conn, by, id, member_id, Grants::default(), now)
    });
    taken.await?;
    Ok(Reply::gone())
}
