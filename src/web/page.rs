//! The shell around every page, and how a template becomes an answer.

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::flash::Flash;
use super::{assets, csrf};
use crate::app::App;
use crate::error::AppError;

/// The name of a symbol in `static/icons.svg`.
pub type Icon = &'static str;

/// The symbol of an icon as HTML: `{{ crate::web::icon("bell") }}`. Decoration only; the word stands beside it.
pub fn icon(name: Icon) -> IconHtml {
    IconHtml(name)
}

pub struct IconHtml(Icon);

impl std::fmt::Display for IconHtml {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, version) = (self.0, assets::version());
        write!(f, r#"<svg class="i" aria-hidden="true"><use href="/static/icons.svg?v={version}#{name}"></use></svg>"#)
    }
}

// The name is one of ours, never data.
impl askama::filters::HtmlSafe for IconHtml {}

/// A link of the sidebar.
#[derive(Clone, Debug)]
pub struct NavItem {
    pub label: &'static str,
    pub href: String,
    pub icon: Icon,
    pub current: bool,
}

/// A step of the breadcrumb; the last one has no address.
#[derive(Clone, Debug)]
pub struct Crumb {
    pub label: String,
    pub href: Option<String>,
}

impl Crumb {
    pub fn to(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: Some(href.into()) }
    }

    pub fn here(label: impl Into<String>) -> Self {
        Self { label: label.into(), href: None }
    }
}

/// The Application that a page belongs to, as the sidebar shows it.
#[derive(Clone, Debug)]
pub struct ApplicationBox {
    pub name: String,
    pub mark: String,
    pub href: String,
    /// The … menu.
    pub menu: Vec<NavItem>,
}

/// What stands around a page. Rooms fill it; the template `web/shell.html` draws it.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Of the window: "Import Scheduling - FP&A 2026".
    pub title: String,
    /// Who is signed in; `None` on the pages before that.
    pub member: Option<String>,
    pub application: Option<ApplicationBox>,
    pub nav_title: &'static str,
    pub nav: Vec<NavItem>,
    /// The pages of the Workspace, below those of an Application.
    pub workspace: Vec<NavItem>,
    /// "light" or "dark"; `None`: as the device.
    pub theme: Option<&'static str>,
    /// Single keys are no shortcuts for this member.
    pub keys_off: bool,
    /// The Workspace stands by, and this member can end that.
    pub standing_by: bool,
    pub crumbs: Vec<Crumb>,
    pub csrf: String,
    pub flash: Option<Flash>,
    pub assets: &'static str,
}

impl Shell {
    /// A shell for this request; the room adds member, Application and navigation.
    pub fn new(request: &HttpRequest, app: &App, title: impl Into<String>) -> Self {
        let secure = app.base_url.scheme() == "https";
        let csrf = csrf::session_value(request, secure).map(|v| csrf::token_for(&v)).unwrap_or_default();
        Self { title: title.into(), csrf, flash: Flash::of(request), assets: assets::version(), ..Self::default() }
    }

    /// The one rule of the breadcrumb: the Workspace, the Application that the page belongs to, then `below`, which
    /// begins with the page's entry in the sidebar and ends with the page itself.
    pub fn crumbs(mut self, below: impl IntoIterator<Item = Crumb>) -> Self {
        let application = self.application.as_ref().map(|a| Crumb::to(&a.name, &a.href));
        self.crumbs = std::iter::once(Crumb::to("Workspace", "/")).chain(application).chain(below).collect();
        if let Some(here) = self.crumbs.last_mut() {
            here.href = None;
        }
        self
    }

    /// Marks the sidebar's entry with this address as the current page.
    pub fn at(mut self, href: &str) -> Self {
        for item in &mut self.nav {
            item.current = item.href == href;
        }
        self
    }

    /// What the … menu has besides the sidebar's list, for the menu that shows both.
    pub fn besides(&self) -> Vec<&NavItem> {
        let menu = self.application.iter().flat_map(|a| &a.menu);
        menu.filter(|item| self.nav.iter().all(|other| other.href != item.href)).collect()
    }

    pub fn initials(&self) -> String {
        self.member.as_deref().map(initials).unwrap_or_default()
    }
}

/// "MR" of "Maya Rossi", "F" of "FP&A 2027": letters, and a digit only of a name that has none.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphabetic()));
    let first = words.next().or_else(|| name.chars().find(|c| c.is_alphanumeric()));
    first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
}

