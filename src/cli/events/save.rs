//! `avatar events save`: a real event as a test, with other people in it.

use super::SCHEMA;
use crate::automation::rulesets::read_sources;
use crate::automation::ruletest::{Suite, appended, can_be_saved, load_saved, rewrite};
use crate::cli::failure::Failure;
use crate::cli::parts::Parts;
use crate::cli::{Context, Exit};
use crate::store::events;
use serde_json::json;
use std::path::Path;

/// What the test file is called when the test is only printed.
const PRINTED: &str = "rules/saved.test.yaml";

pub(super) fn run(context: &Context, event: &str, into: Option<&Path>) -> Exit {
    context.on_database(async |parts| {
        let reference = event.to_owned();
        let found = parts.store.read(move |conn| match events::find_ids_by_prefix(conn, &reference)?.as_slice() {
            [one] => events::find(conn, one),
            _ => Ok(None),
        });
        let unknown = || Failure::new(format!("there is no event `{event}`, or more than one begins like it"));
        let found = found.await?.ok_or_else(|| unknown().with_help("`avatar events list` shows the newest with their ids"))?;
        can_be_saved(&found).map_err(|error| {
            Failure::new(error.to_string()).with_help(format!("`avatar why {}` shows what it came from and led to", found.id))
        })?;
        let saved = parts.store.read(move |conn| load_saved(conn, found)).await?;
        let clinic = &parts.settings.clinic;
        let name = into.map_or_else(|| PRINTED.to_owned(), |path| path.display().to_string());
        let before = into
            .filter(|path| path.exists())
            .map(|path| std::fs::read_to_string(path).map_err(|e| unusable(path, &e)))
            .transpose()?;
        let text = appended(&name, before.as_deref(), &saved, clinic);
        let text = text.ok_or_else(|| {
            Failure::new(format!("{name}: a test cannot be added"))
                .with_help("it must be a test file without mistakes whose last key is `tests`")
        })?;
        let text = expecting(parts, &name, text).await?;
        match into {
            Some(path) => {
                std::fs::write(path, &text).map_err(|e| unusable(path, &e))?;
                context.output.hint(&format!("saved in {name}: read what it expects, then `avatar rules test {name}`"));
            }
            None if context.output.json => context.output.object(&json!({ "schema": SCHEMA, "test": text })),
            None => context.output.line(text.trim_end()),
        }
        Ok(Exit::Done)
    })
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

/// Runs the file with the rules on disk, and lets the new test expect what happened. With rules that do not check clean it
/// expects nothing, and a run will say so.
async fn expecting(parts: &Parts, name: &str, text: String) -> Result<String, Failure> {
    let rules = &parts.automation.rules;
    let (sources, catalogue, name) = (read_sources(rules.options())?, rules.catalogue().clone(), name.to_owned());
    let work = tokio::task::spawn_blocking(move || {
        let result = Suite::new(&sources, &catalogue).run(&name, &text, &|_| true);
        // Only the last test: how the others do is not for this command to say.
        let failures = result.tests.last().into_iter().flat_map(|test| &test.failures);
        rewrite(&text, failures, &catalogue.clinic).text
    });
    work.await.map_err(|_| Failure::new("the test failed unexpectedly"))
}
