//! Inviting, and being invited.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::list::{FindBeside, Left, page};
use super::{let_in, lone_shell, origin, with_cookie};
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::invitations::{self, Accept, Invitation, Invite};
use crate::members::links::Way;
use crate::members::passwords::ADVICE;
use crate::members::{By, SignedIn, actions, known};
use crate::web::{self, Flash, Form, Page, Shell, csrf, see_other};
use crate::workspace;

/// `POST /members/invitations`: mailed, or the answer shows the link, this once. `also`: what a higher room keeps with it.
pub async fn invite(
    request: HttpRequest,
    app: Data<App>,
    by: By,
    form: Form,
    beside: FindBeside,
    also: impl FnOnce(&mut Conn, &Invitation) -> Result<()> + Send + 'static,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let invited = async {
        let group_ids = form.ids("group").map_err(|errors| FieldErrors::one("groups", errors.details()))?;
        let (email, name, role) = (form.get("email").into(), form.get("name").into(), form.get("role").into());
        invitations::invite(&app, &by, Invite { email, name, role, group_ids }, also).await
    };
    let invited = invited.await;
    answer(&request, &app, (&by, beside), &form, invited).await
}

/// `POST /members/invitations/{invited}/again`
pub async fn invite_again(
    request: HttpRequest,
    app: Data<App>,
    by: By,
    id: Path<i64>,
    form: Form,
    beside: FindBeside,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let invited = invitations::again(&app, &by, id.into_inner()).await;
    answer(&request, &app, (&by, beside), &form, invited).await
}

async fn answer(
    request: &HttpRequest,
    app: &Data<App>,
    by: (&By, FindBeside),
    form: &Form,
    invited: Result<(Invitation, Way)>,
) -> Result<HttpResponse> {
    let left = match invited {
        Ok((invitation, Way::Mailed)) => {
            let words = format!("An invitation is on its way to {}.", invitation.email);
            return Ok(see_other("/members", Some(Flash::new(words))));
        }
        Ok((invitation, Way::Shown { url, why })) => {
            Left { status: StatusCode::CREATED, link: Some((invitation.name, url, why)), ..Left::default() }
        }
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            Left { status, errors, form: Some(form), link: None }
        }
    };
    page(request, app, by, left).await
}

/// `POST /members/invitations/{invited}/revoke`
pub async fn revoke_invitation(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, _: Form) -> Result<HttpResponse> {
    let now = app.now();
    let ended = app.write(move |conn| invitations::revoke(conn, &by, id.into_inner(), now)).await?;
    let words = format!("The invitation of {} is revoked: its link no longer works.", ended.name);
    Ok(see_other("/members", Some(Flash::new(words))))
}

#[derive(Template)]
#[template(path = "members/invitation.html")]
struct InvitationPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    /// `None`: the link does not work.
    invitation: Option<Invitation>,
    workspace: String,
    name: &'a str,
    action: &'a str,
    /// Who is signed in in this browser.
    signed_in: Option<String>,
    advice: &'static str,
}

fn open(conn: &mut Conn, token: &str, now: Moment) -> Result<(Option<Invitation>, String)> {
    let invitation = match invitations::open(conn, token, now) {
        Ok(invitation) => Some(invitation),
        Err(AppError::NotFound) => None,
        Err(error) => return Err(error),
    };
    Ok((invitation, workspace::get(conn)?.name))
}

/// What a form left behind: the status, what is wrong, the name that was typed.
type Wrong<'a> = (StatusCode, FieldErrors, &'a str);

async fn invitation_page(
    request: &HttpRequest,
    app: &Data<App>,
    token: String,
    signed_in: Option<String>,
    wrong: Option<Wrong<'_>>,
) -> Result<HttpResponse> {
    let now = app.now();
    let (invitation, workspace) = app.read(move |conn| open(conn, &token, now)).await?;
    let found = if invitation.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let named = invitation.as_ref().map(|of| of.name.clone()).unwrap_or_default();
    let (status, errors, name) = wrong.unwrap_or((found, FieldErrors::new(), &named));
    let (shell, cookie) = lone_shell(request, app, "Invitation");
    let action = request.path();
    let page = InvitationPage { shell, errors, invitation, workspace, name, action, signed_in, advice: ADVICE };
    with_cookie(Page::with(status, request, &page)?, cookie)
}

/// `GET /invitations/{invitation}`
pub async fn invitation(
    request: HttpRequest,
    app: Data<App>,
    token: Path<String>,
    member: Result<SignedIn>,
) -> Result<HttpResponse> {
    let signed_in = member.ok().map(|SignedIn(by)| by.member.name);
    invitation_page(&request, &app, token.into_inner(), signed_in, None).await
}

/// `POST /invitations/{invitation}`: signed in from here on. `also`: what a higher room gives besides the role.
pub async fn accept(
    request: HttpRequest,
    app: Data<App>,
    token: Path<String>,
    form: Form,
    also: impl FnOnce(&mut Conn, &Invitation, &By, Moment) -> Result<()> + Send + 'static,
) -> Result<HttpResponse> {
    let token = token.into_inner();
    let accept = Accept {
        name: form.get("name").to_owned(),
        password: form.raw("password").to_owned(),
        from: origin(&request, &app),
        old: csrf::session_value(&request, app.secure()),
    };
    match invitations::accept(&app, token.clone(), accept, also).await {
        Ok(entered) => {
            let known = known::browser(&request, &app);
            let_in(see_other("/", Some(Flash::new("Welcome. You are signed in."))), &app, entered, known.as_ref())
        }
        Err(AppError::NotFound) => invitation_page(&request, &app, token, None, None).await,
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            invitation_page(&request, &app, token, None, Some((status, errors, form.get("name")))).await
        }
    }
}
