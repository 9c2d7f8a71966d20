//! What `avatar explain` shows is true: the wrong file has the problem and no other, the right one has none.

use super::clinic::{shipped_catalogue, sources};
use avatar::engine::compile;
use avatar::engine::diagnostic::{AND_SO_ON, Example, codes, examples};
use std::collections::BTreeSet;

/// Told of a change of rules, or by the program about itself: no single file has them.
const WITHOUT_FILE: &[&str] = &["R0403", "R0407", "R0409", "R0501", "R0502", "R0901"];

/// Enough more of the same for every limit.
fn written_out(text: &str) -> String {
    let more = if text.contains("[lead_created, ") { "lead_created, ".repeat(101) } else { "x".repeat(3_000) };
    text.replace(AND_SO_ON, &more)
}

fn codes_of(example: &Example, text: &str) -> Vec<String> {
    let text = written_out(text);
    let compiled = compile(&sources(&[(example.file, &text)]), &shipped_catalogue());
    // Scripts share the explanations of rules' type errors.
    let found: BTreeSet<String> = compiled.diagnostics.iter().map(|d| d.code.replacen("S03", "R03", 1)).collect();
    found.into_iter().collect()
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
