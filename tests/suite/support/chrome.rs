//! A real browser: Chromium through chromedriver. One chromedriver for the whole process, one tab at a time; each
//! visit is a session of its own. What the page writes on its console as an error fails the test that asks.
//!
//! ```ignore
//! let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
//! chrome.goto("/").await;
//! chrome.click("New Application").await;
//! chrome.sees("Name").await;
//! chrome.quiet().await;
//! ```

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::settings::root;
use super::{Person, World};

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(15);

/// What somebody looks with.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub dark: bool,
    pub phone: bool,
    /// False: scripts are switched off.
    pub scripts: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { dark: false, phone: false, scripts: true }
    }
}

pub struct Chrome {
    pub client: Client,
    base: String,
    session: String,
    driver: &'static Driver,
    http: reqwest::Client,
    _profile: TempDir,
    _turn: SemaphorePermit<'static>,
}

impl Chrome {
    /// A new browser, in which this person is signed in.
    pub async fn open(world: &World, person: Option<&Person>, look: Look) -> Self {
        let chrome = Self::at(world.at(), look).await;
        if let Some(person) = person {
            chrome.sign_in(&world.session(person).await).await;
        }
        chrome
    }

    /// A new browser before a server that answers at `base`, given without a slash at its end.
    pub async fn at(base: &str, look: Look) -> Self {
        static TURN: Semaphore = Semaphore::const_new(1);
        let turn = TURN.acquire().await.unwrap();
        let driver = driver();
        let profile = tempfile::Builder::new().prefix("tidegate-chrome-").tempdir().unwrap();
        let mut connector = hyper_util::client::legacy::connect::HttpConnector::new();
        connector.set_nodelay(true);
        let Value::Object(capabilities) = capabilities(&profile, look) else { unreachable!() };
        let client = ClientBuilder::new(connector)
            .capabilities(capabilities)
            .connect(&driver.at)
            .await
            .unwrap_or_else(|e| panic!("Chromium does not start: {e}"));
        let session = client.session_id().await.unwrap().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = base.to_owned();
        let chrome = Self { client, base, session, driver, http, _profile: profile, _turn: turn };
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        chrome.cdp("Emulation.setEmulatedMedia", json!({ "features": media })).await;
        let (width, height, scale) = if look.phone { (390, 844, 2) } else { (1440, 900, 1) };
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": look.phone });
        chrome.cdp("Emulation.setDeviceMetricsOverride", size).await;
        chrome
    }

    /// Sets the session cookie, which scripts of a page could not.
    pub async fn sign_in(&self, session: &str) {
        let cookie = json!({ "name": "sid", "value": session, "url": self.base, "httpOnly": true, "sameSite": "Lax" });
        let set = self.cdp("Network.setCookie", cookie).await;
        assert_eq!(set["success"], true, "the session cookie is set");
    }

    /// The session ends as it does when somebody signs out elsewhere.
    pub async fn forget(&self) {
        self.cdp("Network.clearBrowserCookies", json!({})).await;
    }

    /// The network goes away, or comes back.
    pub async fn offline(&self, offline: bool) {
        let none = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.cdp("Network.enable", json!({})).await;
        self.cdp("Network.emulateNetworkConditions", none).await;
    }

    pub async fn goto(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
    }

    /// Path and query of the open page.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }

    /// Waits until the address is this.
    pub async fn arrives(&self, path: &str) {
        self.until(&format!("the address becomes {path}"), async || (self.path().await == path).then_some(())).await;
    }

    /// Clicks the button, link, summary or label of this name, once it shows.
    pub async fn click(&self, name: &str) {
        self.click_within("", name).await;
    }

    /// The same in the row, list item, card or dialog that says `text`.
    pub async fn click_in(&self, text: &str, name: &str) {
        let text = quoted(text);
        let row = format!(
            "//*[self::tr or self::li or self::article or self::dialog or @role='row' or contains(@class, 'card')]\
             [contains(normalize-space(.), {text})]"
        );
        self.click_within(&row, name).await;
    }

