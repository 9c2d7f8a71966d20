//! `avatar explain`

use super::args::ExplainArgs;
use super::failure::{Done, Failure};
use super::{Context, Exit};
use crate::config::nearest;
use crate::engine::diagnostic::{CODES, explain};
use serde_json::json;

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.code/1";
/// Width of the text.
const TEXT_COLUMNS: usize = 80;

pub(super) fn run(context: &Context, args: &ExplainArgs) -> Exit {
    context.end(tell(context, &args.code))
}

fn tell(context: &Context, wanted: &str) -> Done {
    let Some(code) = explain(wanted) else {
        let near = nearest(&wanted.to_uppercase(), CODES.iter().map(|c| c.code));
        let help = near.map_or_else(
            || format!("codes are {} to {}", CODES.first().map_or("", |c| c.code), CODES.last().map_or("", |c| c.code)),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::new(format!("there is no code `{wanted}`")).with_help(help));
    };
    // Type errors of scripts and templates share the text of the rules' ones.
    let shown = wanted.trim().to_uppercase();
    if context.output.json {
        let object = json!({ "schema": SCHEMA, "code": shown, "title": code.title, "explanation": code.explanation });
        context.output.object(&object);
    } else {
        context.output.line(&format!("{shown}: {}\n", code.title));
        context.output.line(&wrap(code.explanation).join("\n"));
    }
    Ok(Exit::Done)
}

/// Breaks a text into lines between words.
fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= TEXT_COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
