//! The database, and the rules in it.

use super::Finding;
use super::machine::size;
use crate::automation::rulesets::read_sources;
use crate::cli::parts::Parts;
use crate::cli::rules::check::compile_aside;
use crate::store::{StoreResult, rulesets, views::probe};

pub(super) async fn examine(parts: &Parts) -> Vec<Finding> {
    let database = database(parts).await;
    match database {
        Ok(finding) => vec![finding, rules(parts).await],
        Err(error) => vec![Finding::problem("database", error.to_string(), "set DATABASE_URL")],
    }
}

async fn database(parts: &Parts) -> StoreResult<Finding> {
    let engine = parts.store.read(probe::engine).await?;
    let migrations = parts.store.migration_status()?;
    let pending = migrations.iter().filter(|(_, applied)| !applied).count();
    let applied = migrations.len() - pending;
    let bytes = size(u64::try_from(engine.bytes).unwrap_or(0));
    let text = format!("{}, {bytes}, {applied} migrations applied, {pending} pending", engine.name);
    Ok(if pending == 0 {
        Finding::good("database", text)
    } else {
        Finding::problem("database", text, "bring it up to date with `avatar db migrate`")
    })
}

async fn rules(parts: &Parts) -> Finding {
    let host = &parts.automation.rules;
    if let Err(error) = host.follow().await {
        return Finding::problem("rules", format!("what is in force cannot be used: {error}"), "`avatar rules publish`");
    }
    let Some(in_force) = host.current() else {
        return Finding::warning("rules", "no ruleset was ever in force", "`avatar rules publish`, or start `avatar serve`");
    };
    let text = format!("r{} in force, {} rules", in_force.number, in_force.ruleset.rules.len());
    match draft(parts, in_force.number).await {
        Ok(Draft::Same) => Finding::good("rules", format!("{text}, draft is identical")),
        Ok(Draft::Differs) => {
            Finding::warning("rules", format!("{text}, draft differs"), "`avatar rules publish` puts it in force")
        }
        Ok(Draft::Broken(errors)) => {
            let text = format!("{text}, draft has {errors} problems");
            Finding::problem("rules", text, "`avatar rules check` shows them")
        }
        Err(error) => Finding::problem("rules", format!("{text}; {error}"), "RULES_DIR says where the files are"),
    }
}

enum Draft {
    Same,
    Differs,
    Broken(usize),
}

async fn draft(parts: &Parts, number: i64) -> Result<Draft, String> {
    let host = &parts.automation.rules;
    let sources = read_sources(host.options()).map_err(|error| error.to_string())?;
    let catalogue = host.catalogue().clone();
    let (sources, compiled) = compile_aside(sources, catalogue).await.map_err(|failure| failure.message().to_owned())?;
    if compiled.ruleset.is_none() {
        return Ok(Draft::Broken(compiled.diagnostics.len()));
    }
    let stored = parts.store.read(move |conn| rulesets::find(conn, number)).await.map_err(|error| error.to_string())?;
    Ok(if stored.is_some_and(|stored| stored.files == sources.files) { Draft::Same } else { Draft::Differs })
}
