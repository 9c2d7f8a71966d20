//! The log of what people did: whole, in one chain, and nobody changes it unseen.

use crate::store::TestStore;
use crate::store::by_hand;
use avatar::automation::audit::{self, note_alone};
use avatar::automation::staff::add_user;
use avatar::domain::audit::{Entry, Who, action};
use avatar::domain::clock::SharedClock;
use avatar::domain::staff::Role;
use avatar::store::invariants;

fn stores() -> impl Iterator<Item = TestStore> {
    [Some(TestStore::sqlite()), TestStore::postgres()].into_iter().flatten()
}

fn clock(t: &TestStore) -> SharedClock {
    t.clock.clone()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn entry(number: i64) -> Entry {
    Entry::new(Who::from("key:reports"), action::TIMELINE_READ).of("contact", "c1").with_number("number", number)
}

#[test]
fn many_at_once_on_two_nodes_make_one_chain() {
    for t in stores() {
        let (nodes, clock) = ([t.store.clone(), t.another_node()], clock(&t));
        runtime().block_on(async {
            let notes = (0..60).map(|n| note_alone(&nodes[n % 2], &clock, entry(n as i64)));
            for noted in futures_util::future::join_all(notes).await {
                noted.unwrap();
            }
        });
        let found = t.store.read_now(audit::verify).unwrap();
        assert_eq!((found.rows, found.broken), (60, None));
    }
}

#[test]
fn what_is_undone_is_not_in_the_log() {
    for t in stores() {
        runtime().block_on(async {
            let clock = t.store.clock().clone();
            let add = || add_user(&t.store, &clock, "kim@clinic.example", "Kim", Role::Ops, None);
            let added = add().await;
            assert!(added.is_ok() && add().await.is_err(), "the second has the same address");
        });
        assert_eq!(t.store.read_now(audit::verify).unwrap().rows, 1);
    }
}

/// Three rows, then `statements` by somebody who owns the database, without its guards.
fn tampered(t: &TestStore, statements: &[&str]) -> (i64, &'static str) {
    let clock = clock(t);
    runtime().block_on(async {
        for number in 0..3 {
            note_alone(&t.store, &clock, entry(number)).await.unwrap();
        }
    });
    let guards: &[&str] = if t.store.is_postgres() {
        &["DROP TRIGGER audit_log_no_change ON audit_log"]
    } else {
        &["DROP TRIGGER audit_log_no_update", "DROP TRIGGER audit_log_no_delete"]
    };
    for statement in guards.iter().chain(statements) {
        by_hand(t, statement);
    }
    let broken = t.store.read_now(audit::verify).unwrap().broken.expect("it is found");
    let named = t.store.read_now(invariants::check).unwrap();
    assert_eq!(named.iter().map(|b| b.name).collect::<Vec<_>>(), ["audit_log_is_whole"]);
    (broken.seq, broken.reason)
}

#[test]
fn whoever_changes_a_row_is_found() {
    for (statements, seq, reason) in [
        (&["UPDATE audit_log SET actor = 'staff:other' WHERE seq = 2"][..], 2, "it was changed"),
        (&["DELETE FROM audit_log WHERE seq = 2"], 3, "a row before it is missing"),
        (&["DELETE FROM audit_log WHERE seq = 3"], 3, "rows at the end are missing"),
        (&["DELETE FROM audit_log"], 3, "rows at the end are missing"),
        (
            &["DELETE FROM audit_log WHERE seq = 1", "UPDATE audit_log SET seq = seq - 1"],
            1,
            "it does not follow the row before it",
        ),
    ] {
        for t in stores() {
            assert_eq!(tampered(&t, statements), (seq, reason), "{statements:?}");
        }
    }
}

#[test]
fn the_database_itself_takes_no_change() {
    for t in stores() {
        runtime().block_on(note_alone(&t.store, &clock(&t), entry(1))).unwrap();
        for statement in ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"] {
            let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| by_hand(&t, statement)));
            assert!(tried.is_err(), "{statement}");
        }
        assert_eq!(t.store.read_now(audit::verify).unwrap().broken, None);
    }
}
