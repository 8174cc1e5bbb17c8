//! The control by which a form asks for a kept file: the ones that there are, and where one more is uploaded.

use askama::Template;
use askama::filters::HtmlSafe;

use super::list_of;
use crate::files::kept::KeptFile;
use crate::words;

#[derive(Template, Debug)]
#[template(path = "files/field.html")]
pub struct FileField {
    name: String,
    label: String,
    /// Id, words, whether it is chosen.
    choices: Vec<(i64, String, bool)>,
    error: Option<String>,
    /// The address of the Application's kept files.
    list: String,
}

// A template of ours, escaped where it holds data.
impl HtmlSafe for FileField {}

impl FileField {
    /// A control with this name, in which this file is chosen.
    pub fn of(
        application_id: i64,
        name: &str,
        label: &str,
        files: &[KeptFile],
        chosen: Option<i64>,
        error: Option<String>,
    ) -> Self {
        let choice = |kept: &KeptFile| {
            let size = words::bytes(kept.newest.bytes);
            (kept.id, format!("{} ({size}, version {})", kept.name, kept.newest.version), Some(kept.id) == chosen)
        };
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            choices: files.iter().map(choice).collect(),
            error,
            list: list_of(application_id),
        }
    }
}
