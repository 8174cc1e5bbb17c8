//! Who was told of a run, and how far that is.

use crate::notifications::{Channel, DeliveryState, Told};

/// "Mo (e-mail refused), Olive (also by e-mail)". What the mail server said is for who sees everything: it may name an
/// address.
pub fn words(told: &[Told], sees_everything: bool) -> String {
    told.iter().map(|told| one(told, sees_everything)).collect::<Vec<_>>().join(", ")
}

fn one(told: &Told, sees_everything: bool) -> String {
    let of = |(channel, state, said): &(Channel, DeliveryState, Option<String>)| {
        let Channel::Email = channel;
        let words = match (state, said) {
            (DeliveryState::Sent, _) => "also by e-mail",
            (DeliveryState::Sending, _) | (DeliveryState::Waiting, None) => "e-mail on its way",
            (DeliveryState::Waiting, Some(_)) => "e-mail not accepted yet, tried again",
            (DeliveryState::Failed, _) => "e-mail not accepted",
        };
        match said.as_deref().filter(|_| sees_everything) {
            Some(said) => format!("{words}: {}", said.trim_end_matches('.')),
            None => words.to_owned(),
        }
    };
    let others: Vec<String> = told.deliveries.iter().map(of).collect();
    if others.is_empty() { told.member.clone() } else { format!("{} ({})", told.member, others.join(", ")) }
}
