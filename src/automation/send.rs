//! Empties the outbox: decides in one transaction what may leave now, hands it to the gateway, writes down what came of it.
//!
//! The `sending` state is on stable storage before the gateway is called. A worker that dies in between leaves a text whose fate
//! is unknown: it is never sent again by itself, but put in front of a person.

use super::caps::Today;
use super::context::Automation;
use super::{consent, opt_out, quiet, timers};
use crate::domain::booking::Booking;
use crate::domain::clinic::Clinic;
use crate::domain::contact::Contact;
use crate::domain::event::{EventPayload, SMS_FAILED};
use crate::domain::ids::{derived_id, new_id};
use crate::domain::job::{ClaimedJob, NewJob};
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::task::{Task, TaskStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::domain::touchpoint::Touchpoint;
use crate::gateway::{Gateway, Outgoing, SendResult};
use crate::store::numbers::{self, Heard};
use crate::store::sms::{StatusChange, StatusEvent};
use crate::store::{Cause, StoreResult, Tx, bookings, contacts, history, jobs, rate, record, sms, tasks};
use crate::telemetry::{Metric, metrics};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub const KIND: &str = "send_sms";
pub const QUEUE: &str = "sms";
/// Texts handed to the gateway in one call.
pub const BATCH_MAX: usize = 50;
const ATTEMPTS_MAX: i32 = 12;
const TIMEOUT: Millis = Millis::seconds(90);
/// A text that found the rate limit exhausted tries again after this time.
const RATE_PAUSE: Millis = Millis::seconds(1);
/// A provider that said "not now" without saying when.
const RETRY_PAUSE: Millis = Millis::seconds(30);

/// An answer that could not leave for so long waits for the morning like any other text.
const IMMEDIATE_WITHIN: Millis = Millis::minutes(10);
/// A text waits while a message of its receiver is not worked on yet: it may say STOP.
const MESSAGE_PAUSE: Millis = Millis::seconds(2);

/// How texts leave.
#[derive(Clone)]
pub struct Sending {
    pub automation: Automation,
    pub gateway: Arc<dyn Gateway>,
    pub per_second: u32,
    pub burst: u32,
}

/// What a job of this kind carries.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    sms_id: String,
}

/// What became of one job.
#[derive(Debug)]
pub enum Sent {
    Completed,
    LeaseLost,
    Later(Timestamp),
    Failed(String),
}

/// The job that sends one text.
pub fn job_for(sms_id: &str, at: Timestamp) -> NewJob {
    NewJob {
        queue: QUEUE,
        kind: KIND,
        priority: 1,
        run_at: at,
        max_attempts: ATTEMPTS_MAX,
        timeout: TIMEOUT,
        lane_key: None,
        unique_key: Some(format!("sms:{sms_id}")),
        event_id: None,
        payload: format!("{{\"sms_id\":\"{sms_id}\"}}"),
    }
}

/// Sends a batch.
pub async fn send(sending: &Sending, claimed: Vec<ClaimedJob>) -> Vec<(ClaimedJob, Sent)> {
    let now = sending.automation.clock.now();
    let admitted = {
        let (sending, claimed) = (sending.clone(), claimed.clone());
        sending.automation.store.clone().write(move |tx| admit(tx, &sending, &claimed, now)).await
    };
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(error) => return claimed.into_iter().map(|job| (job, Sent::Failed(error.to_string()))).collect(),
    };
    let outgoing: Vec<Outgoing> = admitted.leaving.values().cloned().collect();
    let results = if outgoing.is_empty() { HashMap::new() } else { sending.gateway.send(&outgoing).await };
    count(sending.gateway.name(), &results);
    settle(sending, claimed, admitted, results).await
}

fn count(provider: &str, results: &HashMap<String, SendResult>) {
    for result in results.values() {
        let name = match result {
            SendResult::Accepted { .. } => "accepted",
            SendResult::Refused { .. } => "refused",
            SendResult::NotProcessed { .. } => "not_processed",
            SendResult::Unknown { .. } => "unknown",
        };
        metrics::counter(Metric::SmsSent, &[("provider", provider), ("result", name)], 1);
    }
}

