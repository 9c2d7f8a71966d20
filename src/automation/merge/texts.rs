//! What a merge means for texts: none goes to one person twice, none to whoever said STOP, the rest to the number that stays.

use super::REASON;
use crate::automation::send::job_for;
use crate::domain::contact::Contact;
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::store::sms::StatusChange;
use crate::store::{Conn, StoreResult, Tx, jobs, merges, numbers, sms};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A text that left so long ago may be sent again.
const SAME_WITHIN: Millis = Millis::days(7);
const OPTED_OUT: &str = "opted_out";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Texts {
    withdrawn: Vec<Withdrawn>,
    redirected: Vec<Redirected>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Withdrawn {
    id: String,
    status: SmsStatus,
    old_reason: Option<String>,
    reason: String,
    at: Timestamp,
    /// Until when it is of use after its time.
    #[serde(default)]
    not_after: Option<Timestamp>,
}

impl Withdrawn {
    /// When it leaves after all. A reminder of something that is over is not sent late.
    fn leaves_at(&self, now: Timestamp) -> Option<Timestamp> {
        let is_of_use = self.at > now || self.not_after.is_some_and(|until| until > now);
        is_of_use.then(|| self.at.max(now))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Redirected {
    id: String,
    from: String,
    to: String,
}

/// What becomes of the texts that wait.
pub(super) fn decide(conn: &mut Conn, winner: &Contact, loser: &Contact, merged: &Contact, now: Timestamp) -> StoreResult<Texts> {
    let (mine, theirs) = (unsent(conn, &winner.id)?, unsent(conn, &loser.id)?);
    if merged.opted_out_at.is_some() {
        let all = mine.iter().chain(&theirs).filter(|text| !is_acknowledgement(text));
        return Ok(Texts { withdrawn: all.map(|text| withdrawn(text, OPTED_OUT)).collect(), redirected: Vec::new() });
    }
    let known = sent_lately(conn, &winner.id, now)?;
    let known: HashSet<_> = mine.iter().filter_map(same).chain(known).collect();
    let (doubled, kept): (Vec<_>, Vec<_>) = theirs.iter().partition(|text| same(text).is_some_and(|key| known.contains(&key)));
    let to = merged.phone.as_ref().filter(|phone| winner.phone.as_ref() == Some(*phone));
    let moves = kept.into_iter().filter(|text| Some(&text.to) == loser.phone.as_ref());
    let redirected =
        to.map(|to| moves.map(|text| Redirected { id: text.id.clone(), from: text.to.clone(), to: to.clone() }).collect());
    Ok(Texts {
        withdrawn: doubled.into_iter().map(|text| withdrawn(text, REASON)).collect(),
        redirected: redirected.unwrap_or_default(),
    })
}

/// Texts that say the same to the person.
type Same = (String, Option<i64>);

fn same(text: &SmsMessage) -> Option<Same> {
    Some((text.template.clone()?, text.appointment_datetime.map(|at| at.0)))
}

fn unsent(conn: &mut Conn, contact_id: &str) -> StoreResult<Vec<SmsMessage>> {
    sms::list_unsent_of_contacts(conn, &[contact_id.to_owned()])
}

fn sent_lately(conn: &mut Conn, contact_id: &str, now: Timestamp) -> StoreResult<Vec<Same>> {
    let texts = sms::list_left_of_contact(conn, contact_id, now - SAME_WITHIN)?;
    Ok(texts.iter().filter_map(same).collect())
}

/// Tells that STOP is obeyed; it leaves in any case.
fn is_acknowledgement(text: &SmsMessage) -> bool {
    text.dedupe_key.as_deref().is_some_and(|key| key.starts_with("opt_out_ack:"))
}

fn withdrawn(text: &SmsMessage, reason: &str) -> Withdrawn {
    Withdrawn {
        id: text.id.clone(),
        status: text.status,
        old_reason: text.status_reason.clone(),
        reason: reason.to_owned(),
        at: text.scheduled_at.unwrap_or(text.created_at),
        not_after: text.not_after,
    }
}

/// Carries it out; answers how many were withdrawn. A text that is leaving at this moment leaves.
pub(super) fn withdraw(tx: &mut Tx<'_>, texts: &Texts, now: Timestamp) -> StoreResult<usize> {
    let mut count = 0;
    for text in &texts.withdrawn {
        let change = StatusChange { reason: Some(text.reason.clone()), ..StatusChange::default() };
        let from = [SmsStatus::Scheduled, SmsStatus::Queued];
        count += usize::from(sms::change_status(tx, &text.id, &from, SmsStatus::Cancelled, &change, now)?);
    }
    for text in &texts.redirected {
        merges::redirect_text(tx, &text.id, &text.to)?;
    }
    Ok(count)
}

/// What has not changed since waits again, for the number it was for. What was due meanwhile leaves now, if it is still of use.
pub(super) fn restore(tx: &mut Tx<'_>, texts: &Texts, now: Timestamp) -> StoreResult<()> {
    for (text, at) in texts.withdrawn.iter().filter_map(|text| Some((text, text.leaves_at(now)?))) {
        if merges::restore_text(tx, &text.id, &text.reason, text.status.as_str(), text.old_reason.as_deref(), now)? {
            jobs::enqueue(tx, &job_for(&text.id, at), now)?;
        }
    }
    for text in &texts.redirected {
        merges::redirect_text(tx, &text.id, &text.from)?;
    }
    Ok(())
}

/// STOP from one number of a person holds for the other too. The number that was silenced, when one was.
pub(super) fn keep_stop(
    tx: &mut Tx<'_>,
    winner: &Contact,
    loser: &Contact,
    merged: &Contact,
    event_id: &str,
    now: Timestamp,
) -> StoreResult<Option<String>> {
    let phones: Vec<String> = [&winner.phone, &loser.phone].into_iter().flatten().cloned().collect();
    let suppressed = sms::list_suppressed(tx, &phones)?;
    let said_stop = !suppressed.is_empty() || merged.opted_out_at.is_some();
    let open = merged.phone.as_ref().filter(|phone| said_stop && !suppressed.contains(*phone));
    if let Some(phone) = open {
        numbers::stop(tx, phone, REASON, event_id, now)?;
    }
    Ok(open.cloned())
}
