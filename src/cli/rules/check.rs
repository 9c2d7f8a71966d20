//! `avatar rules check`: needs the files and the settings, no database.

use crate::automation::rulesets::{Changes, Checking, RulesetOptions, answer, read_sources};
use crate::cli::args::ReportFormat;
use crate::cli::failure::{Done, Failure, wait_for};
use crate::cli::{Context, Exit, parts};
use crate::config::Settings;
use crate::domain::clock::{Clock, SystemClock};
use crate::engine::diagnostic::{Format, render};
use crate::engine::{Catalogue, Compiled, Severity, Sources, compile_and_try};
use crate::inbound::{Inbound, Secrets};
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) fn run(context: &Context, path: Option<&Path>, format: ReportFormat) -> Exit {
    let settings = match context.settings() {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    context.end(wait_for(Box::pin(check(context, &settings, path, format))))
}

/// What a serving process starts to check a candidate: needs no settings and no environment.
pub(super) fn as_child(context: &Context) -> Exit {
    match answer(std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            context.output.error(&error, None);
            Exit::CouldNotRun
        }
    }
}

/// Checks now and after each save, until Ctrl C.
pub(super) fn watch(context: &Context, path: Option<&Path>, format: ReportFormat) -> Exit {
    let settings = match context.settings() {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let work = async {
        tokio::select! {
            done = keep_checking(context, &settings, path, format) => done,
            _ = tokio::signal::ctrl_c() => Ok(Exit::Interrupted),
        }
    };
    context.end(wait_for(Box::pin(work)))
}

async fn keep_checking(context: &Context<'_>, settings: &Settings, path: Option<&Path>, format: ReportFormat) -> Done {
    let options = folders(settings, path);
    let watched: [&Path; 3] = [&options.rules_dir, &options.templates_dir, &settings.config_dir];
    let changes = Changes::of_folders(&watched, options.debounce);
    let mut last: Option<Result<String, String>> = None;
    loop {
        changes.next().await;
        let read = read_sources(&options).map_err(|error| error.to_string());
        let state =
            read.as_ref().map(|sources| sources.hash() + config_hash(&settings.config_dir).as_str()).map_err(Clone::clone);
        if last.as_ref() == Some(&state) {
            continue;
        }
        let time = SystemClock.now().local(settings.clinic.calendar.tz).format("%H:%M:%S");
        match read {
            // What is wrong with the settings has been told.
            Ok(sources) => match context.settings().ok().map(|settings| catalogue_of(&settings)) {
                Some(Ok(catalogue)) => {
                    let started = Instant::now();
                    let (sources, compiled) = compile_aside(sources, catalogue).await?;
                    tell(context, &sources, &compiled, format);
                    context.output.hint(&format!("{time}  {}", summary(&sources, &compiled, started.elapsed())));
                }
                Some(Err(failure)) => context.output.error(failure.message(), failure.help()),
                None => {}
            },
            Err(error) => context.output.hint(&format!("{time}  {error}")),
        }
        last = Some(state);
    }
}

/// Tells one state of the settings' files from another: rules may name stages, teams and events that stand there.
fn config_hash(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let yaml = entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let files = yaml.filter_map(|path| Some((path.display().to_string(), std::fs::read_to_string(&path).ok()?))).collect();
    Sources { files }.hash()
}

/// `14 rules, 3 scripts, 8 templates in 41 ms: 2 errors, 1 warning`
fn summary(sources: &Sources, compiled: &Compiled, took: Duration) -> String {
    format!("{} in {} ms: {}", contents(sources, compiled), took.as_millis(), counted(compiled))
}

async fn check(context: &Context<'_>, settings: &Settings, path: Option<&Path>, format: ReportFormat) -> Done {
    let options = folders(settings, path);
    let catalogue = catalogue_of(settings)?;
    let started = Instant::now();
    let sources = read_sources(&options)?;
    let (sources, compiled) = compile_aside(sources, catalogue).await?;
    let took = started.elapsed();
    tell(context, &sources, &compiled, format);
    if !matches!(shown_as(context, format), Format::Json | Format::Sarif) && !context.output.quiet {
        context.output.line(&summary(&sources, &compiled, took));
    }
    Ok(if compiled.ruleset.is_some() { Exit::Done } else { Exit::Found })
}

/// Compiles on a thread with the stack that scripts need.
pub async fn compile_aside(sources: Sources, catalogue: Catalogue) -> Result<(Sources, Compiled), Failure> {
    let work = tokio::task::spawn_blocking(move || {
        let compiled = compile_and_try(&sources, &catalogue);
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
        ReportFormat::Github => Format::Github,
        ReportFormat::Sarif => Format::Sarif,
    }
}

pub fn folders(settings: &Settings, path: Option<&Path>) -> RulesetOptions {
    let (rules_dir, templates_dir) = match path {
        Some(path) => (path.join("rules"), path.join("sms_templates")),
        None => (settings.rules.rules_dir.clone(), settings.rules.sms_templates_dir.clone()),
    };
    RulesetOptions { rules_dir, templates_dir, auto: false, checking: Checking::Here, debounce: settings.rules.debounce }
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
