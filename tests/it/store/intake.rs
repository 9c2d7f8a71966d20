//! Deliveries become events and jobs, once.

use super::TestStore;
use super::conformance::Case;
use avatar::domain::event::{Actor, Delivery, EventPayload, SignatureState};
use avatar::store::{StoreError, jobs};
use std::collections::BTreeSet;

pub const CASES: &[Case] = &[
    ("a_delivery_that_comes_twice_is_one_event", a_delivery_that_comes_twice_is_one_event),
    ("a_hundred_copies_at_once_are_one_event_and_one_job", a_hundred_copies_at_once_are_one_event_and_one_job),
    ("the_failure_of_one_unit_spoils_only_itself", the_failure_of_one_unit_spoils_only_itself),
];

pub fn delivery(key: &str, lane: Option<&str>) -> Delivery {
    Delivery {
        source: "wix".into(),
        dedupe_key: key.into(),
        event_type: "booking_created".into(),
        occurred_at: None,
        actor: Actor::Patient,
        signature_state: SignatureState::Valid,
        payload: EventPayload::default(),
        raw_payload: "{}".into(),
        raw_sha256: "00".into(),
        lane_key: lane.map(Into::into),
        quarantine_reason: None,
    }
}

pub fn block_on<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

fn a_delivery_that_comes_twice_is_one_event(t: &TestStore) {
    let first = block_on(t.store.append(delivery("a", None), t.now())).unwrap();
    let again = block_on(t.store.append(delivery("a", None), t.now())).unwrap();
    assert!(!first.duplicate && again.duplicate);
    assert_eq!(first.event_id, again.event_id);
    assert_eq!(ready(t), 1);
}

fn a_hundred_copies_at_once_are_one_event_and_one_job(t: &TestStore) {
    let other = t.another_node();
    let now = t.now();
    let answers = block_on(async {
        let mut calls = Vec::new();
        for n in 0..100 {
            let store = if n % 2 == 0 { t.store.clone() } else { other.clone() };
            calls.push(tokio::spawn(async move { store.append(delivery("same", Some("contact:1")), now).await.unwrap() }));
        }
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap());
        }
        answers
    });
    let ids: BTreeSet<_> = answers.iter().map(|a| &a.event_id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|a| !a.duplicate).count(), 1);
    assert_eq!(ready(t), 1);
}

fn the_failure_of_one_unit_spoils_only_itself(t: &TestStore) {
    let now = t.now();
    let good = move |key: &'static str| {
        move |tx: &mut avatar::store::Tx<'_>| avatar::store::record(tx, delivery(key, None), now, avatar::store::Cause::default())
    };
    block_on(async {
        let (a, failed, panicked, b) = tokio::join!(
            t.store.write(good("a")),
            t.store.write(move |tx| {
                good("b")(tx)?;
                Err::<(), _>(StoreError::LeaseLost)
            }),
            t.store.write::<(), StoreError>(move |tx| {
                good("c")(tx)?;
                panic!("a bug in the work")
            }),
            t.store.write(good("d")),
        );
        assert!(a.is_ok() && b.is_ok());
        assert!(matches!(failed, Err(StoreError::LeaseLost)));
        assert!(matches!(panicked, Err(StoreError::Panicked)));
    });
    assert_eq!(ready(t), 2);
}

/// How many events wait to be worked on.
pub fn ready(t: &TestStore) -> i64 {
    let now = t.now();
    let all = t.store.read_now(move |conn| jobs::stats(conn, now)).unwrap();
    all.iter().filter(|s| s.queue == "automation").map(|s| s.ready).sum()
}
