//! An import set as somebody wants it, and what can be wrong with it without asking the database.

use super::model::{ImportSet, SetDefinition};
use crate::error::FieldErrors;
use crate::names::{LONGEST, check_name, name_key};

/// The most steps of a set.
pub const MAX_STEPS: usize = 50;
/// What is said of one step more.
pub const TOO_MANY: &str = "A set has at most 50 steps.";

/// A set as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub name: String,
    pub definition: SetDefinition,
}

impl Draft {
    /// What would save it unchanged.
    pub fn of(set: &ImportSet, definition: &SetDefinition) -> Self {
        Self { name: set.name.clone(), definition: definition.clone() }
    }

    /// Takes the name in and leaves out what says nothing; says what is wrong, by the fields `name`, `steps` and
    /// `steps[2].parameters`.
    pub fn check(&mut self, was: Option<&ImportSet>) -> FieldErrors {
        let mut errors = FieldErrors::new();
        self.name = check_name("name", &self.name, was.map(|was| was.name.as_str()), &mut errors);
        match self.definition.steps.len() {
            0 => errors.add("steps", "Add at least one step."),
            n if n > MAX_STEPS => errors.add("steps", TOO_MANY),
            _ => {}
        }
        for step in &mut self.definition.steps {
            step.parameters =
                step.parameters.take().filter(|given| given.as_object().is_none_or(|map| !map.is_empty()));
        }
        errors
    }
}

/// "Copy of Month end", or "Copy of Month end (2)" where that is taken; `taken` are the keys of names.
pub fn name_of_copy(name: &str, taken: &[String]) -> String {
    let named = |n: usize| {
        let end = if n == 1 { String::new() } else { format!(" ({n})") };
        let room = LONGEST - "Copy of ".len() - end.len();
        let name: String = name.chars().take(room).collect();
        format!("Copy of {}{end}", name.trim_end())
    };
    // One more than there are is free.
    let free = (1..=taken.len()).map(named).find(|name| !taken.contains(&name_key(name)));
    free.unwrap_or_else(|| named(taken.len() + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::model::{Execution, OnFailure, Step};
    use super::*;

    fn draft(steps: Vec<Step>) -> Draft {
        let definition = SetDefinition { execution: Execution::Sequential, on_failure: OnFailure::Stop, steps };
        Draft { name: " Month end ".into(), definition }
    }

    #[test]
    fn a_set_has_one_to_fifty_steps_and_parameters_that_say_nothing_go() {
        let wrong = |n: usize| draft(vec![Step::of(1); n]).check(None);
        assert_eq!(wrong(0).of("steps"), Some("Add at least one step."));
        assert!(wrong(1).is_empty() && wrong(50).is_empty());
        assert_eq!(wrong(51).of("steps"), Some(TOO_MANY));
        let mut made = draft(vec![Step { parameters: Some(json!({})), ..Step::of(1) }]);
        assert!(made.check(None).is_empty());
        assert_eq!(made, Draft { name: "Month end".into(), ..draft(vec![Step::of(1)]) });
    }

    #[test]
    fn a_copy_finds_a_free_name_that_fits() {
        let keys = |names: &[&str]| names.iter().map(|name| name_key(name)).collect::<Vec<_>>();
        assert_eq!(name_of_copy("Month end", &[]), "Copy of Month end");
        assert_eq!(name_of_copy("Month end", &keys(&["Month end", "COPY of month end"])), "Copy of Month end (2)");
        let both = keys(&["Copy of Month end", "Copy of Month end (2)"]);
        assert_eq!(name_of_copy("Month end", &both), "Copy of Month end (3)");
        let long = "é".repeat(LONGEST);
        let first = name_of_copy(&long, &[]);
        assert_eq!(first.chars().count(), LONGEST);
        assert_eq!(name_of_copy(&long, &keys(&[&first])).chars().count(), LONGEST);
    }
}
