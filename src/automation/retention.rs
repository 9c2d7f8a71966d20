//! Throws away what need not be kept, a bounded number of rows at a time: raw words of providers, traces of runs, why rules did
//! nothing. Finished jobs are pruned with the queue.

use super::context::Automation;
use crate::config::Retention;
use crate::domain::time::{Millis, Timestamp};
use crate::store::{StoreResult, Tx, departures, duties, retention, skips};

const PRUNE_EVERY: Millis = Millis::hours(1);
/// Rows of one transaction.
const ROWS_MAX: i64 = 1_000;
/// Transactions of one pruning and kind; the rest waits for the next.
const PORTIONS_MAX: u32 = 100;

/// How many texts left on a day matters on that day; a few more are kept for whoever looks.
const KEEP_COUNTS: Millis = Millis::days(7);

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
    let days_before = super::caps::day_of(&automation.clinic, now - KEEP_COUNTS);
    gone += automation.store.write(move |tx| departures::forget(tx, &days_before)).await?;
    Ok(gone)
}
