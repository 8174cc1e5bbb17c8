//! The Folder connection: what lies inside, and everything that pretends to.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tempfile::TempDir;
use tidegate::connectors::{Connector, FailureKind, FetchContext, FetchError, Fetched, Outside, Retry};

use super::{SECRET, connector, ctx, failed, fetch_one, file_of, load, outside, path};

/// A root with a folder `in`, beside which lies what must stay closed.
struct Place {
    dir: TempDir,
    outside: Outside,
    folder: Box<dyn Connector>,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::create_dir_all(dir.path().join("root/in/sub")).unwrap();
        std::fs::create_dir(dir.path().join("root/other")).unwrap();
        for file in ["root/in/a.csv", "root/in/sub/b.csv", "root/other/c.csv", "secret.csv"] {
            std::fs::write(dir.path().join(file), file).unwrap();
        }
        let roots = [dir.path().join("gone"), dir.path().join("root")];
        let outside = outside(&[], &roots, &dir);
        let folder = connector("folder", json!({ "path": dir.path().join("root/in"), "quiet_seconds": 0 }), &[]);
        Self { dir, outside, folder }
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("root/in").join(name)
    }

    fn fetch(&self, name: &str) -> Result<Fetched, FetchError> {
        fetch_one(&*self.folder, &path(name), &ctx(&self.outside))
    }
}

#[test]
fn files_inside_open_by_any_honest_path() {
    let place = Place::new();
    symlink("a.csv", place.at("link.csv")).unwrap();
    for (name, content) in [
        ("a.csv", "root/in/a.csv"),
        ("sub/b.csv", "root/in/sub/b.csv"),
        ("./sub/../a.csv", "root/in/a.csv"),
        ("link.csv", "root/in/a.csv"),
    ] {
        let read = load(&*place.folder, &path(name), &ctx(&place.outside), || ()).unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), content, "{name}");
    }
    let relative = connector("folder", json!({ "path": "in", "quiet_seconds": 0 }), &[]);
    assert_eq!(fetch_one(&*relative, &path("a.csv"), &ctx(&place.outside)).unwrap().bytes, 13);
}

#[test]
fn files_outside_stay_closed() {
    let place = Place::new();
    symlink("../../secret.csv", place.at("out.csv")).unwrap();
    symlink("../other", place.at("out")).unwrap();
    symlink("/dev/null", place.at("null.csv")).unwrap();
    symlink("../../nothing.csv", place.at("dangling.csv")).unwrap();
    std::fs::write(place.at(".hidden.csv"), "hidden").unwrap();
    symlink(".hidden.csv", place.at("seen.csv")).unwrap();
    let absolute = place.at("a.csv");
    for name in [
        "../other/c.csv",
        "../../secret.csv",
        "../nothing",
        "/etc/passwd",
        "out.csv",
        "out/c.csv",
        "null.csv",
        "dangling.csv",
        "out/nothing.csv",
        ".hidden.csv",
        "seen.csv",
        "a\0.csv",
        absolute.to_str().unwrap(),
    ] {
        failed(place.fetch(name), FailureKind::Refused, Retry::No);
    }
}

