//! Slack's API, as far as messages need it. What Slack answers is known by its codes, which become sentences that say what to
//! do; nothing else of an answer is repeated.

mod actions;
mod direct;
pub mod message;
mod store;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::app::App;
use crate::connectors::{self, Answer, FailureKind, FetchError};
use crate::notifications::outbox::{How, Trouble, by_status};

pub use actions::{SlackState, lose_member, note, remove, seal_anew, set, state, test, token};
pub use direct::deliver;

/// Why Slack did not do as it was asked.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its code.
    pub code: String,
    pub trouble: Trouble,
}

impl Refusal {
    /// Nothing is taken with this token until somebody mends it.
    pub fn is_of_token(&self) -> bool {
        matches!(
            self.code.as_str(),
            "invalid_auth"
                | "not_authed"
                | "account_inactive"
                | "token_revoked"
                | "token_expired"
                | "org_login_required"
                | "ekm_access_denied"
                | "missing_scope"
                | "not_allowed_token_type"
                | "team_access_not_granted"
                | "no_permission"
        )
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self { code: String::new(), trouble }
    }
}

#[derive(Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    error: String,
    /// The scope that is missing.
    #[serde(default)]
    needed: String,
    #[serde(default)]
    team: String,
    user: Option<Value>,
}

/// In which workspace of Slack the app of this token is.
pub async fn auth_test(app: &App, token: &str) -> Result<String, Refusal> {
    Ok(call(app, token, "auth.test", Vec::new(), "application/x-www-form-urlencoded").await?.team)
}

/// Slack's id of whoever has this address; none where Slack knows nobody.
pub async fn lookup(app: &App, token: &str, email: &str) -> Result<Option<String>, Refusal> {
    let form: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("email", email).finish();
    match call(app, token, "users.lookupByEmail", form.into_bytes(), "application/x-www-form-urlencoded").await {
        Ok(said) => {
            let id = said.user.as_ref().and_then(|user| user.get("id")).and_then(Value::as_str);
            Ok(id.filter(|id| is_id(id)).map(str::to_owned))
        }
        Err(refusal) if refusal.code == "users_not_found" => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// Posts to a channel, or to a member's own conversation by their id. Slack takes a message with the same `id` only once.
pub async fn post(app: &App, token: &str, channel: &str, id: &str, message: Value) -> Result<(), Refusal> {
    let mut message = message;
    message["channel"] = json!(channel);
    message["client_msg_id"] = json!(id);
    let body = message.to_string().into_bytes();
    call(app, token, "chat.postMessage", body, "application/json; charset=utf-8").await.map(|_| ())
}

/// A word as Slack gives ids: nothing else is kept or sent back.
pub fn is_id(text: &str) -> bool {
    (2..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

async fn call(app: &App, token: &str, method: &str, body: Vec<u8>, kind: &str) -> Result<Said, Refusal> {
    let url = app.slack_api.join(method).map_err(|_| Trouble::never("Slack's address is not valid."))?;
    let headers = [("Authorization", format!("Bearer {token}")), ("Content-Type", kind.to_owned())];
    let answer =
        connectors::post(&app.outside(), &url, &headers, body).await.map_err(|error| unreached(error, &url))?;
    if answer.status != 200 {
        by_status(&answer, "Slack")?;
    }
    let said: Said = match serde_json::from_slice(&answer.body) {
        Ok(said) => said,
        // It may have done as it was asked.
        Err(_) => return Err(Trouble { said: "Slack's answer could not be read.".into(), how: How::Unknown }.into()),
    };
    if said.ok {
        return Ok(said);
    }
    let code = word(&said.error).to_owned();
    Err(Refusal { trouble: trouble(&code, &said.needed, &answer), code })
}

/// Why Slack itself does not answer. Where it is, nobody entered: there is no address to be checked.
fn unreached(error: FetchError, url: &Url) -> Trouble {
    let nobody = error.kind == FailureKind::Unreachable;
    let trouble = Trouble::from(error);
    if !nobody {
        return trouble;
    }
    let host = url.host_str().unwrap_or("its address");
    let ask = "Ask whoever runs the server to check its internet access, its name server (DNS) and its firewall.";
    Trouble { said: format!("This server cannot reach Slack at {host}. {ask}"), ..trouble }
}

/// A code or scope of Slack's; anything else may be anything.
fn word(code: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_:.,".contains(&byte);
    if !code.is_empty() && code.len() <= 60 && code.bytes().all(plain) { code } else { "unknown" }
}

/// A code in words; also those of incoming webhooks.
pub fn trouble(code: &str, needed: &str, answer: &Answer) -> Trouble {
    Trouble::never(match code {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            return Trouble::later("Slack received too many messages.", answer.retry_after.or(Some(60)));
        }
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "rollup_error" => {
            return Trouble::later(format!("Slack reported an error on its side ({code})."), answer.retry_after);
        }
        "invalid_auth" | "not_authed" | "not_allowed_token_type" => {
            "Slack does not accept the bot token. An Administrator can enter another on the Slack page.".to_owned()
        }
        "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "org_login_required"
        | "ekm_access_denied"
        | "team_access_not_granted"
        | "no_permission" => format!(
            "The Slack app was removed, or its token no longer works ({code}). Install the app again in Slack; then an \
             Administrator can enter its new token on the Slack page."
        ),
        "missing_scope" => format!(
            "The Slack app lacks the scope {}. Add it in Slack and install the app again; then an Administrator can enter \
             its token on the Slack page.",
            word(needed)
        ),
        "channel_not_found" => {
            "Slack has no such channel, or the app is not in it. Check the name, and invite the app to the channel."
                .to_owned()
        }
        "not_in_channel" => "The Slack app is not in the channel. Invite it there.".to_owned(),
        "is_archived" | "channel_is_archived" => "The Slack channel is archived. Choose another.".to_owned(),
        "no_service" | "no_active_hooks" | "invalid_token" | "no_service_id" | "no_team" | "team_disabled" => format!(
            "Slack no longer knows this incoming webhook ({code}). Create another in Slack and enter its address."
        ),
        "restricted_action"
        | "action_prohibited"
        | "posting_to_general_channel_denied"
        | "cannot_dm_bot"
        | "messages_tab_disabled" => {
            format!(
                "A setting in Slack does not let the app post there ({code}). Ask an administrator of your Slack workspace."
            )
        }
        code => format!("Slack did not accept the message ({code})."),
    })
}
