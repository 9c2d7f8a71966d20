//! `avatar events`

mod fixture;
mod log;
mod save;
mod send;
mod set;

use super::args::EventsCommand;
use super::{Context, Exit};

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.events/1";

pub(super) fn run(context: &Context, command: &EventsCommand) -> Exit {
    match command {
        EventsCommand::Send { event_type, set } => send::run(context, event_type, set),
        EventsCommand::Save { event, into } => save::run(context, event, into.as_deref()),
        EventsCommand::Tail(filter) => log::tail(context, filter),
        EventsCommand::List { filter, limit } => log::list(context, filter, *limit),
    }
}
