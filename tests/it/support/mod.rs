//! What tests of several parts need.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code: a failed expectation is a failed test")]

pub mod client;
pub mod clinic;
pub mod load;
pub mod postgres;
pub mod process;
pub mod records;
pub mod wix;
