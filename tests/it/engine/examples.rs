//! What `avatar explain` shows is true: the wrong file has the problem and no other, the right one has none.

use super::clinic::{shipped_catalogue, sources};
use super::host::workbench::on_script_thread;
use avatar::config::load_pipelines;
use avatar::engine::diagnostic::{AND_SO_ON, Example, codes, examples};
use avatar::engine::smoke::smoke;
use avatar::engine::{Compiled, compile, renamed};
use std::collections::BTreeSet;
use std::sync::Arc;

/// R0502 is told by the limits of the checking process, whatever the files say; R0901 is about files of tests.
const WITHOUT_FILE: &[&str] = &["R0502", "R0901"];

/// Enough more of the same for every limit.
fn written_out(text: &str) -> String {
    let more = if text.contains("[lead_created, ") { "lead_created, ".repeat(101) } else { "x".repeat(3_000) };
    text.replace(AND_SO_ON, &more)
}

fn codes_of(example: &Example, text: &str) -> Vec<String> {
    let text = written_out(text);
    let files: Vec<(&str, &str)> = example.beside.into_iter().chain([(example.file, text.as_str())]).collect();
    let compiled = compiled(&files);
    let mut diagnostics = compiled.diagnostics;
    if let (Some(before), Some(now)) = (example.before, &compiled.ruleset) {
        let before = self::compiled(&[(example.file, before)]).ruleset.expect("what was in force compiles");
        diagnostics.extend(renamed(&before, now));
    }
    if let Some(ruleset) = compiled.ruleset.filter(|_| example.code == "R0501") {
        diagnostics.extend(on_script_thread(move || smoke(&ruleset)));
    }
    // Scripts share the explanations of rules' type errors.
    let found: BTreeSet<String> = diagnostics.iter().map(|d| d.code.replacen("S03", "R03", 1)).collect();
    found.into_iter().collect()
}

/// Rules and what they stand beside; the pipelines are the shipped ones unless an example has its own.
fn compiled(files: &[(&str, &str)]) -> Compiled {
    let mut catalogue = shipped_catalogue();
    for (_, text) in files.iter().filter(|(file, _)| *file == "config/pipelines.yaml") {
        catalogue.pipelines = Arc::new(load_pipelines(text).expect("pipelines as the program reads them"));
    }
    let written: Vec<(&str, &str)> = files.iter().copied().filter(|(file, _)| !file.starts_with("config/")).collect();
    compile(&sources(&written), &catalogue)
}

#[test]
fn every_wrong_example_has_its_code_and_every_right_one_none() {
    let mut wrong = Vec::new();
    for example in examples() {
        let (found, left) = (codes_of(example, example.wrong), codes_of(example, example.right));
        if found != [example.code] || !left.is_empty() {
            wrong.push(format!("{}: wrong gives {found:?}, right gives {left:?}", example.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_an_example() {
    let shown: BTreeSet<&str> = examples().map(|e| e.code).collect();
    assert_eq!(shown.len(), examples().count(), "one each");
    let lacking: Vec<&str> = codes().map(|c| c.code).filter(|c| !shown.contains(c) && !WITHOUT_FILE.contains(c)).collect();
    assert!(lacking.is_empty(), "write an example for {lacking:?} in src/engine/diagnostic/examples/");
}
