//! What only so many runs may have at a time, and the line in which a run waits for it. Pure.

use std::collections::{HashMap, HashSet};

use crate::names::plain_path;

/// How many runs one Connection bears at a time.
const PLACES: usize = 4;

/// How many of an Application's runs are woken together.
const AT_ONCE: usize = 200;

/// The line of those that wait for their next attempt.
pub const TIME: &str = "time";

/// Something that a run holds while it works: the writing of a Block, a file of a Connection, one of a Connection's
/// places. Its text is its key and the name of the line of those that wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource(String);

impl Resource {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// All that a run needs, in the order in which it is taken: the Blocks by id, then what it reads from. A file given by
/// hand needs no Connection.
pub fn needs(blocks: &[i64], connection: Option<i64>, path: Option<&str>) -> Vec<Resource> {
    let mut blocks = blocks.to_vec();
    blocks.sort_unstable();
    blocks.dedup();
    let mut needs: Vec<Resource> = blocks.iter().map(|id| Resource(format!("block:{id}"))).collect();
    if let Some(connection) = connection {
        needs.extend(path.map(|path| Resource(format!("file:{connection}:{}", plain_path(path)))));
        needs.push(Resource(format!("connection:{connection}")));
    }
    needs
}

/// What the run of a set holds, so that the next one waits.
pub fn of_set(set_id: i64) -> Resource {
    Resource(format!("set:{set_id}"))
}

/// The line of an Application whose rows are still being removed or copied. Nobody holds it: all of the line begin when
/// that is done.
pub fn of_application(application_id: i64) -> String {
    format!("application:{application_id}")
}

/// How many runs may hold what this line waits for.
pub fn places(line: &str) -> usize {
    match line.split_once(':') {
        Some(("connection", _)) => PLACES,
        Some(("application", _)) => AT_ONCE,
        _ => 1,
    }
}

/// Why a run in this line waits; `None` for those that wait for their next attempt, whose own reason says it.
pub fn why(line: &str) -> Option<&'static str> {
    Some(match line.split_once(':')?.0 {
        "block" => "Waiting for another run that writes this Block.",
        "set" => "Waiting for the previous run of this import set.",
        "file" => "Waiting for another run that reads the same file.",
        "application" => "Waiting: the rows of this Application are still being removed or copied.",
        _ => "Waiting: four runs already use this Connection.",
    })
}

/// The places that are taken, by resource.
#[derive(Debug, Default)]
pub struct Held(HashMap<String, Vec<i32>>, HashSet<String>);

impl Held {
    /// Who holds which place, and in which lines nobody moves.
    pub fn of(leases: impl IntoIterator<Item = (String, i32)>, stopped: impl IntoIterator<Item = String>) -> Self {
        let mut held = Self(HashMap::new(), stopped.into_iter().collect());
        for (resource, place) in leases {
            held.0.entry(resource).or_default().push(place);
        }
        held
    }

    /// How many more may have what this line waits for.
    pub fn free(&self, line: &str) -> usize {
        if self.1.contains(line) {
            return 0;
        }
        places(line).saturating_sub(self.0.get(line).map_or(0, Vec::len))
    }

    /// Takes a place of each; `Err`: the first that has none, and then none is taken.
    pub fn take<'a>(&mut self, needs: &'a [Resource]) -> Result<Vec<(&'a str, i32)>, &'a Resource> {
        if let Some(exhausted) = needs.iter().find(|need| self.free(&need.0) == 0) {
            return Err(exhausted);
        }
        let mut taken = Vec::with_capacity(needs.len());
        for Resource(need) in needs {
            let there = self.0.entry(need.clone()).or_default();
            let place = (0..).find(|place| !there.contains(place)).unwrap_or_default();
            there.push(place);
            taken.push((need.as_str(), place));
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_is_one_file_however_it_is_written() {
        for path in ["a/b.csv", "./a/b.csv", "a//b.csv", "a/./b.csv", "a/c/../b.csv"] {
            assert_eq!(needs(&[], Some(3), Some(path))[0].as_str(), "file:3:a/b.csv");
        }
        assert_eq!(needs(&[], Some(3), Some("e\u{301}.csv")), needs(&[], Some(3), Some("\u{e9}.csv")));
    }

    #[test]
    fn blocks_are_taken_in_the_order_of_their_ids_and_first() {
        let needs = needs(&[9, 2, 9], Some(3), Some("a.csv"));
        let names: Vec<&str> = needs.iter().map(Resource::as_str).collect();
        assert_eq!(names, ["block:2", "block:9", "file:3:a.csv", "connection:3"]);
    }

    #[test]
    fn a_connection_has_four_places_and_all_else_one() {
        let mut held = Held::default();
        for file in ["a", "b", "c", "d"] {
            held.take(&needs(&[], Some(3), Some(file))).unwrap();
        }
        let (fifth, same) = (needs(&[], Some(3), Some("e")), needs(&[7], Some(3), Some("a")));
        assert_eq!(held.take(&fifth).unwrap_err().as_str(), "connection:3");
        assert_eq!(held.take(&same).unwrap_err().as_str(), "file:3:a");
        assert_eq!((held.free("block:7"), held.free("connection:4")), (1, 4), "nothing was taken by halves");
    }

    #[test]
    fn a_line_that_is_stopped_has_no_place_and_then_one_for_all() {
        let stopped = Held::of([], [of_application(7)]);
        assert_eq!((stopped.free("application:7"), stopped.free("application:8")), (0, AT_ONCE));
    }

    #[test]
    fn every_line_says_why() {
        assert!(why(of_set(7).as_str()).is_some());
        assert!(why(&of_application(7)).is_some());
        assert!(why("block:7").is_some() && why("file:3:a").is_some() && why("connection:3").is_some());
        assert_eq!(why(TIME), None);
    }
}
