//! The read API. Its types are its own; field names and routes are a promise to outside programs.

mod acting;
mod bookings;
mod bookings_change;
mod contacts;
mod contacts_change;
mod contacts_export;
mod contacts_import;
mod events;
mod fields;
mod jobs;
mod listing;
mod pipelines;
mod rules;
mod rules_control;
mod rules_replay;
mod runs;
mod sms;
mod sms_change;
mod tasks;
mod tasks_bulk;
mod tasks_change;

use super::endpoint::{Endpoint, Shared};
use std::sync::Arc;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    [
        tasks::endpoints(shared),
        tasks_change::endpoints(shared),
        tasks_bulk::endpoints(shared),
        contacts::endpoints(shared),
        contacts_change::endpoints(shared),
        contacts_import::endpoints(shared),
        bookings::endpoints(shared),
        bookings_change::endpoints(shared),
        sms::endpoints(shared),
        sms_change::endpoints(shared),
        events::endpoints(shared),
        runs::endpoints(shared),
        jobs::endpoints(shared),
        pipelines::endpoints(shared),
        rules::endpoints(shared),
        rules_control::endpoints(shared),
        rules_replay::endpoints(shared),
    ]
    .into_iter()
    .flatten()
    .collect()
}
