//! The members of the Workspace: who there is, in which role; adding, changing, deactivating; who is invited. What an
//! invitation gives in Applications comes from the room of those, in which the addresses of the list end.

use std::cmp::Ordering;
use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{FieldErrors, Result};
use crate::in_use::Thing;
use crate::members::actions::{self, Change, NewMember};
use crate::members::invitations::{self, Invitation};
use crate::members::passwords::{self, ADVICE};
use crate::members::shell::shell;
use crate::members::{By, Member, Permission, groups, links, roles, store};
use crate::names::folded;
use crate::web::list::Sort;
use crate::web::{self, Crumb, Flash, Form, Listing, Page, Shell, local_path, see_other};
use crate::{words, workspace};

#[derive(Template)]
#[template(path = "members/list.html")]
struct ListPage<'a> {
    shell: Shell,
    beside: Beside,
    groups: Vec<(i64, String)>,
    errors: FieldErrors,
    form: &'a Form,
    list: Listing,
    members: Vec<Member>,
    roles: Vec<String>,
    role_options: Vec<(String, String)>,
    may_change: bool,
    own_id: i64,
    advice: &'static str,
    /// A proxy whose word for where somebody comes from is not trusted.
    proxy: Option<String>,
    invitations: Vec<Invitation>,
    /// Whose link was just made, the link, and why it was not mailed: the only time that it is shown.
    link: Option<(String, String, String)>,
    /// Invitations are mailed from here.
    mails: bool,
    now: Moment,
    zone: Tz,
}

/// What a higher room knows of invitations: the Applications that one may name, and by its id what each gives there.
#[derive(Default)]
pub struct Beside {
    pub applications: Vec<(i64, String)>,
    pub gives: HashMap<i64, Vec<String>>,
}

/// How that is found, for who may see the members.
pub type FindBeside = fn(&mut Conn) -> Result<Beside>;

struct Lists {
    beside: Beside,
    groups: Vec<(i64, String)>,
    members: Vec<Member>,
    invitations: Vec<Invitation>,
    mails: bool,
    zone: Tz,
    roles: Vec<String>,
    role_options: Vec<(String, String)>,
}

fn load(app: &App, conn: &mut Conn, by: &By, beside: FindBeside) -> Result<Lists> {
    let invitations = invitations::list(conn, by)?;
    Ok(Lists {
        beside: beside(conn)?,
        groups: groups::all(conn)?.into_iter().map(|group| (group.id, group.name)).collect(),
        invitations,
        mails: links::unmailed(app, conn)?.is_none(),
        zone: by.member.time_zone.unwrap_or(workspace::get(conn)?.time_zone),
        members: actions::everybody(conn, by)?,
        roles: store::role_names(conn)?,
        role_options: roles::options(conn)?,
    })
}

/// Those who may sign in come first, by name.
const SORTS: [Sort<Member>; 3] = [
    ("active", "Active first", |_, _| Ordering::Equal),
    ("name", "Name", |a, b| folded(&a.name).cmp(&folded(&b.name))),
    ("role", "Role", |a, b| a.role.cmp(&b.role)),
];

/// `GET /members?q=&sort=&page=`
pub async fn list(request: HttpRequest, app: Data<App>, by: By, beside: FindBeside) -> Result<HttpResponse> {
    page(&request, &app, (&by, beside), Left::default()).await
}

/// The form to add a member begins with the least.
fn blank() -> Form {
    Form(vec![("role".into(), "Viewer".into())])
}

/// What was just done on the page.
pub(super) struct Left<'a> {
    pub status: StatusCode,
    pub errors: FieldErrors,
    /// As it was typed.
    pub form: Option<&'a Form>,
    pub link: Option<(String, String, String)>,
}

impl Default for Left<'_> {
    fn default() -> Self {
        Self { status: StatusCode::OK, errors: FieldErrors::new(), form: None, link: None }
    }
}

impl<'a> Left<'a> {
    fn refused((status, errors): (StatusCode, FieldErrors), form: Option<&'a Form>) -> Self {
        Self { status, errors, form, link: None }
    }
}

pub(super) async fn page(
    request: &HttpRequest,
    app: &Data<App>,
    (by, beside): (&By, FindBeside),
    left: Left<'_>,
) -> Result<HttpResponse> {
    let (asks, mailer) = (by.clone(), app.clone());
    let Lists { beside, groups, members, invitations, mails, zone, roles, role_options } =
        app.read(move |conn| load(&mailer, conn, &asks, beside)).await?;
    let blank = blank();
    let asked = Form::parse(request.query_string().as_bytes());
    let text = |member: &Member| format!("{}\n{}\n{}", member.name, member.email, member.role);
    let (list, members) = Listing::of("/members", &asked, members, &SORTS, text);
    let page = ListPage {
        shell: shell(request, app, by, "Members").at("/members").crumbs([Crumb::here("Members")]),
        errors: left.errors,
        form: left.form.unwrap_or(&blank),
        beside,
        groups,
        list,
        members,
        roles,
        role_options,
        may_change: by.member.is_administrator(),
        own_id: by.member.id,
        advice: ADVICE,
        proxy: app.forwarded.proxy(app.now()).map(|proxy| proxy.to_string()),
        invitations,
        link: left.link,
        mails,
        now: app.now(),
        zone,
    };
    Page::with(left.status, request, &page)
}

