//! A provider that others use, too (`tests/oidc/provider.mjs`), in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use diesel::prelude::*;
use tidegate::db::schema::{members, sign_in_elsewhere};
use tidegate::members::actions::{self, Change};

use super::{SECRET, log, set_up, signed_in};
use crate::support::*;

struct Provider {
    child: Child,
    issuer: String,
}

impl Provider {
    /// Signs with this algorithm, and says the address in the ID token or where it is asked for.
    fn start(world: &World, algorithm: &str, says: &str) -> Self {
        Self::start_at("127.0.0.1", world, algorithm, says)
    }

    fn start_at(host: &str, world: &World, algorithm: &str, says: &str) -> Self {
        let mut child = Command::new("node")
            .arg(settings::root().join("tests/oidc/provider.mjs"))
            .arg(settings::oidc_modules())
            .args([&format!("{}/sign-in/elsewhere/return", world.at()), algorithm, says, host])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the provider starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, issuer: line.trim().to_owned() }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Goes there, and says who one is.
async fn goes(world: &World, email: &str) -> Browser {
    let mut browser = world.nobody();
    browser.visit("/sign-in?next=/account").await.follow("Sign in with Acme").await;
    assert_ne!(browser.url.origin().ascii_serialization(), world.at(), "the provider's own page");
    browser.fill("Account", email).press("Continue").await;
    browser
}

on_both! {
    async fn a_member_signs_in_there_and_is_known_here(world: World) {
        for (algorithm, says) in [("RS256", "token"), ("ES256", "userinfo")] {
            let provider = Provider::start(&world, algorithm, says);
            set_up(&world, &provider.issuer).await;
            let mut olive = goes(&world, "OLIVE@acme.test").await;
            olive.answered(200).sees("olive@acme.test, Importer");
            assert_eq!(olive.path(), "/account");
            olive.within(".side-foot").press("Sign out").await.sees("Sign in with Acme");
        }
        assert_eq!(signed_in(&world).await, [(); 2].map(|()| ("Olive".to_owned(), "{\"with\":\"Acme\"}".to_owned())));
    }

    async fn who_is_no_member_reads_whom_to_ask(world: World) {
        let provider = Provider::start(&world, "RS256", "token");
        set_up(&world, &provider.issuer).await;
        let stranger = goes(&world, "una@acme.test").await;
        stranger.answered(409).sees("There is no active member with the e-mail address una@acme.test. Ask Ada to add you, or to activate your account.");
        let unverified = goes(&world, "unverified@acme.test").await;
        unverified.answered(409).sees("Acme has not verified your e-mail address");
        let mut no = world.nobody();
        no.visit("/sign-in").await.follow("Sign in with Acme").await.press("No, thanks").await;
        no.answered(409).sees("it was cancelled or not allowed");
        let (ada, mo, now) = (world.ada.clone(), world.mo.id, world.now());
        world.write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, mo, Change { active: Some(false), ..Change::default() }, now)
        }).await;
        goes(&world, "mo@acme.test").await.answered(409).sees("There is no active member");
        assert_eq!(signed_in(&world).await, []);
    }

    async fn a_member_without_a_password_comes_in_there_and_a_code_is_asked_for(world: World) {
        let provider = Provider::start(&world, "ES256", "token");
        set_up(&world, &provider.issuer).await;
        let olive = world.olive.id;
        let secret = tidegate::members::totp::fresh();
        let sealed = world.app().secrets.seal(&format!("second_factors {olive}"), &secret).unwrap();
        world.write(move |conn| {
            diesel::update(members::table.find(olive)).set(members::password_hash.eq(None::<String>)).execute(conn)?;
            Ok(())
        }).await;
        goes(&world, "olive@acme.test").await.answered(200).sees("olive@acme.test, Importer");
        world.write(move |conn| {
            use tidegate::db::schema::second_factors as f;
            let values = (f::member_id.eq(olive), f::sealed.eq(sealed), f::last_step.eq(0), f::set_at.eq(0));
            Ok(diesel::insert_into(f::table).values(values).execute(conn)?)
        }).await;
        let mut asked = goes(&world, "olive@acme.test").await;
        asked.answered(200).sees("Enter your code");
        asked.fill("Code", &tidegate::members::totp::code(&secret, world.now()).unwrap()).press("Continue").await;
        assert_eq!((asked.status, asked.path().as_str()), (200, "/account"));
    }

    async fn what_is_set_up_is_sealed_changed_and_removed(world: World) {
        let provider = Provider::start(&world, "RS256", "token");
        set_up(&world, &provider.issuer).await;
        let sealed = world.read(|conn| {
            Ok(sign_in_elsewhere::table.select(sign_in_elsewhere::sealed_secret).first::<String>(conn)?)
        }).await;
        assert!(!sealed.contains("canary"));
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/settings/sign-in").await.sees(&format!("{}/sign-in/elsewhere/return", world.at()));
        assert!(!ada.body.contains("canary"));
        // The secret stays where nothing else does not, and goes to no other provider.
        ada.fill("Name of the provider", "Acme Two").press("Test and save").await.answered(200);
        let mut olive = world.nobody();
        olive.visit("/sign-in").await.follow("Sign in with Acme Two").await;
        olive.fill("Account", "olive@acme.test").press("Continue").await.answered(200);
        ada.fill("Issuer", "https://other.invalid").press("Test and save").await;
        ada.answered(422).sees("Enter the client secret that the provider gave this Workspace.");
        for (issuer, said) in [
            ("http://sign-in.example.com", "must begin with https://"),
            ("https://u:p@sign-in.example.com", "must not contain"),
            ("https://10.0.0.1", "which Tidegate may not reach"),
            ("nothing", "This is not an address"),
            (&format!("{}/", provider.issuer), "calls itself by another address"),
            (world.at(), "in place of its OpenID Connect configuration"),
        ] {
            ada.fill("Issuer", issuer).fill("Client secret", SECRET).press("Test and save").await;
            ada.answered(422).sees(said);
        }
        // A wrong secret is told to the log; whoever comes back could do nothing about it.
        ada.fill("Issuer", &provider.issuer).fill("Client secret", "wrong").press("Test and save").await;
        ada.answered(200);
        let mut olive = world.nobody();
        olive.visit("/sign-in").await.follow("Sign in with Acme Two").await;
        olive.fill("Account", "olive@acme.test").press("Continue").await;
        olive.answered(409).sees("Signing in with Acme Two did not work. Start again.").sees_no("client secret");
        assert!(log::take(&provider.issuer).contains("does not accept the client ID or the client secret"));
        ada.visit("/settings/sign-in").await.press("Remove").await.answered(200).sees("sign in with passwords only");
        world.nobody().visit("/sign-in").await.sees_no("Acme");
        assert_eq!(ada.post("/settings/sign-in/remove", &[]).await.status, 404);
        ada.visit("/audit").await.sees("Set up sign-in by OpenID Connect").sees("Removed sign-in by OpenID Connect");
    }

    async fn a_provider_that_is_gone_is_no_fault(world: World) {
        let provider = Provider::start(&world, "RS256", "token");
        set_up(&world, &provider.issuer).await;
        let issuer = provider.issuer.clone();
        drop(provider);
        let mut olive = world.nobody();
        assert_eq!(olive.open("/sign-in/elsewhere?next=/account").await, 409);
        olive.sees("Signing in with Acme did not work.").sees_no("refused the connection");
        assert!(log::take(&issuer).contains("refused the connection"));
        olive.fill("E-mail", &world.olive.email).fill("Password", cast::PASSWORD).press("Sign in").await.answered(200);
        assert_eq!(olive.path(), "/account", "where one wanted to go");
    }
}

/// For the browser, `localhost` is another site: what is kept for the way back comes along all the same.
#[test]
fn a_browser_goes_to_another_site_and_comes_back() {
    with_world(Database::Sqlite, |world| async move {
        let provider = Provider::start_at("localhost", &world, "ES256", "token");
        set_up(&world, &provider.issuer).await;
        let chrome = Chrome::open(&world, None, Look::default()).await;
        chrome.goto("/sign-in?next=/account").await;
        chrome.click("Sign in with Acme").await;
        chrome.fill("Account", "olive@acme.test").await;
        chrome.click("Continue").await;
        chrome.arrives("/account").await;
        chrome.sees("olive@acme.test, Importer").await;
        chrome.sees("Chrome on Linux").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}
