//! A definition with the values of its parameters: what a run fetches, filters and maps. One that declares none is left
//! as it is, braces and all.

use chrono_tz::Tz;
use serde_json::Value;

use super::mapping::Expr;
use super::model::{Configuration, Definition, Source};
use super::store;
use crate::applications::blocks::{Block, Column};
use crate::clock::Moment;
use crate::connections;
use crate::connectors::Kind;
use crate::db::Conn;
use crate::error::{FieldErrors, Result};
use crate::files::kept;
use crate::formats::ColumnType;
use crate::parameters::{self, Parameter, ParameterType, Target, Template, Values, Where};
use crate::secrets::Secrets;

const ISO: &str = "%Y-%m-%d";

/// Whose values they are. `leads`: where its Connection does.
pub fn values_target<'a>(configuration: &'a Configuration, definition: &'a Definition, leads: &'a str) -> Target<'a> {
    asked_of((configuration, &definition.parameters, definition.source.query.as_deref()), leads)
}

/// The same where it is known what the configuration asks for, and by which query it reads.
pub fn asked_of<'a>(
    (configuration, asks, query): (&'a Configuration, &'a [Parameter], Option<&'a str>),
    leads: &'a str,
) -> Target<'a> {
    Target { configuration_id: configuration.id, name: &configuration.name, parameters: asks, leads, query }
}

/// Where a Connection leads what is asked with these parameters. It is looked up only where one of them is a secret, and so
/// sealed for it.
pub fn leads(conn: &mut Conn, connection_id: Option<i64>, parameters: &[Parameter]) -> Result<String> {
    let has_secret = parameters.iter().any(|parameter| parameter.parameter_type == ParameterType::Secret);
    let looked_up = connection_id.filter(|_| has_secret);
    Ok(connections::leads(conn, looked_up.as_slice())?.to(connection_id))
}

/// What is kept of values that somebody gives for this configuration, and what is wrong with them, at `at` and below.
/// `given` and what was `kept` before; none are declared by what is not there.
pub fn values(
    conn: &mut Conn,
    secrets: &Secrets,
    configuration_id: i64,
    (given, kept): (Option<&Value>, Option<&Value>),
    at: &str,
    errors: &mut FieldErrors,
) -> Result<Option<Value>> {
    let found = match store::by_id(conn, configuration_id)? {
        Some(found) => store::version(conn, found.id, found.version)?.map(|version| (found, version.definition)),
        None => None,
    };
    match &found {
        Some((configuration, definition)) => {
            let asks = configuration.asks(definition);
            let query = definition.source.query.as_deref();
            accept(conn, secrets, (configuration, &asks, query), (given, kept), at, errors)
        }
        None => {
            let target =
                Target { configuration_id, name: "It", parameters: &[], leads: connections::NOWHERE, query: None };
            parameters::accept(&target, secrets, given, kept, at, errors)
        }
    }
}

/// The same where it is known what the configuration asks for, and by which query it reads.
pub fn accept(
    conn: &mut Conn,
    secrets: &Secrets,
    (configuration, asks, query): (&Configuration, &[Parameter], Option<&str>),
    (given, before): (Option<&Value>, Option<&Value>),
    at: &str,
    errors: &mut FieldErrors,
) -> Result<Option<Value>> {
    let leads = leads(conn, configuration.connection_id, asks)?;
    let target = asked_of((configuration, asks, query), &leads);
    let values = parameters::accept(&target, secrets, given, before, at, errors)?;
    if configuration.needs_file()
        && let Some(id) = kept::id_in(values.as_ref())
        && !kept::holds(conn, configuration.application_id, id)?
    {
        errors.add(format!("{at}.{}", kept::FILE), "This Application keeps no such file. Choose another one.");
    }
    Ok(values)
}

/// Those of the values that this configuration asks for by now.
pub fn declared_values(conn: &mut Conn, configuration_id: i64, values: Option<Value>) -> Result<Option<Value>> {
    let Some(found) = store::by_id(conn, configuration_id)?.filter(|_| values.is_some()) else { return Ok(None) };
    let version = store::version(conn, found.id, found.version)?;
    Ok(version.and_then(|version| parameters::declared(&found.asks(&version.definition), values)))
}

/// The values that a test run or a preview goes with: those that were given, else defaults, as they are at this moment
/// in this zone. `Invalid` at `parameters.name`.
pub fn tried(
    target: &Target<'_>,
    secrets: &Secrets,
    given: Option<&Value>,
    (now, zone): (Moment, Tz),
) -> Result<Values> {
    let mut errors = FieldErrors::new();
    let given = parameters::accept(target, secrets, given, None, "parameters", &mut errors)?;
    errors.ok_or(())?;
    let today = now.in_zone(zone).date_naive();
    let values = parameters::resolve(target.parameters, given.as_ref(), None, today)
        .and_then(|settled| Values::open(target, secrets, &settled));
    values.map_err(|why| FieldErrors::one("parameters", why).into())
}

/// The definition with these values in the place of its parameters, for a source of this kind (none: a file by hand, or a
/// Block) into this Block. `Err`: which value cannot stand where it is used.
pub fn fill(
    definition: &Definition,
    values: &Values,
    kind: Option<&Kind>,
    block: &Block,
) -> std::result::Result<Definition, String> {
    if definition.parameters.is_empty() {
        return Ok(definition.clone());
    }
    let mut filled = definition.clone();
    filled.source.path = fill_path(&definition.source, values, kind)?;
    if let Some(query) = &mut filled.source.query {
        (*query, filled.source.bound) = Template::of_query(query, &|name| values.declares(name))?.bind(values)?;
    }
    for filter in &mut filled.source.filter {
        let mut items = Vec::new();
        for item in &filter.items {
            let template = Template::parse(item)?;
            match template.only().and_then(|name| values.several(name)) {
                Some(several) => items.extend(several.iter().cloned()),
                None => items.push(template.write(values, Where::Cell(ISO, "."))?),
            }
        }
        filter.items = items;
    }
    let options = &definition.source.read.values;
    for line in filled.mapping.iter_mut().flatten() {
        let Expr::Constant(text) = &mut line.fills else { continue };
        let template = Template::parse(text)?;
        // A cell is written as the source writes cells of its column.
        let column_type = block.column(&line.to).map(|column: &Column| column.column_type);
        let alone = template.only().is_some();
        let form = if alone && column_type == Some(ColumnType::Date) { options.date_format.as_str() } else { ISO };
        let point = match column_type {
            Some(ColumnType::Number | ColumnType::Integer) if alone => options.decimal_point.to_string(),
            _ => ".".to_owned(),
        };
        *text = template.write(values, Where::Cell(form, &point))?;
    }
    Ok(filled)
}

/// The path alone.
pub fn fill_path(source: &Source, values: &Values, kind: Option<&Kind>) -> std::result::Result<Option<String>, String> {
    let at = if kind.is_some_and(|kind| kind.is_address) { Where::Address } else { Where::Path };
    source.path.as_deref().map(|path| Template::parse(path)?.write(values, at)).transpose()
}
