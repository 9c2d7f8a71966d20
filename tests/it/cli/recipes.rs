//! The recipes of the manual do what they say: each is checked and its test is played, alone, in a clinic with no other rules.

use super::clinic::Clinic;
use std::fs;
use std::path::Path;

const RECIPES: usize = 20;

/// A recipe's title and its blocks: (kind, text).
fn recipes(manual: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let sections = manual.split("\n### Recipe ").skip(1);
    sections
        .map(|section| {
            let title = section.lines().next().unwrap_or_default();
            let body = section.split("\n## ").next().unwrap_or_default();
            let blocks = body.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect();
            (title, blocks)
        })
        .collect()
}

/// Where the text of a block goes.
fn file_of(kind: &str, text: &str) -> &'static str {
    match kind {
        "yaml test" => "recipe.test.yaml",
        "rhai" => "scripts/recipe.rhai",
        _ if text.starts_with("promises:") => "policies.yaml",
        _ => "recipe.yaml",
    }
}

fn forget_rules(rules: &Path) {
    for entry in fs::read_dir(rules).expect("the rules").flatten() {
        if entry.path().extension().is_some_and(|e| e == "yaml") {
            fs::remove_file(entry.path()).expect("a rule file");
        }
    }
}

#[test]
fn every_recipe_of_the_manual_is_clean_and_passes_its_test() {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RULES.md")).expect("the manual");
    let recipes = recipes(&manual);
    assert_eq!(recipes.len(), RECIPES);
    for (title, blocks) in recipes {
        let clinic = Clinic::new();
        let rules = clinic.dir.path().join("rules");
        forget_rules(&rules);
        for (kind, text) in &blocks {
            fs::write(rules.join(file_of(kind, text)), text).expect("a file");
        }
        assert!(blocks.iter().any(|(kind, _)| *kind == "yaml test"), "{title}: no test");
        let checked = clinic.run(&["rules", "check"]);
        assert_eq!(checked.exit, Some(0), "{title}: {}{}", checked.out, checked.err);
        let tested = clinic.run(&["rules", "test"]);
        assert_eq!(tested.exit, Some(0), "{title}: {}{}", tested.out, tested.err);
    }
}
