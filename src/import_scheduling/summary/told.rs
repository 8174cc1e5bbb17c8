//! Who was told of a run, and how far that is.

use crate::notifications::{Channel, DeliveryState, Posted, Told};

/// "Mo (e-mail refused), Olive (also by e-mail), Slack #finance". What a server said is for who sees everything: it may name
/// an address.
pub fn words(told: &[Told], posted: &[Posted], sees_everything: bool) -> String {
    let members = told.iter().map(|told| member(told, sees_everything));
    members.chain(posted.iter().map(|posted| outlet(posted, sees_everything))).collect::<Vec<_>>().join(", ")
}

fn member(told: &Told, sees_everything: bool) -> String {
    let of = |(channel, state, said): &(Channel, DeliveryState, Option<String>)| {
        let words = match (channel, state, said) {
            (Channel::Email, DeliveryState::Sent, _) => "also by e-mail".to_owned(),
            (Channel::Slack, DeliveryState::Sent, _) => "also by Slack".to_owned(),
            (Channel::Email, ..) => format!("e-mail {}", standing(*state, said)),
            (Channel::Slack, ..) => format!("Slack {}", standing(*state, said)),
        };
        with_cause(words, said, sees_everything)
    };
    let others: Vec<String> = told.deliveries.iter().map(of).collect();
    if others.is_empty() { told.member.clone() } else { format!("{} ({})", told.member, others.join(", ")) }
}

fn outlet(posted: &Posted, sees_everything: bool) -> String {
    match posted.state {
        DeliveryState::Sent => posted.outlet.clone(),
        state => {
            let words = with_cause(standing(state, &posted.said).to_owned(), &posted.said, sees_everything);
            format!("{} ({words})", posted.outlet)
        }
    }
}

fn standing(state: DeliveryState, said: &Option<String>) -> &'static str {
    match (state, said) {
        (DeliveryState::Sent, _) => "accepted",
        (DeliveryState::Sending, _) | (DeliveryState::Waiting, None) => "on its way",
        (DeliveryState::Waiting, Some(_)) => "not accepted yet, tried again",
        (DeliveryState::Failed, _) => "not accepted",
    }
}

fn with_cause(words: String, said: &Option<String>, sees_everything: bool) -> String {
    match said.as_deref().filter(|_| sees_everything) {
        Some(said) => format!("{words}: {}", said.trim_end_matches('.')),
        None => words,
    }
}
