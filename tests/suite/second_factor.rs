//! The second factor: set up, asked for, guessed at, lost, demanded.

use chrono::Duration;
use diesel::prelude::*;
use tidegate::db::schema::{audit_log, recovery_codes, second_factors};
use tidegate::members::actions::{self, Change};
use tidegate::members::{passwords, reset, totp};
use tidegate::secrets::Secrets;

use crate::support::browser::Answer;
use crate::support::cast::PASSWORD;
use crate::support::*;

const PAGE: &str = "/account/second-factor";

/// A second factor that was turned on.
pub struct Phone {
    secret: String,
    recovery: Vec<String>,
}

impl Phone {
    fn code(&self, world: &World) -> String {
        totp::code(&self.secret, world.now()).unwrap()
    }
}

/// What the page shows to be typed into an app.
fn secret(browser: &Browser) -> String {
    let page = browser.page();
    html::text(html::by_id(page.root_element(), "secret").unwrap()).replace(' ', "")
}

fn recovery(browser: &Browser) -> Vec<String> {
    let page = browser.page();
    html::select(page.root_element(), "#fresh-codes span").into_iter().map(html::text).collect()
}

/// Somebody turns theirs on. The next code is one that nobody has typed yet.
pub async fn phone(world: &World, person: &Person) -> Phone {
    let mut browser = world.browser(person).await;
    browser.visit(PAGE).await;
    let secret = secret(&browser);
    browser.fill("Code", &totp::code(&secret, world.now()).unwrap()).fill("Current password", PASSWORD);
    browser.press("Turn on").await.answered(201);
    world.advance(Duration::seconds(30));
    Phone { secret, recovery: recovery(&browser) }
}

/// A browser in which the password was right.
async fn half_way(world: &World, person: &Person) -> Browser {
    let mut browser = world.nobody();
    browser.visit("/sign-in?next=/account").await.fill("E-mail", &person.email).fill("Password", PASSWORD);
    browser.press("Sign in").await.answered(200).sees("Enter your code");
    assert!(browser.path().starts_with("/sign-in/code"), "{}", browser.path());
    browser
}

async fn enters(browser: &Browser, code: &str) -> Answer {
    browser.post("/sign-in/code", &[("code", code), ("next", "/account")]).await
}

async fn audited(world: &World) -> Vec<String> {
    let rows = world.read(|conn| {
        let of = audit_log::table.filter(audit_log::action.like("member.%")).order(audit_log::id);
        Ok(of.select((audit_log::action, audit_log::member_name)).load::<(String, String)>(conn)?)
    });
    rows.await.into_iter().map(|(action, who)| format!("{who} {}", &action["member.".len()..])).collect()
}

