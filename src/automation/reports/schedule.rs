//! Reports by schedule: each Monday and each first of the month, before the clinic opens. The rules hear of it.

use super::{Kind, Period, count, keep, key_of};
use crate::automation::context::Automation;
use crate::automation::derive::not_worked;
use crate::automation::run::Worked;
use crate::domain::event::{Actor, Delivery, EventPayload, SignatureState};
use crate::domain::job::ClaimedJob;
use crate::domain::time::Timestamp;
use crate::store::reports::Origin;
use crate::store::schedules::{self, Misfire, ScheduleSpec};
use crate::store::{Cause, StoreError, StoreResult, Tx, jobs, record};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const KIND: &str = "make_report";
const QUEUE: &str = "maintenance";
/// The source of the events.
const SOURCE: &str = "report";

/// What a job of this kind carries.
#[derive(Deserialize)]
struct Slot {
    data: Wanted,
    /// Epoch milliseconds.
    slot: i64,
}

#[derive(Deserialize)]
struct Wanted {
    kind: Kind,
}

/// Makes the stored schedules those of the clinic's zone.
pub async fn store(automation: &Automation) -> StoreResult<()> {
    let (zone, now) = (automation.clinic.calendar.tz.name(), automation.clock.now());
    automation.store.write(move |tx| Kind::ALL.iter().try_for_each(|kind| schedules::upsert(tx, &spec(*kind, zone), now))).await
}

fn spec(kind: Kind, zone: &str) -> ScheduleSpec {
    let expr = match kind {
        Kind::Weekly => "0 6 * * mon",
        Kind::Monthly => "0 6 1 * *",
    };
    ScheduleSpec {
        name: format!("report:{}", kind.as_str()),
        expr: expr.to_owned(),
        tz: zone.to_owned(),
        misfire: Misfire::Once,
        queue: QUEUE.to_owned(),
        kind: KIND.to_owned(),
        payload: serde_json::json!({ "kind": kind.as_str() }).to_string(),
    }
}

/// Counts the period that was over at the slot, keeps the report for good, and tells the rules.
pub async fn run(automation: &Automation, job: ClaimedJob) -> (ClaimedJob, Worked) {
    let worked = match make(automation, &job).await {
        Ok(()) => Worked::Completed,
        Err(error) => not_worked(&error),
    };
    (job, worked)
}

async fn make(automation: &Automation, job: &ClaimedJob) -> StoreResult<()> {
    let slot: Slot = serde_json::from_str(&job.payload).map_err(|e| StoreError::Statement(e.to_string()))?;
    let zone = automation.clinic.calendar.tz;
    let period = Period::last_over(slot.data.kind, zone, Timestamp(slot.slot));
    let period = period.ok_or(StoreError::NotFound { what: "period" })?;
    let (now, clinic) = (automation.clock.now(), automation.clinic.clone());
    let key = key_of(period, &clinic);
    let counted = automation.store.read(move |conn| conn.snapshot(|conn| count(conn, period, &clinic, now))).await?;
    let job = job.clone();
    automation
        .store
        .write(move |tx| {
            jobs::complete(tx, &job, now)?;
            keep(tx, &key, Origin::Request, &counted)?;
            keep(tx, &key, Origin::Schedule, &counted)?;
            tell(tx, period, now)
        })
        .await
}

fn tell(tx: &mut Tx<'_>, period: Period, now: Timestamp) -> StoreResult<()> {
    let kind = period.kind.as_str();
    let start = period.start.to_string();
    let delivery = Delivery {
        source: SOURCE.to_owned(),
        dedupe_key: format!("{kind}:{start}:{}", period.tz.name()),
        event_type: format!("report_{kind}"),
        occurred_at: Some(now),
        actor: Actor::System,
        signature_state: SignatureState::Internal,
        payload: EventPayload { data: BTreeMap::from([("start".to_owned(), start)]), ..EventPayload::default() },
        raw_payload: String::new(),
        raw_sha256: String::new(),
        lane_key: None,
        quarantine_reason: None,
    };
    record(tx, delivery, now, Cause::default()).map(|_| ())
}
