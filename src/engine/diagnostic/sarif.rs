//! Diagnostics as SARIF 2.1.0: what code scanners and editors exchange.

use super::{Diagnostic, Severity, example_of, explain};
use serde_json::{Value, json};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn render(diagnostics: &[Diagnostic]) -> String {
    let mut ids: Vec<&str> = diagnostics.iter().map(|d| d.code.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let results: Vec<Value> = diagnostics.iter().map(|d| result(d, &ids)).collect();
    let rules: Vec<Value> = ids.iter().map(|id| rule(id)).collect();
    let driver = json!({
        "name": "avatar rules check",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }).to_string()
}

fn rule(id: &str) -> Value {
    let Some(code) = explain(id) else { return json!({ "id": id }) };
    let mut help = code.explanation.to_owned();
    let mut markdown = code.explanation.to_owned();
    if let Some(example) = example_of(code.code) {
        help.push_str(&format!("\n\nWrong:\n{}\nRight:\n{}", example.wrong, example.right));
        let language = example.file.rsplit('.').next().unwrap_or("");
        let block = |title: &str, text: &str| format!("\n\n{title}:\n\n```{language}\n{text}```");
        markdown.push_str(&block("Wrong", example.wrong));
        markdown.push_str(&block("Right", example.right));
    }
    json!({
        "id": id,
        "shortDescription": { "text": code.title },
        "fullDescription": { "text": code.explanation },
        "help": { "text": help, "markdown": markdown },
    })
}

fn result(d: &Diagnostic, ids: &[&str]) -> Value {
    let level = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let text = d.help.as_ref().map_or_else(|| d.message.clone(), |help| format!("{}\n{help}", d.message));
    let region = json!({
        "startLine": d.line,
        "startColumn": d.column,
        "endLine": d.line,
        "endColumn": d.column + d.width,
    });
    json!({
        "ruleId": d.code,
        "ruleIndex": ids.iter().position(|id| *id == d.code),
        "level": level,
        "message": { "text": text },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": d.file.replace(' ', "%20") }, "region": region } }],
    })
}