/// What may leave now, by job, and what becomes of the rest.
struct Admitted {
    leaving: HashMap<i64, Outgoing>,
    decided: HashMap<i64, Sent>,
}

fn admit(tx: &mut Tx<'_>, sending: &Sending, claimed: &[ClaimedJob], now: Timestamp) -> StoreResult<Admitted> {
    let mut admitted = Admitted { leaving: HashMap::new(), decided: HashMap::new() };
    // A process that slept past its lease must touch nothing: the job, and the text with it, are somebody else's.
    let held = jobs::hold_many(tx, claimed)?;
    let (claimed, lost): (Vec<_>, Vec<_>) = claimed.iter().zip(held).partition(|(_, held)| *held);
    admitted.decided.extend(lost.into_iter().map(|(job, _)| (job.id, Sent::LeaseLost)));
    let claimed: Vec<&ClaimedJob> = claimed.into_iter().map(|(job, _)| job).collect();
    let by_job: HashMap<i64, String> = claimed.iter().filter_map(|job| Some((job.id, sms_id(job)?))).collect();
    let ids: Vec<String> = by_job.values().cloned().collect();
    let texts: HashMap<String, SmsMessage> = sms::list_by_ids(tx, &ids)?.into_iter().map(|s| (s.id.clone(), s)).collect();
    let surroundings = Surroundings::load(tx, texts.values())?;
    let mut ready = Vec::new();
    for job in claimed {
        let text = by_job.get(&job.id).and_then(|id| texts.get(id));
        match text.map(|t| verdict(t, &surroundings, sending, now)) {
            None | Some(Verdict::Nothing) => complete(tx, &mut admitted, job, now)?,
            Some(Verdict::Interrupted) => {
                if let Some(text) = text {
                    outcome_unknown(tx, text, now)?;
                }
                complete(tx, &mut admitted, job, now)?;
            }
            Some(Verdict::Never(reason)) => {
                if let Some(text) = text {
                    change(tx, text, SmsStatus::Suppressed, reason, now)?;
                }
                complete(tx, &mut admitted, job, now)?;
            }
            Some(Verdict::Later(at)) => {
                if let Some(text) = text.filter(|_| at > now + MESSAGE_PAUSE) {
                    defer(tx, text, at, now)?;
                }
                admitted.decided.insert(job.id, Sent::Later(at));
            }
            Some(Verdict::Now) => ready.extend(text.map(|t| (job, t))),
        }
    }
    let granted = rate::take(tx, sending.gateway.name(), sending.per_second, sending.burst, ready.len() as u32, now)?;
    let clinic = &sending.automation.clinic;
    let going: Vec<&SmsMessage> = ready.iter().take(granted as usize).map(|(_, text)| *text).collect();
    let mut today = Today::open(tx, clinic, &going, now)?;
    for (index, (job, text)) in ready.into_iter().enumerate() {
        let goes = index < granted as usize;
        if let Some(reason) = if goes { today.take(tx, clinic, text, now)? } else { None } {
            change(tx, text, SmsStatus::Suppressed, reason, now)?;
            complete(tx, &mut admitted, job, now)?;
        } else if goes && start(tx, sending, text, now)? {
            admitted.leaving.insert(job.id, outgoing(text));
        } else {
            admitted.decided.insert(job.id, Sent::Later(now + RATE_PAUSE));
        }
    }
    Ok(admitted)
}

fn sms_id(job: &ClaimedJob) -> Option<String> {
    serde_json::from_str::<Payload>(&job.payload).ok().map(|p| p.sms_id)
}

