//! The list of what both databases must do. Each case gets an empty database of its own.

use super::{TestStore, failures, intake, lanes, planned, queue, waking};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub type Case = (&'static str, fn(&TestStore));

fn all() -> Vec<Case> {
    [failures::CASES, intake::CASES, queue::CASES, lanes::CASES, planned::CASES, waking::CASES].concat()
}

#[test]
fn sqlite_keeps_every_promise() {
    run_all(|| Some(TestStore::sqlite()));
}

#[test]
fn postgres_keeps_every_promise() {
    run_all(TestStore::postgres);
}

fn run_all(open: fn() -> Option<TestStore>) {
    let mut broken = Vec::new();
    for (name, case) in all() {
        let Some(store) = open() else { return };
        if catch_unwind(AssertUnwindSafe(|| case(&store))).is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}
