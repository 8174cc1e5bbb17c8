//! A page as a person without scripts reads it: its text, its controls by their labels, and what a form would send.

use scraper::node::Node;
use scraper::{ElementRef, Html, Selector};

/// Where an element stands in its page; the same text parsed again gives the same places.
pub type Place = usize;

pub fn place(page: &Html, element: ElementRef<'_>) -> Place {
    page.tree.nodes().position(|node| node.id() == element.id()).unwrap()
}

pub fn at<'a>(page: &'a Html, place: Place) -> ElementRef<'a> {
    page.tree.nodes().nth(place).and_then(ElementRef::wrap).unwrap()
}

pub fn select<'a>(within: ElementRef<'a>, css: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(css).unwrap_or_else(|e| panic!("{css}: {e}"));
    within.select(&selector).collect()
}

/// What stands in an element, spaces collapsed; without scripts and options.
pub fn text(element: ElementRef<'_>) -> String {
    let mut out = String::new();
    gather(element, &["script", "style", "template", "datalist", "option"], &mut out);
    squeeze(&out)
}

fn gather(element: ElementRef<'_>, without: &[&str], out: &mut String) {
    for child in element.children() {
        match child.value() {
            Node::Text(text) => out.push_str(text),
            Node::Element(inner) if !without.contains(&inner.name()) => {
                // Words of two blocks or cells never run together.
                let inline = matches!(inner.name(), "a" | "b" | "em" | "strong" | "i" | "span" | "small" | "code");
                out.push_str(if inline { "" } else { " " });
                ElementRef::wrap(child).into_iter().for_each(|child| gather(child, without, out));
                out.push_str(if inline { "" } else { " " });
            }
            _ => {}
        }
    }
}

pub fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names by which a person or a screen reader knows a control or a button.
pub fn names(page: &Html, control: ElementRef<'_>) -> Vec<String> {
    let root = page.root_element();
    let mut names = Vec::new();
    let value = control.value();
    if let Some(label) = value.attr("aria-label") {
        names.push(squeeze(label));
    }
    for id in value.attr("aria-labelledby").unwrap_or_default().split_whitespace() {
        names.extend(by_id(root, id).map(text));
    }
    if let Some(id) = value.attr("id") {
        let labels = select(root, "label[for]").into_iter().filter(|l| l.value().attr("for") == Some(id));
        names.extend(labels.map(label_text));
    }
    names.extend(
        control.ancestors().filter_map(ElementRef::wrap).filter(|e| e.value().name() == "label").map(label_text),
    );
    match (value.name(), value.attr("type")) {
        ("button" | "summary" | "a", _) => names.push(text(control)),
        ("input", Some("submit" | "button")) => names.extend(value.attr("value").map(squeeze)),
        _ => {}
    }
    names.retain(|name| !name.is_empty());
    names
}

fn label_text(label: ElementRef<'_>) -> String {
    let mut out = String::new();
    gather(label, &["select", "textarea", "button", "datalist", "svg"], &mut out);
    squeeze(&out)
}

pub fn by_id<'a>(root: ElementRef<'a>, id: &str) -> Option<ElementRef<'a>> {
    select(root, "[id]").into_iter().find(|e| e.value().attr("id") == Some(id))
}

/// The one of these that goes by that name: exactly, or else beginning with it.
#[track_caller]
pub fn named<'a>(page: &Html, among: Vec<ElementRef<'a>>, name: &str) -> ElementRef<'a> {
    let known: Vec<_> = among.into_iter().map(|e| (e, names(page, e))).collect();
    for fits in [|n: &str, wanted: &str| n == wanted, |n: &str, wanted: &str| n.starts_with(wanted)] {
        let found: Vec<_> = known.iter().filter(|(_, names)| names.iter().any(|n| fits(n, name))).collect();
        match found[..] {
            [] => continue,
            [one] => return one.0,
            [..] => panic!("{} go by the name \"{name}\"; say where with within() or in_row()", found.len()),
        }
    }
    let all: Vec<_> = known.iter().flat_map(|(_, names)| names).collect();
    panic!("nothing goes by the name \"{name}\"; there are {all:?}")
}

/// What somebody did to a control since the page came.
#[derive(Clone, Debug)]
pub enum Change {
    Value(String),
    Checked(bool),
    /// The texts of the chosen options.
    Options(Vec<String>),
    File {
        name: String,
        content: Vec<u8>,
    },
}

