//! Texts of unknown fate: the provider is asked what became of them, again and again for three days, and after half an hour a person
//! too. Nothing is ever sent from here.

use super::breaker::display_name;
use super::outcome::ask;
use super::send::{self, Sending, Sent, sms_id};
use super::{missing_receipts, timers};
use crate::domain::event::{Delivery, EventPayload, ReceiptInput, SMS_RECEIPT};
use crate::domain::handover::Handover;
use crate::domain::job::{ClaimedJob, NewJob};
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::gateway::{Asked, Found, LookedUp};
use crate::store::{Cause, StoreResult, Tx, contacts, handovers, jobs, rate, record, sms};
use std::collections::HashMap;

pub const KIND: &str = "reconcile_sms";
/// A queue of its own: a provider that answers slowly must not hold up anything else.
pub const QUEUE: &str = "sms_checks";
/// Texts asked about at once.
pub const BATCH_MAX: usize = 5;
/// A text that nobody knows of for so long is put in front of a person; sooner, when it would be of no use by then.
pub const ASK_AFTER: Millis = Millis::minutes(30);
/// But the provider has at least so long to send its receipt.
const ASK_AFTER_MIN: Millis = Millis::minutes(2);
/// When the provider is asked, after the fate became unknown. Receipts come for up to three days.
const CHECKS: [Millis; 9] = [
    Millis::minutes(1),
    Millis::minutes(5),
    Millis::minutes(15),
    ASK_AFTER,
    Millis::hours(2),
    Millis::hours(6),
    Millis::hours(24),
    Millis::hours(48),
    Millis::hours(72),
];
const ATTEMPTS_MAX: i32 = 12;
const TIMEOUT: Millis = Millis::minutes(6);
/// Questions to the provider over all nodes, and how many at once.
const QUESTIONS_PER_SECOND: u32 = 1;
const QUESTIONS_AT_ONCE: u32 = 5;
const RATE_PAUSE: Millis = Millis::seconds(3);

/// The job that asks about one text.
pub fn job_for(sms_id: &str, at: Timestamp) -> NewJob {
    NewJob {
        queue: QUEUE,
        kind: KIND,
        max_attempts: ATTEMPTS_MAX,
        timeout: TIMEOUT,
        unique_key: Some(format!("reconcile:{sms_id}")),
        ..send::job_for(sms_id, at)
    }
}

#[must_use]
pub fn first_check(unknown_at: Timestamp) -> Timestamp {
    unknown_at + CHECKS[0]
}

/// What is known of the texts of some jobs.
#[derive(Default)]
struct Known {
    texts: HashMap<String, (SmsMessage, Handover)>,
    /// Whom the provider is to be asked about.
    asked: Vec<Asked>,
    /// There was no question left for these.
    delayed: Vec<String>,
}

/// Asks about the texts of the jobs.
pub async fn reconcile(sending: &Sending, claimed: Vec<ClaimedJob>) -> Vec<(ClaimedJob, Sent)> {
    let store = sending.automation.store.clone();
    let now = sending.automation.clock.now();
    let (ids, with) = (claimed.iter().filter_map(sms_id).collect::<Vec<_>>(), sending.clone());
    let known = match store.write(move |tx| know(tx, &with, &ids, now)).await {
        Ok(known) => known,
        Err(error) => return all_failed(claimed, &error.to_string()),
    };
    let found = match sending.gateway.history() {
        Some(history) if !known.asked.is_empty() => history.look_up(&known.asked).await,
        _ => HashMap::new(),
    };
    for asked in &known.asked {
        if known.texts.get(&asked.sms_id).is_some_and(|(text, _)| text.status == SmsStatus::Accepted) {
            missing_receipts::count(sending.gateway.name(), found.get(&asked.sms_id));
        }
    }
    let now = sending.automation.clock.now();
    let (with, jobs_held) = (sending.clone(), claimed.clone());
    match store.write(move |tx| settle(tx, &with, &jobs_held, &known, &found, now)).await {
        Ok(mut decided) => {
            claimed.into_iter().map(|job| (job.clone(), decided.remove(&job.id).unwrap_or(Sent::LeaseLost))).collect()
        }
        Err(error) => all_failed(claimed, &error.to_string()),
    }
}

fn all_failed(claimed: Vec<ClaimedJob>, reason: &str) -> Vec<(ClaimedJob, Sent)> {
    claimed.into_iter().map(|job| (job, Sent::Failed(reason.to_owned()))).collect()
}

fn know(tx: &mut Tx<'_>, sending: &Sending, ids: &[String], now: Timestamp) -> StoreResult<Known> {
    let mut handed: HashMap<String, Handover> =
        handovers::list_by_ids(tx, ids)?.into_iter().map(|h| (h.sms_id.clone(), h)).collect();
    let mut known = Known::default();
    for text in sms::list_by_ids(tx, ids)? {
        let Some(handover) = handed.remove(&text.id) else { continue };
        if text.status == SmsStatus::Unknown || missing_receipts::is_missed(&text, &handover) {
            known.texts.insert(text.id.clone(), (text, handover));
        }
    }
    let provider = sending.gateway.name();
    // A text of a provider that we have left can only be asked about by a person.
    let ours: Vec<&(SmsMessage, Handover)> = known.texts.values().filter(|(_, h)| h.provider == provider).collect();
    let bucket = format!("{provider}:history");
    let granted = rate::take(tx, &bucket, QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE, ours.len() as u32, now)? as usize;
    known.delayed = ours.iter().skip(granted).map(|(text, _)| text.id.clone()).collect();
    known.asked = ours.into_iter().take(granted).map(|(text, handover)| question(text, handover)).collect();
    Ok(known)
}

