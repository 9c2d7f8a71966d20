//! What tests of several parts need.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code: a failed expectation is a failed test")]

pub mod client;
pub mod clinic;
pub mod postgres;
pub mod records;
pub mod wix;
