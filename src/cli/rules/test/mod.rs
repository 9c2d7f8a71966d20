//! `avatar rules test`: needs the files and the settings, no database.

mod files;
mod junit;
mod report;

use super::check::{catalogue_of, folders};
use crate::automation::rulesets::read_sources;
use crate::automation::ruletest::{Coverage, FileResult, Suite};
use crate::cli::args::TestFormat;
use crate::cli::failure::{Done, Failure, wait_for};
use crate::cli::{Context, Exit};
use crate::config::Settings;
use crate::engine::{Catalogue, Ruleset, Sources};
use files::TestFile;
use regex::Regex;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the command line asks for.
pub(super) struct Asked<'a> {
    pub paths: &'a [PathBuf],
    pub run: Option<&'a str>,
    pub format: TestFormat,
    pub update: bool,
    pub coverage: bool,
}

pub(super) fn run(context: &Context, asked: &Asked<'_>) -> Exit {
    let settings = match context.settings() {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    context.end(wait_for(Box::pin(test(context, &settings, asked))))
}

async fn test(context: &Context<'_>, settings: &Settings, asked: &Asked<'_>) -> Done {
    let wanted = asked.run.map(Regex::new).transpose().map_err(|error| Failure::new(format!("--run: {error}")))?;
    let options = folders(settings, None);
    let catalogue = catalogue_of(settings)?;
    let sources = read_sources(&options)?;
    let found = files::find(&options.rules_dir, asked.paths)?;
    if found.is_empty() {
        let failure = Failure::new("there are no test files");
        return Err(failure.with_help("write one beside the rules, such as rules/bookings.test.yaml"));
    }
    let started = Instant::now();
    let (update, coverage) = (asked.update, asked.coverage);
    let work = move || run_all(sources, &catalogue, found, wanted.as_ref(), update, coverage);
    let mut ran = tokio::task::spawn_blocking(work).await.map_err(|_| Failure::new("the tests failed unexpectedly"))?;
    ran.took = started.elapsed();
    if ran.files.iter().all(|(_, result)| result.tests.is_empty() && result.problems.is_empty()) {
        return Err(Failure::new("no test has a name like this").with_help("leave --run out to run all of them"));
    }
    for file in &ran.updated {
        std::fs::write(&file.path, &file.text).map_err(|e| Failure::new(format!("{}: {e}", file.path.display())))?;
    }
    report::print(context, &ran, asked.format, settings);
    Ok(if ran.is_good() { Exit::Done } else { Exit::Found })
}

/// Everything that came of a run.
struct Ran {
    sources: Sources,
    files: Vec<(TestFile, FileResult)>,
    /// Files with new expectations, to be written.
    updated: Vec<TestFile>,
    coverage: Option<report::Reached>,
    took: Duration,
}

impl Ran {
    /// A file that `--update` has set right counts as good.
    fn is_good(&self) -> bool {
        let fails = |(_, r): &&(TestFile, FileResult)| !r.problems.is_empty() || r.tests.iter().any(|t| !t.failures.is_empty());
        self.files.iter().filter(fails).all(|(file, _)| self.updated.iter().any(|u| u.path == file.path && u.is_whole))
    }
}

/// On a thread with the stack that scripts need.
fn run_all(
    mut sources: Sources,
    catalogue: &Catalogue,
    found: Vec<TestFile>,
    wanted: Option<&Regex>,
    update: bool,
    coverage: bool,
) -> Ran {
    let is_wanted = |name: &str| wanted.is_none_or(|w| w.is_match(name));
    let (mut files, mut updated, mut seen) = (Vec::new(), Vec::new(), Coverage::default());
    let reached = {
        let mut suite = Suite::new(&sources, catalogue);
        for file in found {
            let result = suite.run(&file.shown, &file.text, &is_wanted);
            result.covers(&mut seen);
            if update {
                updated.extend(files::updated(&file, &result, &catalogue.clinic));
            }
            files.push((file, result));
        }
        let whole: Option<&Ruleset> = if coverage { suite.whole().ruleset.as_ref() } else { None };
        whole.map(|ruleset| report::Reached::of(&seen, ruleset))
    };
    // Problems are shown with their lines, those of test files too.
    sources.files.extend(files.iter().map(|(file, _)| (file.shown.clone(), file.text.clone())));
    Ran { sources, files, updated, coverage: reached, took: Duration::ZERO }
}
