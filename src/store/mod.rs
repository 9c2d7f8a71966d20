//! The only SQL. Callers see domain types, an opaque [`Conn`] to read and an opaque [`Tx`] to write.

mod db;
mod error;
mod schema;

pub use db::{Conn, Tx};
pub use error::{StoreError, StoreResult};
