//! The store: one definition of its behaviour, run on both databases.

mod backup;
mod conformance;
mod failures;
mod intake;
mod lanes;
mod model;
mod planned;
mod plans;
mod schema;
mod throughput;

mod queue;
mod test_store;
mod waking;

pub use schema::by_hand;
pub use test_store::{Queue, START, TestStore};
