//! The first start, as an operator and a first Administrator live it: the program itself, and a browser.

use crate::support::Browser;
use crate::support::process::{Process, run};

const PASSWORD: &str = "a tide at the gate";

fn said(output: &std::process::Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_first_start_is_walked_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let mut process = Process::start(&["--data-dir", data, "--listen", "127.0.0.1:0"]);
    let code = process.line(|line| line.starts_with("setup code: "))["setup code: ".len()..].to_owned();
    let at = process.listening();
    let runtime = crate::support::databases::runtime();
    runtime.block_on(async {
        let mut first = Browser::new(&at, "the first", None);
        first.visit("/").await.sees("Set up this Workspace");
        first.sees(&at);
        first.fill("Set-up code", "AAAA-BBBB").fill("Your name", "Ada\u{7}").fill("Password", "password");
        first.press("Set up").await;
        first
            .answered(422)
            .sees("This is not the set-up code")
            .sees("too easy to guess")
            .sees("Enter an e-mail address");
        assert_eq!(first.value("Set-up code"), "AAAA-BBBB", "what was typed is kept");
        first.fill("Set-up code", &code.to_lowercase()).fill("Your name", "Ada").fill("E-mail", "ada@example.com");
        first.fill("Password", PASSWORD).fill("Name of the Workspace", "Acme").fill("Time zone", "Mars");
        first.press("Set up").await;
        first.answered(422).sees("\"Mars\" is not a known time zone").sees("Enter it again");
        assert_eq!(first.value("Password"), "", "a password is never sent back");
        first.fill("Password", PASSWORD).fill("Time zone", "europe/paris").press("Set up").await;
        first.answered(200).sees("You are the Administrator of this Workspace").sees("Your first Application");
        let mut second = Browser::new(&at, "a second", None);
        assert_eq!(second.open("/setup").await, 404, "the door is gone");
        assert_eq!(first.post("/setup", &[("code", &code)]).await.status, 404);
        first.visit("/audit").await.sees("Set up the Workspace").sees("127.0.0.1");
        first.visit("/settings/mail").await.sees("There is no mail server");
        first.sees("such as notifications about imports");
        first.press("Write a test mail").await.sees("A test mail to ada@example.com was written as a file");
        first.visit("/audit").await.sees("Sent a test mail");
    });
    assert_eq!(std::fs::read_dir(dir.path().join("mail")).unwrap().count(), 1);

    // A second server is refused, other commands are not.
    let (status, _, reason) = said(&run(&["--data-dir", data, "--listen", "127.0.0.1:0"], &[], ""));
    assert_eq!(status, 2);
    assert!(reason.contains("another tidegate uses this directory") && reason.lines().count() == 1, "{reason}");
    let add = ["member", "add", "--data-dir", data, "--email", "mo@example.com", "--name", "Mo", "--role", "Viewer"];
    let (status, _, reason) = said(&run(&[&add[..], &["--password-stdin"]].concat(), &[], "sea and sand 7\n"));
    assert_eq!((status, reason.as_str()), (0, ""));
    let token =
        ["token", "create", "--data-dir", data, "--member", "mo@example.com", "--name", "ci", "--scope", "read"];
    let (status, text, reason) = said(&run(&token, &[], ""));
    assert_eq!((status, reason.as_str()), (0, ""));
    assert!(text.lines().last().unwrap().starts_with("tg_"), "{text}");
    let mut ending = token.to_vec();
    ending.extend(["--expires", "2399-12-31"]);
    assert_eq!(said(&run(&ending, &[], "")).0, 0);
    runtime.block_on(async {
        let mut mo = Browser::new(&at, "Mo", None);
        mo.visit("/sign-in").await.fill("E-mail", "mo@example.com").fill("Password", "sea and sand 7");
        mo.press("Sign in").await.sees("No one has given you access").sees("Ask Ada");
        mo.visit("/account").await.sees("ci").sees("read").sees("Sat 1 Jan 2400");
    });

    process.stop();
    let wrong = crate::support::world::secret_key();
    let (status, _, reason) = said(&run(&["--data-dir", data, "--secret-key", &wrong], &[], ""));
    assert_eq!(status, 2);
    assert!(reason.contains("not the key") && reason.lines().count() == 1, "{reason}");
    let mut again = Process::start(&["--data-dir", data, "--listen", "127.0.0.1:0"]);
    again.listening();
    assert!(!again.said.iter().any(|line| line.contains("code")), "no code is printed any more: {:?}", again.said);
}

#[test]
fn a_command_that_is_wrong_says_which_and_why_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let add = ["member", "add", "--data-dir", data, "--password-stdin", "--name", "Ada", "--email"];
    for (args, stdin, part) in [
        ([&add[..], &["ada"], &["--administrator"]].concat(), "sea and sand 7", "--email: This is not an e-mail"),
        ([&add[..], &["ada@a.b"], &["--role", "King"]].concat(), "sea and sand 7", "--role: There is no such role"),
        (
            [&add[..], &["ada@a.b"], &["--administrator"]].concat(),
            "short",
            "--password-stdin: This password is too short",
        ),
        ([&add[..], &["ada@a.b"]].concat(), "sea and sand 7", "--role"),
        (
            vec!["token", "create", "--data-dir", data, "--member", "x@y.z", "--name", "n"],
            "",
            "there is no such member",
        ),
        (
            vec!["token", "create", "--data-dir", data, "--member", "x@y.z", "--name", "n", "--scope", "rule"],
            "",
            "rule",
        ),
        (
            vec!["token", "create", "--data-dir", data, "--member", "x@y.z", "--name", "n", "--expires", "soon"],
            "",
            "expected a date like 2027-03-31",
        ),
    ] {
        let (status, text, reason) = said(&run(&args, &[], stdin));
        assert_eq!((status, text.as_str()), (2, ""), "{args:?}");
        assert!(reason.contains(part) && reason.lines().count() == 1, "{args:?}: {reason}");
    }
}
