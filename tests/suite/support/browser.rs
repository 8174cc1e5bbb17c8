//! A browser without scripts: follows links, keeps cookies, fills forms by their labels and sends them as a browser
//! does. Whatever works here works for a person whose scripts did not load.

use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use scraper::{ElementRef, Html};
use tidegate::web::csrf;
use url::Url;

use super::html::{self, Change, Field, Place};

pub struct Browser {
    client: reqwest::Client,
    jar: Arc<Jar>,
    base: Url,
    who: &'static str,
    /// The page that is open.
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    changes: Vec<(Place, Change)>,
    scope: Option<Place>,
}

impl Browser {
    /// With the session cookie's value when somebody is signed in.
    pub fn new(at: &str, who: &'static str, session: Option<&str>) -> Self {
        let base = Url::parse(at).unwrap();
        let jar = Arc::new(Jar::default());
        if let Some(session) = session {
            jar.add_cookie_str(&format!("sid={session}; Path=/; HttpOnly"), &base);
        }
        let client = reqwest::Client::builder()
            .cookie_provider(jar.clone())
            .pool_max_idle_per_host(0) // so that the server stops at once
            .no_proxy()
            .build()
            .unwrap();
        let url = base.clone();
        let (body, headers) = (String::new(), HeaderMap::new());
        Self { client, jar, base, who, url, status: 0, headers, body, changes: Vec::new(), scope: None }
    }

    /// Opens an address, which must answer 200.
    pub async fn visit(&mut self, path: &str) -> &mut Self {
        self.open(path).await;
        assert_eq!(self.status, 200, "{} opens {path}: {}", self.who, self.text());
        self
    }

    /// Opens an address whatever it answers; says the status.
    pub async fn open(&mut self, path: &str) -> u16 {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        self.take(answer).await;
        self.status
    }

    /// Follows the link of this name.
    pub async fn follow(&mut self, link: &str) -> &mut Self {
        let page = self.page();
        let found = html::named(&page, html::select(self.within_scope(&page), "a[href]"), link);
        let to = found.value().attr("href").unwrap().to_owned();
        drop(page);
        self.visit(&to).await
    }

    /// Types into the control of this label.
    #[track_caller]
    pub fn fill(&mut self, label: &str, text: &str) -> &mut Self {
        let css = "input:not([type=hidden], [type=checkbox], [type=radio], [type=file], [type=submit]), textarea";
        self.change(css, label, Change::Value(text.to_owned()))
    }

    #[track_caller]
    pub fn tick(&mut self, label: &str) -> &mut Self {
        self.change("input[type=checkbox]", label, Change::Checked(true))
    }

    #[track_caller]
    pub fn untick(&mut self, label: &str) -> &mut Self {
        self.change("input[type=checkbox]", label, Change::Checked(false))
    }

    /// Chooses an option of the list of this label, or the radio button of the group of this legend.
    #[track_caller]
    pub fn choose(&mut self, label: &str, option: &str) -> &mut Self {
        self.choose_all(label, &[option])
    }

    /// Chooses exactly these options.
    #[track_caller]
    pub fn choose_all(&mut self, label: &str, options: &[&str]) -> &mut Self {
        let page = self.page();
        let scope = self.within_scope(&page);
        let legends = html::select(scope, "fieldset > legend").into_iter().filter(|l| html::text(*l) == label);
        let fieldset = legends.filter_map(|legend| ElementRef::wrap(legend.parent()?)).next();
        let named = |group: &ElementRef<'_>| html::names(&page, *group).iter().any(|name| name == label);
        let groups = || html::select(scope, "[role=radiogroup]").into_iter().find(named);
        if let Some(group) = fieldset.or_else(groups) {
            let radios = html::select(group, "input[type=radio]");
            if !radios.is_empty() {
                let radio = html::named(&page, radios.clone(), options[0]);
                for other in radios {
                    self.changes.push((html::place(&page, other), Change::Checked(other == radio)));
                }
                return self;
            }
        }
        let list = html::named(&page, html::select(scope, "select"), label);
        let there: Vec<_> = html::select(list, "option").into_iter().map(html::option_text).collect();
        for option in options {
            assert!(there.iter().any(|o| o == option), "\"{label}\" has no option \"{option}\": {there:?}");
        }
        let options = options.iter().map(|o| (*o).to_owned()).collect();
        self.changes.push((html::place(&page, list), Change::Options(options)));
        self
    }

