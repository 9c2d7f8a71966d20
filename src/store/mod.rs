//! The only SQL. Callers see domain types, an opaque [`Conn`] to read and an opaque [`Tx`] to write.

mod db;
mod error;
mod row;
mod schema;

pub mod bookings;
pub mod contacts;
pub mod events;
pub mod history;
pub mod rulesets;
pub mod runs;
pub mod sms;
pub mod tasks;
pub mod timers;

pub use db::{Conn, Tx};
pub use error::{StoreError, StoreResult};
