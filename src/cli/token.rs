//! `avatar token`

use super::args::TokenCommand;
use super::failure::{Done, Failure};
use super::moment::Wall;
use super::parts::Parts;
use super::{Context, Exit};
use crate::automation::staff::{KEYS_LISTED_MAX, NewKey, make_api_key, revoke_api_key};
use crate::domain::audit::Who;
use crate::domain::staff::Scopes;
use crate::domain::time::Millis;
use crate::store::staff::{ApiKey, list_api_keys};
use serde_json::{Value, json};

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.token/1";

pub(super) fn run(context: &Context, command: &TokenCommand) -> Exit {
    context.on_database(async |parts| match command {
        TokenCommand::Create { name, role, scopes, days } => {
            let scopes = parse_scopes(scopes)?;
            let expires_at = days.map(|days| parts.clock.now() + Millis::days(i64::from(days)));
            create(context, parts, NewKey { name: name.clone(), role: *role, scopes, expires_at }).await
        }
        TokenCommand::List => list(context, parts).await,
        TokenCommand::Revoke { id } => revoke(context, parts, id).await,
    })
}

fn parse_scopes(given: &[String]) -> Result<Scopes, Failure> {
    if given.is_empty() {
        return Ok(Scopes::all());
    }
    Scopes::parse(given.to_vec()).map_err(|wrong| {
        Failure::new(format!("`{wrong}` is no scope")).with_help("write it like tasks:read, tasks:write, tasks:* or *")
    })
}

async fn create(context: &Context<'_>, parts: &Parts, wanted: NewKey) -> Done {
    let role = wanted.role;
    let (_, key) = make_api_key(&parts.store, &parts.clock, Who::from("cli"), wanted).await?;
    if context.output.json {
        context.output.object(&json!({ "schema": SCHEMA, "key": key, "role": role.as_str() }));
    } else {
        context.output.line(&key);
    }
    context.output.hint("shown this once; send it as `Authorization: Bearer KEY`");
    Ok(Exit::Done)
}

async fn list(context: &Context<'_>, parts: &Parts) -> Done {
    let keys = parts.store.read(|conn| list_api_keys(conn, KEYS_LISTED_MAX)).await?;
    let now = parts.clock.now();
    if context.output.json {
        let list: Vec<Value> = keys.iter().map(object).collect();
        context.output.object(&json!({ "schema": SCHEMA, "keys": list }));
        return Ok(Exit::Done);
    }
    let wall = Wall(parts.settings.clinic.calendar.tz);
    for key in &keys {
        let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", wall.json(at)));
        let mark = if key.is_usable(now) { "✓" } else { "✗" };
        context.output.line(&format!(
            "{mark} {} {} {} [{}] {used}",
            key.id,
            key.name,
            key.role.as_str(),
            key.scopes.list().join(" ")
        ));
    }
    Ok(Exit::Done)
}

fn object(key: &ApiKey) -> Value {
    json!({
        "id": key.id, "name": key.name, "role": key.role.as_str(), "scopes": key.scopes.list(), "created_at": key.created_at.to_rfc3339(),
        "last_used_at": key.last_used_at.map(crate::domain::time::Timestamp::to_rfc3339), "expires_at": key.expires_at.map(crate::domain::time::Timestamp::to_rfc3339),
        "revoked_at": key.revoked_at.map(crate::domain::time::Timestamp::to_rfc3339),
    })
}

async fn revoke(context: &Context<'_>, parts: &Parts, id: &str) -> Done {
    if !revoke_api_key(&parts.store, &parts.clock, id).await? {
        return Err(Failure::new("there is no API key with this id").with_help("`avatar token list` shows them"));
    }
    context.output.hint("revoked; running servers refuse it within five seconds");
    Ok(Exit::Done)
}
