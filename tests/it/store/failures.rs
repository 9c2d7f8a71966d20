//! What goes wrong stays where it is, and success is never claimed for what is not written.

use super::TestStore;
use super::conformance::Case;
use super::intake::{block_on, delivery, ready};
use super::test_store::Queue;
use avatar::domain::job::NewJob;
use avatar::store::{StoreError, jobs};
use std::sync::mpsc::channel;

pub const CASES: &[Case] = &[
    ("an_error_that_is_overlooked_is_not_a_success", an_error_that_is_overlooked_is_not_a_success),
    ("a_savepoint_undoes_only_its_own_part", a_savepoint_undoes_only_its_own_part),
    ("one_bad_delivery_spoils_only_itself", one_bad_delivery_spoils_only_itself),
    ("nul_characters_are_held_alike", nul_characters_are_held_alike),
    ("a_full_line_refuses_at_once", a_full_line_refuses_at_once),
];

/// The database refuses this priority.
fn unfit_job() -> NewJob {
    NewJob { priority: 9, ..Queue::job("unfit") }
}

fn an_error_that_is_overlooked_is_not_a_success(t: &TestStore) {
    let now = t.now();
    let answer = t.store.write_now(move |tx| {
        let id = jobs::enqueue(tx, &Queue::job("good"), now)?;
        drop(jobs::enqueue(tx, &unfit_job(), now));
        Ok::<_, StoreError>(id)
    });
    let claimed = Queue::of(t).claim(10);
    assert_eq!(answer.is_ok(), claimed.len() == 1, "{answer:?}");
}

fn a_savepoint_undoes_only_its_own_part(t: &TestStore) {
    let now = t.now();
    let kept = t.store.write_now(move |tx| {
        let failed = tx.savepoint(|tx| {
            jobs::enqueue(tx, &Queue::job("undone"), now)?;
            jobs::enqueue(tx, &unfit_job(), now)
        });
        assert!(failed.is_err());
        tx.savepoint(|tx| jobs::enqueue(tx, &Queue::job("kept"), now))
    });
    kept.unwrap();
    let kinds: Vec<String> = Queue::of(t).claim(10).into_iter().map(|job| job.kind).collect();
    assert_eq!(kinds, ["kept"]);
}

/// PostgreSQL refuses a NUL in the source, which is never cleaned: it is the program's own word.
fn one_bad_delivery_spoils_only_itself(t: &TestStore) {
    let now = t.now();
    let (unblock, blocked) = channel::<()>();
    let answers = block_on(async {
        let busy = tokio::spawn({
            let store = t.store.clone();
            async move { store.write(move |_| Ok::<_, StoreError>(blocked.recv().is_ok())).await }
        });
        let mut calls = Vec::new();
        for n in 0..20 {
            let mut d = delivery(&n.to_string(), Some("contact:1"));
            if n == 7 {
                d.source = "wi\0x".into();
            }
            let store = t.store.clone();
            calls.push(tokio::spawn(async move { store.append(d, now).await }));
        }
        tokio::task::yield_now().await;
        drop(unblock);
        busy.await.unwrap().unwrap();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap().is_ok());
        }
        answers
    });
    let refused: Vec<usize> = answers.iter().enumerate().filter(|(_, ok)| !**ok).map(|(n, _)| n).collect();
    assert_eq!(refused, if t.store.is_postgres() { vec![7] } else { vec![] });
}

fn nul_characters_are_held_alike(t: &TestStore) {
    let mut odd = delivery("a\0b", Some("contact:\0"));
    odd.raw_payload = "\0".into();
    odd.quarantine_reason = Some("odd \0".into());
    block_on(t.store.append(odd, t.now())).unwrap();
    assert_eq!(ready(t), 1);
}

fn a_full_line_refuses_at_once(t: &TestStore) {
    if t.store.is_postgres() {
        // The same line; working it off takes a minute there.
        return;
    }
    let (unblock, blocked) = channel::<()>();
    let blocked = std::sync::Arc::new(std::sync::Mutex::new(blocked));
    block_on(async {
        let mut waiting = tokio::task::JoinSet::new();
        // As many as there are writers are busy; the rest stands in line.
        for _ in 0..5_000 {
            let (store, blocked) = (t.store.clone(), blocked.clone());
            waiting.spawn(async move { store.write(move |_| Ok::<_, StoreError>(blocked.lock().unwrap().recv().is_ok())).await });
        }
        let refused = waiting.join_next().await.unwrap().unwrap();
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
        drop(unblock);
        let done = waiting.join_all().await;
        assert!(done.iter().filter(|answer| answer.is_ok()).count() >= 4_096);
    });
}
