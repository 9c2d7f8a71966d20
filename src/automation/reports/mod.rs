//! Weekly and monthly reports: counted on request and by schedule, kept, and counted anew when the period's records change.

mod attribution;
mod bookings;
mod credit;
mod csv;
pub mod definitions;
mod figure;
mod leads;
mod period;
mod report;
pub mod schedule;
mod texts;
mod work;

pub use attribution::{HALF_LIFE, Model, Touch, WHOLE};
pub use csv::csv;
pub use figure::{Figure, GROUPS_MAX, Shown, percentile};
pub use period::{Kind, Period, WrongStart};
pub use report::{FOLLOWED, Report};

use crate::domain::clinic::Clinic;
use crate::domain::ids::new_id;
use crate::domain::time::{Millis, Timestamp};
use crate::store::reports::{self as stored, Kept, Key, Origin};
use crate::store::{Conn, Store, StoreError, StoreResult, Tx};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A report that nobody's record has changed is good for so long.
pub const KEPT_FOR: Millis = Millis::hours(1);
/// Reports that are counted at once; each reads for some time.
const AT_ONCE_MAX: usize = 2;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE_MAX);
/// Raised when figures are counted in another way.
const VERSION: u32 = 1;

/// A report, and whether it was counted for this request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub report: Report,
    pub was_kept: bool,
}

/// A report of a period with its mark.
struct Counted {
    report: Report,
    mark: String,
}

/// The report of a period: the kept one while it is true and not older than [`KEPT_FOR`], else a new one.
pub async fn get(store: &Store, clinic: &Arc<Clinic>, period: Period, now: Timestamp) -> StoreResult<Answer> {
    let turn = TURNS.acquire().await.map_err(|_| StoreError::Unavailable { reason: "stopping".into() })?;
    let (key, owned) = (key_of(period, clinic), Arc::clone(clinic));
    let wanted = key.clone();
    let found = store.read(move |conn| conn.snapshot(|conn| look(conn, &wanted, period, &owned, now))).await?;
    drop(turn);
    match found {
        Found::Kept(report) => Ok(Answer { report, was_kept: true }),
        Found::Counted(counted) => {
            let report = counted.report.clone();
            store.write(move |tx| keep(tx, &key, Origin::Request, &counted)).await?;
            Ok(Answer { report, was_kept: false })
        }
    }
}

enum Found {
    Kept(Report),
    Counted(Counted),
}

fn look(conn: &mut Conn, key: &Key, period: Period, clinic: &Clinic, now: Timestamp) -> StoreResult<Found> {
    let kept = stored::find(conn, key, Origin::Request)?.filter(|kept| is_young(kept, period, now));
    if let Some(kept) = kept
        && stored::mark(conn, period.span)? == kept.mark
        && let Some(report) = parse(&kept.json)
    {
        return Ok(Found::Kept(report));
    }
    count(conn, period, clinic, now).map(Found::Counted)
}

/// One that was made while the period ran ends with it.
fn is_young(kept: &Kept, period: Period, now: Timestamp) -> bool {
    let at = Timestamp(kept.generated_at);
    let is_over = |at: Timestamp| at >= period.span.to;
    at <= now && now - at < KEPT_FOR && is_over(at) == is_over(now)
}

fn count(conn: &mut Conn, period: Period, clinic: &Clinic, now: Timestamp) -> StoreResult<Counted> {
    let mark = stored::mark(conn, period.span)?;
    Ok(Counted { report: report::count(conn, period, clinic, now)?, mark })
}

fn keep(tx: &mut Tx<'_>, key: &Key, origin: Origin, counted: &Counted) -> StoreResult<()> {
    let at = counted.report.generated_at;
    let json = serde_json::to_string(&counted.report).map_err(|e| StoreError::Statement(e.to_string()))?;
    let kept = Kept { id: new_id(at), json, generated_at: at.0, mark: counted.mark.clone(), stale: false };
    stored::mark_stale(tx, key, &counted.mark)?;
    stored::put(tx, key, origin, &kept)
}

/// A report as it is kept; `None` when there is none of this id.
pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<Report>> {
    Ok(stored::find_by_id(conn, id)?.and_then(|kept| parse(&kept.json)))
}

fn parse(json: &str) -> Option<Report> {
    serde_json::from_str(json).ok()
}

fn key_of(period: Period, clinic: &Clinic) -> Key {
    let calendar = &clinic.calendar;
    let parameters = format!("{VERSION} {:?} {:?} {:?}", calendar.hours, calendar.holidays, clinic.keywords);
    Key {
        kind: period.kind.as_str(),
        period_start: period.span.from,
        zone: period.tz.name().to_owned(),
        params_hash: hex::encode(Sha256::digest(parameters.as_bytes())),
    }
}
