//! The real server on a loopback port with a real database file, spoken to over plain sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    reason = "these are tests: what goes wrong shall stop them"
)]

mod access;
mod limits;
mod paging;
mod quiet;
mod raw;
mod reads;
mod site;
mod trouble;
mod webhooks;
