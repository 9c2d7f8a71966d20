//! Throws away what need not be kept, a bounded number of rows at a time: raw words of providers, traces of runs, why rules did
//! nothing. Finished jobs are pruned with the queue.

use super::context::Automation;
use super::privacy::{self, PrivacyError};
use crate::config::Retention;
use crate::domain::time::{Millis, Timestamp};
use crate::store::retention::Kept;
use crate::store::{Store, StoreError, StoreResult, Tx, departures, duties, retention, skips};

const PRUNE_EVERY: Millis = Millis::hours(1);
/// Rows of one transaction.
const ROWS_MAX: i64 = 1_000;
/// Transactions of one pruning and kind; the rest waits for the next.
const PORTIONS_MAX: u32 = 100;

/// How many texts left on a day matters on that day; a few more are kept for whoever looks.
const KEEP_COUNTS: Millis = Millis::days(7);

/// Leads that are erased in one pruning.
const LEADS_MAX: i64 = 50;
/// Who erases them, and why, as it is recorded.
const BY: &str = "retention";
const REASON: &str = "a lead without a booking for as long as database.lead_days says";

/// One kind of what goes.
type Portion = fn(&mut Tx<'_>, Timestamp, i64, Timestamp) -> StoreResult<usize>;

/// Prunes, if no other node has within the hour. Answers with how many rows went or lost their words.
pub async fn prune(automation: &Automation, keep: Retention) -> StoreResult<usize> {
    let now = automation.clock.now();
    if !automation.store.write(move |tx| duties::take(tx, "prune_history", PRUNE_EVERY, now)).await? {
        return Ok(0);
    }
    let skips: Portion = |tx, before, limit, _now| skips::prune(tx, before, limit);
    let kinds: [(Millis, Portion); 4] = [
        (keep.skips, skips),
        (keep.traces, retention::forget_traces),
        (keep.raw_payload, retention::forget_raw_payloads),
        (keep.raw_payload, retention::forget_raw_answers),
    ];
    let mut gone = 0;
    for (span, portion) in kinds {
        for _ in 0..PORTIONS_MAX {
            let count = automation.store.write(move |tx| portion(tx, now - span, ROWS_MAX, now)).await?;
            gone += count;
            if (count as i64) < ROWS_MAX {
                break;
            }
        }
    }
    gone += forget_leads(automation, now - keep.leads).await?;
    let days_before = super::caps::day_of(&automation.clinic, now - KEEP_COUNTS);
    gone += automation.store.write(move |tx| departures::forget(tx, &days_before)).await?;
    Ok(gone)
}

/// People who once asked and never came are erased.
async fn forget_leads(automation: &Automation, before: Timestamp) -> StoreResult<usize> {
    let leads = automation.store.read(move |conn| retention::list_old_leads(conn, before, LEADS_MAX)).await?;
    let mut gone = 0;
    for id in leads {
        match privacy::erase_rows(&automation.store, &automation.clock, &id, BY, REASON).await {
            Ok(_) => gone += 1,
            // The next time.
            Err(PrivacyError::TextLeaving | PrivacyError::Unknown | PrivacyError::NoReason | PrivacyError::Changed) => {}
            Err(PrivacyError::Store(error)) => return Err(error),
        }
    }
    Ok(gone)
}

/// What is kept for longer than it should be, and by how much.
pub struct Overdue {
    pub name: &'static str,
    pub by: Millis,
}

pub async fn overdue(store: &Store, keep: Retention, now: Timestamp) -> StoreResult<Vec<Overdue>> {
    let kinds = [
        ("what providers sent", Kept::RawPayloads, keep.raw_payload),
        ("what providers answered", Kept::RawAnswers, keep.raw_payload),
        ("traces of runs", Kept::Traces, keep.traces),
        ("why rules did nothing", Kept::Skips, keep.skips),
    ];
    store
        .read(move |conn| {
            let mut found = Vec::new();
            for (name, kept, span) in kinds {
                found.extend(retention::find_oldest(conn, kept)?.map(|at| Overdue { name, by: Millis((now - at).0 - span.0) }));
            }
            found.extend(
                retention::find_oldest_lead(conn, now - keep.leads)?
                    .map(|at| Overdue { name: "old leads", by: Millis((now - at).0 - keep.leads.0) }),
            );
            found.retain(|kind| kind.by.0 > 0);
            Ok::<_, StoreError>(found)
        })
        .await
}
