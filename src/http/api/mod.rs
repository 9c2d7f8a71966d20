//! The read API. Its types are its own; field names and routes are a promise to outside programs.

mod bookings;
mod contacts;
mod events;
mod jobs;
mod listing;
mod pipelines;
mod privacy;
mod rules;
mod rules_control;
mod rules_replay;
mod runs;
mod sms;
mod stream;
mod tasks;

use super::endpoint::{Endpoint, Shared};
use std::sync::Arc;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    [
        tasks::endpoints(shared),
        contacts::endpoints(shared),
        bookings::endpoints(shared),
        sms::endpoints(shared),
        events::endpoints(shared),
        runs::endpoints(shared),
        jobs::endpoints(shared),
        pipelines::endpoints(shared),
        rules::endpoints(shared),
        rules_control::endpoints(shared),
        rules_replay::endpoints(shared),
        stream::endpoints(shared),
        privacy::endpoints(shared),
    ]
    .into_iter()
    .flatten()
    .collect()
}
