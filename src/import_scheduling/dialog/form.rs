//! The dialog's form: the same HTML inside a `<dialog>` and on a page of its own.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::error::FieldErrors;
use crate::parameters::Fields;
use crate::schedules::RuleForm;

use super::preview::PreviewPart;
use crate::import_scheduling::asks::StepFields;
use crate::web::control_id;

/// An entry of a select or of the recipients' list.
#[derive(Clone, Debug)]
pub struct Choice {
    pub id: i64,
    pub name: String,
    /// Only of a member.
    pub email: String,
    pub selected: bool,
}

/// The Configuration control, which depends on the Block.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "import_scheduling/configurations.html")]
pub struct ConfigurationChoice {
    pub choices: Vec<Choice>,
    pub error: Option<String>,
}

/// All that the form shows.
/// What a box of a day sends, what stands in it, what it is called.
pub const WEEKDAYS: [(&str, &str, &str); 7] = [
    ("mon", "Mo", "Monday"),
    ("tue", "Tu", "Tuesday"),
    ("wed", "We", "Wednesday"),
    ("thu", "Th", "Thursday"),
    ("fri", "Fr", "Friday"),
    ("sat", "Sa", "Saturday"),
    ("sun", "Su", "Sunday"),
];

#[derive(Template)]
#[template(path = "import_scheduling/form.html")]
pub struct ScheduleForm {
    pub title: &'static str,
    pub submit: &'static str,
    /// Who owns the schedule once it is saved.
    pub ownership: String,
    pub action: String,
    /// `/applications/{a}`
    pub base: String,
    /// Where Cancel leads without JavaScript.
    pub back: String,
    pub csrf: String,
    pub version: Option<i64>,
    /// The schedule that is edited, for the preview.
    pub schedule: Option<i64>,
    /// Whether it is opened now, and does not come back.
    pub fresh: bool,
    /// Whether the start was just taken from the preview's offer.
    pub used: bool,
    /// Tells a form for a new schedule from every other.
    pub nonce: Option<String>,
    pub errors: FieldErrors,
    pub blocks: Vec<Choice>,
    pub configurations: ConfigurationChoice,
    /// Where the Application has some.
    pub sets: Vec<Choice>,
    /// Whether one of them is chosen.
    pub of_set: bool,
    pub rule: RuleForm,
    pub notify_on: bool,
    pub no_mail_server: bool,
    pub notify_about: String,
    pub notify_after: String,
    pub members: Vec<Choice>,
    /// Groups that can be told here.
    pub groups: Vec<Choice>,
    /// The recipients in words.
    pub chosen: String,
    pub run_name: String,
    /// The name does not say that it is a set's.
    pub hides_set: bool,
    pub run_name_default: String,
    /// What may stand in braces there.
    pub run_name_words: Vec<String>,
    /// Of which schedule this is a copy.
    pub copy_of: Option<i64>,
    pub preview: PreviewPart,
    /// Of the chosen configuration's parameters.
    pub values: Fields,
    /// Whether a set asks for values.
    pub sets_ask: bool,
    /// Of those of the chosen set's steps.
    pub steps: Vec<StepFields>,
    /// Whether some configuration has any.
    pub asks_values: bool,
    /// What these fields are of.
    pub asked: String,
}

/// The form in a dialog over the list.
#[derive(Template)]
#[template(path = "import_scheduling/dialog.html")]
pub struct ScheduleDialog {
    pub form: ScheduleForm,
}

/// The form as a page.
#[derive(Template)]
#[template(path = "import_scheduling/schedule_page.html")]
pub struct SchedulePage {
    pub shell: crate::web::Shell,
    pub form: ScheduleForm,
}

// Templates of ours, escaped where they hold data.
impl HtmlSafe for ConfigurationChoice {}
impl HtmlSafe for ScheduleForm {}

impl ScheduleForm {
    fn wrong(&self, field: &str) -> bool {
        self.errors.of(field).is_some()
    }

    /// The control that an error of a field belongs to.
    fn anchor(&self, field: &str) -> String {
        let control = match field {
            "configuration_id" => "configuration",
            "set_id" => "set",
            "notify.member_ids" | "notify.group_ids" => "recipients",
            "notify.after" => "notify_after",
            "notify.about" => "notify_about",
            "every" => "repeat",
            other => other,
        };
        control_id(control)
    }

    fn repeats(&self) -> [(&'static str, &'static str); 6] {
        [
            ("once", "Once"),
            ("minutes", "Minutes"),
            ("hours", "Hourly"),
            ("days", "Daily"),
            ("weeks", "Weekly"),
            ("months", "Monthly"),
        ]
    }

    fn minutes(&self) -> [&'static str; 11] {
        ["5", "10", "15", "20", "25", "30", "35", "40", "45", "50", "55"]
    }

    fn hours(&self) -> [&'static str; 7] {
        ["1", "2", "3", "4", "6", "8", "12"]
    }

    fn weekdays(&self) -> [(&'static str, &'static str, &'static str); 7] {
        WEEKDAYS
    }

    fn months(&self) -> [(u32, &'static str, &'static str); 12] {
        [
            (1, "Jan", "January"),
            (2, "Feb", "February"),
            (3, "Mar", "March"),
            (4, "Apr", "April"),
            (5, "May", "May"),
            (6, "Jun", "June"),
            (7, "Jul", "July"),
            (8, "Aug", "August"),
            (9, "Sep", "September"),
            (10, "Oct", "October"),
            (11, "Nov", "November"),
            (12, "Dec", "December"),
        ]
    }

    fn days_of_month(&self) -> Vec<String> {
        (1..=31).map(|day| day.to_string()).chain(["last".to_owned()]).collect()
    }

    /// How many failures in a row may be chosen.
    fn afters(&self) -> [(&'static str, &'static str); 5] {
        [
            ("1", "The first failure"),
            ("2", "2 failures in a row"),
            ("3", "3 failures in a row"),
            ("5", "5 failures in a row"),
            ("10", "10 failures in a row"),
        ]
    }

    /// Whether another number was chosen, by a program.
    fn other_after(&self) -> bool {
        let number: Option<i32> = self.notify_after.parse().ok();
        number.is_some() && self.afters().iter().all(|(value, _)| *value != self.notify_after)
    }

    fn abouts(&self) -> [(&'static str, &'static str); 3] {
        [("failed", "Failed"), ("failed_and_partial", "Failed and partial"), ("all", "All imports")]
    }
}
