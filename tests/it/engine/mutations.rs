//! Files in which something was cut, moved or typed wrong: the compiler never panics, and always points into the file.

use super::clinic::{CONFIRMATION, SCORES, catalogue, sources};
use super::compiles::clinic_files;
use avatar::engine::{Severity, compile};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const SCRAPS: &[&str] = &[
    "",
    " ",
    "\n",
    "\n  ",
    "{",
    "}",
    "{{",
    "}}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    "`",
    "${",
    "=",
    "==",
    "!",
    "&a ",
    "*a",
    "- ",
    ": ",
    "|",
    ">-",
    "#",
    ",",
    "and ",
    "not ",
    "()",
    "?.",
    "??",
    ".",
    "..",
    "é",
    "👍",
    "\u{feff}",
    "\r\n",
    "\t",
    "switch x { ",
    "fn f() {",
    "///",
    "0x",
    "1e9",
    "-1",
    "contact",
    "contact.",
    "null",
    "~",
    "true",
    "{{#if ",
    "{{/if}}",
    "{{> x}}",
    "@root",
    "../",
    "--}}",
];

/// Replaces the characters of a span by a scrap.
fn mutate(text: &str, at: Index, length: usize, scrap: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let start = at.index(characters.len() + 1);
    let end = (start + length).min(characters.len());
    characters[..start].iter().copied().chain(scrap.chars()).chain(characters[end..].iter().copied()).collect()
}

fn all_files() -> Vec<(&'static str, &'static str)> {
    let mut files = clinic_files();
    files.push(("rules/scripts/scores.rhai", SCORES));
    files.push(("sms_templates/booking_confirmation.hbs", CONFIRMATION));
    files
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_problem_of_a_broken_file_has_a_place_in_it(
        file in any::<Index>(),
        cuts in prop::collection::vec((any::<Index>(), 0_usize..12, select(SCRAPS)), 1..4),
    ) {
        let files = all_files();
        let (path, text) = files[file.index(files.len())];
        let broken = cuts.iter().fold(text.to_owned(), |text, (at, length, scrap)| mutate(&text, *at, *length, scrap));
        let mut all = sources(&files);
        all.files.insert(path.to_owned(), broken);
        let compiled = compile(&all, &catalogue());
        let failed = compiled.diagnostics.iter().any(|d| d.severity == Severity::Error);
        prop_assert_eq!(compiled.ruleset.is_none(), failed);
        for d in &compiled.diagnostics {
            let text = all.files[&d.file].trim_start_matches('\u{feff}');
            let lines = text.lines().count() + 1;
            prop_assert!((1..=lines).contains(&d.line), "{d:?}");
            let columns = text.lines().nth(d.line - 1).map_or(0, |l| l.chars().count()) + 2;
            prop_assert!((1..=columns).contains(&d.column), "{d:?} in {columns} columns of\n{text}");
            prop_assert!(d.width >= 1);
        }
    }
}
