//! An outlet, and what went to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::db::text_enum;
use crate::notifications::model::DeliveryState;
use crate::schedules::About;

text_enum! {
    /// Of which kind an outlet is; an Application has at most one of each.
    pub enum OutletKind {
        /// By the Workspace's bot token.
        SlackChannel = "slack_channel",
        SlackWebhook = "slack_webhook",
        Webhook = "webhook",
    }
}

impl OutletKind {
    pub fn label(self) -> &'static str {
        match self {
            Self::SlackChannel => "Slack channel",
            Self::SlackWebhook => "Slack incoming webhook",
            Self::Webhook => "Webhook",
        }
    }

    /// As it stands in ids of a page.
    pub fn slug(self) -> String {
        self.as_str().replace('_', "-")
    }

    /// Whether it has an address that is a secret.
    pub fn has_url(self) -> bool {
        self != Self::SlackChannel
    }
}

/// Where an Application's messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    pub id: i64,
    pub application_id: i64,
    pub kind: OutletKind,
    pub about: About,
    /// The channel; of a webhook its host alone, because the rest is a secret.
    pub address: String,
    pub version: i64,
    pub set_at: Moment,
    /// How it last went.
    pub tried: Option<Tried>,
}

/// How an outlet went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub at: Moment,
    pub good: bool,
    /// What was said of it, in sentences.
    pub said: Option<String>,
}

impl Outlet {
    /// "Slack #finance", "Webhook at hooks.example.com"
    pub fn words(&self) -> String {
        match self.kind {
            OutletKind::SlackChannel => format!("Slack {}", self.address),
            kind => format!("{} at {}", kind.label(), self.address),
        }
    }

    /// For the audit log.
    pub fn json(&self) -> Value {
        json!({ "kind": self.kind, "about": self.about, "address": self.address })
    }

    /// What its secrets are sealed for.
    pub fn place(id: i64) -> String {
        format!("outlets {id}")
    }
}

/// The secrets of an outlet by name: `url`, `secret`.
pub type OutletSecrets = BTreeMap<String, String>;

/// What went to an outlet, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The outlet, in words.
    pub outlet: String,
    pub state: DeliveryState,
    pub said: Option<String>,
}
