//! The furniture of a long list: it is searched, sorted and shown by pages, all of it in the address (`?q=&sort=&page=`).
//! A page draws it by the macros of `web/list.html`.

use std::cmp::Ordering;

use super::form::Form;
use super::page::encode;
use crate::names::folded;
use crate::words;

/// So many rows stand on a page.
const PAGE: usize = 50;
/// So few need no search and no order.
const FEW: usize = 10;

/// A way to sort: its name in the address, its words, and which of two comes first.
pub type Sort<T> = (&'static str, &'static str, fn(&T, &T) -> Ordering);

/// What stands around the rows.
pub struct Listing {
    /// The address of the list.
    pub here: String,
    /// What is searched for, as it was typed.
    pub q: String,
    pub sorts: Vec<SortLink>,
    /// The chosen one, for the form that searches.
    pub sort: &'static str,
    pub pages: Option<Pages>,
    /// So few that only they are shown.
    pub few: bool,
    /// This very view.
    pub address: String,
}

pub struct SortLink {
    pub label: &'static str,
    pub href: String,
    pub current: bool,
}

pub struct Pages {
    /// "51 to 100 of 412"
    pub words: String,
    pub back: Option<String>,
    pub on: Option<String>,
}

impl Listing {
    /// The rows of the page that an address asks for. They come in the order of the first sort, which is the usual one;
    /// `text` is what of a row is searched.
    pub fn of<T>(
        here: &str,
        asked: &Form,
        mut rows: Vec<T>,
        sorts: &[Sort<T>],
        text: impl Fn(&T) -> String,
    ) -> (Self, Vec<T>) {
        let (all, q) = (rows.len(), asked.get("q"));
        let wanted = folded(q);
        rows.retain(|row| wanted.is_empty() || folded(&text(row)).contains(&wanted));
        let chosen = sorts.iter().position(|(name, ..)| *name == asked.get("sort")).unwrap_or(0);
        // The usual order needs no word in the address.
        let sort = sorts.get(chosen).filter(|_| chosen > 0).map_or("", |(name, ..)| name);
        if let Some((_, _, compare)) = sorts.get(chosen).filter(|_| chosen > 0) {
            rows.sort_by(compare);
        }
        let total = rows.len();
        let last = total.div_ceil(PAGE).max(1);
        let page = asked.get("page").parse().unwrap_or(1).clamp(1, last);
        let to = |sort: &str, page: usize| address(here, q, sort, page);
        let first = (page - 1) * PAGE;
        let shown: Vec<T> = rows.into_iter().skip(first).take(PAGE).collect();
        let count = |n: usize| words::count(i64::try_from(n).unwrap_or_default());
        let listing = Self {
            here: here.to_owned(),
            q: q.to_owned(),
            sorts: sorts
                .iter()
                .enumerate()
                .map(|(i, (name, label, _))| SortLink {
                    label,
                    href: to(if i == 0 { "" } else { name }, 1),
                    current: i == chosen,
                })
                .collect(),
            sort,
            pages: (last > 1).then(|| Pages {
                words: format!("{} to {} of {}", count(first + 1), count(first + shown.len()), count(total)),
                back: (page > 1).then(|| to(sort, page - 1)),
                on: (page < last).then(|| to(sort, page + 1)),
            }),
            few: all <= FEW && q.is_empty(),
            address: to(sort, page),
        };
        (listing, shown)
    }
}

fn address(here: &str, q: &str, sort: &str, page: usize) -> String {
    let page = if page > 1 { page.to_string() } else { String::new() };
    let pairs: Vec<String> = [("q", q), ("sort", sort), ("page", &page)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if pairs.is_empty() { here.to_owned() } else { format!("{here}?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(asked: &str) -> (Listing, Vec<String>) {
        let rows = (1..=120).map(|n| format!("Straße {n:03}")).collect();
        let sorts: [Sort<String>; 2] = [("name", "Name", |a, b| a.cmp(b)), ("last", "Last", |a, b| b.cmp(a))];
        Listing::of("/list", &Form::parse(asked.as_bytes()), rows, &sorts, Clone::clone)
    }

    #[test]
    fn a_list_is_searched_sorted_and_paged_by_its_address() {
        let (listing, rows) = list("");
        assert_eq!((rows.len(), rows[0].as_str()), (50, "Straße 001"));
        let pages = listing.pages.unwrap();
        assert_eq!(
            (pages.words.as_str(), pages.back, pages.on.as_deref()),
            ("1 to 50 of 120", None, Some("/list?page=2"))
        );
        let (listing, rows) = list("sort=last&page=3");
        assert_eq!((rows.len(), rows[0].as_str()), (20, "Straße 020"));
        assert_eq!(listing.address, "/list?sort=last&page=3");
        let (listing, rows) = list("q=STRASSE+11&sort=last");
        assert_eq!(rows.len(), 10);
        assert!(listing.pages.is_none() && !listing.few);
        assert_eq!(listing.sorts[0].href, "/list?q=STRASSE+11");
        for odd in ["page=0", "page=99", "page=x", "sort=none", "q="] {
            assert!(!list(odd).1.is_empty(), "{odd}");
        }
    }
}
