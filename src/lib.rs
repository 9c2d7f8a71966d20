//! Avatar CMS: a rules engine with scriptable automations for a medical imaging clinic.
//!
//! The map, in reading order. Arrows of dependency point down this list's top: everything knows `domain`, nobody knows `cli`.

pub mod alloc;
pub mod domain;

pub mod config;
pub mod telemetry;

pub mod engine;
pub mod gateway;
pub mod inbound;
pub mod store;

pub mod automation;

pub mod http;
pub mod jobs;

pub mod simulator;

pub mod cli;
