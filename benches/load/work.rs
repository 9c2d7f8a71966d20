//! Events through the shipped rules, empty jobs through the queue, and the demo's month.

use super::house::House;
use super::line;
use avatar::cli::demo::{self, DemoParts, Size};
use avatar::domain::booking::BookingStatus;
use avatar::domain::clock::{Clock, SharedClock, SystemClock};
use avatar::domain::event::{Actor, BookingInput, ContactInput, Delivery, EventPayload, SignatureState};
use avatar::domain::job::NewJob;
use avatar::domain::time::{Millis, Timestamp};
use avatar::inbound::Secrets;
use avatar::jobs::{QueueOptions, Runner, RunnerOptions, work_available};
use avatar::store::jobs::ClaimRequest;
use avatar::store::{Store, StoreResult, jobs, workers};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

const EVENTS: usize = 20_000;
const APPENDS_IN_FLIGHT: usize = 256;
const QUEUE: &str = "bench";

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// Booking events of as many people, appended and then worked by one worker.
pub async fn rules() {
    let house = House::open(clock(), &Secrets::new()).await;
    let store = &house.automation.store;
    let now = SystemClock.now();
    let began = Instant::now();
    let appends = futures_util::stream::iter(0..EVENTS).map(|n| store.append(booking(n, now), arrival(n, now)));
    appends.buffer_unordered(APPENDS_IN_FLIGHT).for_each(|done| async { drop(done.expect("an event")) }).await;
    rate("append booking events", EVENTS, began);
    let began = Instant::now();
    let worked = work_available(store, &house.registry, "automation").await.expect("work");
    rate("work them through the rules, one worker", worked, began);
    let appends = futures_util::stream::iter(EVENTS..2 * EVENTS).map(|n| store.append(booking(n, now), arrival(n, now)));
    appends.buffer_unordered(APPENDS_IN_FLIGHT).for_each(|done| async { drop(done.expect("an event")) }).await;
    let began = Instant::now();
    run_until_empty(&house).await;
    rate("work them through the rules, four workers", EVENTS, began);
}

/// Ten events a millisecond: ids are ordered by time, and so are the pages they go to.
fn arrival(n: usize, now: Timestamp) -> Timestamp {
    now + Millis((n / 10) as i64)
}

/// The workers of `avatar serve`, until nothing of the queue is left.
async fn run_until_empty(house: &House) {
    let store = house.automation.store.clone();
    let stop = CancellationToken::new();
    let queues = vec![QueueOptions { name: "automation".into(), workers: 4, batch: 64 }];
    let runner = Runner::new(store.clone(), clock(), house.registry.clone(), RunnerOptions::new("bench", queues));
    let running = tokio::spawn(runner.run(stop.clone()));
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(250));
    loop {
        ticks.tick().await;
        let now = SystemClock.now();
        let stats = store.read(move |conn| jobs::stats(conn, now)).await.expect("figures");
        if !stats.iter().any(|q| q.queue == "automation" && q.ready + q.running + q.lane_blocked > 0) {
            break;
        }
    }
    stop.cancel();
    running.await.expect("workers").expect("an orderly stop");
}

fn booking(n: usize, now: Timestamp) -> Delivery {
    let appointment = now + Millis::days(5) + Millis::minutes(n as i64 % 1_000);
    let contact = ContactInput {
        wix_contact: Some(format!("contact-{n}")),
        first_name: Some("Jane".into()),
        last_name: Some(format!("Number {n}")),
        phone: Some(format!("+614{n:08}")),
        email: Some(format!("jane+{n}@example.com")),
        ..ContactInput::default()
    };
    let lane_key = contact.phone.clone();
    let booking = BookingInput {
        wix_booking_id: Some(format!("booking-{n}")),
        status: Some(BookingStatus::Scheduled),
        appointment_datetime: Some(appointment),
        end_datetime: Some(appointment + Millis::minutes(30)),
        service_name: Some("MRI scan".into()),
        location: Some("Parramatta".into()),
        sequence: Some(1),
        revision: Some(1),
        ..BookingInput::default()
    };
    Delivery {
        source: "wix".into(),
        dedupe_key: format!("event-{n}"),
        event_type: "booking_confirmed".into(),
        occurred_at: Some(now),
        actor: Actor::Patient,
        signature_state: SignatureState::Valid,
        payload: EventPayload { contact: Some(contact), booking: Some(booking), ..EventPayload::default() },
        raw_payload: "{}".into(),
        raw_sha256: String::new(),
        lane_key,
        quarantine_reason: None,
    }
}

/// Jobs with nothing in them: what the queue itself costs.
pub async fn claims() {
    for (batch, count) in [(1, 1_500), (10, 10_000), (64, 30_000)] {
        let house = House::open(clock(), &Secrets::new()).await;
        let store = &house.automation.store;
        let now = SystemClock.now();
        let many = vec![empty_job(); count];
        store.write(move |tx| jobs::enqueue_many(tx, &many, now)).await.expect("jobs");
        let worker = store.write(move |tx| workers::register(tx, "bench", 1, Millis::HOUR, now)).await.expect("a worker");
        let began = Instant::now();
        let done = drain(store, worker, batch).await.expect("claims");
        rate(&format!("claim and complete, batch {batch}"), done, began);
    }
}

/// The previous batch's completion and the next claim share a transaction, as in a worker.
async fn drain(store: &Store, worker: i64, batch: usize) -> StoreResult<usize> {
    let (mut done, mut turn) = (0, 0);
    let mut held = Vec::new();
    loop {
        let now = SystemClock.now();
        let last = std::mem::take(&mut held);
        held = store
            .write(move |tx| {
                jobs::complete_many(tx, &last.iter().collect::<Vec<_>>(), now)?;
                jobs::claim(tx, worker, &ClaimRequest { queue: QUEUE, limit: batch, turn }, now)
            })
            .await?;
        if held.is_empty() {
            return Ok(done);
        }
        done += held.len();
        turn += 1;
    }
}

fn empty_job() -> NewJob {
    NewJob {
        queue: QUEUE,
        kind: "nothing",
        priority: 1,
        run_at: Timestamp(0),
        max_attempts: 1,
        timeout: Millis::MINUTE,
        lane_key: None,
        unique_key: None,
        event_id: None,
        payload: "{}".into(),
    }
}

/// The whole demo, from keys to the end of its story.
pub async fn demo() {
    let began = Instant::now();
    let now = SystemClock.now();
    let prepared = demo::prepare(now, Size::MONTH).expect("keys");
    let house = House::open(prepared.clock.clone(), &prepared.secrets).await;
    let serving = house.serve().await;
    let parts = DemoParts {
        base_url: serving.base_url.clone(),
        clock: prepared.clock,
        automation: house.automation.clone(),
        registry: house.registry.clone(),
        keys: prepared.keys,
        seed: 7,
        size: prepared.size,
        now,
    };
    let told = demo::feed(parts, |_| {}).await.expect("the expected answers");
    serving.stop().await;
    line(&format!("the demo's month in {:.1} s: {told:?}", began.elapsed().as_secs_f64()));
}

fn rate(name: &str, count: usize, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    line(&format!("{name:<44} {:>9.0}/s  ({count} in {seconds:.2} s)", count as f64 / seconds));
}
