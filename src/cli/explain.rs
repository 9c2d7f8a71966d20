//! `avatar explain`

use super::args::ExplainArgs;
use super::failure::{Done, Failure};
use super::{Context, Exit};
use crate::config::nearest;
use crate::engine::diagnostic::{Example, codes, example_of, explain};
use serde_json::{Value, json};

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
            object["example"] = json_of(example);
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

fn json_of(example: &Example) -> Value {
    let mut shown = json!({ "file": example.file, "wrong": example.wrong, "right": example.right });
    if let Some((file, text)) = example.beside {
        shown["beside"] = json!({ "file": file, "text": text });
    }
    if let Some(before) = example.before {
        shown["before"] = json!(before);
    }
    shown
}

/// What is wrong and what is right, each set in, below what belongs to both.
fn shown_example(example: &Example) -> String {
    let mut parts = Vec::new();
    parts.extend(example.beside.map(|(file, text)| (format!("With {file}:"), text)));
    parts.extend(example.before.map(|text| (format!("In force before, in {}:", example.file), text)));
    parts.push((format!("Wrong, in {}:", example.file), example.wrong));
    parts.push(("Right:".to_owned(), example.right));
    let indented = |text: &str| text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
    parts.into_iter().map(|(head, text)| format!("\n{head}\n\n{}", indented(text))).collect::<Vec<_>>().join("\n")
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
