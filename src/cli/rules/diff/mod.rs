//! `avatar rules diff`: replays the log against the draft on disk. Reads the database, changes nothing.

mod log_file;
mod print;

use super::check::{compile_aside, tell};
use crate::automation::replay::{Difference, History, compare, load, parse_since, replay};
use crate::automation::rulesets::read_sources;
use crate::automation::simulate::Rules;
use crate::cli::args::ReportFormat;
use crate::cli::failure::Failure;
use crate::cli::parts::Parts;
use crate::cli::{Context, Exit};
use crate::domain::time::Timestamp;
use crate::engine::{Catalogue, Ruleset, Sources};
use crate::store::rulesets;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What the command line asks for.
pub(super) struct Asked<'a> {
    pub since: &'a str,
    pub events: Option<&'a Path>,
    pub against: Option<&'a str>,
    pub rule: Option<&'a str>,
    pub all: bool,
}

/// A progress line is shown only when it takes longer, and then so often.
const PROGRESS_AFTER: Duration = Duration::from_millis(500);
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// One side's rules, compiled.
struct Side {
    number: i64,
    ruleset: Ruleset,
}

/// What came of it, for printing.
struct Found {
    before: i64,
    since: Timestamp,
    until: Timestamp,
    /// In the window.
    events: usize,
    is_cut: bool,
    took: Duration,
    difference: Difference,
}

pub(super) fn run(context: &Context, asked: &Asked<'_>) -> Exit {
    context.on_database(async |parts| {
        let rules = &parts.automation.rules;
        let (sources, compiled) = compile_aside(read_sources(rules.options())?, rules.catalogue().clone()).await?;
        let Some(draft) = compiled.ruleset else {
            tell(context, &sources, &compiled, ReportFormat::Full);
            return Ok(Exit::Found);
        };
        let before = side_before(parts, asked.against).await?;
        if let Some(rule) = asked.rule {
            refuse_unknown(rule, &before.ruleset, &draft)?;
        }
        let history = history(parts, asked).await?;
        let mut found = replayed(context, rules.catalogue().clone(), history, before, draft).await?;
        if let Some(rule) = asked.rule {
            found.difference = found.difference.of_rule(rule);
        }
        let is_empty = found.difference.is_empty();
        print::print(context, parts, found, asked.all).await?;
        Ok(if is_empty { Exit::Done } else { Exit::Found })
    })
}

/// The ruleset in force, or the one that was named.
async fn side_before(parts: &Parts, against: Option<&str>) -> Result<Side, Failure> {
    let number = match against {
        Some(revision) => {
            let number = revision.strip_prefix(['r', 'R']).unwrap_or(revision).parse::<i64>();
            Some(number.map_err(|_| Failure::new(format!("`{revision}` is no revision")).with_help("write it like r47"))?)
        }
        None => parts.store.read(rulesets::find_in_force).await?,
    };
    let nothing = || Failure::new("no ruleset was ever in force").with_help("put one in force: `avatar rules publish`");
    let number = number.ok_or_else(nothing)?;
    let stored = parts.store.read(move |conn| rulesets::find(conn, number)).await?;
    let stored = stored.ok_or_else(|| Failure::new(format!("there is no ruleset r{number}")))?;
    let (_, compiled) = compile_aside(Sources { files: stored.files }, parts.automation.rules.catalogue().clone()).await?;
    let unclean = || Failure::new(format!("r{number} does not check clean with this program, so it cannot be replayed"));
    Ok(Side { number, ruleset: compiled.ruleset.ok_or_else(unclean)? })
}

fn refuse_unknown(rule: &str, before: &Ruleset, after: &Ruleset) -> Result<(), Failure> {
    if before.by_id.contains_key(rule) || after.by_id.contains_key(rule) {
        return Ok(());
    }
    let help = match crate::config::nearest(rule, after.rules.iter().map(|r| r.id.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`avatar rules list` names those in force".to_owned(),
    };
    Err(Failure::new(format!("there is no rule `{rule}`, in force or on disk")).with_help(help))
}

async fn history(parts: &Parts, asked: &Asked<'_>) -> Result<History, Failure> {
    if let Some(path) = asked.events {
        return log_file::read(path);
    }
    let now = parts.clock.now();
    let Some(since) = parse_since(asked.since, &parts.settings.clinic.calendar, now) else {
        let failure = Failure::new(format!("--since cannot be `{}`", asked.since));
        return Err(failure.with_help("write it as 7d, 12h, or a day such as 2026-11-20"));
    };
    Ok(parts.store.read(move |conn| load(conn, since, now)).await?)
}

async fn replayed(
    context: &Context<'_>,
    catalogue: Catalogue,
    history: History,
    before: Side,
    draft: Ruleset,
) -> Result<Found, Failure> {
    let started = Instant::now();
    let done = Arc::new(AtomicUsize::new(0));
    let all = history.before.len() + 2 * history.window.len();
    let events = history.window.len();
    let counter = Arc::clone(&done);
    let work = tokio::task::spawn_blocking(move || {
        let rules = |ruleset, revision| Rules { ruleset, revision, clinic: &catalogue.clinic, pipelines: &catalogue.pipelines };
        // The draft would be the next one; both sides carry one number, so that it makes no difference.
        let (first, second) = (rules(&before.ruleset, before.number), rules(&draft, before.number));
        let replayed = replay(&history, first, second, &counter).map_err(|error| Failure::new(error.to_string()))?;
        let difference = compare(&replayed, &before.ruleset, &draft);
        let (since, until, is_cut) = (history.since, history.until, history.is_cut);
        Ok::<Found, Failure>(Found { before: before.number, since, until, events, is_cut, took: Duration::ZERO, difference })
    });
    let mut found = watch(context, work, &done, all, started).await?;
    found.took = started.elapsed();
    Ok(found)
}

/// Waits for the work; on a terminal, and only when it takes long, with a line of progress.
async fn watch<T>(
    context: &Context<'_>,
    mut work: tokio::task::JoinHandle<Result<T, Failure>>,
    done: &AtomicUsize,
    all: usize,
    started: Instant,
) -> Result<T, Failure> {
    let shows = std::io::stderr().is_terminal() && !context.output.quiet;
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    let mut was_shown = false;
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = ticks.tick() => {
                if shows && started.elapsed() > PROGRESS_AFTER {
                    was_shown = true;
                    let percent = done.load(Ordering::Relaxed) * 100 / all.max(1);
                    let _ = write!(std::io::stderr(), "\rReplaying {all} events  {percent:>3}%");
                }
            }
        }
    };
    if was_shown {
        let _ = write!(std::io::stderr(), "\r\x1b[2K");
    }
    result.map_err(|_| Failure::new("the replay failed unexpectedly"))?
}