/// How a page is answered.
pub struct Page;

impl Page {
    /// 200 with the page, or 422 where a form comes back with its errors.
    pub fn with(status: StatusCode, request: &HttpRequest, template: &impl Template) -> Result<HttpResponse, AppError> {
        let html = render(template)?;
        let mut response = HttpResponse::build(status);
        response.content_type(ContentType::html());
        if Flash::of(request).is_some() && !is_fragment(request) {
            response.cookie(Flash::gone());
        }
        Ok(response.body(html))
    }

    pub fn ok(request: &HttpRequest, template: &impl Template) -> Result<HttpResponse, AppError> {
        Self::with(StatusCode::OK, request, template)
    }
}

pub fn render(template: &impl Template) -> Result<String, AppError> {
    template.render().map_err(AppError::internal)
}

/// Whether htmx asks for a part of a page.
pub fn is_fragment(request: &HttpRequest) -> bool {
    request.headers().get("HX-Request").is_some_and(|v| v == "true")
}

/// On to another page, with a message.
pub fn see_other(to: &str, flash: Option<Flash>) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, to));
    if let Some(flash) = flash {
        response.cookie(flash.cookie());
    }
    response.finish()
}

/// The same for whoever may have asked by htmx, which then loads the page.
pub fn go_on(request: &HttpRequest, to: &str, flash: Flash) -> Result<HttpResponse, AppError> {
    moved(request, to, Some(flash))
}

/// The same without a word.
pub fn leads_to(request: &HttpRequest, to: &str) -> Result<HttpResponse, AppError> {
    moved(request, to, None)
}

fn moved(request: &HttpRequest, to: &str, flash: Option<Flash>) -> Result<HttpResponse, AppError> {
    let mut response = see_other(to, flash);
    if is_fragment(request) {
        *response.status_mut() = StatusCode::OK;
        let value = HeaderValue::from_str(to).map_err(AppError::internal)?;
        response.headers_mut().remove(LOCATION);
        response.headers_mut().insert(HeaderName::from_static("hx-redirect"), value);
    }
    Ok(response)
}

/// The id of a field's control: "source.path" is "source-path", since a point in an id means something else in CSS, and
/// "2.day" is "n2-day", since an id begins with a letter.
pub fn control_id(field: &str) -> String {
    let letter = if field.starts_with(|c: char| c.is_ascii_digit()) { "n" } else { "" };
    format!("{letter}{}", field.replace('.', "-"))
}

/// Percent-encodes a text for a query string.
pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_a_letter_and_has_no_point() {
        assert_eq!(control_id("source.path"), "source-path");
        assert_eq!(control_id("2.parameters.day"), "n2-parameters-day");
    }

    #[test]
    fn initials_are_letters() {
        assert_eq!(initials("Maya Rossi"), "MR");
        assert_eq!(initials("Gil (Payroll) 2"), "GP");
        assert_eq!(initials("FP&A 2027"), "F");
        assert_eq!(initials("(2027) élan"), "É");
        assert_eq!(initials("2027 (12)"), "2");
    }

    #[test]
    fn every_breadcrumb_begins_with_the_workspace_and_ends_without_a_link() {
        let said = |shell: Shell| -> Vec<(String, Option<String>)> {
            shell.crumbs.into_iter().map(|crumb| (crumb.label, crumb.href)).collect()
        };
        let lone = Shell::default().crumbs([Crumb::here("Members")]);
        assert_eq!(said(lone), [("Workspace".into(), Some("/".into())), ("Members".into(), None)]);
        let a = ApplicationBox { name: "FP&A".into(), mark: "F".into(), href: "/applications/1".into(), menu: vec![] };
        let inside = Shell { application: Some(a), ..Shell::default() };
        let home = said(inside.clone().crumbs([]));
        assert_eq!(home, [("Workspace".into(), Some("/".into())), ("FP&A".into(), None)]);
        let deep = said(inside.crumbs([Crumb::to("Blocks", "/b"), Crumb::here("Sales")]));
        assert_eq!(
            deep[1..],
            [
                ("FP&A".into(), Some("/applications/1".into())),
                ("Blocks".into(), Some("/b".into())),
                ("Sales".into(), None)
            ]
        );
    }
}