/// `POST /members`. `also`: what a higher room gives besides the role.
pub async fn add(
    request: HttpRequest,
    app: Data<App>,
    by: By,
    form: Form,
    beside: FindBeside,
    also: impl FnOnce(&mut Conn, &Member) -> Result<()> + Send + 'static,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let new = (form.get("email").to_owned(), form.get("name").to_owned(), form.get("role").to_owned());
    let added = async {
        let (email, name, role) = new;
        let mut errors = FieldErrors::new();
        web_check(&email, &name, form.raw("password"), &mut errors);
        errors.ok_or(())?;
        let password = Some(passwords::hash(&app, form.raw("password"), &[&email, &name]).await?);
        let (by, now) = (by.clone(), app.now());
        let group_ids = form.ids("group").map_err(|errors| FieldErrors::one("groups", errors.details()))?;
        app.write(move |conn| {
            let new = NewMember { email, name, role, password };
            let member = actions::add_to_groups(conn, &by, new, &group_ids, now)?;
            also(conn, &member)?;
            Ok(member)
        })
        .await
    };
    match added.await {
        Ok(member) => {
            let words = format!("{} is now a member. Give them the password in person.", member.name);
            Ok(see_other("/members", Some(Flash::new(words))))
        }
        Err(error) => page(&request, &app, (&by, beside), Left::refused(web::refused(error)?, Some(&form))).await,
    }
}

/// All that can be said before the password is hashed, in the order of the form.
fn web_check(email: &str, name: &str, password: &str, errors: &mut FieldErrors) {
    crate::names::check_name("name", name, None, errors);
    crate::members::check_email(email, errors);
    if let Err(reason) = passwords::check(password, &[email, name]) {
        errors.add("password", reason);
    }
}

/// Where a change is asked about first: it deactivates somebody, or takes the right to import from somebody whose
/// schedules need it. That page does it.
pub(super) async fn asks_first(
    app: &App,
    by: &By,
    id: i64,
    role: Option<&str>,
    deactivates: bool,
) -> Result<Option<String>> {
    actions::need_administrator(app, by).await?;
    if deactivates {
        return Ok(Some(format!("/members/{id}/deactivate")));
    }
    let Some(role) = role.map(str::to_owned) else { return Ok(None) };
    let in_use = app.in_use;
    app.read(move |conn| {
        let may_now = store::by_id(conn, id)?.is_some_and(|member| member.may(Permission::ImportData));
        let loses = may_now && !store::role_may(conn, &role, Permission::ImportData)?;
        let asks = loses && !in_use.all(conn, Thing::Owner(id))?.is_empty();
        Ok(asks.then(|| format!("/members/{id}/deactivate?role={}", web::page::encode(&role))))
    })
    .await
}

/// `POST /members/{m}/switch`: the role, or active again, straight from the list.
pub async fn switch(
    request: HttpRequest,
    app: Data<App>,
    by: By,
    id: Path<i64>,
    form: Form,
    beside: FindBeside,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let change = Change {
        role: form.some("role").map(str::to_owned),
        active: match form.get("active") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        ..Change::default()
    };
    if let Some(page) = asks_first(&app, &by, id, change.role.as_deref(), change.active == Some(false)).await? {
        return Ok(see_other(&page, None));
    }
    let (asks, enders, now) = (by.clone(), app.enders, app.now());
    match app.write(move |conn| actions::update(conn, &asks, enders, id, change, now)).await {
        Ok(member) => {
            let name = &member.name;
            let flash = match form.get("active") {
                "yes" => Flash::new(format!("{name} can sign in again.")),
                _ => Flash::new(format!("{name} now has the role {}.", member.role)),
            };
            let back = local_path(form.get("back")).filter(|back| back.starts_with("/members")).unwrap_or("/members");
            web::go_on(&request, back, flash)
        }
        Err(error) => page(&request, &app, (&by, beside), Left::refused(web::refused(error)?, None)).await,
    }
}

impl ListPage<'_> {
    /// Whether a box of that name and value was ticked.
    fn ticked(&self, name: &str, id: &i64) -> bool {
        self.form.all(name).any(|value| value == id.to_string())
    }

    /// What an invitation gives besides the role: "in Planning team", "View in Sales".
    fn gives(&self, of: &Invitation) -> Vec<String> {
        let groups = of.groups.iter().map(|name| format!("in {name}"));
        groups.chain(self.beside.gives.get(&of.id).into_iter().flatten().cloned()).collect()
    }

    /// Whether something besides the role was chosen, or is wrong.
    fn chose(&self) -> bool {
        ["group", "view", "import_data", "configure"].iter().any(|name| self.form.has(name))
            || self.errors.of("groups").or(self.errors.of("access")).is_some()
    }

    /// "in 7 days"
    fn until(&self, at: &Moment) -> String {
        words::relative_in(*at, self.now, self.zone)
    }
}
