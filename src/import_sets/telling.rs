//! What a set does, in sentences. Pure.

use super::model::{Execution, OnFailure, SetDefinition};
use crate::words::counted;

/// What a set does; `blocks` names the Block that each step fills.
pub fn says(set: &SetDefinition, blocks: &[&str]) -> Vec<String> {
    let steps = counted(i64::try_from(set.steps.len()).unwrap_or(i64::MAX), "step", "steps");
    let begins = match (set.steps.len(), set.execution) {
        (0, _) => return vec!["It has no steps yet.".into()],
        (1, _) => "1 step.".into(),
        (_, Execution::Sequential) => format!("{steps}, one after the other. {}", when_one_fails(set)),
        (_, Execution::Parallel) => format!("{steps}, all at once. {}", when_one_fails(set)),
    };
    let strict: Vec<usize> = (0..set.steps.len()).filter(|i| set.steps[*i].partial_fails).collect();
    let strict = match strict.len() {
        0 => None,
        1 => Some(format!("{} counts Partial as failed.", numbered(&strict))),
        _ => Some(format!("{} count Partial as failed.", numbered(&strict))),
    };
    let waits = if set.execution == Execution::Parallel { waits(blocks) } else { Vec::new() };
    std::iter::once(begins).chain(strict).chain(waits).collect()
}

fn when_one_fails(set: &SetDefinition) -> &'static str {
    match (set.on_failure, set.execution) {
        (OnFailure::Stop, Execution::Sequential) => "If one fails, the steps after it are skipped.",
        (OnFailure::Stop, Execution::Parallel) => "If one fails, the steps that have not started are skipped.",
        (OnFailure::Continue, _) => "If one fails, the others still run.",
    }
}

/// Steps that fill one Block take turns, whatever the set says.
fn waits(blocks: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for (i, block) in blocks.iter().enumerate().filter(|(i, block)| !blocks[..*i].contains(block)) {
        let same: Vec<usize> = (i..blocks.len()).filter(|other| blocks[*other] == *block).collect();
        if same.len() > 1 {
            told.push(format!("{} fill the same Block, {block}, so they take turns.", numbered(&same)));
        }
    }
    told
}

/// "Step 2", "Steps 1, 2 and 5".
fn numbered(places: &[usize]) -> String {
    let numbers: Vec<String> = places.iter().map(|place| (place + 1).to_string()).collect();
    match numbers.as_slice() {
        [but_last @ .., last] if !but_last.is_empty() => format!("Steps {} and {last}", but_last.join(", ")),
        _ => format!("Step {}", numbers.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Step;
    use super::*;

    fn set(execution: Execution, on_failure: OnFailure, strict: &[bool]) -> SetDefinition {
        let step = |strict: &bool| Step { partial_fails: *strict, ..Step::of(1) };
        SetDefinition { execution, on_failure, steps: strict.iter().map(step).collect() }
    }

    #[test]
    fn a_set_says_what_it_does() {
        use {Execution::*, OnFailure::*};
        assert_eq!(says(&set(Sequential, Stop, &[]), &[]), ["It has no steps yet."]);
        assert_eq!(says(&set(Parallel, Continue, &[false]), &["Sales"]), ["1 step."]);
        let three = ["Sales", "Costs", "Sales"];
        assert_eq!(
            says(&set(Sequential, Stop, &[false, true, false]), &three),
            [
                "3 steps, one after the other. If one fails, the steps after it are skipped.",
                "Step 2 counts Partial as failed.",
            ]
        );
        assert_eq!(
            says(&set(Parallel, Stop, &[true, true, true]), &three),
            [
                "3 steps, all at once. If one fails, the steps that have not started are skipped.",
                "Steps 1, 2 and 3 count Partial as failed.",
                "Steps 1 and 3 fill the same Block, Sales, so they take turns.",
            ]
        );
        let continues = says(&set(Parallel, Continue, &[false, false]), &["Sales", "Costs"]);
        assert_eq!(continues, ["2 steps, all at once. If one fails, the others still run."]);
    }
}