    async fn click_within(&self, part: &str, name: &str) {
        let kinds = "self::button or self::a or self::summary or self::label or self::input[@type='submit'] \
                     or @role='button' or @role='tab' or @role='switch'";
        let text = quoted(name);
        let exact = format!("normalize-space(.)={text} or @aria-label={text} or @value={text}");
        let begins = format!("starts-with(normalize-space(.), {text}) or starts-with(@aria-label, {text})");
        self.until(&format!("\"{name}\" can be clicked"), async || {
            for named in [&exact, &begins] {
                for element in self.all(&format!("{part}//*[{kinds}][{named}]")).await {
                    if element.is_displayed().await.unwrap_or(false) && element.click().await.is_ok() {
                        return Some(());
                    }
                }
            }
            None
        })
        .await;
    }

    /// Replaces what stands in the control of this label by typing.
    pub async fn fill(&self, label: &str, text: &str) {
        let control = self.control(label).await;
        control.clear().await.unwrap();
        control.send_keys(text).await.unwrap();
    }

    /// Sets a date, a time or a colour, whose way of typing depends on the machine's language.
    pub async fn set(&self, label: &str, value: &str) {
        let control = serde_json::to_value(self.control(label).await).unwrap();
        let script = "arguments[0].value = arguments[1]; \
                      for (const kind of ['input', 'change']) arguments[0].dispatchEvent(new Event(kind, {bubbles: true}))";
        self.client.execute(script, vec![control, json!(value)]).await.unwrap();
    }

    /// Chooses an option of the list of this label.
    pub async fn choose(&self, label: &str, option: &str) {
        self.control(label).await.select_by_label(option).await.unwrap();
    }

    /// The control of this label, once it shows.
    pub async fn control(&self, label: &str) -> Element {
        let text = quoted(label);
        let names = |how: &str| {
            format!(
                "//*[self::input or self::select or self::textarea][@aria-label={text} \
                 or @id=//label[{how}]/@for or ancestor::label[{how}]]"
            )
        };
        let exact = names(&format!("normalize-space(.)={text}"));
        let begins = names(&format!("starts-with(normalize-space(.), {text})"));
        self.until(&format!("a control \"{label}\" shows"), async || {
            for xpath in [&exact, &begins] {
                for element in self.all(xpath).await {
                    if element.is_displayed().await.unwrap_or(false) {
                        return Some(element);
                    }
                }
            }
            None
        })
        .await
    }

    /// All elements, by CSS.
    pub async fn css(&self, css: &str) -> Vec<Element> {
        self.client.find_all(Locator::Css(css)).await.unwrap()
    }

