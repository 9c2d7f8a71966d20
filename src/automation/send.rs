//! Empties the outbox: decides in one transaction what may leave now, hands it to the gateway, writes down what came of it.
//!
//! The `sending` state is on stable storage before the gateway is called. A worker that dies in between leaves a text whose fate
//! is unknown: it is never sent again by itself, but put in front of a person.

pub(super) use super::outcome::sent_touchpoint;
pub use super::outcome::{OUTCOME_KNOWN, unknown_key};

use super::caps::Today;
use super::context::Automation;
use super::missing_receipts::ReceiptChecks;
use super::outcome::{self, Left, change};
use super::{breaker, consent, opt_out, quiet, withheld};
use crate::domain::booking::Booking;
use crate::domain::clinic::Clinic;
use crate::domain::contact::Contact;
use crate::domain::job::{ClaimedJob, NewJob};
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::gateway::{Answers, Gateway, Outgoing, SendResult};
use crate::store::numbers::{self, Heard};
use crate::store::sms::StatusChange;
use crate::store::{StoreResult, Tx, bookings, contacts, jobs, rate, sms};
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
/// A process that stood still for longer between the decision and the call does not call: the world has gone on.
const HANDED_OVER_WITHIN: Millis = Millis::seconds(5);
/// How often it is tried to write down what the provider said.
const ANSWER_WRITES_MAX: usize = 4;

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
    pub terms: Terms,
}

/// What is agreed on with whoever carries the texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub receipts: ReceiptChecks,
    /// What one part costs when the provider names no price, in millionths of A$; 0: nothing is reckoned.
    pub part_micros: i64,
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
    // In the order of the jobs: who waits longest leaves first.
    let outgoing: Vec<Outgoing> = claimed.iter().filter_map(|job| admitted.leaving.get(&job.id).cloned()).collect();
    withheld::count(admitted.withheld.iter().copied());
    let began = sending.automation.clock.now();
    let answers = hand_over(sending, &outgoing, began - now).await;
    count(sending.gateway.name(), &answers);
    settle(sending, claimed, admitted, answers, began).await
}

async fn hand_over(sending: &Sending, texts: &[Outgoing], decided_ago: Millis) -> Answers {
    if texts.is_empty() {
        return Answers::default();
    }
    if decided_ago > HANDED_OVER_WITHIN {
        let held_up = SendResult::NotProcessed { reason: "the program was held up".into(), retry_after: None };
        return texts.iter().map(|text| (text.sms_id.clone(), held_up.clone())).collect();
    }
    sending.gateway.send(texts).await
}

