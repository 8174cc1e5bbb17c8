//! To a provider of OpenID Connect and back. Both ways are taken by GET: the first writes nothing but a cookie and that
//! it was taken, and the second is how OpenID Connect leads back; it does nothing without that cookie, and once only.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::door::{page, turned_away, waits};
use super::{go_in, knock};
use crate::app::App;
use crate::error::{AppError, Result};
use crate::members::elsewhere::{self, Returned};
use crate::members::known;
use crate::members::throttle::Who;
use crate::web::form::Query;
use crate::web::{client_address, local_path, see_other};

/// `GET /sign-in/elsewhere?next=`
pub async fn go_elsewhere(request: HttpRequest, app: Data<App>, query: Query) -> Result<HttpResponse> {
    let next = local_path(query.get("next")).unwrap_or("/");
    // Another site sends nobody on their way.
    let site = request.headers().get("Sec-Fetch-Site");
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Ok(see_other("/sign-in", None));
    }
    let who = Who::elsewhere(client_address(&request, &app.config), known::browser(&request, &app).as_ref());
    match elsewhere::begin(&app, next, who).await {
        Ok(journey) => {
            let mut response = see_other(journey.to.as_str(), None);
            response.add_cookie(&elsewhere::COOKIE.with(&app, Some(journey.cookie))).map_err(AppError::internal)?;
            Ok(response)
        }
        Err(error) => refused(&request, &app, error, next).await,
    }
}

/// `GET /sign-in/elsewhere/return?code=&state=&iss=`
pub async fn return_from_elsewhere(request: HttpRequest, app: Data<App>, query: Query) -> Result<HttpResponse> {
    let returned = Returned {
        state: query.get("state"),
        code: query.get("code"),
        error: query.get("error"),
        issuer: query.get("iss"),
    };
    let known = known::browser(&request, &app);
    let cookie = elsewhere::COOKIE.value(&request, &app);
    let mut response = match elsewhere::finish(&app, cookie, returned, knock(&request, &app)).await {
        Ok((opened, next)) => go_in(&app, opened, known.as_ref(), local_path(&next).unwrap_or("/"))?,
        Err(error) => return refused(&request, &app, error, "/").await,
    };
    response.add_cookie(&elsewhere::COOKIE.with(&app, None)).map_err(AppError::internal)?;
    Ok(response)
}

/// The sign-in page with what went wrong; where nothing is set up, as it is.
async fn refused(request: &HttpRequest, app: &App, error: AppError, next: &str) -> Result<HttpResponse> {
    if matches!(error, AppError::NotFound) {
        return Ok(see_other("/sign-in", None));
    }
    let (status, errors, seconds) = turned_away(error)?;
    Ok(waits(page(request, app, status, errors, "", next).await?, seconds))
}
