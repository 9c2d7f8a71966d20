//! Texts that the provider took and never spoke of again: its own record is asked, a few times, and then the text stays `accepted`
//! with a reason. Nothing is ever sent from here.

use super::outcome::note_status;
use super::reconcile;
use super::send::Sending;
use crate::domain::handover::Handover;
use crate::domain::job::NewJob;
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::gateway::{Found, LookedUp};
use crate::store::{StoreResult, Tx, duties, handovers, jobs, sms};
use crate::telemetry::{Metric, metrics};

/// The `status_reason` of a text of which its provider never said more than that it took it.
pub const NO_RECEIPT: &str = "no_receipt";
const LOOKED_FOR_EVERY: Millis = Millis::minutes(5);
/// Texts that are found in one go: about as many as can be asked about until the next.
const FOUND_MAX: i64 = 100;
/// Each pause is so many times as long as the one before.
const PAUSE_FACTOR: i64 = 6;
/// After texts of unknown fate.
const PRIORITY: i32 = 3;

/// When a provider is asked for a receipt that does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptChecks {
    /// From the acceptance of a text to the first question.
    pub wait: Millis,
    /// Questions about one text; 0: none is ever asked.
    pub checks_max: u32,
}

impl Default for ReceiptChecks {
    fn default() -> Self {
        Self { wait: Millis::hours(2), checks_max: 3 }
    }
}

impl ReceiptChecks {
    /// From the acceptance of a text to each question about it.
    fn moments(self) -> impl Iterator<Item = Millis> {
        (0..self.checks_max).map(move |n| Millis(self.wait.0.saturating_mul(PAUSE_FACTOR.saturating_pow(n))))
    }

    /// After this nothing is asked any more.
    fn last(self) -> Millis {
        self.moments().last().unwrap_or(self.wait)
    }

    fn next(self, accepted_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.moments().map(|after| accepted_at + after).find(|at| *at > now)
    }
}

/// Looks for texts without a receipt, if no other node has just done so; each gets a job that asks about it. How many.
///
/// # Errors
/// When the database fails.
pub async fn look_for(sending: &Sending) -> StoreResult<usize> {
    let checks = sending.terms.receipts;
    if sending.gateway.history().is_none() || checks.checks_max == 0 {
        return Ok(0);
    }
    let (provider, now) = (sending.gateway.name(), sending.automation.clock.now());
    let look = move |tx: &mut Tx<'_>| {
        if !duties::take(tx, "sms_receipts", LOOKED_FOR_EVERY, now)? {
            return Ok(0);
        }
        let accepted = (now - checks.last() - Millis::DAY, now - checks.wait);
        let ids = handovers::list_without_receipt(tx, provider, accepted, FOUND_MAX)?;
        for sms_id in &ids {
            handovers::note_receipt_asked(tx, sms_id, now)?;
            jobs::enqueue(tx, &NewJob { priority: PRIORITY, ..reconcile::job_for(sms_id, now) }, now)?;
        }
        Ok(ids.len())
    };
    sending.automation.store.write(look).await
}

/// The text waits for its receipt, and the provider was to be asked about it.
pub(super) fn is_missed(text: &SmsMessage, handover: &Handover) -> bool {
    text.status == SmsStatus::Accepted && handover.receipt_asked_at.is_some()
}

/// Counts what the provider said.
pub(super) fn count(provider: &str, found: Option<&LookedUp>) {
    let result = match found {
        Some(LookedUp::Found(Found { status: Some(_), .. })) => "found",
        Some(LookedUp::Found(_)) => "on_its_way",
        Some(LookedUp::NotFound) => "not_found",
        Some(LookedUp::Unclear { .. }) => "unclear",
        None => return,
    };
    metrics::counter(Metric::SmsReceiptChecks, &[("provider", provider), ("result", result)], 1);
}

/// Takes down what the provider's record says. When to ask again; `None` when that is not needed, or was done often enough.
pub(super) fn look_at(
    tx: &mut Tx<'_>,
    sending: &Sending,
    text: &SmsMessage,
    handover: &Handover,
    found: Option<&LookedUp>,
    now: Timestamp,
) -> StoreResult<Option<Timestamp>> {
    if let Some(LookedUp::Found(found @ Found { status: Some(_), .. })) = found {
        reconcile::tell(tx, sending, text, found, now)?;
        return Ok(None);
    }
    if let Some(LookedUp::Found(Found { price: Some(price), .. })) = found {
        handovers::note_price(tx, &text.id, price.micros, &price.currency)?;
    }
    handovers::note_check(tx, &text.id, now)?;
    let next = sending.terms.receipts.next(text.accepted_at.unwrap_or(handover.handed_at), now);
    match (next, found) {
        // It was not asked, because another provider carries our texts now, or there was no more to ask.
        (_, None) | (None, _) => give_up(tx, text, found, now).map(|()| None),
        (Some(at), Some(LookedUp::Unclear { retry_after: Some(pause), .. })) => Ok(Some(at.max(now + *pause))),
        (next, _) => Ok(next),
    }
}

fn give_up(tx: &mut Tx<'_>, text: &SmsMessage, found: Option<&LookedUp>, now: Timestamp) -> StoreResult<()> {
    let said = match found {
        Some(LookedUp::Found(_)) => "no receipt came, and the provider's record says it is on its way",
        Some(LookedUp::NotFound) => "no receipt came, and the provider's record does not show the text",
        Some(LookedUp::Unclear { .. }) => "no receipt came, and the provider's record could not be read",
        None => "no receipt came, and the provider cannot be asked any more",
    };
    if sms::note_reason(tx, &text.id, SmsStatus::Accepted, NO_RECEIPT, now)? {
        note_status(tx, &text.id, SmsStatus::Accepted, Some(said.to_owned()), now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_and_end() {
        let checks = ReceiptChecks::default();
        let minutes: Vec<i64> = checks.moments().map(|after| after.0 / 60_000).collect();
        assert_eq!(minutes, [120, 720, 4_320], "receipts come for up to three days");
        assert_eq!(checks.next(Timestamp(0), Timestamp(0) + Millis::hours(2)), Some(Timestamp(0) + Millis::hours(12)));
        assert_eq!(checks.next(Timestamp(0), Timestamp(0) + Millis::hours(72)), None);
        assert_eq!(ReceiptChecks { checks_max: 0, ..checks }.moments().count(), 0);
    }
}
