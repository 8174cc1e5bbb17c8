//! A new set, and one that is there. Its steps are moved, removed and added by buttons of the form, which comes back with
//! all that was typed; scripts do the same without asking the server, and by the pointer.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::typed::{Edited, Typed, at_controls};
use super::{Place, find, find_to_change, list_of, shell_of};
use crate::app::App;
use crate::error::{AppError, FieldErrors, Result};
use crate::import_sets::telling::says;
use crate::import_sets::{Execution, ImportSet, OnFailure, Step, actions};
use crate::imports::{ConfigurationStatus, Outline};
use crate::members::{By, SignedIn};
use crate::parameters::{Parameter, mask, shown};
use crate::web::{Flash, Form, Page, Shell, is_fragment, overtaken, refused, see_other};
use crate::words::counted;

#[derive(Template)]
#[template(path = "import_sets/edit.html")]
struct EditPage {
    shell: Shell,
    title: String,
    action: String,
    list: String,
    /// The set's own address; none while it is being made.
    here: Option<String>,
    /// Where it is scheduled, for who may.
    schedule: Option<String>,
    /// For who may not change it: who can.
    read_only: Option<String>,
    /// Word, class, icon, run.
    status: Option<(&'static str, &'static str, &'static str, Option<i64>)>,
    errors: FieldErrors,
    typed: Typed,
    part: StepsPart,
    /// What a button did.
    said: String,
    says: Says,
    executions: &'static [Execution],
    failures: &'static [OnFailure],
}

/// The steps, and where one is added.
#[derive(Template)]
#[template(path = "import_sets/steps.html")]
struct StepsPart {
    action: String,
    /// The list of the configurations.
    configurations: String,
    errors: FieldErrors,
    rows: Vec<StepRow>,
    /// What can be added: id and words.
    choices: Vec<(String, String)>,
    /// The focus goes to where a step is added.
    focus_add: bool,
}

/// The answer where scripts ask for one more step.
#[derive(Template)]
#[template(path = "import_sets/added.html")]
struct Added {
    part: StepsPart,
    said: String,
    says: Says,
}

struct StepRow {
    configuration_id: i64,
    what: What,
    parameters: Option<String>,
    partial_fails: bool,
    /// Which of its buttons has the focus, of what was pressed.
    focus: Option<&'static str>,
    moved: bool,
}

/// What a step runs, and what is wrong with it.
#[derive(Template)]
#[template(path = "import_sets/step.html")]
struct What {
    /// Not one that is gone.
    known: bool,
    name: String,
    href: String,
    block: String,
    /// Word, class, icon.
    status: Option<(&'static str, &'static str, &'static str)>,
    /// What it goes with, in words; and where that is changed, of a step that was saved here.
    values: Option<(String, Option<String>)>,
    wrong: Option<String>,
}

/// What the set does, in sentences.
#[derive(Template)]
#[template(path = "import_sets/says.html")]
struct Says {
    says: Vec<String>,
}

// Rendered by templates, so escaped already.
impl HtmlSafe for StepsPart {}
impl HtmlSafe for What {}
impl HtmlSafe for Says {}

/// How the form is shown.
#[derive(Default)]
struct Shown {
    status: StatusCode,
    errors: FieldErrors,
    edited: Option<Edited>,
}

impl Place {
    fn outline(&self, id: i64) -> Option<&Outline> {
        self.outlines.iter().find(|outline| outline.id == id)
    }

    fn called(&self, id: i64) -> &str {
        self.outline(id).map_or("a step", |outline| &outline.name)
    }

    fn says(&self, typed: &Typed) -> Says {
        let block = |id: i64| self.outline(id).map_or("", |outline| outline.block_name.as_str());
        let blocks: Vec<&str> = typed.steps.iter().map(|step| block(step.configuration_id)).collect();
        Says { says: says(&typed.definition(), &blocks) }
    }

    /// "day: yesterday; File: sales.csv", of a step that asks for something.
    fn values(&self, at: usize, step: &Step) -> Option<(String, Option<String>)> {
        let asks = self.asks.get(&step.configuration_id)?;
        let masked = step.parameters.as_ref().map(mask);
        let said = |parameter: &Parameter| {
            let value = masked.as_ref()?.get(&parameter.name)?;
            let text = match value.as_i64().filter(|_| parameter.is_file) {
                Some(id) => self.files.iter().find(|kept| kept.id == id)?.name.clone(),
                None => shown(value),
            };
            Some(format!("{}: {text}", parameter.label()))
        };
        let given: Vec<String> = asks.iter().filter_map(said).collect();
        let (set, definition) = self.found.as_ref()?;
        let there = definition.steps.get(at).is_some_and(|saved| saved.configuration_id == step.configuration_id);
        let list = list_of(set.application_id);
        let href = there.then(|| format!("{list}/{}/steps/{}", set.id, at + 1));
        let words = if given.is_empty() { "No values of its own".to_owned() } else { given.join("; ") };
        Some((words, href.filter(|_| self.entered.may_configure())))
    }