on_both! {
    async fn it_is_turned_on_by_a_code_and_the_password(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/account").await.follow("Set up").await;
        assert_eq!(olive.count("svg.qr path"), 2, "the code stands in the page");
        let shown = secret(&olive);
        assert!(olive.body.contains(&format!("secret={shown}&#38;issuer=Tidegate%20%28")), "{}", olive.body);
        olive.fill("Code", "123").fill("Current password", PASSWORD).press("Turn on").await;
        olive.answered(422).sees("This is not the code that the app shows now.");
        assert_eq!(secret(&olive), shown, "what was scanned goes on");
        let code = totp::code(&shown, world.now()).unwrap();
        olive.fill("Code", &code).fill("Current password", "wrong").press("Turn on").await;
        olive.answered(422).sees("This is not your current password.");
        olive.fill("Code", &code).press("Turn on").await.answered(422).sees("Enter your current password.");
        olive.fill("Code", &code).fill("Current password", PASSWORD).press("Turn on").await;
        olive.answered(201).sees("Keep them now").sees("On since").sees("10 of 10");
        let codes = recovery(&olive);
        assert_eq!(codes.len(), 10);
        olive.visit(PAGE).await.sees_no("Keep them now");
        assert_eq!(olive.count("#secret, svg.qr"), 0, "it is shown no more");
        let (sealed, kept) = world.read(|conn| {
            let sealed: String = second_factors::table.select(second_factors::sealed).first(conn)?;
            Ok((sealed, recovery_codes::table.select(recovery_codes::code_hash).load::<String>(conn)?))
        }).await;
        assert!(!sealed.contains(&shown) && kept.len() == 10 && !kept.contains(&codes[0]));
        // A secret of anybody else's is not taken, nor a second one.
        let other = world.app().secrets.seal(&format!("new second factor of {}", world.mo.id), &shown).unwrap();
        let sent = |sealed: String| {
            let (olive, code) = (&olive, code.clone());
            async move { olive.post(PAGE, &[("sealed", &sealed), ("code", &code), ("current", PASSWORD)]).await.status }
        };
        assert_eq!(sent(other).await, 422);
        let own = world.app().secrets.seal(&format!("new second factor of {}", world.olive.id), &shown).unwrap();
        assert_eq!(sent(own).await, 409);
    }

    async fn who_has_one_is_in_only_with_its_code(world: World) {
        let phone = phone(&world, &world.olive).await;
        let mut olive = half_way(&world, &world.olive).await;
        assert!(olive.get("/account").await.url.path() == "/sign-in", "half-way is not in");
        olive.fill("Code", "12 34").press("Continue").await.answered(422).sees("This code is not right");
        olive.press("Continue").await.answered(422).sees("Enter a code of your app, or a recovery code.");
        let code = phone.code(&world);
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        olive.fill("Code", &spaced).press("Continue").await.answered(200);
        assert_eq!(olive.path(), "/account");
        // The same code is good no second time, the next one is; one of the past never.
        let other = half_way(&world, &world.olive).await;
        assert_eq!(enters(&other, &code).await.status, 422);
        let past = totp::code(&phone.secret, world.now().minus(Duration::seconds(30))).unwrap();
        assert_eq!(enters(&other, &past).await.status, 422);
        world.advance(Duration::seconds(30));
        let answer = enters(&other, &phone.code(&world)).await;
        assert_eq!((answer.status, answer.url.path()), (200, "/account"));
        assert_eq!(audited(&world).await, [
            "Olive second_factor_on", "nobody code_refused", "Olive signed_in", "nobody code_refused", "nobody code_refused",
            "Olive signed_in",
        ]);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit").await.sees("Denied: code of the second factor").sees("Turned on their own second factor");
    }

    async fn a_link_to_reset_the_password_makes_no_browser_known_that_has_yet_to_bring_a_code(world: World) {
        phone(&world, &world.olive).await;
        for (person, known) in [(&world.olive, false), (&world.mo, true)] {
            let mut ada = world.browser(&world.ada).await;
            ada.visit(&format!("/members/{}", person.id)).await.press("Make a link to set a new password").await;
            ada.answered(200).sees("is on its way");
            let link = crate::passwords::links(&world.mails(), "/password/reset/").pop().unwrap();
            let mut finder = world.nobody();
            finder.visit(&link).await.fill("New password", "shells and stones").press("Set password").await;
            finder.answered(200).sees("Your new password is set.");
            assert_eq!(finder.cookie("known").is_some(), known, "{}", person.name);
        }
    }

    async fn a_recovery_code_is_good_once(world: World) {
        let phone = phone(&world, &world.olive).await;
        assert!(phone.recovery.iter().all(|code| code.len() == 24));
        let mut olive = half_way(&world, &world.olive).await;
        olive.fill("Code", &phone.recovery[0].to_lowercase().replace('-', " ")).press("Continue").await.answered(200);
        olive.sees("You used a recovery code. 9 recovery codes are left.");
        let other = half_way(&world, &world.olive).await;
        assert_eq!(enters(&other, &phone.recovery[0]).await.status, 422);
        assert_eq!(enters(&other, &phone.recovery[1]).await.status, 200);
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/account").await;
        olive.visit(PAGE).await.sees("8 of 10");
        olive.fill("Current password", "wrong").press("Make new recovery codes").await.answered(422);
        olive.fill("Current password", PASSWORD).press("Make new recovery codes").await.answered(201);
        let fresh = recovery(&olive);
        let third = half_way(&world, &world.olive).await;
        assert_eq!(enters(&third, &phone.recovery[2]).await.status, 422, "the others are good no more");
        assert_eq!(enters(&third, &fresh[2]).await.status, 200);
        assert_eq!(mo.post(&format!("{PAGE}/codes"), &[("current", PASSWORD)]).await.status, 409, "who has none");
    }

    async fn half_way_ends_with_time_password_and_account(world: World) {
        let phone = phone(&world, &world.olive).await;
        let late = half_way(&world, &world.olive).await;
        world.advance(Duration::minutes(10));
        let answer = enters(&late, &phone.code(&world)).await;
        assert!(answer.url.path() == "/sign-in" && answer.text().contains("Sign in again"), "{}", answer.text());
        let (before, closed) = (half_way(&world, &world.olive).await, half_way(&world, &world.olive).await);
        let (id, now) = (world.olive.id, world.now());
        let hash = passwords::hash_now("another good one").unwrap();
        let ada = world.ada.clone();
        world.write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, id, Change { password: Some(hash), ..Change::default() }, now)
        }).await;
        assert_eq!(enters(&before, &phone.code(&world)).await.url.path(), "/sign-in");
        let ada = world.ada.clone();
        world.write(move |conn| {
            let by = ada.by(conn)?;
            let hash = passwords::hash_now(PASSWORD)?;
            actions::update(conn, &by, ENDERS, id, Change { password: Some(hash), active: Some(false), ..Change::default() }, now)
        }).await;
        assert_eq!(enters(&closed, &phone.code(&world)).await.url.path(), "/sign-in");
        // What is none of ours.
        let mut nobody = world.nobody();
        nobody.visit("/sign-in").await;
        let sealed = |place: &str| world.app().secrets.seal(place, &format!("{id} 99999999999999999 x")).unwrap();
        for cookie in ["", "x", &format!("{id} 99999999999999999 x"), &sealed("known browser"), &sealed("half-way in")] {
            let fields = [("csrf", nobody.token()), ("code", phone.code(&world))];
            let cookies = format!("sid={}; half-way={cookie}", nobody.session().unwrap());
            let request = nobody.request(reqwest::Method::POST, "/sign-in/code").form(&fields).header("Cookie", cookies);
            assert_eq!(request.send().await.unwrap().url().path(), "/sign-in", "{cookie}");
        }
    }

    /// Its cookie is good for one sign-in, and for none once the account was closed, though it was opened again.
    async fn half_way_is_spent_by_the_sign_in_and_by_every_change(world: World) {
        let phone = phone(&world, &world.olive).await;
        let half = half_way(&world, &world.olive).await;
        let cookie = half.cookie("half-way").unwrap();
        assert_eq!(enters(&half, &phone.code(&world)).await.url.path(), "/account");
        world.advance(Duration::minutes(1));
        let mut thief = world.nobody();
        thief.visit("/sign-in").await;
        let fields = [("csrf", thief.token()), ("code", phone.code(&world))];
        let cookies = format!("sid={}; half-way={cookie}", thief.session().unwrap());
        let again = thief.request(reqwest::Method::POST, "/sign-in/code").form(&fields).header("Cookie", cookies);
        assert_eq!(again.send().await.unwrap().url().path(), "/sign-in", "once");
        let waits = half_way(&world, &world.olive).await;
        for active in [false, true] {
            let (ada, id, now) = (world.ada.clone(), world.olive.id, world.now());
            world.write(move |conn| {
                let by = ada.by(conn)?;
                actions::update(conn, &by, ENDERS, id, Change { active: Some(active), ..Change::default() }, now)
            }).await;
        }
        world.advance(Duration::minutes(1));
        assert_eq!(enters(&waits, &phone.code(&world)).await.url.path(), "/sign-in");
    }

    async fn turning_it_on_ends_what_the_password_alone_opened(world: World) {
        let mut there = world.browser(&world.olive).await;
        let mut here = world.browser(&world.olive).await;
        here.visit("/account").await.follow("Set up").await;
        let code = totp::code(&secret(&here), world.now()).unwrap();
        here.fill("Code", &code).fill("Current password", PASSWORD).press("Turn on").await.answered(201);
        there.visit("/account").await.sees("Sign in").sees_no("Your account");
        here.visit("/account").await.sees("Your account");
    }

    async fn guessing_gets_slower_for_whoever_guesses(world: World) {
        let phone = phone(&world, &world.olive).await;
        let mut known = half_way(&world, &world.olive).await;
        known.fill("Code", &phone.code(&world)).press("Continue").await.answered(200);
        let guesser = half_way(&world, &world.olive).await;
        let mut statuses = Vec::new();
        for n in 0..7 {
            statuses.push(enters(&guesser, &format!("{n:06}")).await.status);
        }
        assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
        world.advance(Duration::seconds(30));
        let other = half_way(&world, &world.olive).await;
        assert_eq!(enters(&other, &phone.code(&world)).await.url.path(), "/account", "nobody is locked out");
        while enters(&guesser, "000000").await.status == 422 {}
        assert_eq!(enters(&guesser, "000000").await.status, 429);
        // A browser that the account knows has a count of its own.
        world.advance(Duration::seconds(30));
        let fields = [("email", world.olive.email.as_str()), ("password", PASSWORD)];
        assert_eq!(known.post("/sign-in", &fields).await.url.path(), "/sign-in/code");
        assert_eq!(enters(&known, &phone.code(&world)).await.status, 200);
    }

    async fn guesses_sent_at_once_are_counted_and_a_code_is_taken_once(world: World) {
        let phone = phone(&world, &world.olive).await;
        let guesser = half_way(&world, &world.olive).await;
        let guesses = futures_util::future::join_all((0..30).map(|n| {
            let (guesser, guess) = (&guesser, format!("{n:06}"));
            async move { enters(guesser, &guess).await.status }
        }));
        let statuses = guesses.await;
        assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 5, "{statuses:?}");
        world.advance(Duration::hours(1));
        let code = phone.code(&world);
        let mut browsers = Vec::new();
        for _ in 0..4 {
            browsers.push(half_way(&world, &world.olive).await);
        }
        let all = futures_util::future::join_all(browsers.iter().map(|browser| enters(browser, &code))).await;
        let paths: Vec<_> = all.iter().filter(|answer| answer.url.path() == "/account").collect();
        assert_eq!(paths.len(), 1, "{:?}", all.iter().map(|answer| answer.status).collect::<Vec<_>>());
    }

    async fn it_is_turned_off_by_the_password(world: World) {
        let _phone = phone(&world, &world.olive).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/account").await.sees("10 recovery codes left");
        olive.follow("Manage").await;
        olive.fill("Current password", "wrong").press("Turn off").await.answered(422);
        olive.fill("Current password", PASSWORD).press("Turn off").await.answered(200).sees("Your second factor is off.");
        let mut door = world.nobody();
        door.visit("/sign-in").await.fill("E-mail", &world.olive.email).fill("Password", PASSWORD).press("Sign in").await;
        door.answered(200).sees("FP&A 2026");
        let left = world.read(|conn| Ok(recovery_codes::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(left, 0);
    }

    async fn an_administrator_takes_it_off_who_lost_the_phone(world: World) {
        let phone = phone(&world, &world.olive).await;
        let waiting = half_way(&world, &world.olive).await;
        let mut ada = world.browser(&world.ada).await;
        let before = world.mails().len();
        ada.visit(&format!("/members/{}", world.olive.id)).await.press("Turn off the second factor").await;
        ada.answered(200).sees("The second factor of Olive is off. Olive is notified by e-mail.").sees_no("Turn off the second factor");
        for _ in 0..100 {
            if world.mails().len() > before {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let mail = world.mails().pop().unwrap().replace("=\r\n", "");
        assert!(mail.contains("To: Olive <olive@acme.test>") && mail.contains("Ada turned off the second factor"), "{mail}");
        assert_eq!(enters(&waiting, &phone.code(&world)).await.url.path(), "/sign-in");
        let refused = ada.post(&format!("/members/{}/second-factor/off", world.mo.id), &[]).await;
        assert!(refused.status == 409 && refused.text().contains("Mo has no second factor."), "{}", refused.text());
        // Their own one is behind their password.
        let _own = self::phone(&world, &world.ada).await;
        let mut ada = world.browser(&world.ada).await;
        let page = format!("/members/{}", world.ada.id);
        ada.visit(&page).await.sees("Yours is under Your account.");
        let refused = ada.post(&format!("{page}/second-factor/off"), &[]).await;
        assert!(refused.status == 409 && refused.text().contains("with your password"), "{}", refused.text());
        assert!(audited(&world).await.contains(&"Ada second_factor_taken".to_owned()));
    }

    async fn the_command_line_takes_it_off_a_lost_administrator(world: World) {
        let _phone = phone(&world, &world.ada).await;
        let (email, now) = (world.ada.email.clone(), world.now());
        let set = move |conn: &mut tidegate::db::Conn| {
            reset::set_by_command(conn, ENDERS, &email, &passwords::hash_now("shells and stones")?, now)
        };
        assert!(world.write(set.clone()).await.1, "it had one");
        assert!(!world.write(set).await.1);
        let mut ada = world.nobody();
        ada.visit("/sign-in").await.fill("E-mail", &world.ada.email).fill("Password", "shells and stones").press("Sign in").await;
        ada.answered(200).sees("FP&A 2026");
    }

    /// A new password by link leaves it: who reads somebody's mail does not hold their phone.
    async fn a_reset_link_leaves_it_on(world: World) {
        let _phone = phone(&world, &world.olive).await;
        let link = crate::passwords::link(&world).await;
        let mut olive = world.nobody();
        olive.visit(&link).await.fill("New password", "shells and stones").press("Set password").await.answered(200);
        olive.fill("E-mail", &world.olive.email).fill("Password", "shells and stones").press("Sign in").await;
        olive.answered(200).sees("Enter your code");
    }

    async fn a_new_key_seals_it_anew(world: World) {
        let phone = phone(&world, &world.olive).await;
        use base64::Engine;
        let new = Secrets::from_base64(&base64::engine::general_purpose::STANDARD.encode([9; 32])).unwrap();
        let by = new.clone();
        world.step(move |app| tidegate::keys::rotate(app, &by)).await;
        let sealed = world.read(|conn| Ok(second_factors::table.select(second_factors::sealed).first::<String>(conn)?)).await;
        let place = format!("second_factors {}", world.olive.id);
        assert_eq!(new.open(&place, &sealed).unwrap(), phone.secret);
        assert!(world.app().secrets.open(&place, &sealed).is_err(), "the old key opens nothing");
    }

    async fn one_that_is_demanded_is_set_up_first(world: World) {
        let mut ada = world.browser(&world.ada).await;
        let mut olive = world.browser(&world.olive).await;
        let token = world.api(&world.ada).await;
        ada.visit("/settings/sign-in").await;
        assert_eq!(ada.post("/settings/sign-in/second-factor", &[("whom", "x")]).await.status, 422);
        ada.choose("Who must use one", "Administrators").press("Save").await;
        ada.answered(200).sees("Set up your second factor to go on.");
        assert_eq!(ada.path(), PAGE);
        for path in ["/", "/account", "/members", "/audit", "/notifications"] {
            assert_eq!(ada.get(path).await.url.path(), PAGE, "{path}");
        }
        assert_eq!(ada.htmx("/notifications/bell").await.status, 200);
        assert_eq!(ada.htmx("/members").await.status, 403);
        let before = world.fingerprint().await;
        assert_eq!(ada.post("/account", &[("name", "Someone Else")]).await.url.path(), PAGE);
        assert_eq!(world.fingerprint().await, before);
        olive.visit("/account").await.sees("Your account");
        token.get("members").await.is(200);
        let secret = secret(&ada);
        ada.fill("Code", &totp::code(&secret, world.now()).unwrap()).fill("Current password", PASSWORD);
        ada.press("Turn on").await.answered(201);
        ada.visit("/settings/sign-in").await;
        ada.choose("Who must use one", "Everyone who has a password").press("Save").await.answered(200);
        ada.sees("Every member who has a password needs a second factor now.");
        assert_eq!(olive.get("/account").await.url.path(), PAGE);
        ada.choose("Who must use one", "Nobody: members choose for themselves").press("Save").await.answered(200);
        olive.visit("/account").await.sees("Your account");
    }
}
