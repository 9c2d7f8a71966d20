//! `avatar rules`

pub mod check;
mod diff;
mod history;
mod listing;
mod print;
mod publish;
mod recall;
mod run;
mod switch;
mod test;

use super::args::RulesCommand;
use super::{Context, Exit, explain};
use crate::automation::rulesets::InForce;
use crate::cli::failure::Failure;
use crate::cli::parts::Parts;
use crate::domain::rule_override::OverrideState;
use std::sync::Arc;

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.rules/1";

pub(super) fn run(context: &Context, command: &RulesCommand) -> Exit {
    match command {
        RulesCommand::Check { child: true, .. } => check::as_child(context),
        RulesCommand::Check { path, format, watch: false, .. } => check::run(context, path.as_deref(), *format),
        RulesCommand::Check { path, format, .. } => check::watch(context, path.as_deref(), *format),
        RulesCommand::Explain(args) => explain::run(context, args),
        RulesCommand::Schema(args) => print::schema(context, args),
        RulesCommand::Definitions(args) => print::definitions(context, args),
        RulesCommand::Reference(args) => print::reference(context, args),
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
        RulesCommand::Run { id, contact, booking } => run::run(context, id, contact.as_deref(), booking.as_deref()),
        RulesCommand::Publish { message, yes } => publish::publish(context, message.as_deref(), *yes),
        RulesCommand::Rollback { revision, message, yes } => publish::rollback(context, revision, message.as_deref(), *yes),
        RulesCommand::Enable { id, message } => switch::switch(context, id, OverrideState::Enabled, message.as_deref()),
        RulesCommand::Disable { id, message } => switch::switch(context, id, OverrideState::Disabled, Some(message)),
        RulesCommand::History { rule, limit } => history::history(context, rule.as_deref(), *limit),
        RulesCommand::Recall { rule, since, yes } => recall::recall(context, rule, since, *yes),
    }
}

/// Who works on the command line, as far as the environment says.
fn who(context: &Context) -> String {
    context.environment.get("USER").map_or_else(|| "cli".to_owned(), |user| format!("cli:{user}"))
}

/// What the database says is in force.
async fn in_force(parts: &Parts) -> Result<Arc<InForce>, Failure> {
    let rules = &parts.automation.rules;
    rules.follow().await?;
    rules
        .current()
        .ok_or_else(|| Failure::new("no ruleset was ever in force").with_help("put one in force: `avatar rules publish`"))
}