    fn rows(&self, typed: &Typed, shown: &Shown, configurations: &str) -> Vec<StepRow> {
        let (edited, last) = (shown.edited, typed.steps.len().saturating_sub(1));
        let focus = |at: usize| match edited? {
            Edited::Moved { at: to, up } if at == to => Some(if (up && at > 0) || at == last { "up" } else { "down" }),
            // The next one, which stands there now.
            Edited::Removed { at: gone, .. } if at == gone.min(last) => Some("remove"),
            _ => None,
        };
        let what = |at: usize, step: &Step| {
            let id = step.configuration_id;
            let outline = self.outline(id);
            What {
                known: outline.is_some(),
                name: outline.map_or("No import configuration", |outline| &outline.name).to_owned(),
                href: format!("{configurations}/{id}"),
                block: outline.map(|outline| outline.block_name.clone()).unwrap_or_default(),
                status: outline.and_then(|outline| outline.status).map(ConfigurationStatus::chip),
                values: self.values(at, step),
                wrong: shown.errors.of(&format!("step-{at}")).map(str::to_owned),
            }
        };
        let row = |(at, step): (usize, &Step)| StepRow {
            configuration_id: step.configuration_id,
            what: what(at, step),
            parameters: step.parameters.as_ref().map(|values| mask(values).to_string()),
            partial_fails: step.partial_fails,
            focus: focus(at),
            moved: matches!(edited, Some(Edited::Moved { at: to, .. }) if to == at),
        };
        typed.steps.iter().enumerate().map(row).collect()
    }

    fn steps_part(&self, typed: &Typed, shown: &Shown, action: String) -> StepsPart {
        let configurations = format!("/applications/{}/settings/import-configurations", self.entered.application.id);
        let words = |outline: &Outline| format!("{} (fills {})", outline.name, outline.block_name);
        StepsPart {
            action,
            errors: shown.errors.clone(),
            rows: self.rows(typed, shown, &configurations),
            configurations,
            choices: self.outlines.iter().map(|outline| (outline.id.to_string(), words(outline))).collect(),
            focus_add: match shown.edited {
                Some(Edited::Removed { .. }) => typed.steps.is_empty(),
                edited => edited == Some(Edited::Added),
            },
        }
    }

