//! What tests of several parts need.

pub mod client;
pub mod clinic;
pub mod load;
pub mod postgres;
pub mod process;
pub mod provider;
pub mod records;
pub mod wix;
