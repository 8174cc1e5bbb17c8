//! What a Folder does to a file that was loaded, whatever lies beside it.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;
use tidegate::connectors::{Deed, FailureKind, FetchError, Intent, Outside, Retry, Settled};

use super::{connector, ctx, failed, fetch_one, file_of, outside, path};

/// A folder with one file, which was read.
struct Read {
    dir: TempDir,
    outside: Outside,
    intent: Intent,
}

impl Read {
    fn file(name: &str, deed: Deed) -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::create_dir(dir.path().join("in")).unwrap();
        std::fs::write(dir.path().join("in").join(name), "a\n1\n").unwrap();
        let outside = outside(&[], &[dir.path().to_owned()], &dir);
        let mut read = Self { dir, outside, intent: Intent { deed, path: name.into(), stamp: String::new(), run: 7 } };
        read.intent.stamp = read.stamp();
        read
    }

    fn moved_to(name: &str, to: &str) -> Self {
        Self::file(name, Deed::Move { to: to.into() })
    }

    fn stamp(&self) -> String {
        let folder = connector("folder", json!({ "path": "in", "quiet_seconds": 0 }), &[]);
        let (_, check) = file_of(fetch_one(&*folder, &path(&self.intent.path), &ctx(&self.outside)).unwrap());
        check.stamp().unwrap()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join("in").join(name)
    }

    fn settle(&self) -> Result<Settled, FetchError> {
        connector("folder", json!({ "path": "in", "quiet_seconds": 0 }), &[]).settle(&self.intent, &ctx(&self.outside))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_folder_that_is_its_own_by_another_name_is_refused_each_time() {
    let read = Read::moved_to("a.csv", "done");
    symlink(".", read.at("done")).unwrap();
    for _ in 0..2 {
        let error = failed(read.settle(), FailureKind::Refused, Retry::No);
        assert!(error.sentence.contains("already in the folder to move it to"), "{error}");
        assert_eq!(names(&read.at("")), ["a.csv", "done"]);
    }
}

#[test]
fn a_hard_link_at_the_target_is_not_the_file_that_was_moved() {
    let read = Read::moved_to("a.csv", "done");
    std::fs::create_dir(read.at("done")).unwrap();
    std::fs::hard_link(read.at("a.csv"), read.at("done/a.csv")).unwrap();
    assert_eq!(read.settle().unwrap(), Settled::Done("Moved to done/run-7-a.csv.".into()));
    assert!(!read.at("a.csv").exists());
    // Whoever asks again finds it there.
    assert!(matches!(read.settle().unwrap(), Settled::Done(_)));
    assert_eq!(names(&read.at("done")), ["a.csv", "run-7-a.csv"]);
}

#[test]
fn the_longest_names_are_moved_and_deleted() {
    let name = format!("{}.csv", "ä".repeat(125));
    let moved = Read::moved_to(&name, "done");
    std::fs::create_dir(moved.at("done")).unwrap();
    std::fs::write(moved.at("done").join(&name), "in the way").unwrap();
    assert!(matches!(moved.settle().unwrap(), Settled::Done(_)));
    assert!(!moved.at(&name).exists());
    let beside = names(&moved.at("done"));
    assert!(beside.len() == 2 && beside.iter().any(|name| name.starts_with("run-7-") && name.ends_with("ä.csv")));
    let deleted = Read::file(&name, Deed::Delete);
    assert!(matches!(deleted.settle().unwrap(), Settled::Done(_)));
    assert_eq!(names(&deleted.at("")), [""; 0]);
}

/// Whose disk is mounted anew may have another number.
#[test]
fn a_file_is_known_by_all_but_its_disk() {
    let read = Read::file("a.csv", Deed::Delete);
    let is = read.at("a.csv").metadata().unwrap();
    let known = format!("{}:{}:{}.{:09}", is.ino(), is.len(), is.mtime(), is.mtime_nsec());
    assert_eq!(read.intent.stamp, known);
}

#[test]
fn what_is_not_there_is_neither_done_nor_left() {
    let read = Read::moved_to("a.csv", "done");
    std::fs::rename(read.at("a.csv"), read.at("away")).unwrap();
    assert_eq!(read.settle().unwrap(), Settled::Gone("a.csv no longer exists.".into()));
    std::fs::rename(read.at("away"), read.at("a.csv")).unwrap();
    assert_eq!(read.settle().unwrap(), Settled::Done("Moved to done/a.csv.".into()));
}

#[test]
fn a_link_is_left_and_called_one() {
    let mut read = Read::file("a.csv", Deed::Delete);
    symlink("a.csv", read.at("link.csv")).unwrap();
    read.intent.path = "link.csv".into();
    let left = "link.csv is a link. Links are not moved or deleted, so it was left where it is.";
    assert_eq!(read.settle().unwrap(), Settled::Left(left.into()));
    assert_eq!(names(&read.at("")), ["a.csv", "link.csv"]);
}

#[test]
fn a_name_that_is_written_in_another_form_is_found() {
    let mut read = Read::moved_to("caf\u{65}\u{301}.csv", "done");
    read.intent.path = "caf\u{e9}.csv".into();
    assert!(matches!(read.settle().unwrap(), Settled::Done(_)));
    assert_eq!(names(&read.at("done")), ["caf\u{65}\u{301}.csv"]);
}