fn question(text: &SmsMessage, handover: &Handover) -> Asked {
    Asked {
        sms_id: text.id.clone(),
        to: text.to.clone(),
        handed_at: handover.handed_at,
        provider_message_id: handover.provider_message_id.clone(),
    }
}

fn settle(
    tx: &mut Tx<'_>,
    sending: &Sending,
    claimed: &[ClaimedJob],
    known: &Known,
    found: &HashMap<String, LookedUp>,
    now: Timestamp,
) -> StoreResult<HashMap<i64, Sent>> {
    let mut decided = HashMap::new();
    let held = jobs::hold_many(tx, claimed)?;
    for (job, _) in claimed.iter().zip(held).filter(|(_, held)| *held) {
        let id = sms_id(job).unwrap_or_default();
        let next = match known.texts.get(&id) {
            None => None,
            Some(_) if known.delayed.contains(&id) => Some(now + RATE_PAUSE),
            Some((text, handover)) => look_at(tx, sending, text, handover, found.get(&id), now)?,
        };
        let sent = match next {
            Some(at) => Sent::Later(at),
            None if jobs::complete_many(tx, &[job], now)?.first() == Some(&true) => Sent::Completed,
            None => Sent::LeaseLost,
        };
        decided.insert(job.id, sent);
    }
    Ok(decided)
}

/// Answers with when to ask again; `None` when that is not needed, or of no use any more.
fn look_at(
    tx: &mut Tx<'_>,
    sending: &Sending,
    text: &SmsMessage,
    handover: &Handover,
    found: Option<&LookedUp>,
    now: Timestamp,
) -> StoreResult<Option<Timestamp>> {
    if text.status == SmsStatus::Accepted {
        return missing_receipts::look_at(tx, sending, text, handover, found, now);
    }
    if let Some(LookedUp::Found(found)) = found {
        tell(tx, sending, text, found, now)?;
        return Ok(None);
    }
    handovers::note_check(tx, &text.id, now)?;
    let unknown_at = handover.unknown_at.unwrap_or(handover.handed_at);
    let ask_at = ask_at(text, unknown_at);
    let is_asked = handover.asked_at.is_some() || now >= ask_at;
    if is_asked {
        ask(tx, text, &because(text, handover, found), now)?;
    }
    let next = next_check(unknown_at, now).map(|at| match found {
        Some(LookedUp::Unclear { retry_after: Some(pause), .. }) => at.max(now + *pause),
        _ => at,
    });
    Ok(if is_asked { next } else { Some(next.map_or(ask_at, |at| at.min(ask_at))) })
}

/// Half of the time in which the text is of use, within limits.
fn ask_at(text: &SmsMessage, unknown_at: Timestamp) -> Timestamp {
    let useful_until = [text.not_after, text.appointment_datetime].into_iter().flatten().min();
    let half = useful_until.map_or(ASK_AFTER, |until| Millis((until - unknown_at).0 / 2));
    unknown_at + Millis(half.0.clamp(ASK_AFTER_MIN.0, ASK_AFTER.0))
}

fn next_check(unknown_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    CHECKS.iter().map(|after| unknown_at + *after).find(|at| *at > now)
}

/// One sentence for staff.
fn because(text: &SmsMessage, handover: &Handover, found: Option<&LookedUp>) -> String {
    let name = display_name(&handover.provider);
    let why = text.status_reason.as_deref().unwrap_or("no answer");
    let record = match found {
        Some(LookedUp::Unclear { .. }) => "its record of texts could not be read",
        Some(_) => "its record of texts does not show it",
        None => "it cannot be asked any more",
    };
    format!("{name} did not say whether it sent this text ({why}), and {record}. It is not sent again by itself")
}

/// What the provider's record says is worked on like its receipt.
pub(super) fn tell(tx: &mut Tx<'_>, sending: &Sending, text: &SmsMessage, found: &Found, now: Timestamp) -> StoreResult<()> {
    if let Some(price) = &found.price {
        handovers::note_price(tx, &text.id, price.micros, &price.currency)?;
    }
    let contact = match &text.contact_id {
        Some(id) => contacts::find(tx, id)?,
        None => None,
    };
    let event = event_of(sending.gateway.name(), text, found, now, contact.as_ref());
    let cause = Cause { contact_id: text.contact_id.clone(), booking_id: text.booking_id.clone(), ..Cause::default() };
    record(tx, event, now, cause).map(|_| ())
}

fn event_of(
    provider: &str,
    text: &SmsMessage,
    found: &Found,
    now: Timestamp,
    contact: Option<&crate::domain::contact::Contact>,
) -> Delivery {
    let receipt = ReceiptInput {
        provider: provider.to_owned(),
        provider_message_id: found.provider_message_id.clone(),
        sms_id: Some(text.id.clone()),
        status: found.status,
        status_code: None,
        detail: Some(format!("the provider's record says {}", found.word.as_deref().unwrap_or("it has the text"))),
        at: None,
    };
    let key = format!("history:{}:{}", text.id, found.status.map_or("taken", SmsStatus::as_str));
    let payload = EventPayload { receipt: Some(receipt), ..EventPayload::default() };
    let whose = text.contact_id.as_deref().unwrap_or(&text.id);
    timers::delivery(SMS_RECEIPT, provider, key, now, payload, (whose, contact))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_asked_less_and_less_often_for_three_days() {
        let at = Timestamp(0);
        let mut now = at;
        let mut minutes = Vec::new();
        while let Some(next) = next_check(at, now) {
            now = next;
            minutes.push(now.0 / 60_000);
        }
        assert_eq!(minutes, [1, 5, 15, 30, 120, 360, 1_440, 2_880, 4_320]);
    }
}