fn complete(tx: &mut Tx<'_>, admitted: &mut Admitted, job: &ClaimedJob, now: Timestamp) -> StoreResult<()> {
    let sent = match jobs::complete_many(tx, &[job], now)?.first() {
        Some(true) => Sent::Completed,
        _ => Sent::LeaseLost,
    };
    admitted.decided.insert(job.id, sent);
    Ok(())
}

/// The records that decide whether a text may leave, read in the transaction that lets it.
struct Surroundings {
    suppressed: HashSet<String>,
    contacts: HashMap<String, Contact>,
    bookings: HashMap<String, Booking>,
    /// Numbers whose messages are recorded but not worked on yet.
    unheard: HashSet<String>,
}

impl Surroundings {
    fn load<'a>(tx: &mut Tx<'_>, texts: impl Iterator<Item = &'a SmsMessage> + Clone) -> StoreResult<Self> {
        let phones: Vec<String> = texts.clone().map(|s| s.to.clone()).collect();
        let contact_ids: Vec<String> = texts.clone().filter_map(|s| s.contact_id.clone()).collect();
        let booking_ids: Vec<String> = texts.filter_map(|s| s.booking_id.clone()).collect();
        // Before anything else is read of them: what they say from here on comes after these texts.
        let Heard { suppressed, unheard } = numbers::listen(tx, &phones)?;
        Ok(Self {
            suppressed,
            unheard,
            contacts: contacts::list_by_ids(tx, &contact_ids)?.into_iter().map(|c| (c.id.clone(), c)).collect(),
            bookings: bookings::list_by_ids(tx, &booking_ids)?.into_iter().map(|b| (b.id.clone(), b)).collect(),
        })
    }
}

pub(super) enum Verdict {
    Now,
    Later(Timestamp),
    Never(&'static str),
    /// Already dealt with.
    Nothing,
    /// A worker died while it was being sent.
    Interrupted,
}

fn verdict(text: &SmsMessage, around: &Surroundings, sending: &Sending, now: Timestamp) -> Verdict {
    match text.status {
        SmsStatus::Queued | SmsStatus::Scheduled => {}
        SmsStatus::Sending => return Verdict::Interrupted,
        _ => return Verdict::Nothing,
    }
    let records = Records {
        is_suppressed: around.suppressed.contains(&text.to),
        is_unheard: around.unheard.contains(&text.to),
        contact: text.contact_id.as_ref().and_then(|id| around.contacts.get(id)),
        booking: text.booking_id.as_ref().and_then(|id| around.bookings.get(id)),
        is_live: sending.gateway.is_live(),
    };
    judge(text, records, &sending.automation.clinic, now)
}

/// What one text's leave depends on.
#[derive(Clone, Copy)]
pub(super) struct Records<'a> {
    pub is_suppressed: bool,
    /// A message of its receiver is not worked on yet.
    pub is_unheard: bool,
    pub contact: Option<&'a Contact>,
    pub booking: Option<&'a Booking>,
    /// The gateway reaches real phones.
    pub is_live: bool,
}

/// Whether an unsent text may leave now, by the records of now.
pub(super) fn judge(text: &SmsMessage, around: Records<'_>, clinic: &Clinic, now: Timestamp) -> Verdict {
    let is_out = around.is_suppressed || around.contact.is_some_and(|c| c.opted_out_at.is_some());
    if is_out != opt_out::is_ack(text) {
        return Verdict::Never(if is_out { "opted_out" } else { "opted_in" });
    }
    if let Some(reason) = around.contact.and_then(|contact| consent::refusal(contact, text.category)) {
        return Verdict::Never(reason);
    }
    if around.is_unheard {
        return Verdict::Later(now + MESSAGE_PAUSE);
    }
    let booking = around.booking;
    // A text that was planned when the booking was over, such as its cancellation, is wrong once it is on again.
    if text.appointment_datetime.is_none() && booking.is_some_and(|b| b.status.is_live()) {
        return Verdict::Never("stale_booking");
    }
    let is_as_planned = |at| booking.is_some_and(|b| b.appointment_datetime == at && b.status.is_live());
    if text.appointment_datetime.is_some_and(|at| !is_as_planned(at)) {
        return Verdict::Never("stale_booking");
    }
    if text.is_demo && around.is_live {
        return Verdict::Never("demo");
    }
    let is_fresh = text.immediate && now - text.created_at < IMMEDIATE_WITHIN;
    let at = if is_fresh { now } else { quiet::next_allowed(clinic, now) };
    if text.not_after.is_some_and(|limit| at > limit) {
        return Verdict::Never("too_late");
    }
    if at > now { Verdict::Later(at) } else { Verdict::Now }
}

