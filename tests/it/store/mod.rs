//! The store: one definition of its behaviour, run on both databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a story ends where it cannot go on")]

mod conformance;
mod intake;
mod lanes;
mod pg;
mod planned;
mod queue;
mod test_store;

pub use test_store::TestStore;
