//! Schedules that feed each other: a Block that one fills is read by another, and so on until one fills what the first
//! reads. Nothing is wrong with that, but each run changes what the next one reads.

use std::collections::{HashSet, VecDeque};

use super::{Neighbour, Target};

/// The warning for a schedule that would close such a circle. The shortest one is told; of a set's steps, the first that
/// is in one.
pub fn circle(targets: &[Target], neighbours: &[Neighbour]) -> Option<String> {
    targets.iter().find_map(|target| circle_of(target, neighbours))
}

fn circle_of(target: &Target, neighbours: &[Neighbour]) -> Option<String> {
    let reads = target.source_block_id?;
    let own = |other: &Neighbour| target.schedule_id == Some(other.id) && other.application_id == target.application_id;
    let fed: Vec<(&Neighbour, i64)> = neighbours
        .iter()
        .filter(|other| !own(other))
        .filter_map(|other| Some((other, other.source_block_id?)))
        .collect();
    let mut ways = VecDeque::from([(target.block_id, Vec::<&Neighbour>::new())]);
    let mut seen = HashSet::from([target.block_id]);
    while let Some((block, way)) = ways.pop_front() {
        for (other, _) in fed.iter().filter(|(_, source)| *source == block) {
            let mut way = way.clone();
            way.push(other);
            if other.block_id == reads {
                return Some(words(&way, target));
            }
            if seen.insert(other.block_id) {
                ways.push_back((other.block_id, way));
            }
        }
    }
    None
}

fn words(way: &[&Neighbour], target: &Target) -> String {
    let name = |other: &&Neighbour| {
        if !other.seen {
            "a schedule in another Application".to_owned()
        } else if other.application_id != target.application_id {
            format!("{} in {}", other.name, other.application_name)
        } else {
            other.name.clone()
        }
    };
    let names: Vec<String> = way.iter().map(name).collect();
    format!(
        "This schedule and {} feed each other: each run changes what the next one reads.",
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    )
}
