//! The store: one definition of its behaviour, run on both databases.

mod conformance;
mod intake;
mod pg;
mod test_store;

pub use test_store::TestStore;
