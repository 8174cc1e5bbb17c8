//! What comes next in the run of a set, from where its steps stand. Pure; [`advance`](super::advance) does it.

use crate::import_sets::{Execution, OnFailure};
use crate::runs::lifecycle::RunStatus;

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Nobody began with it.
    Waiting,
    /// Its run is in the queue, and no worker had it yet.
    Queued,
    /// Its run goes on, between two attempts too.
    Going,
    Ended(RunStatus),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub stands: Stands,
    pub partial_fails: bool,
}

impl Step {
    /// Whether what follows stops for it.
    pub fn fails(self) -> bool {
        match self.stands {
            Stands::Ended(RunStatus::Success) => false,
            Stands::Ended(RunStatus::Partial) => self.partial_fails,
            Stands::Ended(_) => true,
            Stands::Waiting | Stands::Queued | Stands::Going => false,
        }
    }

    /// Whether it did its work, so that no further run of the set need do it.
    pub fn is_done(self) -> bool {
        matches!(self.stands, Stands::Ended(_)) && !self.fails()
    }
}

/// What is to be done now; the numbers are places in the list of steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    pub begin: Vec<usize>,
    /// They will not begin any more.
    pub skip: Vec<usize>,
    /// They are in the queue, and are to leave it.
    pub withdraw: Vec<usize>,
    /// How the set ends, once all that is to be skipped and withdrawn is.
    pub end: Option<RunStatus>,
}

/// What comes next.
pub fn next(execution: Execution, on_failure: OnFailure, cancelled: bool, steps: &[Step]) -> Next {
    let at = |stands: Stands| (0..steps.len()).filter(move |i| steps[*i].stands == stands);
    let stops = cancelled || (on_failure == OnFailure::Stop && steps.iter().any(|step| step.fails()));
    let goes = at(Stands::Going).next().is_some();
    if stops {
        let (skip, withdraw): (Vec<_>, Vec<_>) = (at(Stands::Waiting).collect(), at(Stands::Queued).collect());
        let whole = skip.is_empty() && withdraw.is_empty() && steps.iter().all(|step| step.is_done());
        let status = match cancelled {
            // Whoever asked came too late: all was done.
            true if whole => how_it_went(steps),
            true => RunStatus::Cancelled,
            false => RunStatus::Failed,
        };
        return Next { skip, withdraw, end: (!goes).then_some(status), ..Next::default() };
    }
    let open = goes || at(Stands::Queued).next().is_some();
    let begin: Vec<usize> = match execution {
        Execution::Parallel => at(Stands::Waiting).collect(),
        Execution::Sequential if open => Vec::new(),
        Execution::Sequential => at(Stands::Waiting).take(1).collect(),
    };
    let end = (begin.is_empty() && !open).then(|| how_it_went(steps));
    Next { begin, end, ..Next::default() }
}

