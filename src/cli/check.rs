//! `avatar check`: the invariants of a whole database.

use super::{Context, Exit};
use crate::store::invariants::{self, Broken};
use serde_json::{Value, json};

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.check/1";

pub(super) fn run(context: &Context) -> Exit {
    context.on_database(async |parts| {
        let broken = parts.store.read(invariants::check).await?;
        if context.output.json {
            let list: Vec<Value> = broken.iter().map(object).collect();
            context.output.object(&json!({ "schema": SCHEMA, "checked": invariants::COUNT, "broken": list }));
        } else {
            for Broken { name, means, ids } in &broken {
                context.output.line(&format!("✗ {name}: {means}\n    {}", ids.join("\n    ")));
            }
            context.output.hint(&format!("{} invariants checked, {} broken", invariants::COUNT, broken.len()));
        }
        Ok(if broken.is_empty() { Exit::Done } else { Exit::Found })
    })
}

fn object(broken: &Broken) -> Value {
    json!({ "name": broken.name, "means": broken.means, "ids": broken.ids })
}