fn count(provider: &str, answers: &Answers) {
    for result in answers.results.values() {
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
    /// Why texts are kept back for good.
    withheld: Vec<&'static str>,
}

fn admit(tx: &mut Tx<'_>, sending: &Sending, claimed: &[ClaimedJob], now: Timestamp) -> StoreResult<Admitted> {
    let mut admitted = Admitted { leaving: HashMap::new(), decided: HashMap::new(), withheld: Vec::new() };
    // A process that slept past its lease must touch nothing: the job, and the text with it, are somebody else's.
    let held = jobs::hold_many(tx, claimed)?;
    let (claimed, lost): (Vec<_>, Vec<_>) = claimed.iter().zip(held).partition(|(_, held)| *held);
    admitted.decided.extend(lost.into_iter().map(|(job, _)| (job.id, Sent::LeaseLost)));
    let claimed: Vec<&ClaimedJob> = claimed.into_iter().map(|(job, _)| job).collect();
    let by_job: HashMap<i64, String> = claimed.iter().filter_map(|job| Some((job.id, sms_id(job)?))).collect();
    let ids: Vec<String> = by_job.values().cloned().collect();
    let named = sms::list_by_ids(tx, &ids)?;
    let surroundings = Surroundings::load(tx, named.iter())?;
    // Read again, now that nobody else has their numbers: a worker that was given up may have put its texts back just now, and they
    // would be lost if their jobs ended here because they looked interrupted.
    let texts: HashMap<String, SmsMessage> = sms::list_by_ids(tx, &ids)?.into_iter().map(|s| (s.id.clone(), s)).collect();
    let mut ready = Vec::new();
    for job in claimed {
        let text = by_job.get(&job.id).and_then(|id| texts.get(id));
        match text.map(|t| verdict(t, &surroundings, sending, now)) {
            None | Some(Verdict::Nothing) => complete(tx, &mut admitted, job, now)?,
            Some(Verdict::Interrupted) => {
                if let Some(text) = text {
                    outcome::unknown(tx, sending, text, "interrupted while sending", now)?;
                }
                complete(tx, &mut admitted, job, now)?;
            }
            Some(Verdict::Never(reason)) => {
                if let Some(text) = text {
                    change(tx, text, SmsStatus::Suppressed, reason, now)?;
                    admitted.withheld.push(reason);
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
    let provider = sending.gateway.name();
    let gate = breaker::gate(tx, provider, ready.len() as u32, now)?;
    let granted = rate::take(tx, provider, sending.per_second, sending.burst, gate.allowed, now)?;
    let later = if granted < gate.allowed { now + RATE_PAUSE } else { gate.retry_at.unwrap_or(now + RATE_PAUSE) };
    let clinic = &sending.automation.clinic;
    let asking: Vec<&SmsMessage> = ready.iter().filter(|_| granted > 0).map(|(_, text)| *text).collect();
    let mut today = Today::open(tx, clinic, &asking, now)?;
    for (job, text) in ready {
        // What is over a cap takes nobody's place: else it could be the one text that a provider in trouble is tried with.
        let goes = admitted.leaving.len() < granted as usize;
        if let Some(reason) = if goes { today.take(tx, clinic, text, now)? } else { None } {
            change(tx, text, SmsStatus::Suppressed, reason, now)?;
            admitted.withheld.push(reason);
            complete(tx, &mut admitted, job, now)?;
        } else if goes && start(tx, sending, text, now)? {
            admitted.leaving.insert(job.id, outgoing(text));
        } else {
            admitted.decided.insert(job.id, Sent::Later(later));
        }
    }
    if !admitted.leaving.is_empty() {
        breaker::note_probe(tx, provider, gate, now)?;
    }
    Ok(admitted)
}

/// The text that a job is about.
pub(super) fn sms_id(job: &ClaimedJob) -> Option<String> {
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
    if (text.is_demo || around.contact.is_some_and(|c| c.is_demo)) && around.is_live {
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

fn outgoing(text: &SmsMessage) -> Outgoing {
    Outgoing { sms_id: text.id.clone(), to: text.to.clone(), body: text.body.clone() }
}

/// Writes what the gateway said and completes the jobs.
async fn settle(
    sending: &Sending,
    claimed: Vec<ClaimedJob>,
    mut admitted: Admitted,
    answers: Answers,
    began: Timestamp,
) -> Vec<(ClaimedJob, Sent)> {
    let now = sending.automation.clock.now();
    let left: Vec<Left> =
        claimed.iter().filter_map(|job| Some((job.clone(), admitted.leaving.remove(&job.id)?.sms_id))).collect();
    let mut decided = admitted.decided;
    if !left.is_empty() {
        let ids: Vec<i64> = left.iter().map(|(job, _)| job.id).collect();
        match write_down(sending, left, answers, began, now).await {
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

/// An answer that is lost makes a text of unknown fate, so it is not given up at the first collision with somebody else's writing.
async fn write_down(
    sending: &Sending,
    left: Vec<Left>,
    answers: Answers,
    began: Timestamp,
    now: Timestamp,
) -> StoreResult<HashMap<i64, Sent>> {
    let told = Arc::new((left, answers));
    let mut tries = 0;
    loop {
        tries += 1;
        let (with, told) = (sending.clone(), Arc::clone(&told));
        let write = move |tx: &mut Tx<'_>| outcome::settle_all(tx, &with, &told.0, &told.1, began, now);
        match sending.automation.store.write(write).await {
            Err(error) if error.is_transient() && tries < ANSWER_WRITES_MAX => {}
            written => return written,
        }
    }
}