    async fn all(&self, xpath: &str) -> Vec<Element> {
        self.client.find_all(Locator::XPath(xpath)).await.unwrap_or_default()
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn keys(&self, keys: &[Key]) {
        let mut actions = KeyActions::new("keyboard".into());
        for key in keys {
            let value = char::from(*key);
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Types characters wherever the focus is.
    pub async fn type_text(&self, text: &str) {
        let mut actions = KeyActions::new("keyboard".into());
        for value in text.chars() {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Presses Tab until the focus is on the thing of this name; says how many times.
    pub async fn tab_to(&self, name: &str) -> usize {
        for pressed in 1..200 {
            self.keys(&[Key::Tab]).await;
            if self.focused().await.starts_with(name) {
                return pressed;
            }
        }
        panic!("Tab never reaches \"{name}\"; the page says: {}", self.text().await)
    }

    /// The name of what has the focus.
    pub async fn focused(&self) -> String {
        let script = "const e = document.activeElement; if (!e || e === document.body) return ''; \
                      const label = e.labels?.[0]?.innerText; \
                      return (e.getAttribute('aria-label') || label || e.innerText || e.value || e.id).trim()";
        self.script(script).await.as_str().unwrap_or_default().to_owned()
    }

    /// The text that shows.
    pub async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => super::html::squeeze(&body.text().await.unwrap_or_default()),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page says this.
    pub async fn sees(&self, text: &str) {
        self.until(&format!("the page says \"{text}\""), async || self.text().await.contains(text).then_some(())).await;
    }

    /// Waits until the page no longer says this.
    pub async fn sees_no(&self, text: &str) {
        let gone = async || (!self.text().await.contains(text)).then_some(());
        self.until(&format!("the page stops saying \"{text}\""), gone).await;
    }

    /// Polls until there is an answer.
    pub async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            if Instant::now() > give_up {
                self.screenshot("failed").await;
                panic!(
                    "waited in vain until {what}; at {} the page says: {}; on its console: {:?} \
                     (target/screenshots/failed.png)",
                    self.path().await,
                    self.text().await,
                    self.console().await
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until what has the focus matches this CSS.
    pub async fn focus_on(&self, css: &str) {
        let script = format!("return document.activeElement.matches({css:?})");
        self.until(&format!("the focus is on {css}"), async || (self.script(&script).await == true).then_some(()))
            .await;
    }

    /// Fails when the console holds an error, but for answers with these statuses, which the test provoked.
    pub async fn quiet_but(&self, statuses: &[u16]) {
        let mut errors = self.console().await;
        errors.retain(|e| !statuses.iter().any(|status| e.contains(&format!("status of {status}"))));
        assert!(errors.is_empty(), "on the console: {errors:#?}");
    }

    /// Runs a script in the page and answers what it returns.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Into `target/screenshots/NAME.png`.
    pub async fn screenshot(&self, name: &str) {
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), self.client.screenshot().await.unwrap()).unwrap();
    }

    /// What the console says as errors since it was last asked, violations of the content security policy included.
    pub async fn console(&self) -> Vec<String> {
        let log = self.command("se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.into_iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Fails when the console holds an error. A 4xx that the test provoked is one: ask `console` before.
    pub async fn quiet(&self) {
        let errors = self.console().await;
        assert!(errors.is_empty(), "on the console: {errors:#?}");
    }

    /// A command of the DevTools protocol.
    pub async fn cdp(&self, command: &str, params: Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": command, "params": params })).await
    }

    /// Where the first element that matches this CSS has its middle, as the mouse counts.
    pub async fn middle(&self, css: &str) -> (f64, f64) {
        let script = format!(
            "const e = document.querySelector({css:?}); if (!e) return null; e.scrollIntoView({{ block: 'nearest' }}); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]"
        );
        let found = self
            .until(&format!("{css} is there"), async || {
                Some(self.script(&script).await).filter(|found| !found.is_null())
            })
            .await;
        (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
    }

    /// Clicks there, as the first or the second click of a double click.
    pub async fn mouse(&self, (x, y): (f64, f64), nth: u32) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": nth });
            self.cdp("Input.dispatchMouseEvent", event).await;
        }
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/session/{}/{path}", self.driver.at, self.session);
        let answer: Value = self.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{path} {body}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
    }
}

/// A text as XPath writes it.
fn quoted(text: &str) -> String {
    match (text.contains('"'), text.contains('\'')) {
        (false, _) => format!("\"{text}\""),
        (_, false) => format!("'{text}'"),
        _ => format!("concat(\"{}\")", text.replace('"', "\", '\"', \"")),
    }
}

fn capabilities(profile: &TempDir, look: Look) -> Value {
    let mut options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--lang=en-US", "--hide-scrollbars", "--window-size=1440,900",
            format!("--user-data-dir={}", profile.path().display()),
        ],
    });
    if !look.scripts {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    if let Some(chromium) = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].iter().find(|p| root().join(p).exists())
    {
        options["binary"] = json!(chromium);
    }
    json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } })
}

struct Driver {
    at: String,
    /// Its standard input: when this process ends, however it ends, the shell reads the end and takes all down.
    _shell: Child,
}

fn driver() -> &'static Driver {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let script = "command -v chromedriver >/dev/null || { echo missing; exit; }\n\
                      chromedriver --port=0 --log-level=SEVERE </dev/null &\n\
                      read -r _; kill -TERM 0";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(shell.stdout.take().unwrap());
        let said = |line: String| {
            line.rsplit_once("started successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
        };
        let mut lines = stdout.lines().map_while(Result::ok);
        let port = lines.find_map(said);
        let port = port.expect("there is no chromedriver: run tests/run.sh, or install chromium-driver");
        // What it says later must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Driver { at: format!("http://127.0.0.1:{port}"), _shell: shell }
    })
}
