//! `avatar token`

use super::args::TokenCommand;
use super::{Context, Exit};
use crate::automation::staff::create_api_key;
use serde_json::json;

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.token/1";

pub(super) fn run(context: &Context, command: &TokenCommand) -> Exit {
    let TokenCommand::Create { name, role } = command;
    context.on_database(async |parts| {
        let key = create_api_key(&parts.store, &parts.clock, name, *role).await?;
        if context.output.json {
            context.output.object(&json!({ "schema": SCHEMA, "key": key, "role": role.as_str() }));
        } else {
            context.output.line(&key);
        }
        context.output.hint("shown this once; send it as `Authorization: Bearer KEY`");
        Ok(Exit::Done)
    })
}
