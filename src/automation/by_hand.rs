//! What a member of staff asks for: recorded as an event, and worked on like any other.

use super::audit;
use super::rulesets::InForce;
use super::timers::delivery;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::event::{Actor, EventPayload, MANUAL_RUN, SubjectKind};
use crate::domain::ids::new_id;
use crate::domain::time::Timestamp;
use crate::store::{Cause, Store, StoreError, Tx, bookings, contacts, record};

/// A request that cannot be granted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("there is no rule `{0}` in force")]
    UnknownRule(String),
    #[error("rule `{0}` cannot be set off by hand: it has no `manual` trigger")]
    NotManual(String),
    #[error("rule `{0}` is switched off")]
    Disabled(String),
    #[error("rule `{rule}` is set off for a {subject}")]
    WrongSubject { rule: String, subject: &'static str },
    #[error("there is no {0} with this id")]
    Nobody(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For whom a rule is set off.
#[derive(Clone, Debug)]
pub enum Subject {
    Contact(String),
    Booking(String),
}

/// Records that somebody sets a rule off; answers with the event's id.
pub async fn run_rule(
    store: &Store,
    in_force: &InForce,
    rule_id: &str,
    subject: Subject,
    now: Timestamp,
) -> Result<String, Refused> {
    let rule = in_force.ruleset.find_rule(rule_id).ok_or_else(|| Refused::UnknownRule(rule_id.to_owned()))?;
    let wanted = rule.manual().ok_or_else(|| Refused::NotManual(rule_id.to_owned()))?;
    if !rule.enabled {
        return Err(Refused::Disabled(rule_id.to_owned()));
    }
    let fits =
        matches!((wanted, &subject), (SubjectKind::Contact, Subject::Contact(_)) | (SubjectKind::Booking, Subject::Booking(_)));
    if !fits {
        return Err(Refused::WrongSubject { rule: rule_id.to_owned(), subject: wanted.as_str() });
    }
    let rule_id = rule_id.to_owned();
    store
        .write(move |tx| {
            let event_id = record_run(tx, &rule_id, subject, now)?;
            let entry = Entry::new(Who::from("cli"), action::RULE_RUN_BY_HAND).of("rule", &rule_id).with_id("event", &event_id);
            audit::note(tx, &entry, now)?;
            Ok(event_id)
        })
        .await
}

fn record_run(tx: &mut Tx<'_>, rule_id: &str, subject: Subject, now: Timestamp) -> Result<String, Refused> {
    let (contact_id, booking_id) = match subject {
        Subject::Contact(id) => (id, None),
        Subject::Booking(id) => {
            let booking = bookings::find(tx, &id)?.ok_or(Refused::Nobody("booking"))?;
            (booking.contact_id, Some(id))
        }
    };
    let contact = contacts::find(tx, &contact_id)?.ok_or(Refused::Nobody("contact"))?;
    let payload = EventPayload { rule_id: Some(rule_id.to_owned()), ..EventPayload::default() };
    let mut event = delivery(MANUAL_RUN, "staff", new_id(now), now, payload, (&contact_id, Some(&contact)));
    event.actor = Actor::Staff;
    let cause = Cause { contact_id: Some(contact_id), booking_id, ..Cause::default() };
    Ok(record(tx, event, now, cause)?.event_id)
}
