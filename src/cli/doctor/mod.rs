//! `avatar doctor`: everything that a running clinic needs.

mod database;
mod keeping;
mod machine;
mod running;
mod texts;

use super::args::DoctorArgs;
use super::failure::{Failure, refuse_missing, wait_for};
use super::parts::Parts;
use super::rules::check::counted_word;
use super::{Context, Exit};
use crate::config::{Settings, nearest};
use serde_json::json;

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.doctor/1";
const PARTS: &[&str] = &["config", "database", "backup", "retention", "rules", "workers", "webhooks", "sms", "clock", "disk"];
/// Findings stand below each other.
const NAME_COLUMNS: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Warning,
    Problem,
}

/// What was found about one part.
struct Finding {
    part: &'static str,
    state: State,
    text: String,
    /// What to do.
    help: Option<String>,
}

impl Finding {
    fn good(part: &'static str, text: impl Into<String>) -> Self {
        Self { part, state: State::Good, text: text.into(), help: None }
    }

    fn warning(part: &'static str, text: impl Into<String>, help: &str) -> Self {
        Self { part, state: State::Warning, text: text.into(), help: Some(help.to_owned()) }
    }

    fn problem(part: &'static str, text: impl Into<String>, help: &str) -> Self {
        Self { part, state: State::Problem, text: text.into(), help: Some(help.to_owned()) }
    }
}

pub(super) fn run(context: &Context, args: &DoctorArgs) -> Exit {
    let only = args.only.as_deref();
    if let Some(wanted) = only.filter(|wanted| !PARTS.contains(wanted)) {
        let help = match nearest(wanted, PARTS.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it can be: {}", PARTS.join(", ")),
        };
        return context.end(Err(Failure::new(format!("there is no part `{wanted}`")).with_help(help)));
    }
    let Ok(settings) = context.settings() else { return Exit::Found };
    context.end(wait_for(Box::pin(async {
        let findings = examine(context, settings).await;
        let findings: Vec<Finding> = findings.into_iter().filter(|f| only.is_none_or(|wanted| f.part == wanted)).collect();
        Ok(report(context, &findings))
    })))
}

/// Everything that can be looked at, as far as the database can be opened.
async fn examine(context: &Context<'_>, settings: Settings) -> Vec<Finding> {
    let mut findings = vec![machine::config(&settings), machine::disk(&settings)];
    match open(context, settings) {
        Ok(parts) => {
            findings.push(texts::sms(&parts, context.environment).await);
            findings.extend(database::examine(&parts).await);
            findings.extend(running::examine(&parts).await);
            findings.extend(keeping::examine(&parts).await);
        }
        Err(failure) => {
            let help = failure.help().unwrap_or("set DATABASE_URL").to_owned();
            findings.push(Finding::problem("database", failure.message(), &help));
        }
    }
    findings.sort_by_key(|finding| PARTS.iter().position(|part| *part == finding.part));
    findings
}

fn open(context: &Context<'_>, settings: Settings) -> Result<Parts, Failure> {
    refuse_missing(&settings)?;
    Ok(Parts::open(settings, context.environment)?)
}

fn report(context: &Context<'_>, findings: &[Finding]) -> Exit {
    let count = |state| findings.iter().filter(|f| f.state == state).count();
    let (problems, warnings) = (count(State::Problem), count(State::Warning));
    if context.output.json {
        let list: Vec<_> = findings.iter().map(object).collect();
        context.output.object(&json!({ "schema": SCHEMA, "problems": problems, "warnings": warnings, "findings": list }));
    } else {
        let shown = findings.iter().filter(|f| !context.output.quiet || f.state != State::Good);
        for Finding { part, state, text, help } in shown {
            let mark = mark(*state);
            context.output.line(&format!("{mark} {part:<NAME_COLUMNS$}  {text}"));
            if let Some(help) = help {
                context.output.line(&format!("  {:<NAME_COLUMNS$}  {help}", ""));
            }
        }
        let (problems, warnings) = (counted_word(problems, "problem"), counted_word(warnings, "warning"));
        context.output.hint(&format!("{problems}, {warnings}"));
    }
    if problems == 0 { Exit::Done } else { Exit::Found }
}

const fn mark(state: State) -> &'static str {
    match state {
        State::Good => "✓",
        State::Warning => "!",
        State::Problem => "✗",
    }
}

fn object(finding: &Finding) -> serde_json::Value {
    let state = match finding.state {
        State::Good => "good",
        State::Warning => "warning",
        State::Problem => "problem",
    };
    json!({ "part": finding.part, "state": state, "text": finding.text, "help": finding.help })
}
