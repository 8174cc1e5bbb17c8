//! The last screen of the wizard: schedule it, run it now, or give it its file.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Place, place};
use crate::app::App;
use crate::error::{AppError, Result};
use crate::files;
use crate::imports::{Configuration, Definition};
use crate::members::SignedIn;
use crate::web::form::Query;
use crate::web::{Page, Shell};

#[derive(Template)]
#[template(path = "imports/when.html")]
struct WhenPage {
    shell: Shell,
    base: String,
    here: String,
    id: i64,
    about: String,
    needs_file: bool,
    may_import: bool,
    /// Which right is missing and who can grant it.
    missing: String,
    sample: String,
    sample_name: String,
}

/// `GET …/{i}/when?sample=`
pub async fn when(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    let (application_id, id) = *path;
    let place = place(&app, &by, application_id, Some(id)).await?;
    let (configuration, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let entered = place.entered.clone();
    let missing = match entered.may_import() {
        true => String::new(),
        false => app.read(move |conn| entered.missing_import(conn)).await?,
    };
    let sample = query.get("sample").to_owned();
    let kept = files::of_ticket(&app.secrets, application_id, by.member.id, &sample);
    let sample_name = match kept.filter(|_| configuration.needs_file()) {
        Some(file) => {
            let blocks = app.blocks.clone();
            let stored = crate::app::off_thread(move || files::open(&blocks, file)).await;
            stored.map(|stored| stored.name).unwrap_or_default()
        }
        None => String::new(),
    };
    let template = WhenPage {
        shell: place.shell(&request, &app, &by, &configuration.name),
        base: place.base(),
        here: format!("{}/{id}", place.list()),
        id,
        about: about(&place, configuration, definition),
        needs_file: configuration.needs_file(),
        may_import: place.entered.may_import(),
        missing,
        sample,
        sample_name,
    };
    Page::ok(&request, &template)
}

/// "weather.csv from Warehouse files into Weather, by Append."
fn about(place: &Place, configuration: &Configuration, definition: &Definition) -> String {
    let block = place.blocks.iter().find(|block| block.id == configuration.block_id).map(|block| block.name.as_str());
    let fed = configuration.source_block_id.and_then(|id| place.feeding.iter().find(|(block, _)| block.id == id));
    let connection =
        configuration.connection_id.and_then(|id| place.connection(id)).map(|connection| connection.name.as_str());
    let source = match (connection, definition.source.path.as_deref()) {
        (Some(connection), Some(path)) => format!("{path} from {connection}"),
        (Some(connection), None) => connection.to_owned(),
        (None, _) => match fed {
            Some((block, _)) => format!("The Block {}", block.name),
            None => "A file given by hand".to_owned(),
        },
    };
    format!("{source} into {}, mode {}.", block.unwrap_or("its Block"), definition.mode.label())
}
