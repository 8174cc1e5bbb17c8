//! The list of members and invitations, with what an invitation gives in Applications: kept when somebody is invited,
//! given when they accept. All else of these pages is of the room of members.

use std::collections::{BTreeMap, HashMap};

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::applications::{Grants, invited, store};
use crate::db::Conn;
use crate::error::Result;
use crate::members::invitations::Invitation;
use crate::members::pages::{self, Beside};
use crate::members::{Member, SignedIn};
use crate::web::Form;

fn beside(conn: &mut Conn) -> Result<Beside> {
    let mut gives: HashMap<i64, Vec<String>> = HashMap::new();
    for (invitation, application, grants) in invited::all(conn)? {
        let words = grants.words().map(|words| format!("{words} in {application}"));
        gives.entry(invitation).or_default().extend(words);
    }
    let applications = store::all(conn)?.into_iter().map(|application| (application.id, application.name)).collect();
    Ok(Beside { applications, gives })
}

/// `GET /members?q=&sort=&page=`
pub async fn members(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    pages::list(request, app, by, beside).await
}

/// `POST /members`
pub async fn add_member(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    let (wanted, asks, now) = (wanted(&form), by.clone(), app.now());
    let give = move |conn: &mut Conn, member: &Member| invited::give_now(conn, &asks, member, &wanted, now);
    pages::add(request, app, by, form, beside, give).await
}

/// `POST /members/{m}/switch`
pub async fn switch_member(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    pages::switch(request, app, by, id, form, beside).await
}

/// What was ticked, by Application: the boxes carry its id.
fn wanted(form: &Form) -> BTreeMap<i64, Grants> {
    let mut wanted: BTreeMap<i64, Grants> = BTreeMap::new();
    for (name, grants) in [
        ("view", Grants { view: true, ..Grants::default() }),
        ("import_data", Grants { view: true, import_data: true, configure: false }),
        ("configure", Grants { view: true, import_data: false, configure: true }),
    ] {
        for id in form.all(name).filter_map(|id| id.parse().ok()) {
            let one = wanted.entry(id).or_default();
            *one = one.with(grants);
        }
    }
    wanted
}

/// `POST /members/invitations`. Enter presses the first button of the form, whichever way was chosen in it.
pub async fn invite(request: HttpRequest, app: Data<App>, by: SignedIn, form: Form) -> Result<HttpResponse> {
    if form.get("way") == "password" {
        return add_member(request, app, by, form).await;
    }
    let SignedIn(by) = by;
    let (wanted, asks, now) = (wanted(&form), by.clone(), app.now());
    let keep = move |conn: &mut Conn, invitation: &Invitation| invited::keep(conn, &asks, invitation, &wanted, now);
    pages::invite(request, app, by, form, beside, keep).await
}

/// `POST /members/invitations/{invited}/again`
pub async fn invite_again(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    pages::invite_again(request, app, by, id, form, beside).await
}

/// `POST /invitations/{invitation}`
pub async fn accept(request: HttpRequest, app: Data<App>, token: Path<String>, form: Form) -> Result<HttpResponse> {
    pages::accept(request, app, token, form, invited::give).await
}
