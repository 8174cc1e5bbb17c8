//! What an address asks to see of a Block's rows, and the addresses of all that is a step away from it.

use super::super::looking::{Asks, Filter, Look, MOST_CHARS, Sort};
use super::super::{Block, Column};
use crate::error::FieldErrors;
use crate::web::Form;
use crate::web::page::encode;

/// How many rows stand on a page.
pub const PAGE: i64 = 50;
const MOST_FILTERS: usize = 20;
const LAST_PAGE: i64 = 1_000_000_000;

/// What is asked for, and what was typed to ask for more.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub look: Look,
    /// From 1.
    pub page: i64,
    /// Beside the fields of the form.
    pub errors: FieldErrors,
    /// What of the address was left out.
    pub notes: Vec<String>,
    pub q: String,
    /// A filter came by the form just now.
    pub added: bool,
    /// The filter that could not be added, as it was typed.
    pub typed: Typed,
}

#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub column: String,
    pub asks: String,
    pub value: String,
    pub to: String,
}

impl Asked {
    /// `?q=&f=3~is~Nord&sort=-4&page=2`, and of the form `column`, `is`, `value` and `to`, one filter more.
    pub fn of(block: &Block, form: &Form) -> Self {
        let mut asked = Self { page: form.get("page").parse().unwrap_or(1).clamp(1, LAST_PAGE), ..Self::default() };
        asked.q = form.get("q").to_owned();
        if asked.q.chars().count() > MOST_CHARS {
            asked.errors.add("q", "Enter at most 1,000 characters.");
        } else {
            asked.look.search.clone_from(&asked.q);
        }
        for written in form.all("f").filter(|written| !written.is_empty()) {
            if asked.look.filters.len() >= MOST_FILTERS {
                asked.notes.push(format!("At most {MOST_FILTERS} filters apply. The others were left out."));
                break;
            }
            match Filter::read(block, written) {
                Ok(filter) => asked.add(filter),
                Err(why) => asked.notes.push(why),
            }
        }
        if !form.get("column").is_empty() {
            asked.one_more(block, form);
        }
        if let Some(sort) = form.some("sort") {
            let (position, descending) = sort.strip_prefix('-').map_or((sort, false), |position| (position, true));
            match by_position(block, position) {
                Some(column) => asked.look.sort = Some(Sort { column: column.clone(), descending }),
                None => asked.notes.push("The rows are not sorted: this Block does not have that column.".into()),
            }
        }
        asked
    }

    fn add(&mut self, filter: Filter) {
        if !self.look.filters.contains(&filter) {
            self.look.filters.push(filter);
        }
    }

    fn one_more(&mut self, block: &Block, form: &Form) {
        let typed = Typed {
            column: form.get("column").to_owned(),
            asks: form.get("is").to_owned(),
            value: form.get("value").to_owned(),
            to: form.get("to").to_owned(),
        };
        let mut errors = FieldErrors::new();
        let column = by_position(block, &typed.column);
        if column.is_none() {
            errors.add("column", "This Block does not have that column. Choose another.");
        }
        let asks = Asks::parse(&typed.asks);
        if asks.is_none() {
            errors.add("is", "Choose a condition.");
        }
        if self.look.filters.len() >= MOST_FILTERS {
            errors.add("column", format!("At most {MOST_FILTERS} filters apply. Remove one first."));
        }
        if let (Some(column), Some(asks), true) = (column, asks, errors.is_empty()) {
            match Filter::new(column, asks, &typed.value, &typed.to) {
                Ok(filter) => {
                    self.added = true;
                    return self.add(filter);
                }
                Err(wrong) => errors.add(if wrong.in_to { "to" } else { "value" }, wrong.words),
            }
        }
        self.errors.extend(errors);
        self.typed = typed;
    }

    /// The filters as hidden fields of the form have them.
    pub fn filters(&self) -> Vec<String> {
        self.look.filters.iter().map(Filter::written).collect()
    }

    /// As the hidden field has it; nothing for the order of loading.
    pub fn sort(&self) -> String {
        let sort = self.look.sort.as_ref();
        sort.map(|sort| format!("{}{}", if sort.descending { "-" } else { "" }, sort.column.position))
            .unwrap_or_default()
    }

    /// The query of this view: `?…`, or nothing.
    pub fn query(&self) -> String {
        let pairs = [("q", self.look.search.clone()), ("sort", self.sort())];
        let page = (self.page > 1).then(|| ("page", self.page.to_string()));
        let filters = self.look.filters.iter().map(|filter| ("f", filter.written()));
        let all = pairs.into_iter().filter(|(_, value)| !value.is_empty()).chain(filters).chain(page);
        let all: Vec<String> = all.map(|(name, value)| format!("{name}={}", encode(&value))).collect();
        if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) }
    }

    pub fn at_page(&self, page: i64) -> Self {
        Self { page, ..self.clone() }
    }

    pub fn sorted(&self, sort: Option<Sort>) -> Self {
        Self { look: Look { sort, ..self.look.clone() }, page: 1, ..self.clone() }
    }

    pub fn without(&self, place: usize) -> Self {
        let mut less = Self { page: 1, ..self.clone() };
        less.look.filters.remove(place);
        less
    }

    pub fn without_search(&self) -> Self {
        Self { look: Look { search: String::new(), ..self.look.clone() }, page: 1, ..self.clone() }
    }

    /// All rows, sorted as they are now.
    pub fn cleared(&self) -> Self {
        Self { look: Look { sort: self.look.sort.clone(), ..Look::default() }, page: 1, ..Self::default() }
    }

    /// By this column; where it is sorted so already, the other way.
    pub fn by(&self, column: &Column) -> Self {
        let ascends = self.look.sort.as_ref().is_some_and(|sort| sort.column.id == column.id && !sort.descending);
        self.sorted(Some(Sort { column: column.clone(), descending: ascends }))
    }
}

fn by_position<'a>(block: &'a Block, position: &str) -> Option<&'a Column> {
    let position: i32 = position.parse().ok()?;
    block.columns.iter().find(|column| column.position == position)
}