    /// What a button did, in words.
    fn said(&self, typed: &Typed, edited: Edited) -> String {
        let steps = typed.steps.len();
        let at = |at: usize| {
            let name = typed.steps.get(at).map_or("", |step| self.called(step.configuration_id));
            format!("Step {} of {steps}: {name}", at + 1)
        };
        match edited {
            Edited::Moved { at: to, .. } => at(to),
            Edited::Added => at(steps.saturating_sub(1)),
            Edited::Removed { configuration_id, .. } => {
                let left = counted(i64::try_from(steps).unwrap_or(i64::MAX), "step", "steps");
                format!("Removed {}. {left}", self.called(configuration_id))
            }
        }
    }
}

async fn answer(
    request: &HttpRequest,
    app: &App,
    by: &By,
    place: &Place,
    (typed, mut shown): (Typed, Shown),
) -> Result<HttpResponse> {
    shown.errors = at_controls(shown.errors);
    let list = list_of(place.entered.application.id);
    let set = place.found.as_ref().map(|(set, _)| set);
    let here = set.map(|set| format!("{list}/{}", set.id));
    let action = here.clone().unwrap_or_else(|| format!("{list}/new"));
    let (mut part, says) = (place.steps_part(&typed, &shown, action.clone()), place.says(&typed));
    let said = shown.edited.map(|edited| place.said(&typed, edited)).unwrap_or_default();
    if is_fragment(request) {
        part.focus_add = true;
        return Page::with(shown.status, request, &Added { part, said, says });
    }
    let (asks, there) = (by.clone(), place.entered.clone());
    let read_only = app
        .read(move |conn| match there.need_configure(conn, &asks) {
            Ok(()) => Ok(None),
            Err(AppError::Forbidden(words)) => Ok(Some(words)),
            Err(error) => Err(error),
        })
        .await?;
    let title = set.map_or("New import set", |set| &set.name);
    let template = EditPage {
        shell: shell_of(request, app, by, &place.entered, Some(title)),
        title: title.to_owned(),
        action,
        list,
        here,
        schedule: set
            .filter(|_| place.entered.may_import())
            .map(|set| format!("/applications/{}/schedules/new?set={}", set.application_id, set.id)),
        read_only,
        status: set.and_then(|set| {
            let (word, class, icon) = set.status?.chip();
            Some((word, class, icon, set.status_run_id))
        }),
        said,
        errors: shown.errors,
        typed,
        part,
        says,
        executions: Execution::ALL,
        failures: OnFailure::ALL,
    };
    Page::with(shown.status, request, &template)
}

/// `GET {A}/settings/import-sets/new`
pub async fn new_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let place = find_to_change(&app, &by, *id, None).await?;
    answer(&request, &app, &by, &place, (Typed::blank(), Shown::default())).await
}

/// `POST {A}/settings/import-sets/new`
pub async fn create(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let place = find_to_change(&app, &by, *id, None).await?;
    save(&request, &app, &by, &place, &form).await
}

/// `GET {A}/settings/import-sets/{set}`
pub async fn edit_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = find(&app, &by, ids.0, Some(ids.1)).await?;
    let (set, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let typed = Typed::of(set, definition);
    answer(&request, &app, &by, &place, (typed, Shown::default())).await
}

/// `POST {A}/settings/import-sets/{set}`
pub async fn update(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let place = find_to_change(&app, &by, ids.0, Some(ids.1)).await?;
    save(&request, &app, &by, &place, &form).await
}

/// Saves the form, or does to the steps in it what one of its buttons says.
async fn save(request: &HttpRequest, app: &App, by: &By, place: &Place, form: &Form) -> Result<HttpResponse> {
    let mut typed = Typed::read(form);
    let addable: Vec<i64> = place.outlines.iter().map(|outline| outline.id).collect();
    match typed.edit(form, &addable) {
        Some(Ok(edited)) => {
            let shown = Shown { edited: Some(edited), ..Shown::default() };
            return answer(request, app, by, place, (typed, shown)).await;
        }
        Some(Err(errors)) => {
            let shown = Shown { status: StatusCode::UNPROCESSABLE_ENTITY, errors, edited: None };
            return answer(request, app, by, place, (typed, shown)).await;
        }
        None => {}
    }
    match store(app, by, place, &typed).await {
        Ok(saved) => {
            let verb = if place.found.is_some() { "Saved" } else { "Created" };
            let steps = counted(i64::try_from(typed.steps.len()).unwrap_or(i64::MAX), "step", "steps");
            let said = format!("{verb} the import set “{}” with {steps}.", saved.name);
            Ok(see_other(&list_of(saved.application_id), Some(Flash::new(said))))
        }
        Err(error) => {
            let name_taken = matches!(error, AppError::Conflict(_));
            let there = place.found.as_ref().map_or(1, |(set, _)| set.version);
            let error = overtaken(error, there, |version| typed.version = Some(version));
            let (status, mut errors) = refused(error)?;
            if name_taken {
                errors.0.iter_mut().for_each(|e| e.field = "name".into());
            }
            answer(request, app, by, place, (typed, Shown { status, errors, edited: None })).await
        }
    }
}

async fn store(app: &App, by: &By, place: &Place, typed: &Typed) -> Result<ImportSet> {
    let (draft, by, entered, now) = (typed.draft()?, by.clone(), place.entered.clone(), app.now());
    let secrets = app.secrets.clone();
    match place.found.as_ref().map(|(set, _)| (set.id, typed.version)) {
        None => app.write(move |conn| actions::create(conn, &secrets, &by, &entered, draft, now)).await,
        Some(seen) => app.write(move |conn| actions::update(conn, &secrets, &by, &entered, seen, draft, now)).await,
    }
}

/// `POST {A}/settings/import-sets/preview`: what the set in the form does, in sentences. Nothing is saved.
pub async fn preview(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let place = find_to_change(&app, &by, *id, None).await?;
    Page::ok(&request, &place.says(&Typed::read(&form)))
}

/// `POST {A}/settings/import-sets/{set}/copy`
pub async fn copy(app: Data<App>, SignedIn(by): SignedIn, ids: Path<(i64, i64)>) -> Result<HttpResponse> {
    let place = find_to_change(&app, &by, ids.0, Some(ids.1)).await?;
    let (entered, id, now) = (place.entered.clone(), ids.1, app.now());
    let secrets = app.secrets.clone();
    let made = app.write(move |conn| actions::copy(conn, &secrets, &by, &entered, id, now)).await?;
    let said = format!("This is “{}”, with the same steps. It has no schedule.", made.name);
    Ok(see_other(&format!("{}/{}", list_of(ids.0), made.id), Some(Flash::new(said))))
}