fn start(tx: &mut Tx<'_>, sending: &Sending, text: &SmsMessage, now: Timestamp) -> StoreResult<bool> {
    let details = StatusChange { provider: Some(sending.gateway.name().to_owned()), add_attempts: 1, ..StatusChange::default() };
    sms::change_status(tx, &text.id, &[SmsStatus::Queued, SmsStatus::Scheduled], SmsStatus::Sending, &details, now)
}

fn defer(tx: &mut Tx<'_>, text: &SmsMessage, at: Timestamp, now: Timestamp) -> StoreResult<()> {
    let details = StatusChange { reason: Some("quiet_hours".into()), scheduled_at: Some(at), ..StatusChange::default() };
    let unsent = [SmsStatus::Queued, SmsStatus::Scheduled];
    sms::change_status(tx, &text.id, &unsent, SmsStatus::Scheduled, &details, now).map(|_| ())
}

fn change(tx: &mut Tx<'_>, text: &SmsMessage, to: SmsStatus, reason: &str, now: Timestamp) -> StoreResult<()> {
    let details = StatusChange { reason: Some(reason.to_owned()), ..StatusChange::default() };
    sms::change_status(tx, &text.id, &[text.status], to, &details, now)?;
    note_status(tx, &text.id, to, Some(reason.to_owned()), now)
}

fn note_status(tx: &mut Tx<'_>, sms_id: &str, status: SmsStatus, detail: Option<String>, now: Timestamp) -> StoreResult<()> {
    let event = StatusEvent { id: new_id(now), sms_id: sms_id.to_owned(), status, code: None, detail, at: now, event_id: None };
    sms::insert_status_events(tx, &[event])
}

