//! `avatar rules`

pub mod check;
mod diff;
mod listing;
mod publish;
mod test;

use super::args::RulesCommand;
use super::{Context, Exit};
use crate::automation::rulesets::InForce;
use crate::cli::failure::Failure;
use crate::cli::parts::Parts;
use std::sync::Arc;

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.rules/1";

pub(super) fn run(context: &Context, command: &RulesCommand) -> Exit {
    match command {
        RulesCommand::Check { path, format } => check::run(context, path.as_deref(), *format),
        RulesCommand::Test { path, run, format, update, coverage } => {
            let asked = test::Asked { paths: path, run: run.as_deref(), format: *format, update: *update, coverage: *coverage };
            test::run(context, &asked)
        }
        RulesCommand::Diff { since, events, against, rule, all } => {
            let asked =
                diff::Asked { since, events: events.as_deref(), against: against.as_deref(), rule: rule.as_deref(), all: *all };
            diff::run(context, &asked)
        }
        RulesCommand::List => listing::list(context),
        RulesCommand::Show { id } => listing::show(context, id),
        RulesCommand::Publish { message, yes } => publish::publish(context, message.as_deref(), *yes),
        RulesCommand::Rollback { revision, yes } => publish::rollback(context, revision, *yes),
    }
}

/// What the database says is in force.
async fn in_force(parts: &Parts) -> Result<Arc<InForce>, Failure> {
    let rules = &parts.automation.rules;
    rules.follow().await?;
    rules
        .current()
        .ok_or_else(|| Failure::new("no ruleset was ever in force").with_help("put one in force: `avatar rules publish`"))
}
