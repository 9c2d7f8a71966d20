//! Files that somebody could save to hurt the program, one for each way: `corpus/{yaml,rhai,handlebars}/WHAT IT ATTACKS/`. Each is
//! refused by the checker or stopped when it is tried out, soon and within little memory; those in `harmless/` only look hostile
//! and must work.

use super::clinic::{catalogue, sources};
use super::host::workbench::on_script_thread;
use avatar::alloc;
use avatar::engine::{Compiled, compile_and_try};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILES_MIN: usize = 150;
/// What a candidate may take beyond what the clinic's own files take.
const PEAK_BYTES_MAX: i64 = 32 * 1024 * 1024;
/// Processor time of one file. A release build keeps to 100 ms (`cargo bench --bench rules`); this is one without optimisation.
const CPU_MAX: Duration = Duration::from_secs(3);

const RULES: &str = "rules/hostile.yaml";

#[derive(Clone)]
struct Hostile {
    /// `yaml/aliases/billion-laughs`
    name: String,
    /// Where the ruleset has it.
    path: &'static str,
    bytes: Vec<u8>,
    is_harmless: bool,
}

fn corpus() -> Vec<Hostile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/engine/corpus");
    let mut files = Vec::new();
    for (kind, path) in [("yaml", RULES), ("rhai", "rules/scripts/hostile.rhai"), ("handlebars", "sms_templates/hostile.hbs")] {
        for group in entries(&root.join(kind)) {
            for file in entries(&group) {
                let name = file.strip_prefix(&root).expect("below the corpus").with_extension("");
                let is_harmless = group.ends_with("harmless");
                let bytes = std::fs::read(&file).expect("a file of the corpus");
                files.push(Hostile { name: name.display().to_string(), path, bytes, is_harmless });
            }
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).expect("a folder").flatten().map(|e| e.path()).collect();
    all.sort();
    all
}

/// Nanoseconds that this thread has had on a processor: a busy machine makes nothing slower.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// A rule that uses what the file defines.
fn user_of(path: &str) -> (&'static str, &'static str) {
    let text = if path.starts_with("rules/scripts/") {
        "rules:\n  - id: uses-it\n    when: { event: booking_created }\n    if: attack(contact, now) > 0\n    do: [ { note: x } ]\n"
    } else {
        "rules:\n  - id: uses-it\n    when: { event: booking_created }\n    do: [ { sms: hostile } ]\n"
    };
    ("rules/uses.yaml", text)
}

/// What comes of a clinic that has this file; `None` when it cannot even be read.
fn candidate(hostile: &Hostile) -> Option<Compiled> {
    let text = String::from_utf8(hostile.bytes.clone()).ok()?;
    let mut files = vec![(hostile.path, text.as_str())];
    if hostile.path != RULES {
        files.push(user_of(hostile.path));
    }
    Some(compile_and_try(&sources(&files), &catalogue()))
}

/// Why it is not as it should be.
fn complaint(hostile: &Hostile) -> Option<String> {
    let name = &hostile.name;
    alloc::reset_peak();
    let (before, began) = (alloc::live_bytes(), cpu());
    let compiled = candidate(hostile);
    let (peak, took) = (alloc::peak_bytes() - before, cpu().saturating_sub(began));
    let accepted = compiled.as_ref().is_some_and(|c| c.ruleset.is_some());
    if peak > PEAK_BYTES_MAX {
        return Some(format!("{name}: {peak} bytes"));
    }
    if took > CPU_MAX {
        return Some(format!("{name}: {took:?}"));
    }
    let codes =
        || compiled.iter().flat_map(|c| &c.diagnostics).map(|d| format!("{} {}", d.code, d.message)).take(3).collect::<Vec<_>>();
    match (accepted, hostile.is_harmless) {
        (true, false) => Some(format!("{name}: accepted")),
        (false, true) => Some(format!("{name}: refused: {:?}", codes())),
        _ => None,
    }
}

#[test]
fn every_hostile_file_is_refused_or_stopped() {
    let complaints = on_script_thread(|| corpus().iter().filter_map(complaint).collect::<Vec<_>>());
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn there_are_enough_of_them_and_no_two_are_alike() {
    let all = corpus();
    let mut by_content: BTreeMap<&[u8], &str> = BTreeMap::new();
    for hostile in &all {
        let twin = by_content.insert(&hostile.bytes, &hostile.name);
        assert_eq!(twin, None, "{} is the same", hostile.name);
    }
    assert!(all.iter().filter(|h| !h.is_harmless).count() >= FILES_MIN);
}
