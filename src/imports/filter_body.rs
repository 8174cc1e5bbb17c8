//! A filter of a source Block as the API takes and answers it.

use super::feeding::Filter;
use crate::shape::sent;

sent! {
    /// Only rows whose cell in a column is one of the items.
    pub struct FilterBody {
        /// A column of the source Block.
        column: String = "Choose a column of the source Block." => "Region",
        /// As a file would write them, at most 1,000.
        items: Vec<String>,
    }
}

impl FilterBody {
    pub fn of(filters: &[Filter]) -> Option<Vec<Self>> {
        let body = |filter: &Filter| Self { column: Some(filter.column.clone()), items: Some(filter.items.clone()) };
        (!filters.is_empty()).then(|| filters.iter().map(body).collect())
    }

    pub fn read(sent: Vec<Self>) -> Vec<Filter> {
        let filter =
            |body: Self| Filter { column: body.column.unwrap_or_default(), items: body.items.unwrap_or_default() };
        sent.into_iter().map(filter).collect()
    }
}