/// Success when all steps are, Failed when none did its work, else Partial.
fn how_it_went(steps: &[Step]) -> RunStatus {
    match () {
        () if steps.iter().all(|step| step.stands == Stands::Ended(RunStatus::Success)) => RunStatus::Success,
        () if steps.iter().any(|step| step.is_done()) => RunStatus::Partial,
        () => RunStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const W: Stands = Stands::Waiting;
    const Q: Stands = Stands::Queued;
    const G: Stands = Stands::Going;
    const OK: Stands = Stands::Ended(RunStatus::Success);
    const PART: Stands = Stands::Ended(RunStatus::Partial);
    const BAD: Stands = Stands::Ended(RunStatus::Failed);
    const HELD: Stands = Stands::Ended(RunStatus::Held);

    fn of(stands: &[Stands]) -> Vec<Step> {
        stands.iter().map(|stands| Step { stands: *stands, partial_fails: false }).collect()
    }

    fn begin(steps: &[usize]) -> Next {
        Next { begin: steps.to_vec(), ..Next::default() }
    }

    fn end(status: RunStatus) -> Next {
        Next { end: Some(status), ..Next::default() }
    }

    #[test]
    fn one_after_the_other_until_one_fails() {
        let next = |on_failure, stands: &[Stands]| next(Execution::Sequential, on_failure, false, &of(stands));
        assert_eq!(next(OnFailure::Stop, &[W, W, W]), begin(&[0]));
        assert_eq!(next(OnFailure::Stop, &[Q, W, W]), Next::default());
        assert_eq!(next(OnFailure::Stop, &[OK, W, W]), begin(&[1]));
        assert_eq!(next(OnFailure::Stop, &[OK, PART, W]), begin(&[2]));
        for failed in [BAD, HELD, Stands::Ended(RunStatus::Cancelled)] {
            let stopped = Next { skip: vec![2], end: Some(RunStatus::Failed), ..Next::default() };
            assert_eq!(next(OnFailure::Stop, &[OK, failed, W]), stopped);
            assert_eq!(next(OnFailure::Continue, &[OK, failed, W]), begin(&[2]));
        }
        assert_eq!(next(OnFailure::Stop, &[OK, OK, BAD]), end(RunStatus::Failed));
        assert_eq!(next(OnFailure::Continue, &[OK, OK, BAD]), end(RunStatus::Partial));
        assert_eq!(next(OnFailure::Continue, &[BAD, HELD, BAD]), end(RunStatus::Failed));
        assert_eq!(next(OnFailure::Stop, &[OK, OK, OK]), end(RunStatus::Success));
        assert_eq!(next(OnFailure::Stop, &[OK, PART, OK]), end(RunStatus::Partial));
    }

    #[test]
    fn a_partial_step_fails_where_that_was_asked_for() {
        let mut steps = of(&[OK, PART, W]);
        steps[1].partial_fails = true;
        let stopped = Next { skip: vec![2], end: Some(RunStatus::Failed), ..Next::default() };
        assert_eq!(next(Execution::Sequential, OnFailure::Stop, false, &steps), stopped);
        assert_eq!(next(Execution::Sequential, OnFailure::Continue, false, &steps), begin(&[2]));
    }

    #[test]
    fn all_at_once_and_after_a_failure_what_goes_comes_to_its_end() {
        let next = |on_failure, stands: &[Stands]| next(Execution::Parallel, on_failure, false, &of(stands));
        assert_eq!(next(OnFailure::Stop, &[W, W, W]), begin(&[0, 1, 2]));
        assert_eq!(next(OnFailure::Stop, &[G, Q, OK]), Next::default());
        assert_eq!(next(OnFailure::Stop, &[G, Q, BAD]), Next { withdraw: vec![1], ..Next::default() });
        assert_eq!(next(OnFailure::Continue, &[G, Q, BAD]), Next::default());
        let withdrawn = Stands::Ended(RunStatus::Skipped);
        assert_eq!(next(OnFailure::Stop, &[OK, withdrawn, BAD]), end(RunStatus::Failed));
        assert_eq!(next(OnFailure::Continue, &[OK, OK, BAD]), end(RunStatus::Partial));
    }

    #[test]
    fn cancelled_it_ends_with_what_goes_unless_all_was_done() {
        let next = |stands: &[Stands]| next(Execution::Sequential, OnFailure::Continue, true, &of(stands));
        assert_eq!(next(&[OK, G, W]), Next { skip: vec![2], ..Next::default() });
        let cancelled = Next { skip: vec![2], end: Some(RunStatus::Cancelled), ..Next::default() };
        assert_eq!(next(&[OK, OK, W]), cancelled);
        assert_eq!(next(&[OK, OK, OK]), end(RunStatus::Success));
    }

    proptest! {
        /// Whatever the steps come to, the set ends: nothing is begun twice, and no step is left open or waiting.
        #[test]
        fn every_set_comes_to_its_end(
            parallel in any::<bool>(),
            stop in any::<bool>(),
            outcomes in prop::collection::vec((0..5usize, any::<bool>()), 1..8),
            cancel_at in prop::option::of(0..20usize),
            picks in prop::collection::vec(any::<usize>(), 60),
        ) {
            let execution = if parallel { Execution::Parallel } else { Execution::Sequential };
            let on_failure = if stop { OnFailure::Stop } else { OnFailure::Continue };
            let ends = [RunStatus::Success, RunStatus::Partial, RunStatus::Failed, RunStatus::Cancelled, RunStatus::Held];
            let mut steps: Vec<Step> =
                outcomes.iter().map(|(_, partial_fails)| Step { stands: W, partial_fails: *partial_fails }).collect();
            let mut begun = vec![0; steps.len()];
            let mut ended = None;
            for (turn, pick) in picks.into_iter().enumerate() {
                let next = next(execution, on_failure, cancel_at.is_some_and(|at| turn >= at), &steps);
                for i in &next.begin {
                    prop_assert_eq!(steps[*i].stands, W);
                    (steps[*i].stands, begun[*i]) = (Q, begun[*i] + 1);
                }
                for i in next.skip.iter().chain(&next.withdraw) {
                    steps[*i].stands = Stands::Ended(RunStatus::Skipped);
                }
                if let Some(status) = next.end {
                    ended = Some(status);
                    break;
                }
                let open: Vec<usize> = (0..steps.len()).filter(|i| [Q, G].contains(&steps[*i].stands)).collect();
                prop_assert!(!open.is_empty());
                if execution == Execution::Sequential {
                    prop_assert_eq!(open.len(), 1);
                }
                let i = open[pick % open.len()];
                steps[i].stands = if steps[i].stands == Q { G } else { Stands::Ended(ends[outcomes[i].0]) };
            }
            prop_assert!(ended.is_some());
            prop_assert!(begun.iter().all(|n| *n <= 1));
            prop_assert!(steps.iter().all(|step| matches!(step.stands, Stands::Ended(_))));
            if ended == Some(RunStatus::Success) {
                prop_assert!(steps.iter().all(|step| step.stands == OK));
            }
        }
    }
}