/// Nobody can say whether the text went out: a person has to look, and it is not sent again.
fn outcome_unknown(tx: &mut Tx<'_>, text: &SmsMessage, now: Timestamp) -> StoreResult<()> {
    change(tx, text, SmsStatus::Unknown, "interrupted while sending", now)?;
    let key = unknown_key(&text.id);
    if !tasks::list_open_by_keys(tx, std::slice::from_ref(&key))?.is_empty() {
        return Ok(());
    }
    let task = Task {
        id: derived_id(text.created_at, &[&text.id, "sms_outcome_unknown"]),
        task_type: "sms_outcome_unknown".into(),
        title: "Did this text arrive?".into(),
        contact_id: text.contact_id.clone(),
        booking_id: text.booking_id.clone(),
        status: TaskStatus::Todo,
        due_datetime: now + Millis::hours(2),
        priority_score: 60,
        assigned_to: None,
        because: "The program was interrupted while the text was being sent".into(),
        run_id: text.run_id.clone(),
        dedupe_key: Some(key),
        note: Some(format!("Text {}", text.id)),
        completed_at: None,
        is_demo: text.is_demo,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    tasks::upsert_many(tx, &[&task])
}

fn outgoing(text: &SmsMessage) -> Outgoing {
    Outgoing { sms_id: text.id.clone(), to: text.to.clone(), body: text.body.clone() }
}

/// Writes what the gateway said and completes the jobs.
async fn settle(
    sending: &Sending,
    claimed: Vec<ClaimedJob>,
    mut admitted: Admitted,
    results: HashMap<String, SendResult>,
) -> Vec<(ClaimedJob, Sent)> {
    let now = sending.automation.clock.now();
    let left: Vec<(ClaimedJob, Outgoing)> =
        claimed.iter().filter_map(|job| admitted.leaving.remove(&job.id).map(|o| (job.clone(), o))).collect();
    let mut decided = admitted.decided;
    if !left.is_empty() {
        let ids: Vec<i64> = left.iter().map(|(job, _)| job.id).collect();
        match sending.automation.store.write(move |tx| settle_all(tx, &left, &results, now)).await {
            Ok(settled) => decided.extend(settled),
            Err(error) => decided.extend(ids.into_iter().map(|id| (id, Sent::Failed(error.to_string())))),
        }
    }
    claimed
        .into_iter()
        .map(|job| {
            let sent = decided.remove(&job.id).unwrap_or(Sent::LeaseLost);
            (job, sent)
        })
        .collect()
}

fn settle_all(
    tx: &mut Tx<'_>,
    left: &[(ClaimedJob, Outgoing)],
    results: &HashMap<String, SendResult>,
    now: Timestamp,
) -> StoreResult<HashMap<i64, Sent>> {
    let mut decided = HashMap::new();
    for (job, text) in left {
        let result =
            results.get(&text.sms_id).cloned().unwrap_or(SendResult::Unknown { detail: "no answer for this text".into() });
        if let SendResult::NotProcessed { retry_after, .. } = &result {
            requeue(tx, &text.sms_id, now)?;
            decided.insert(job.id, Sent::Later(now + retry_after.unwrap_or(RETRY_PAUSE)));
            continue;
        }
        record_result(tx, &text.sms_id, &result, now)?;
        // What the gateway did is a fact, whoever owns the job now: it is written even when the lease was lost.
        let held = jobs::complete_many(tx, &[job], now)?.first().copied().unwrap_or(false);
        decided.insert(job.id, if held { Sent::Completed } else { Sent::LeaseLost });
    }
    Ok(decided)
}

fn requeue(tx: &mut Tx<'_>, sms_id: &str, now: Timestamp) -> StoreResult<()> {
    sms::change_status(tx, sms_id, &[SmsStatus::Sending], SmsStatus::Queued, &StatusChange::default(), now).map(|_| ())
}

fn record_result(tx: &mut Tx<'_>, sms_id: &str, result: &SendResult, now: Timestamp) -> StoreResult<()> {
    let (to, reason, provider_message_id) = match result {
        SendResult::Accepted { provider_message_id } => (SmsStatus::Accepted, None, Some(provider_message_id.clone())),
        SendResult::Refused { reason } => (SmsStatus::Failed, Some(reason.clone()), None),
        SendResult::Unknown { detail } => (SmsStatus::Unknown, Some(detail.clone()), None),
        SendResult::NotProcessed { .. } => return Ok(()),
    };
    let details = StatusChange { reason: reason.clone(), provider_message_id, ..StatusChange::default() };
    let from = [SmsStatus::Sending, SmsStatus::Unknown];
    if !sms::change_status(tx, sms_id, &from, to, &details, now)? {
        return Ok(());
    }
    note_status(tx, sms_id, to, reason, now)?;
    let Some(text) = sms::find(tx, sms_id)? else { return Ok(()) };
    match to {
        SmsStatus::Accepted => {
            tasks::close_by_key(tx, &unknown_key(sms_id), OUTCOME_KNOWN, now)?;
            touch(tx, &text, now)
        }
        SmsStatus::Unknown => outcome_unknown(tx, &text, now),
        _ => {
            tell_failed(tx, &text, now)?;
            tasks::close_by_key(tx, &unknown_key(sms_id), OUTCOME_KNOWN, now)
        }
    }
}

/// The gateway would not have the text: the rules hear of it as they do of a receipt that says so.
fn tell_failed(tx: &mut Tx<'_>, text: &SmsMessage, now: Timestamp) -> StoreResult<()> {
    let Some(contact_id) = &text.contact_id else { return Ok(()) };
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