#[test]
fn only_ordinary_files_are_opened_and_none_hangs() {
    let place = Place::new();
    assert!(Command::new("mkfifo").arg(place.at("pipe.csv")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(place.at("socket.csv")).unwrap();
    failed(place.fetch("pipe.csv"), FailureKind::Refused, Retry::No);
    failed(place.fetch("socket.csv"), FailureKind::Refused, Retry::No);
    failed(place.fetch("sub"), FailureKind::Request, Retry::No);
    failed(place.fetch("."), FailureKind::Request, Retry::No);
    failed(place.fetch(" "), FailureKind::Request, Retry::No);
}

#[test]
fn the_folder_itself_must_lie_inside_a_root() {
    let place = Place::new();
    let try_folder = |folder: &Path| connector("folder", json!({ "path": folder }), &[]).test(&ctx(&place.outside));
    failed(try_folder(place.dir.path()), FailureKind::Refused, Retry::No);
    failed(try_folder(Path::new("/etc")), FailureKind::Refused, Retry::No);
    failed(try_folder(Path::new("../")), FailureKind::Refused, Retry::No);
    // Whether it is there is told to nobody.
    let (none, etc) = (place.at("none"), Path::new("/etc"));
    let said = |path: &Path| {
        let error = failed(try_folder(path), FailureKind::Refused, Retry::No);
        error.sentence.replace(path.to_str().unwrap(), "X")
    };
    assert_eq!(said(&none), said(etc));
    assert_eq!(said(Path::new("/nowhere")), said(etc));
    failed(try_folder(&place.at("a.csv")), FailureKind::Refused, Retry::No);
    symlink("/etc", place.at("etc")).unwrap();
    failed(try_folder(&place.at("etc")), FailureKind::Refused, Retry::No);
    // a root's namesake is not the root
    std::fs::create_dir(place.dir.path().join("root2")).unwrap();
    failed(try_folder(&place.dir.path().join("root2")), FailureKind::Refused, Retry::No);

    let closed = outside(&[], &[], &place.dir);
    let error = failed(place.folder.fetch(&path("a.csv"), &ctx(&closed)), FailureKind::Refused, Retry::No);
    assert!(error.sentence.contains("--folder-root"), "{error}");
}

#[test]
fn a_missing_file_is_answered_with_the_newest_ones() {
    let place = Place::new();
    for age in 1..=6 {
        let file = std::fs::File::create(place.at(&format!("sales-{age}.csv"))).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age * 3_600)).unwrap();
    }
    for old in ["a.csv", "sub/b.csv"] {
        let file = std::fs::File::options().append(true).open(place.at(old)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    let error = failed(place.fetch("sale.csv"), FailureKind::Missing, Retry::No);
    assert!(error.sentence.contains("There is no file 'sale.csv' in folder"), "{error}");
    let five = "sales-1.csv, sales-2.csv, sales-3.csv, sales-4.csv, sales-5.csv.";
    assert!(error.sentence.ends_with(five), "{error}");
}

#[test]
fn a_listing_has_what_can_be_fetched_newest_first() {
    let place = Place::new();
    std::fs::write(place.at(".hidden"), "").unwrap();
    symlink("../../secret.csv", place.at("out.csv")).unwrap();
    let old = std::fs::File::options().append(true).open(place.at("a.csv")).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)).unwrap();
    let entries = place.folder.list(None, &ctx(&place.outside)).unwrap();
    let names: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.bytes)).collect();
    assert_eq!(names, [("sub/b.csv", 17), ("a.csv", 13)]);
    assert_eq!(entries[1].modified.unwrap().rfc3339(), "1970-01-02T00:00:00Z");
    for entry in entries {
        place.fetch(&entry.name).unwrap();
    }
}

#[test]
fn a_connection_test_counts_the_files() {
    let place = Place::new();
    std::fs::remove_file(place.at("sub/b.csv")).unwrap();
    let file = std::fs::File::options().append(true).open(place.at("a.csv")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_312_000)).unwrap();
    let words = place.folder.test(&ctx(&place.outside)).unwrap();
    assert_eq!(words, "The folder contains 1 file; the newest is a.csv (13 bytes, changed 2 January 2026 00:00 UTC).");
    std::fs::remove_file(place.at("a.csv")).unwrap();
    assert_eq!(place.folder.test(&ctx(&place.outside)).unwrap(), "The folder exists, but it is empty.");
}

#[test]
fn a_change_is_noticed_even_when_its_time_is_put_back() {
    let place = Place::new();
    type Meddle = fn(&Path);
    let meddlings: [Meddle; 4] = [
        |file| std::fs::write(file, "root/in/A.csv").unwrap(),
        |file| std::fs::rename(file.with_file_name("new"), file).unwrap(),
        |file| std::fs::remove_file(file).unwrap(),
        |file| {
            let before = file.metadata().unwrap().modified().unwrap();
            std::fs::write(file, "root/in/A.csv").unwrap();
            std::fs::File::options().append(true).open(file).unwrap().set_modified(before).unwrap();
        },
    ];
    for meddle in meddlings {
        std::fs::write(place.at("a.csv"), "root/in/a.csv").unwrap();
        std::fs::write(place.at("new"), "root/in/n.csv").unwrap();
        let (_, check) = file_of(place.fetch("a.csv").unwrap());
        check.verify_unchanged().unwrap();
        next_tick(&place.at("tick"));
        meddle(&place.at("a.csv"));
        failed(check.verify_unchanged(), FailureKind::Changed, Retry::Rest(1));
    }
}

/// Waits until the file system's clock, which steps every few milliseconds, has moved on.
fn next_tick(scratch: &Path) {
    let stamp = || {
        std::fs::write(scratch, "x").unwrap();
        scratch.metadata().unwrap().modified().unwrap()
    };
    let first = stamp();
    while stamp() == first {
        std::thread::yield_now();
    }
}

#[test]
fn what_tidegate_keeps_itself_is_no_source() {
    let (root, spool) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let own = root.path().join("data");
    std::fs::create_dir_all(own.join("files")).unwrap();
    std::fs::write(own.join("secret.key"), SECRET).unwrap();
    std::fs::write(own.join("files/a.csv"), "a\n1\n").unwrap();
    let place = |path: PathBuf, roots: &[PathBuf]| {
        let outside = Outside { data_dir: own.clone(), ..outside(&[], roots, &spool) };
        let folder = connector("folder", json!({ "path": path }), &[]);
        folder.list(None, &ctx(&outside)).map(|entries| entries.len())
    };
    for path in [own.clone(), own.join("files"), root.path().to_owned()] {
        for roots in [vec![root.path().to_owned()], vec![own.clone()]] {
            failed(place(path.clone(), &roots), FailureKind::Refused, Retry::No);
        }
    }
    // The demo opens a folder of its own data.
    assert_eq!(place(own.join("files"), &[own.join("files")]).unwrap(), 1);
}

