//! Groups: who is in each, where each is used; making, changing and deleting them.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{Named, Thing};
use crate::members::groups::{self, Draft, Group};
use crate::members::shell::shell;
use crate::members::{By, Member, SignedIn, actions, store};
use crate::web::{self, ConfirmPage, Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;

/// So many members of a group are named in the list.
const NAMED: usize = 4;

/// A group as the list shows it.
struct Row {
    id: i64,
    name: String,
    /// "Ada, Olive and 6 more"
    members: String,
}

#[derive(Template)]
#[template(path = "members/groups.html")]
struct GroupsPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    rows: Vec<Row>,
    members: Vec<Choice>,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "members/group.html")]
struct GroupPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    group: Group,
    members: Vec<Choice>,
    uses: Vec<Named>,
    may_change: bool,
}

/// A member who may be ticked.
struct Choice {
    id: i64,
    name: String,
    email: String,
    ticked: bool,
    active: bool,
}

/// Everybody who is active, and whoever is in the group already.
fn choices(members: Vec<Member>, within: &[i64], form: &Form) -> Vec<Choice> {
    let ticked: Vec<i64> = form.all("member").filter_map(|id| id.parse().ok()).collect();
    let choice = |member: Member| Choice {
        ticked: ticked.contains(&member.id),
        id: member.id,
        name: member.name,
        email: member.email,
        active: member.active,
    };
    let there = members.into_iter().filter(|member| member.active || within.contains(&member.id));
    let mut choices: Vec<Choice> = there.map(choice).collect();
    // Whoever is in it comes first; the others stay in their order.
    choices.sort_by_key(|choice| !choice.ticked);
    choices
}

/// "4 chosen"
fn chosen(members: &[Choice]) -> String {
    format!("{} chosen", words::count(members.iter().filter(|choice| choice.ticked).count() as i64))
}

impl GroupsPage<'_> {
    fn chosen(&self) -> String {
        chosen(&self.members)
    }
}

impl GroupPage<'_> {
    fn chosen(&self) -> String {
        chosen(&self.members)
    }
}

fn named(ids: &[i64], names: &HashMap<i64, String>) -> String {
    let mut known: Vec<&str> = ids.iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
    known.sort_unstable();
    let more = known.len().saturating_sub(NAMED);
    match (known.len(), more) {
        (0, _) => "No one".into(),
        (_, 0) => known.join(", "),
        _ => format!("{} and {} more", known[..NAMED].join(", "), words::count(more as i64)),
    }
}

/// `GET /groups`
pub async fn list_groups(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    groups_page(&request, &app, &by, (StatusCode::OK, FieldErrors::new()), &Form::default()).await
}

async fn groups_page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (status, errors): (StatusCode, FieldErrors),
    form: &Form,
) -> Result<HttpResponse> {
    let asks = by.clone();
    let (groups, members) = app.read(move |conn| Ok((groups::list(conn, &asks)?, store::all(conn)?))).await?;
    let names: HashMap<i64, String> = members.iter().map(|member| (member.id, member.name.clone())).collect();
    let row = |group: Group| Row { id: group.id, members: named(&group.member_ids, &names), name: group.name };
    let crumbs = [Crumb::to("Members", "/members"), Crumb::here("Groups")];
    let page = GroupsPage {
        shell: shell(request, app, by, "Groups").at("/members").crumbs(crumbs),
        errors,
        form,
        rows: groups.into_iter().map(row).collect(),
        members: choices(members, &[], form),
        may_change: by.member.is_administrator(),
    };
    Page::with(status, request, &page)
}

fn draft(form: &Form) -> Result<Draft, FieldErrors> {
    let member_ids = form.ids("member").map_err(|errors| FieldErrors::one("member_ids", errors.details()))?;
    Ok(Draft { name: form.get("name").to_owned(), member_ids })
}

/// `POST /groups`
pub async fn create_group(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let created = async {
        let (asks, draft, now) = (by.clone(), draft(&form)?, app.now());
        app.write(move |conn| groups::create(conn, &asks, &draft, now)).await
    };
    match created.await {
        Ok(group) => {
            let said = format!(
                "The group {} is created. Applications can give it access, and schedules can notify it.",
                group.name
            );
            Ok(see_other("/groups", Some(Flash::new(said))))
        }
        Err(error) => groups_page(&request, &app, &by, web::refused(error)?, &form).await,
    }
}