pub enum Field {
    Text(String, String),
    File { field: String, name: String, content: Vec<u8> },
}

/// What pressing a button of a form sends.
pub struct Submission {
    pub post: bool,
    pub action: Option<String>,
    pub multipart: bool,
    pub fields: Vec<Field>,
}

pub fn form_of<'a>(page: &'a Html, control: ElementRef<'a>) -> Option<ElementRef<'a>> {
    match control.value().attr("form") {
        Some(id) => by_id(page.root_element(), id),
        None => control.ancestors().filter_map(ElementRef::wrap).find(|e| e.value().name() == "form"),
    }
}

pub fn submission(page: &Html, button: ElementRef<'_>, changes: &[(Place, Change)]) -> Submission {
    let form = form_of(page, button).unwrap_or_else(|| panic!("the button {:?} is in no form", names(page, button)));
    let attr = |name: &str| button.value().attr(&format!("form{name}")).or(form.value().attr(name));
    let mut fields = Vec::new();
    for control in select(page.root_element(), "input, select, textarea, button") {
        if form_of(page, control) == Some(form) && !is_disabled(control) {
            let changed = changes.iter().rev().find(|(place, _)| at(page, *place) == control).map(|(_, change)| change);
            add(control, control == button, changed, &mut fields);
        }
    }
    Submission {
        post: attr("method").is_some_and(|m| m.eq_ignore_ascii_case("post")),
        action: attr("action").map(str::to_owned),
        multipart: attr("enctype") == Some("multipart/form-data"),
        fields,
    }
}

pub fn is_disabled(control: ElementRef<'_>) -> bool {
    let off = |e: ElementRef<'_>| e.value().attr("disabled").is_some();
    let set = |e: ElementRef<'_>| e.value().name() == "fieldset" && off(e);
    off(control) || control.ancestors().filter_map(ElementRef::wrap).any(set)
}

fn add(control: ElementRef<'_>, pressed: bool, changed: Option<&Change>, fields: &mut Vec<Field>) {
    let value = control.value();
    let Some(name) = value.attr("name").filter(|n| !n.is_empty()) else { return };
    let mut push = |text: &str| fields.push(Field::Text(name.to_owned(), text.to_owned()));
    let kind = value.attr("type").unwrap_or("text");
    match (value.name(), kind) {
        ("button", _) | ("input", "submit" | "button" | "reset" | "image") => {
            if pressed {
                push(value.attr("value").unwrap_or_default());
            }
        }
        ("input", "checkbox" | "radio") => {
            let checked = match changed {
                Some(Change::Checked(checked)) => *checked,
                _ => value.attr("checked").is_some(),
            };
            if checked {
                push(value.attr("value").unwrap_or("on"));
            }
        }
        ("input", "file") => {
            let (file, content) = match changed {
                Some(Change::File { name, content }) => (name.clone(), content.clone()),
                _ => (String::new(), Vec::new()),
            };
            fields.push(Field::File { field: name.to_owned(), name: file, content });
        }
        ("select", _) => chosen(control, changed).iter().for_each(|option| push(option)),
        ("textarea", _) => {
            // The parser has cut the line break that begins it, as browsers do.
            let given: String = control.text().collect();
            let text = match changed {
                Some(Change::Value(text)) => text,
                _ => &given,
            };
            push(&text.replace("\r\n", "\n").replace('\n', "\r\n"));
        }
        _ => push(match changed {
            Some(Change::Value(text)) => text,
            _ => value.attr("value").unwrap_or_default(),
        }),
    }
}

/// The values of the chosen options; without any mark a browser chooses the first.
fn chosen(control: ElementRef<'_>, changed: Option<&Change>) -> Vec<String> {
    let options = select(control, "option");
    let value = |o: &ElementRef<'_>| o.value().attr("value").map_or_else(|| option_text(*o), str::to_owned);
    let marked: Vec<_> = match changed {
        Some(Change::Options(texts)) => options.iter().filter(|o| texts.contains(&option_text(**o))).collect(),
        _ => options.iter().filter(|o| o.value().attr("selected").is_some()).collect(),
    };
    let several = control.value().attr("multiple").is_some();
    if marked.is_empty() && !several {
        return options.first().map(value).into_iter().collect();
    }
    marked.into_iter().map(value).collect()
}

pub fn option_text(option: ElementRef<'_>) -> String {
    squeeze(&option.text().collect::<String>())
}
