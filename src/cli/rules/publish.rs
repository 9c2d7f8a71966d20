//! `avatar rules publish` and `rollback`. Serving processes follow the database by themselves.

use super::check::{compile_aside, counted, counted_word, tell};
use super::{SCHEMA, who};
use crate::automation::forecast::Forecast;
use crate::automation::rulesets::{RulesetError, read_sources};
use crate::cli::args::ReportFormat;
use crate::cli::failure::Failure;
use crate::cli::parts::Parts;
use crate::cli::{Context, Exit};
use crate::engine::Severity;
use crate::store::rulesets;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

type Files = BTreeMap<String, String>;

pub(super) fn publish(context: &Context, message: Option<&str>, yes: bool) -> Exit {
    context.on_database(async |parts| {
        let rules = &parts.automation.rules;
        let sources = read_sources(rules.options())?;
        let (sources, compiled) = compile_aside(sources, rules.catalogue().clone()).await?;
        let is_clean = compiled.ruleset.is_some();
        if !compiled.diagnostics.is_empty() && (!is_clean || !context.output.json) {
            tell(context, &sources, &compiled, ReportFormat::Full);
        }
        let (number, files) = files_in_force(parts).await?;
        if !is_clean {
            let problems = counted(&compiled);
            context.output.hint(&format!("{problems}: nothing was published; {} stays in force", name_of(number)));
            return Ok(Exit::Found);
        }
        let changes = changes(&files, &sources.files);
        if changes.is_empty() && number.is_some() {
            say(context, number, &changes, &Forecast::default(), false);
            context.output.hint(&format!("nothing differs from {}", name_of(number)));
            return Ok(Exit::Done);
        }
        rules.follow().await.or_else(not_understood)?;
        let forecast = match compiled.ruleset {
            Some(ruleset) if rules.current().is_some() => rules.forecast(Arc::new(ruleset)).await?,
            _ => Forecast::default(),
        };
        if !context.output.json {
            for change in changes.iter().chain(&timer_lines(&forecast)) {
                context.output.line(change);
            }
        }
        let warnings = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
        let warnings = if warnings == 0 { String::new() } else { format!(", {}", counted_word(warnings, "warning")) };
        let question = format!("put {} in force{warnings}?", counted_word(changes.len(), "changed file"));
        if !agreed(context, yes, &question)? {
            return Ok(Exit::Interrupted);
        }
        let previous = number;
        let number = rules.publish(&who(context), message.map(ToOwned::to_owned)).await?;
        say(context, Some(number), &changes, &forecast, true);
        let undo = previous.map(|before| format!("; avatar rules rollback r{before} undoes it")).unwrap_or_default();
        context.output.hint(&format!("r{number} is in force{undo}"));
        tell_what_is_off(context, parts);
        Ok(Exit::Done)
    })
}

/// Rules that stay off, whatever was published.
fn tell_what_is_off(context: &Context, parts: &Parts) {
    let Some(current) = parts.automation.rules.current() else { return };
    for off in current.ruleset.rules.iter().filter_map(|rule| current.overrides.find_off(&rule.id)) {
        let (id, state) = (&off.rule_id, off.state.as_str());
        context.output.hint(&format!("{id} stays {state} by {}: {}; avatar rules enable {id}", off.by, off.reason));
    }
}

/// A ruleset in force that this program does not understand has no timers that could be compared.
fn not_understood(error: RulesetError) -> Result<bool, RulesetError> {
    if matches!(error, RulesetError::NotClean(_)) { Ok(false) } else { Err(error) }
}

fn timer_lines(forecast: &Forecast) -> Vec<String> {
    if forecast.is_empty() { Vec::new() } else { forecast.lines() }
}

fn say(context: &Context, number: Option<i64>, changes: &[String], forecast: &Forecast, published: bool) {
    if context.output.json {
        let revision = number.map(|n| format!("r{n}"));
        let timers = json!({
            "moves": forecast.total.moves, "appears": forecast.total.appears, "vanishes": forecast.total.vanishes,
            "rules": forecast.rules.iter().map(|(id, c)| json!({
                "id": id, "moves": c.moves, "appears": c.appears, "vanishes": c.vanishes,
            })).collect::<Vec<_>>(),
        });
        context.output.object(&json!({
            "schema": SCHEMA, "revision": revision, "published": published, "changes": changes, "timers": timers,
        }));
    } else if published {
        context.output.line(&name_of(number));
    }
}

