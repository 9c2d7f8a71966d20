//! The read API. Its types are its own; field names and routes are a promise to outside programs.

mod acting;
mod assignees;
mod audit;
mod board;
mod bookings;
mod bookings_change;
mod bookings_warnings;
mod contacts;
mod contacts_change;
mod contacts_export;
mod contacts_import;
mod events;
mod fields;
mod inbox;
mod jobs;
mod jobs_change;
mod keys;
mod listing;
mod merge;
mod pipelines;
mod privacy;
mod reports;
mod rules;
mod rules_control;
mod rules_dry_run;
mod rules_files;
mod rules_replay;
mod runs;
mod search;
mod session;
mod session_mfa;
mod sms;
mod sms_change;
mod stream;
mod tasks;
mod tasks_bulk;
mod tasks_change;
mod timeline;
mod users;
mod words;

use super::endpoint::{Endpoint, Shared};
use std::sync::Arc;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    [
        tasks::endpoints(shared),
        tasks_change::endpoints(shared),
        tasks_bulk::endpoints(shared),
        contacts::endpoints(shared),
        merge::endpoints(shared),
        timeline::endpoints(shared),
        contacts_change::endpoints(shared),
        contacts_import::endpoints(shared),
        bookings::endpoints(shared),
        bookings_change::endpoints(shared),
        sms::endpoints(shared),
        sms_change::endpoints(shared),
        events::endpoints(shared),
        runs::endpoints(shared),
        jobs::endpoints(shared),
        jobs_change::endpoints(shared),
        pipelines::endpoints(shared),
        board::endpoints(shared),
        inbox::endpoints(shared),
        search::endpoints(shared),
        reports::endpoints(shared),
        rules::endpoints(shared),
        rules_control::endpoints(shared),
        rules_files::endpoints(shared),
        rules_dry_run::endpoints(shared),
        rules_replay::endpoints(shared),
        session::endpoints(shared),
        session_mfa::endpoints(shared),
        assignees::endpoints(shared),
        users::endpoints(shared),
        keys::endpoints(shared),
        audit::endpoints(shared),
        stream::endpoints(shared),
        privacy::endpoints(shared),
    ]
    .into_iter()
    .flatten()
    .collect()
}