type Found = (Group, Vec<Member>, Vec<Named>);

fn load(conn: &mut Conn, app: &App, by: &By, id: i64) -> Result<Found> {
    let group = groups::find(conn, by, id)?;
    Ok((group, store::all(conn)?, app.in_use.all(conn, Thing::Group(id))?))
}

async fn group_page(
    request: &HttpRequest,
    app: &Data<App>,
    by: &By,
    id: i64,
    left: Option<((StatusCode, FieldErrors), &Form)>,
) -> Result<HttpResponse> {
    let (asks, looks) = (by.clone(), app.clone());
    let (group, members, uses) = app.read(move |conn| load(conn, &looks, &asks, id)).await?;
    let mut kept = Form(vec![("name".into(), group.name.clone()), ("version".into(), group.version.to_string())]);
    kept.0.extend(group.member_ids.iter().map(|id| ("member".to_owned(), id.to_string())));
    let ((status, errors), form) = left.unwrap_or(((StatusCode::OK, FieldErrors::new()), &kept));
    let crumbs = [Crumb::to("Members", "/members"), Crumb::to("Groups", "/groups"), Crumb::here(group.name.clone())];
    let page = GroupPage {
        shell: shell(request, app, by, group.name.clone()).at("/members").crumbs(crumbs),
        errors,
        members: choices(members, &group.member_ids, form),
        form,
        group,
        uses,
        may_change: by.member.is_administrator(),
    };
    Page::with(status, request, &page)
}

/// `GET /groups/{group}`
pub async fn show_group(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    group_page(&request, &app, &by, id.into_inner(), None).await
}

/// `POST /groups/{group}`
pub async fn save_group(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let id = id.into_inner();
    let saved = async {
        let (asks, draft, version, now) = (by.clone(), draft(&form)?, form.id("version"), app.now());
        app.write(move |conn| groups::change(conn, &asks, id, &draft, version, now)).await
    };
    match saved.await {
        Ok(group) => Ok(see_other("/groups", Some(Flash::new(format!("The group {} is saved.", group.name))))),
        Err(error) => {
            let asks = by.clone();
            let there = app.read(move |conn| groups::find(conn, &asks, id)).await?;
            let mut form = form;
            let error = web::overtaken(error, there.version, |version| form.set("version", version));
            let left = web::refused(error)?;
            group_page(&request, &app, &by, id, Some((left, &form))).await
        }
    }
}

async fn ask_to_delete(
    request: &HttpRequest,
    app: &Data<App>,
    by: &By,
    id: i64,
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (asks, looks) = (by.clone(), app.clone());
    let (group, _, uses) = app.read(move |conn| load(conn, &looks, &asks, id)).await?;
    let crumbs = [
        Crumb::to("Members", "/members"),
        Crumb::to("Groups", "/groups"),
        Crumb::to(&group.name, format!("/groups/{id}")),
        Crumb::here("Delete"),
    ];
    let page = ConfirmPage {
        shell: shell(request, app, by, "Delete group").at("/members").crumbs(crumbs),
        action: format!("/groups/{id}/delete"),
        back: format!("/groups/{id}"),
        question: format!("Delete the group {}?", group.name),
        what_stays: "Its members stay, with their own permissions.".into(),
        verb: "Delete group",
        uses,
        first: groups::FREES,
        refused: None,
    };
    page.answer(request, refusal)
}

/// `GET /groups/{group}/delete`
pub async fn delete_group_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    ask_to_delete(&request, &app, &by, id.into_inner(), None).await
}

/// `POST /groups/{group}/delete`
pub async fn delete_group(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    _: Form,
) -> Result<HttpResponse> {
    let (asks, id, now, in_use) = (by.clone(), id.into_inner(), app.now(), app.in_use);
    match app.write(move |conn| groups::delete(conn, in_use, &asks, id, None, now)).await {
        Ok(group) => Ok(see_other("/groups", Some(Flash::new(format!("The group {} is deleted.", group.name))))),
        Err(AppError::Conflict(words)) => {
            ask_to_delete(&request, &app, &by, id, Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}