pub(super) fn rollback(context: &Context, revision: &str, message: Option<&str>, yes: bool) -> Exit {
    context.on_database(async |parts| {
        let number = revision.strip_prefix(['r', 'R']).unwrap_or(revision).parse::<i64>();
        let number = number.map_err(|_| Failure::new(format!("`{revision}` is no revision")).with_help("write it like r47"))?;
        let (current, _) = files_in_force(parts).await?;
        if current == Some(number) {
            context.output.hint(&format!("r{number} is in force already"));
            return Ok(Exit::Done);
        }
        let known = parts.store.read(move |conn| rulesets::find(conn, number)).await?;
        let Some(stored) = known else { return Err(unknown(parts, number).await?) };
        let note = stored.note.map(|note| format!(": {note}")).unwrap_or_default();
        let published = stored.published_at.to_rfc3339_in(parts.settings.clinic.calendar.tz);
        if !agreed(context, yes, &format!("put r{number} of {published}{note} in force instead of {}?", name_of(current)))? {
            return Ok(Exit::Interrupted);
        }
        parts.automation.rules.rollback(number, &who(context), message.map(ToOwned::to_owned)).await?;
        say(context, Some(number), &[], &Forecast::default(), true);
        tell_of_files(context, parts, &stored.files, number);
        Ok(Exit::Done)
    })
}

async fn unknown(parts: &Parts, number: i64) -> Result<Failure, Failure> {
    let newest = parts.store.read(|conn| rulesets::list(conn, 5)).await?;
    let names: Vec<String> = newest.iter().map(|r| format!("r{}", r.number)).collect();
    let failure = Failure::new(format!("there is no ruleset r{number}"));
    Ok(if names.is_empty() { failure } else { failure.with_help(format!("the newest are: {}", names.join(", "))) })
}

/// After a rollback, the files are still those that somebody wanted to undo.
fn tell_of_files(context: &Context, parts: &Parts, stored: &Files, number: i64) {
    let options = parts.automation.rules.options();
    let differs = read_sources(options).is_ok_and(|sources| !changes(stored, &sources.files).is_empty());
    let hint = match (differs, options.auto) {
        (false, _) => format!("r{number} is in force"),
        (true, false) => format!("r{number} is in force; the files differ from it until they are published"),
        (true, true) => {
            format!("r{number} is in force; the files differ from it: the next save puts them in force again")
        }
    };
    context.output.hint(&hint);
}

async fn files_in_force(parts: &Parts) -> Result<(Option<i64>, Files), Failure> {
    let found = parts.store.read(|conn| match rulesets::find_in_force(conn)? {
        Some(number) => rulesets::find(conn, number),
        None => Ok(None),
    });
    Ok(found.await?.map_or_else(|| (None, Files::new()), |stored| (Some(stored.number), stored.files)))
}

fn name_of(number: Option<i64>) -> String {
    number.map_or_else(|| "no ruleset".to_owned(), |number| format!("r{number}"))
}

/// `changed rules/leads.yaml`, in the order of paths.
fn changes(old: &Files, new: &Files) -> Vec<String> {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |path: &String| match (old.get(path), new.get(path)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(_), Some(_)) => Some(format!("changed {path}")),
        (None, _) => Some(format!("new     {path}")),
        (Some(_), None) => Some(format!("gone    {path}")),
    };
    paths.into_iter().filter_map(change).collect()
}

/// Asks only who can answer: without a terminal, having typed the command is the answer.
pub(super) fn agreed(context: &Context, yes: bool, question: &str) -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if yes || !stdin.is_terminal() {
        return Ok(true);
    }
    context.output.ask(&format!("{question} [y/N] "));
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(|error| Failure::new(error.to_string()))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