    #[track_caller]
    pub fn attach(&mut self, label: &str, name: &str, content: impl Into<Vec<u8>>) -> &mut Self {
        self.change("input[type=file]", label, Change::File { name: name.to_owned(), content: content.into() })
    }

    /// Presses a button and arrives where it leads.
    pub async fn press(&mut self, button: &str) -> &mut Self {
        let submission = {
            let page = self.page();
            let buttons = html::select(self.within_scope(&page), "button, input[type=submit]");
            let button = html::named(&page, buttons, button);
            assert!(!html::is_disabled(button), "the button is disabled");
            assert_ne!(button.value().attr("type"), Some("button"), "this button needs scripts");
            html::submission(&page, button, &self.changes)
        };
        let mut to = self.url.join(submission.action.as_deref().unwrap_or_default()).unwrap();
        let request = if !submission.post {
            to.query_pairs_mut().clear().extend_pairs(texts(&submission.fields));
            self.request(Method::GET, to.as_str())
        } else if submission.multipart {
            self.request(Method::POST, to.as_str()).multipart(parts(submission.fields))
        } else {
            self.request(Method::POST, to.as_str()).form(&texts(&submission.fields))
        };
        let answer = request.header("Origin", self.base.origin().ascii_serialization()).send().await.unwrap();
        self.take(answer).await;
        assert!(self.status < 500, "{} presses {button}: {} {}", self.who, self.status, self.text());
        self
    }

    /// From here to the next page only this part counts, by CSS.
    #[track_caller]
    pub fn within(&mut self, css: &str) -> &mut Self {
        let page = self.page();
        let found = html::select(page.root_element(), css);
        assert_eq!(found.len(), 1, "{css} names {} parts of {}", found.len(), self.url);
        self.scope = Some(html::place(&page, found[0]));
        self
    }

    /// From here to the next page only the row (or list item, or card) that says this counts.
    #[track_caller]
    pub fn in_row(&mut self, text: &str) -> &mut Self {
        let page = self.page();
        let rows = html::select(page.root_element(), "tr, li, article, [role=row], .card");
        let found: Vec<_> = rows.into_iter().filter(|row| html::text(*row).contains(text)).collect();
        // The innermost ones: those that hold no other.
        let inner = |row: &&ElementRef<'_>| !found.iter().any(|o| o.ancestors().any(|a| a.id() == row.id()));
        let inner: Vec<_> = found.iter().filter(inner).collect();
        assert_eq!(inner.len(), 1, "{} rows say \"{text}\": {}", inner.len(), self.text());
        self.scope = Some(html::place(&page, *inner[0]));
        self
    }

    /// Back to the whole page.
    pub fn everywhere(&mut self) -> &mut Self {
        self.scope = None;
        self
    }

    /// The text of the page, or of the part that counts.
    pub fn text(&self) -> String {
        let page = self.page();
        html::text(self.within_scope(&page))
    }

    #[track_caller]
    pub fn sees(&self, text: &str) -> &Self {
        assert!(self.has(text), "{} does not see \"{text}\" at {}: {}", self.who, self.url, self.text());
        self
    }

    #[track_caller]
    pub fn sees_no(&self, text: &str) -> &Self {
        assert!(!self.has(text), "{} sees \"{text}\" at {}: {}", self.who, self.url, self.text());
        self
    }

    pub fn has(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    #[track_caller]
    pub fn answered(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{} at {}: {}", self.who, self.url, self.text());
        self
    }

    /// What the form would send now for the control of this label.
    #[track_caller]
    pub fn value(&self, label: &str) -> String {
        let page = self.page();
        let controls = html::select(self.within_scope(&page), "input:not([type=hidden]), select, textarea");
        let control = html::named(&page, controls, label);
        let form = html::form_of(&page, control).unwrap();
        let button = html::select(form, "button, input[type=submit]")[0];
        let name = control.value().attr("name").unwrap_or_default().to_owned();
        let fields = html::submission(&page, button, &self.changes).fields;
        texts(&fields).into_iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_owned()).unwrap_or_default()
    }

