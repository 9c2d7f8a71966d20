//! The demo clinic: a month of made-up patients, sent through the real webhooks.

mod bodies;
pub mod generator;
mod leads;
mod names;
mod people;
mod phrases;
mod random;
mod reactions;
pub mod request;
mod secrets;
mod services;
mod story;

pub use secrets::{DemoSecretsError, SigningKeys, demo_secrets};
