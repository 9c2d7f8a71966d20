//! Writes down what came of texts that were handed over. A text of unknown fate is never sent again by itself: the provider is asked
//! about it, and in the end a person.

use super::send::{Sending, Sent};
use super::{breaker, reconcile, timers};
use crate::domain::event::{EventPayload, SMS_FAILED};
use crate::domain::handover::Handover;
use crate::domain::ids::{derived_id, new_id};
use crate::domain::job::ClaimedJob;
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::task::{Task, TaskStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::domain::touchpoint::Touchpoint;
use crate::gateway::{Answers, SendResult};
use crate::store::sms::{StatusChange, StatusEvent};
use crate::store::{Cause, StoreResult, Tx, contacts, handovers, history, jobs, numbers, record, sms, tasks};
use std::collections::HashMap;

/// A job, and the text that was handed over for it.
pub(super) type Left = (ClaimedJob, String);

/// A provider that said "not now" without saying when.
const RETRY_PAUSE: Millis = Millis::seconds(30);
/// A person has so long to find out whether a text arrived.
const ASKED_WITHIN: Millis = Millis::hours(2);
/// Our word for a number that no phone has.
const INVALID_NUMBER: &str = "invalid_number";
/// The currency of the setting `sms.price_per_part`.
const ESTIMATED_IN: &str = "AUD";

/// Writes what the gateway said and completes the jobs.
pub(super) fn settle_all(
    tx: &mut Tx<'_>,
    sending: &Sending,
    left: &[Left],
    answers: &Answers,
    began: Timestamp,
    now: Timestamp,
) -> StoreResult<HashMap<i64, Sent>> {
    lock_numbers(tx, left)?;
    let mut decided = HashMap::new();
    let held_until = breaker::note_answers(tx, sending, answers, began, now)?;
    keep_words(tx, sending, answers, began, now)?;
    for (job, sms_id) in left {
        let silent = || SendResult::Unknown { detail: "no answer for this text".into() };
        let result = answers.results.get(sms_id).cloned().unwrap_or_else(silent);
        if let SendResult::NotProcessed { retry_after, .. } = &result {
            requeue(tx, sms_id, now)?;
            let later = retry_after.map(|pause| now + pause).or(held_until);
            decided.insert(job.id, Sent::Later(later.unwrap_or(now + RETRY_PAUSE)));
            continue;
        }
        record_result(tx, sending, sms_id, &result, now)?;
        // What the gateway did is a fact, whoever owns the job now: it is written even when the lease was lost.
        let held = jobs::complete_many(tx, &[job], now)?.first().copied().unwrap_or(false);
        decided.insert(job.id, if held { Sent::Completed } else { Sent::LeaseLost });
    }
    Ok(decided)
}

/// Before anything else, as whoever lets texts go does it: two transactions that lock in different orders stop each other.
fn lock_numbers(tx: &mut Tx<'_>, left: &[Left]) -> StoreResult<()> {
    let ids: Vec<String> = left.iter().map(|(_, sms_id)| sms_id.clone()).collect();
    let phones: Vec<String> = sms::list_by_ids(tx, &ids)?.into_iter().map(|text| text.to).collect();
    numbers::lock(tx, &phones)
}

/// The provider's own words, for people who look into it, and what the texts cost.
fn keep_words(tx: &mut Tx<'_>, sending: &Sending, answers: &Answers, began: Timestamp, now: Timestamp) -> StoreResult<()> {
    let estimates = estimates(tx, sending, answers)?;
    let kept: Vec<Handover> = answers
        .said
        .iter()
        .map(|(sms_id, said)| Handover {
            sms_id: sms_id.clone(),
            provider: sending.gateway.name().to_owned(),
            handed_at: began,
            answered_at: Some(now),
            provider_status: said.status.clone(),
            provider_message_id: said.provider_message_id.clone(),
            price_micros: said.price.as_ref().map(|price| price.micros).or_else(|| estimates.get(sms_id).copied()),
            currency: match &said.price {
                Some(price) => Some(price.currency.clone()),
                None => estimates.get(sms_id).map(|_| ESTIMATED_IN.to_owned()),
            },
            price_is_estimate: said.price.is_none() && estimates.contains_key(sms_id),
            billed_parts: said.parts,
            raw: said.raw.clone(),
            unknown_at: None,
            checks: 0,
            checked_at: None,
            asked_at: None,
            receipt_asked_at: None,
        })
        .collect();
    handovers::put_answers(tx, &kept)
}

/// What texts cost that a provider took without naming a price, by the clinic's own setting; in millionths of [`ESTIMATED_IN`].
fn estimates(tx: &mut Tx<'_>, sending: &Sending, answers: &Answers) -> StoreResult<HashMap<String, i64>> {
    let is_taken = |sms_id: &String| matches!(answers.results.get(sms_id), Some(SendResult::Accepted { .. }));
    let priceless = answers.said.iter().filter(|(sms_id, said)| said.price.is_none() && is_taken(sms_id));
    let ids: Vec<String> = priceless.map(|(sms_id, _)| sms_id.clone()).collect();
    if sending.terms.part_micros == 0 || ids.is_empty() {
        return Ok(HashMap::new());
    }
    let cost = |text: SmsMessage| {
        let billed = answers.said.get(&text.id).and_then(|said| said.parts).unwrap_or(text.parts);
        (text.id, sending.terms.part_micros.saturating_mul(i64::from(billed)))
    };
    Ok(sms::list_by_ids(tx, &ids)?.into_iter().map(cost).collect())
}

fn requeue(tx: &mut Tx<'_>, sms_id: &str, now: Timestamp) -> StoreResult<()> {
    sms::change_status(tx, sms_id, &[SmsStatus::Sending], SmsStatus::Queued, &StatusChange::default(), now).map(|_| ())
}

fn record_result(tx: &mut Tx<'_>, sending: &Sending, sms_id: &str, result: &SendResult, now: Timestamp) -> StoreResult<()> {
    let (to, reason) = match result {
        SendResult::Accepted { .. } => (SmsStatus::Accepted, None),
        SendResult::Refused { reason } => (SmsStatus::Failed, Some(reason.clone())),
        SendResult::Unknown { detail } => (SmsStatus::Unknown, Some(detail.clone())),
        SendResult::NotProcessed { .. } => return Ok(()),
    };
    if let SendResult::Unknown { detail } = result {
        return match sms::find(tx, sms_id)? {
            Some(text) if text.status == SmsStatus::Sending => unknown(tx, sending, &text, detail, now),
            // A receipt, or another process, was faster.
            _ => Ok(()),
        };
    }
    let provider_message_id = provider_id(tx, sending.gateway.name(), sms_id, result)?;
    let details = StatusChange { reason: reason.clone(), provider_message_id, ..StatusChange::default() };
    let from = [SmsStatus::Sending, SmsStatus::Unknown];
    if !sms::change_status(tx, sms_id, &from, to, &details, now)? {
        return Ok(());
    }
    note_status(tx, sms_id, to, reason, now)?;
    tasks::close_by_key(tx, &unknown_key(sms_id), OUTCOME_KNOWN, now)?;
    let Some(text) = sms::find(tx, sms_id)? else { return Ok(()) };
    match to {
        SmsStatus::Accepted => touch(tx, &text, now),
        _ => refused(tx, &text, now),
    }
}

/// A provider that gives one id to two texts must not make the second one look unsent.
fn provider_id(tx: &mut Tx<'_>, provider: &str, sms_id: &str, result: &SendResult) -> StoreResult<Option<String>> {
    let SendResult::Accepted { provider_message_id } = result else { return Ok(None) };
    let owner = sms::find_by_provider_id(tx, provider, provider_message_id)?;
    if owner.is_some_and(|text| text.id != sms_id) {
        tracing::warn!(provider, sms = sms_id, "the provider gave this text the id of another");
        return Ok(None);
    }
    Ok(Some(provider_message_id.clone()))
}

/// Nobody can say whether the text went out. The provider is asked when it can be, else a person.
pub(super) fn unknown(tx: &mut Tx<'_>, sending: &Sending, text: &SmsMessage, detail: &str, now: Timestamp) -> StoreResult<()> {
    change(tx, text, SmsStatus::Unknown, detail, now)?;
    let provider = text.provider.as_deref().unwrap_or_else(|| sending.gateway.name());
    let is_new = handovers::mark_unknown(tx, &text.id, provider, text.updated_at, now)?;
    if sending.gateway.history().is_none() {
        return ask(tx, text, "The program was interrupted while the text was being sent", now);
    }
    if is_new {
        jobs::enqueue(tx, &reconcile::job_for(&text.id, reconcile::first_check(now)), now)?;
    }
    Ok(())
}

/// Puts the question in front of a person, once.
pub(super) fn ask(tx: &mut Tx<'_>, text: &SmsMessage, because: &str, now: Timestamp) -> StoreResult<()> {
    let key = unknown_key(&text.id);
    if !handovers::note_asked(tx, &text.id, now)? || !tasks::list_open_by_keys(tx, std::slice::from_ref(&key))?.is_empty() {
        return Ok(());
    }
    let task = Task {
        id: derived_id(text.created_at, &[&text.id, "sms_outcome_unknown"]),
        task_type: "sms_outcome_unknown".into(),
        title: "Did this text arrive?".into(),
        contact_id: text.contact_id.clone(),
        booking_id: text.booking_id.clone(),
        status: TaskStatus::Todo,
        due_datetime: now + ASKED_WITHIN,
        priority_score: 60,
        assigned_to: None,
        because: because.to_owned(),
        run_id: text.run_id.clone(),
        dedupe_key: Some(key),
        note: Some(format!("Text {}", text.id)),
        completed_at: None,
        outcome: None,
        completed_by: None,
        is_demo: text.is_demo,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    tasks::upsert_many(tx, &[&task])
}

pub(super) fn change(tx: &mut Tx<'_>, text: &SmsMessage, to: SmsStatus, reason: &str, now: Timestamp) -> StoreResult<()> {
    let details = StatusChange { reason: Some(reason.to_owned()), ..StatusChange::default() };
    sms::change_status(tx, &text.id, &[text.status], to, &details, now)?;
    note_status(tx, &text.id, to, Some(reason.to_owned()), now)
}

pub(super) fn note_status(
    tx: &mut Tx<'_>,
    sms_id: &str,
    status: SmsStatus,
    detail: Option<String>,
    now: Timestamp,
) -> StoreResult<()> {
    let event = StatusEvent { id: new_id(now), sms_id: sms_id.to_owned(), status, code: None, detail, at: now, event_id: None };
    sms::insert_status_events(tx, &[event])
}

/// The gateway would not have the text: the rules hear of it as they do of a receipt that says so.
fn refused(tx: &mut Tx<'_>, text: &SmsMessage, now: Timestamp) -> StoreResult<()> {
    let Some(contact_id) = &text.contact_id else { return Ok(()) };
    if text.status_reason.as_deref() == Some(INVALID_NUMBER) {
        contacts::note_phone_invalid(tx, contact_id, &text.to)?;
    }
    let contact = contacts::find(tx, contact_id)?;
    let told = [("template", text.template.clone()), ("reason", text.status_reason.clone())];
    let data = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    let payload = EventPayload { data, ..EventPayload::default() };
    let key = format!("refused:{}:{}", text.id, text.attempts);
    let event = timers::delivery(SMS_FAILED, "sms", key, now, payload, (contact_id, contact.as_ref()));
    let cause = Cause { contact_id: Some(contact_id.clone()), booking_id: text.booking_id.clone(), ..Cause::default() };
    record(tx, event, now, cause).map(|_| ())
}

/// The key of the task that asks a person about a text.
pub fn unknown_key(sms_id: &str) -> String {
    format!("sms_outcome_unknown:{sms_id}")
}

/// Why such a task is closed by itself.
pub const OUTCOME_KNOWN: &str = "The outcome became known";

fn touch(tx: &mut Tx<'_>, text: &SmsMessage, now: Timestamp) -> StoreResult<()> {
    let Some(contact_id) = text.contact_id.clone() else { return Ok(()) };
    contacts::note_outbound(tx, &contact_id, now)?;
    history::insert_touchpoints(tx, &[&sent_touchpoint(text, contact_id, now)])
}

/// What a text that went out leaves on the contact's timeline.
pub(super) fn sent_touchpoint(text: &SmsMessage, contact_id: String, now: Timestamp) -> Touchpoint {
    Touchpoint {
        id: derived_id(now, &[&text.id, "sms_out"]),
        contact_id,
        timestamp: now,
        kind: "sms_out".into(),
        channel: Some("sms".into()),
        direction: "out".into(),
        source: None,
        medium: None,
        campaign: None,
        event_id: None,
    }
}
