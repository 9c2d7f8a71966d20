//! The runtime: handlers, failures, deadlines, and the orderly stop.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a story ends where it cannot go on")]

mod runtime;
mod scripted;
