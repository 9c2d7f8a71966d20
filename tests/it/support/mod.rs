//! What tests of several parts need.

pub mod postgres;
