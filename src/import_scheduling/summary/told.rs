//! Who was told of a run, and how far that is.

use crate::notifications::{Channel, DeliveryState, Told};

/// "Mo, e-mail refused: no such mailbox; Olive, also by e-mail"
pub fn words(told: &[Told]) -> String {
    told.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn one(told: &Told) -> String {
    let of = |(channel, state, said): &(Channel, DeliveryState, Option<String>)| {
        let Channel::Email = channel;
        let said = said.as_deref().unwrap_or_default();
        match state {
            DeliveryState::Sent => "also by e-mail".to_owned(),
            DeliveryState::Waiting if said.is_empty() => "the e-mail is on its way".to_owned(),
            DeliveryState::Sending => "the e-mail is on its way".to_owned(),
            DeliveryState::Waiting => format!("the e-mail is tried again. {said}"),
            DeliveryState::Failed => format!("no e-mail. {said}"),
        }
    };
    let others: Vec<String> = told.deliveries.iter().map(of).collect();
    if others.is_empty() { told.member.clone() } else { format!("{}, {}", told.member, others.join(", ")) }
}
