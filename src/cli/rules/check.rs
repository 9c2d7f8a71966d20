//! `avatar rules check`: needs the files and the settings, no database.

use crate::automation::rulesets::{RulesetOptions, read_sources};
use crate::cli::args::ReportFormat;
use crate::cli::failure::{Done, Failure, wait_for};
use crate::cli::{Context, Exit, parts};
use crate::config::Settings;
use crate::engine::diagnostic::{Format, render};
use crate::engine::{Catalogue, Compiled, Severity, Sources, compile};
use crate::inbound::{Inbound, Secrets};
use std::path::Path;
use std::time::Instant;

pub(super) fn run(context: &Context, path: Option<&Path>, format: ReportFormat) -> Exit {
    let settings = match context.settings() {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    context.end(wait_for(Box::pin(check(context, &settings, path, format))))
}

async fn check(context: &Context<'_>, settings: &Settings, path: Option<&Path>, format: ReportFormat) -> Done {
    let options = folders(settings, path);
    let catalogue = catalogue_of(settings)?;
    let started = Instant::now();
    let sources = read_sources(&options)?;
    let (sources, compiled) = compile_aside(sources, catalogue).await?;
    let took = started.elapsed().as_millis();
    tell(context, &sources, &compiled, format);
    if shown_as(context, format) != Format::Json && !context.output.quiet {
        let diagnostics = counted(&compiled);
        context.output.line(&format!("{} in {took} ms: {diagnostics}", contents(&sources, &compiled)));
    }
    Ok(if compiled.ruleset.is_some() { Exit::Done } else { Exit::Found })
}

/// Compiles on a thread with the stack that scripts need.
pub async fn compile_aside(sources: Sources, catalogue: Catalogue) -> Result<(Sources, Compiled), Failure> {
    let work = tokio::task::spawn_blocking(move || {
        let compiled = compile(&sources, &catalogue);
        (sources, compiled)
    });
    work.await.map_err(|_| Failure::new("the checker failed unexpectedly"))
}

/// Prints every problem on stdout: they are the result.
pub fn tell(context: &Context<'_>, sources: &Sources, compiled: &Compiled, format: ReportFormat) {
    let text = render(&compiled.diagnostics, sources, shown_as(context, format), context.output.color);
    if !text.is_empty() {
        context.output.line(text.strip_suffix('\n').unwrap_or(&text));
    }
}

/// `--json` is short for `--format json`.
fn shown_as(context: &Context<'_>, format: ReportFormat) -> Format {
    match format {
        _ if context.output.json => Format::Json,
        ReportFormat::Json => Format::Json,
        ReportFormat::Full => Format::Full,
        ReportFormat::Concise => Format::Concise,
    }
}

pub fn folders(settings: &Settings, path: Option<&Path>) -> RulesetOptions {
    let (rules_dir, templates_dir) = match path {
        Some(path) => (path.join("rules"), path.join("sms_templates")),
        None => (settings.rules.rules_dir.clone(), settings.rules.sms_templates_dir.clone()),
    };
    RulesetOptions { rules_dir, templates_dir, auto: false }
}

/// Rules may name the events of declared sources; their secrets play no part.
pub fn catalogue_of(settings: &Settings) -> Result<Catalogue, Failure> {
    let sources = parts::read_sources(settings)?;
    let inbound = Inbound::new(&sources, &Secrets::new(), settings.clinic.calendar.tz).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::new(lines.join("\n"))
    })?;
    Ok(parts::catalogue(settings, &inbound))
}

/// `14 rules, 3 scripts, 8 templates`; files of rules when some cannot be read.
fn contents(sources: &Sources, compiled: &Compiled) -> String {
    let ending = |wanted: &str| sources.files.keys().filter(|path| path.ends_with(wanted)).count();
    let rules = match &compiled.ruleset {
        Some(ruleset) => counted_word(ruleset.rules.len(), "rule"),
        None => counted_word(ending(".yaml") + ending(".yml") - ending("rules/policies.yaml"), "rule file"),
    };
    format!("{rules}, {}, {}", counted_word(ending(".rhai"), "script"), counted_word(ending(".hbs"), "template"))
}

/// `2 errors, 1 warning`
pub(super) fn counted(compiled: &Compiled) -> String {
    let errors = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = compiled.diagnostics.len() - errors;
    format!("{}, {}", counted_word(errors, "error"), counted_word(warnings, "warning"))
}

pub fn counted_word(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
