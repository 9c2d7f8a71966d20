//! Who an event is about: the strongest identity decides (source id, then phone, then email).

use crate::domain::contact::{Contact, Identity, IdentityKind};
use crate::domain::event::{ContactInput, EventPayload};
use crate::domain::staff_action::StaffAction;
use std::collections::HashMap;

/// Names at least this similar (0 to 1) can be one person's.
const SAME_NAME_SIMILARITY_MIN: f64 = 0.75;

/// Whom the identities point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Nobody yet.
    New,
    Known(String),
    /// Several contacts: the strongest one is used, a person has to look.
    Several {
        strongest: String,
        others: Vec<String>,
    },
    /// Somebody else uses the phone or email: a new contact whose texts go to the owner.
    Dependant {
        guardian: String,
    },
}

/// The identities that a payload names, strongest first.
pub fn identities_of(payload: &EventPayload) -> Vec<Identity> {
    let mut found = Vec::new();
    let mut add = |kind: IdentityKind, value: Option<&String>| {
        if let Some(value) = value {
            found.push(Identity { kind, value: value.clone() });
        }
    };
    if let Some(contact) = &payload.contact {
        add(IdentityKind::WixContact, contact.wix_contact.as_ref());
        add(IdentityKind::Manychat, contact.manychat.as_ref());
        add(IdentityKind::Phone, contact.phone.as_ref());
        add(IdentityKind::Email, contact.email.as_ref());
    }
    // Whose number or address an edit would take.
    if let Some(StaffAction::EditContact(edit)) = payload.action.as_deref() {
        add(IdentityKind::Phone, edit.phone.value());
        add(IdentityKind::Email, edit.email.value());
    }
    if let Some(message) = &payload.message
        && message.channel == "sms"
        && message.from.starts_with('+')
    {
        add(IdentityKind::Phone, Some(&message.from));
    }
    found
}

/// Decides who is meant. `known` holds the contacts that own any of the identities, `ids_of` their source identities.
pub fn resolve(
    identities: &[Identity],
    owners: &HashMap<Identity, String>,
    known: &HashMap<String, Contact>,
    ids_of: &HashMap<String, Vec<Identity>>,
    input: Option<&ContactInput>,
) -> Match {
    let mut hits: Vec<(&Identity, &String)> = identities.iter().filter_map(|i| owners.get(i).map(|c| (i, c))).collect();
    hits.dedup_by(|a, b| a.1 == b.1);
    let Some((first, owner)) = hits.first().copied() else { return Match::New };
    let shared = matches!(first.kind, IdentityKind::Phone | IdentityKind::Email);
    if shared && is_somebody_else(identities, known.get(owner), ids_of.get(owner).map_or(&[], Vec::as_slice), input) {
        return Match::Dependant { guardian: owner.clone() };
    }
    let mut others: Vec<String> = Vec::new();
    for (_, other) in &hits[1..] {
        if *other != owner && !others.contains(*other) {
            others.push((*other).clone());
        }
    }
    if others.is_empty() { Match::Known(owner.clone()) } else { Match::Several { strongest: owner.clone(), others } }
}

/// A family shares a phone: another first name, and an account of its own at the source.
fn is_somebody_else(identities: &[Identity], owner: Option<&Contact>, owned: &[Identity], input: Option<&ContactInput>) -> bool {
    let (Some(owner), Some(input)) = (owner, input) else { return false };
    let Some(first_name) = &input.first_name else { return false };
    if owner.first_name.is_empty() || similar(&owner.first_name, first_name) {
        return false;
    }
    [IdentityKind::WixContact, IdentityKind::Manychat].into_iter().any(|kind| {
        let theirs = identities.iter().find(|i| i.kind == kind);
        theirs.is_some_and(|t| owned.iter().any(|o| o.kind == kind && o.value != t.value))
    })
}

fn similar(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim().to_lowercase(), b.trim().to_lowercase());
    a.starts_with(&b) || b.starts_with(&a) || strsim::jaro_winkler(&a, &b) >= SAME_NAME_SIMILARITY_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone() -> Identity {
        Identity { kind: IdentityKind::Phone, value: "+61491570006".into() }
    }
    fn wix(id: &str) -> Identity {
        Identity { kind: IdentityKind::WixContact, value: id.into() }
    }
    fn named(id: &str, first_name: &str) -> Contact {
        Contact { id: id.into(), first_name: first_name.into(), ..Contact::default() }
    }
    fn says(first_name: &str) -> ContactInput {
        ContactInput { first_name: Some(first_name.into()), ..ContactInput::default() }
    }

    #[test]
    fn the_sources_own_id_beats_the_phone() {
        let owners = HashMap::from([(wix("w1"), "c1".to_owned()), (phone(), "c2".to_owned())]);
        let found = resolve(&[wix("w1"), phone()], &owners, &HashMap::new(), &HashMap::new(), None);
        assert_eq!(found, Match::Several { strongest: "c1".into(), others: vec!["c2".into()] });
    }

    #[test]
    fn a_parent_booking_for_a_child_makes_a_dependant() {
        let owners = HashMap::from([(phone(), "c1".to_owned())]);
        let known = HashMap::from([("c1".to_owned(), named("c1", "Margaret"))]);
        let ids = HashMap::from([("c1".to_owned(), vec![wix("w1"), phone()])]);
        let child = resolve(&[wix("w2"), phone()], &owners, &known, &ids, Some(&says("Oliver")));
        assert_eq!(child, Match::Dependant { guardian: "c1".into() });
        let same = resolve(&[wix("w2"), phone()], &owners, &known, &ids, Some(&says("Marg")));
        assert_eq!(same, Match::Known("c1".into()));
    }

    #[test]
    fn nobody_known_is_new() {
        assert_eq!(resolve(&[phone()], &HashMap::new(), &HashMap::new(), &HashMap::new(), None), Match::New);
    }
}
