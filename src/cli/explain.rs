//! `avatar explain`

use super::args::ExplainArgs;
use super::failure::{Done, Failure};
use super::{Context, Exit};
use crate::config::nearest;
use crate::engine::diagnostic::{Example, codes, example_of, explain};
use serde_json::json;

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.code/1";
/// Width of the text.
const TEXT_COLUMNS: usize = 80;

/// Also `avatar rules explain`.
pub(super) fn run(context: &Context, args: &ExplainArgs) -> Exit {
    context.end(tell(context, &args.code))
}

fn tell(context: &Context, wanted: &str) -> Done {
    let Some(code) = explain(wanted) else {
        let near = nearest(&wanted.to_uppercase(), codes().map(|c| c.code));
        let help = near.map_or_else(
            || "codes look like R0102, S0303 or T0201: `avatar rules check` prints them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::new(format!("there is no code `{wanted}`")).with_help(help));
    };
    // Type errors of scripts and templates share the text of the rules' ones.
    let shown = wanted.trim().to_uppercase();
    if context.output.json {
        let mut object = json!({ "schema": SCHEMA, "code": shown, "title": code.title, "explanation": code.explanation });
        if let Some(example) = example_of(code.code) {
            object["example"] = json!({ "file": example.file, "wrong": example.wrong, "right": example.right });
        }
        context.output.object(&object);
    } else {
        context.output.line(&format!("{shown}: {}\n", code.title));
        context.output.line(&wrap(code.explanation).join("\n"));
        if let Some(example) = example_of(code.code) {
            context.output.line(&shown_example(example));
        }
    }
    Ok(Exit::Done)
}

/// What is wrong and what is right, each set in.
fn shown_example(example: &Example) -> String {
    let indented = |text: &str| text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
    format!("\nWrong, in {}:\n\n{}\n\nRight:\n\n{}", example.file, indented(example.wrong), indented(example.right))
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