    /// How many elements of the part that counts match.
    pub fn count(&self, css: &str) -> usize {
        let page = self.page();
        html::select(self.within_scope(&page), css).len()
    }

    /// Path and query of the open page.
    pub fn path(&self) -> String {
        self.url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }

    /// What htmx would ask for; the page that is open stays.
    pub async fn htmx(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).header("HX-Request", "true").send().await.unwrap()).await
    }

    /// What htmx would post.
    pub async fn htmx_post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("HX-Request", "true");
        Answer::of(request.header(csrf::HEADER, self.token()).form(fields).send().await.unwrap()).await
    }

    /// A form post with the right token, made by hand: for what no page offers. Where a file is taken, without one.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token();
        if path.ends_with("/files") {
            let form = Form::new().text(csrf::FIELD, token);
            let form = fields.iter().fold(form, |form, (n, v)| form.text((*n).to_owned(), (*v).to_owned()));
            return self.answer(self.request(Method::POST, path).multipart(form)).await;
        }
        let mut all = vec![(csrf::FIELD, token.as_str())];
        all.extend_from_slice(fields);
        self.answer(self.request(Method::POST, path).form(&all)).await
    }

    /// An address's answer, while the open page stays.
    pub async fn get(&self, path: &str) -> Answer {
        self.answer(self.request(Method::GET, path)).await
    }

    async fn answer(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let asked = request.url().clone();
        let answer = Answer::of(self.client.execute(request).await.unwrap()).await;
        Answer { redirected: answer.url != asked, ..answer }
    }

    /// A request with this browser's cookies, as one that begins on our own pages.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("Sec-Fetch-Site", "same-origin")
    }

    /// The same without saying where it begins.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.base.join(path).unwrap())
    }

    /// The session cookie's value.
    pub fn session(&self) -> Option<String> {
        self.cookie("sid")
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.jar.cookies(&self.base)?;
        let cookies = cookies.to_str().unwrap().to_owned();
        cookies.split("; ").find_map(|c| c.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    }

    /// The token of this session's forms.
    pub fn token(&self) -> String {
        self.session().map(|session| csrf::token_for(&session)).unwrap_or_default()
    }

    pub fn page(&self) -> Html {
        Html::parse_document(&self.body)
    }

    fn within_scope<'a>(&self, page: &'a Html) -> ElementRef<'a> {
        match self.scope {
            Some(place) => html::at(page, place),
            None => html::select(page.root_element(), "body").first().copied().unwrap_or(page.root_element()),
        }
    }

    #[track_caller]
    fn change(&mut self, css: &str, label: &str, change: Change) -> &mut Self {
        let page = self.page();
        let control = html::named(&page, html::select(self.within_scope(&page), css), label);
        self.changes.push((html::place(&page, control), change));
        self
    }

    async fn take(&mut self, answer: Response) {
        self.status = answer.status().as_u16();
        self.url = answer.url().clone();
        self.headers = answer.headers().clone();
        self.body = answer.text().await.unwrap();
        self.changes.clear();
        self.scope = None;
    }
}

/// An answer that was not opened as a page.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Where it came from in the end.
    pub url: Url,
    pub redirected: bool,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers, url) = (response.status().as_u16(), response.headers().clone(), response.url().clone());
        Self { status, url, redirected: false, headers, body: response.text().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        html::text(Html::parse_document(&self.body).root_element())
    }
}

fn texts(fields: &[Field]) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|field| match field {
            Field::Text(name, value) => (name.as_str(), value.as_str()),
            // Without multipart a browser sends a file's name alone.
            Field::File { field, name, .. } => (field.as_str(), name.as_str()),
        })
        .collect()
}

fn parts(fields: Vec<Field>) -> Form {
    fields.into_iter().fold(Form::new(), |form, field| match field {
        Field::Text(name, value) => form.text(name, value),
        Field::File { field, name, content } => form.part(field, Part::bytes(content).file_name(name)),
    })
}