#[test]
fn a_list_has_the_newest_of_very_many_files() {
    let (root, spool) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    for i in 0..10_100u64 {
        let file = std::fs::File::create(root.path().join(format!("{i:05}.csv"))).unwrap();
        file.set_modified(long_ago + Duration::from_secs(i * 7_919 % 10_100)).unwrap();
    }
    let outside = outside(&[], &[root.path().to_owned()], &spool);
    let folder = connector("folder", json!({ "path": root.path() }), &[]);
    let listed = folder.list(None, &ctx(&outside)).unwrap();
    let seconds: Vec<i64> = listed.iter().map(|entry| entry.modified.unwrap().micros() / 1_000_000).collect();
    assert_eq!(seconds, (5_100..10_100).rev().collect::<Vec<i64>>());
}

#[test]
fn a_cancel_does_not_wait_for_the_hash_of_a_large_file() {
    let (root, spool) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::fs::File::create(root.path().join("a.csv")).unwrap().set_len(4 << 30).unwrap();
    let outside = outside(&[], &[root.path().to_owned()], &spool);
    let folder = connector("folder", json!({ "path": root.path(), "quiet_seconds": 0 }), &[]);
    let context = ctx(&outside);
    let (_, check) = file_of(fetch_one(&*folder, &path("a.csv"), &context).unwrap());
    let (cancel, began) = (context.cancel.clone(), Instant::now());
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    let error = check.sha256(&context).unwrap_err();
    later.join().unwrap();
    assert!(error.sentence.contains("cancelled") && began.elapsed() < Duration::from_secs(2), "{error}");
}

#[test]
fn a_file_that_changed_just_now_is_waited_for() {
    let place = Place::new();
    let file = std::fs::File::options().append(true).open(place.at("a.csv")).unwrap();
    let wary = connector("folder", json!({ "path": place.at("") }), &[]);
    let fetch = || fetch_one(&*wary, &path("a.csv"), &ctx(&place.outside));
    let waits = |left: std::ops::RangeInclusive<u64>| {
        let error = fetch().unwrap_err();
        assert!(matches!(error.retry, Retry::Rest(seconds) if left.contains(&seconds)), "{error:?}");
        assert!(error.sentence.contains("when it has not changed for 5 s"), "{error}");
    };
    file.set_modified(SystemTime::now()).unwrap();
    waits(1..=6);
    file.set_modified(SystemTime::now() - Duration::from_secs(3)).unwrap();
    waits(1..=3);
    // What is dated ahead tells nothing of its age; that it was touched does.
    file.set_modified(SystemTime::now() + Duration::from_secs(3_600)).unwrap();
    waits(1..=6);
    let look = FetchContext { first: Some(100), ..ctx(&place.outside) };
    fetch_one(&*wary, &path("a.csv"), &look).unwrap();
    place.fetch("a.csv").unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(6)).unwrap();
    fetch().unwrap();
}

#[test]
fn an_inner_folder_that_is_swapped_leads_nowhere_else() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let place = Place::new();
    std::fs::write(place.dir.path().join("root/other/b.csv"), "foreign").unwrap();
    symlink("../other", place.at("link")).unwrap();
    let (inner, link, over) = (place.at("sub"), place.at("link"), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                renameat_with(CWD, &inner, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let mut read = 0;
        for _ in 0..3_000 {
            if let Ok(bytes) = load(&*place.folder, &path("sub/b.csv"), &ctx(&place.outside), || ()) {
                assert_ne!(bytes, b"foreign");
                read += 1;
            }
            let listed = place.folder.list(None, &ctx(&place.outside)).unwrap();
            assert!(listed.iter().all(|entry| entry.bytes != 7), "{listed:?}");
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(read > 0, "it is there half of the time");
    });
}

#[test]
fn a_name_in_another_form_is_found_or_named() {
    let place = Place::new();
    std::fs::write(place.at("caf\u{65}\u{301}.csv"), "accent").unwrap();
    std::fs::write(place.at("sales\u{200b}.csv"), "hidden").unwrap();
    std::fs::write(place.at("Stock.csv"), "case").unwrap();
    assert_eq!(place.fetch("caf\u{e9}.csv").unwrap().bytes, 6);
    for (wanted, there) in [("sales.csv", "'sales⟨U+200B⟩.csv'"), ("stock.csv", "'Stock.csv'")] {
        let error = failed(place.fetch(wanted), FailureKind::Missing, Retry::No);
        assert!(error.sentence.contains(&format!("There is {there}, which is spelled differently")), "{error}");
    }
}
