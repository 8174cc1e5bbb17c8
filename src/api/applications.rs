//! Applications, and who has access to them.

use chrono_tz::Tz;

use super::call::{Call, Nothing, matches};
use super::{Answer, Begun, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::applications::actions::{self, Change, NewApplication, SPACING};
use crate::applications::{self, Application, Grants};
use crate::clock::Moment;
use crate::db::Pool;
use crate::environments::{Chosen, cloning, refreshing, resetting};
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

sent! {
    /// A Connection of the original, and what a copy reads through in its place. A Connection that is not named is not
    /// authorised for the copy, and what would read through it cannot run.
    pub struct CopiedConnectionBody {
        connection_id: i64 = "Name a Connection that the original reads through." => 3,
        /// Itself, or another of the same kind.
        use_id: i64 = "Name the Connection to use in the copy." => 4,
    }
}

sent! {
    /// A copy of an Application.
    pub struct CloneBody {
        name: String = "Enter a name." => "Planning 2027 (test)",
        /// Whether the rows of its Blocks are copied too, in the background. Default: false.
        rows: bool,
        /// Whether everyone with access to the original gets the same access to the copy. Default: true.
        access: bool,
        connections: Vec<CopiedConnectionBody>,
    }
}

sent! {
    /// What a copy gets from its original anew.
    pub struct RefreshBody {
        /// The name of the copy, to be sure.
        name: String = "Send the name of the copy." => "Planning 2027 (test)",
        /// Whether the rows of its Blocks are copied too, in the background. Default: false.
        rows: bool,
        /// Default: as they were chosen before.
        connections: Vec<CopiedConnectionBody>,
    }
}

sent! {
    /// An Application to make empty.
    pub struct ResetBody {
        /// The name of the Application, to be sure.
        name: String = "Send the name of the Application." => "Planning 2027 (test)",
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

fn chosen(sent: Vec<CopiedConnectionBody>) -> Chosen {
    sent.into_iter().filter_map(|one| Some((one.connection_id?, one.use_id?))).collect()
}

/// `POST applications/{a}/clone`
pub async fn clone(call: Call, body: Body<CloneBody>) -> Answer<Made<ApplicationAnswer>> {
    let (id, now) = (call.id("a")?, call.now());
    let clone = || {
        let app = call.app.clone();
        call.once(body.clone(), move |conn, by, body| {
            cloning::enter(conn, by, id)?;
            let sent = body.read()?;
            let wanted = cloning::Wanted {
                name: sent.name.unwrap_or_default(),
                rows: sent.rows.unwrap_or_default(),
                access: sent.access.unwrap_or(true),
                connections: chosen(sent.connections.unwrap_or_default()),
            };
            let made = cloning::clone(conn, &app, by, id, &wanted, now)?;
            Ok(Reply::created(format!("applications/{}", made.id), ApplicationAnswer::of(&made)))
        })
    };
    call.patiently(clone).await
}

/// `POST applications/{a}/refresh`
pub async fn refresh(call: Call, body: Body<RefreshBody>) -> Answer<Begun<ApplicationAnswer>> {
    let (id, now) = (call.id("a")?, call.now());
    let refresh = || {
        let app = call.app.clone();
        call.once(body.clone(), move |conn, by, body| {
            refreshing::enter(conn, by, id)?;
            let sent = body.read()?;
            let wanted = refreshing::Wanted {
                name: sent.name.unwrap_or_default(),
                rows: sent.rows.unwrap_or_default(),
                connections: sent.connections.map(chosen),
            };
            let copy = refreshing::refresh(conn, &app, by, id, &wanted, now)?;
            Ok(Reply::accepted(format!("applications/{id}"), ApplicationAnswer::of(&copy)))
        })
    };
    call.patiently(refresh).await
}

/// `POST applications/{a}/reset`
pub async fn reset(call: Call, body: Body<ResetBody>) -> Answer<Begun<ApplicationAnswer>> {
    let (id, now, app) = (call.id("a")?, call.now(), call.app.clone());
    call.once(body, move |conn, by, body| {
        cloning::enter(conn, by, id)?;
        let typed = body.read()?.name.unwrap_or_default();
        let emptied = resetting::reset(conn, &app, by, id, &typed, now)?;
        Ok(Reply::accepted(format!("applications/{id}"), ApplicationAnswer::of(&emptied)))
    })
    .await
}
