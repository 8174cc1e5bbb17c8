//! Values for single steps follow their steps: `2.day` is that of step 2, wherever that step goes when the set is saved
//! anew.

use super::model::Step;

/// Where each step of before stands by now, both counted from 0. A step is known by all that it is; else by its
/// configuration, in the order in which that comes.
pub fn places(old: &[Step], new: &[Step]) -> Vec<Option<usize>> {
    let mut places = vec![None; old.len()];
    let mut taken = vec![false; new.len()];
    let alike: [fn(&Step, &Step) -> bool; 2] = [|a, b| a == b, |a, b| a.configuration_id == b.configuration_id];
    for alike in alike {
        for (place, step) in places.iter_mut().zip(old).filter(|(place, _)| place.is_none()) {
            *place = (0..new.len()).find(|at| !taken[*at] && alike(step, &new[*at]));
            if let Some(at) = *place {
                taken[at] = true;
            }
        }
    }
    places
}

/// What a value is called once the steps stand there. One for all steps keeps its name.
pub fn renamed(name: &str, places: &[Option<usize>]) -> Option<String> {
    let Some((position, of_step)) = name.split_once('.') else { return Some(name.to_owned()) };
    let at = position.parse::<usize>().ok()?.checked_sub(1)?;
    let place = places.get(at).copied().flatten()?;
    Some(super::step_values::alone(place + 1, of_step))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_is_found_where_it_went() {
        let step = |id: i64, day: &str| Step { parameters: Some(json!({ "day": day })), ..Step::of(id) };
        let (a, b, c) = (step(1, "today"), step(2, "today"), step(1, "yesterday"));
        let go = |old: &[&Step], new: &[&Step]| {
            let list = |steps: &[&Step]| steps.iter().map(|step| (*step).clone()).collect::<Vec<_>>();
            places(&list(old), &list(new))
        };
        assert_eq!(go(&[&a, &b], &[&b, &a]), [Some(1), Some(0)]);
        assert_eq!(go(&[&a, &b, &c], &[&c, &b]), [None, Some(1), Some(0)]);
        assert_eq!(go(&[&a, &c], &[&c, &a]), [Some(1), Some(0)]);
        // Changed in place it is the same step.
        assert_eq!(go(&[&a, &b], &[&step(1, "-3d"), &b]), [Some(0), Some(1)]);
        assert_eq!(go(&[&a], &[&b]), [None]);
        let places = [Some(1), None];
        let named = ["1.day", "2.day", "3.day", "0.day", "day"].map(|name| renamed(name, &places));
        assert_eq!(named, [Some("2.day".into()), None, None, None, Some("day".into())]);
    }
}
