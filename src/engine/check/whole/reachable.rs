//! Rules and steps whose conditions cannot all be true.

use super::known::{Conflict, Known};
use super::{Look, assume, place_of, warn};
use crate::engine::diagnostic::names;
use crate::engine::source::Problems;

pub(super) fn check(look: &mut Look<'_>, problems: &mut Problems) {
    let mut known = look.by_triggers();
    for line in look.rule.while_.iter().chain(&look.rule.if_) {
        assume(&mut known, &line.ast, line.line);
        if let Some(conflict) = known.conflict() {
            look.dead = true;
            let message = format!("this rule can never fire: {}", because(&conflict, line.line));
            warn(problems, names::NEVER_FIRES, &look.rule.file, place_of(line), message, "change one of the two conditions");
            return;
        }
    }
    for step in &look.steps {
        let mut known = if step.effect.later { look.while_waiting() } else { known.clone() };
        for (ast, scalar) in &step.conditions {
            assume(&mut known, ast, scalar.at.line);
            if let Some(conflict) = known.conflict() {
                let message = format!("this step can never run: {}", because(&conflict, scalar.at.line));
                warn(problems, names::NEVER_RUNS, &look.rule.file, scalar.at, message, "change one of the two conditions");
                break;
            }
        }
    }
}

/// What is in the way.
fn because(conflict: &Conflict, here: usize) -> String {
    let path = &conflict.path;
    match conflict.line {
        Some(line) if line != here => format!("line {line} leaves no value of `{path}` that this condition allows"),
        None if path == "event.event_type" => "its triggers bring other events".to_owned(),
        _ if path.is_empty() => "this condition is never true".to_owned(),
        _ => format!("no value of `{path}` fits this condition"),
    }
}

/// Whether two sets of facts can be true at once.
pub(super) fn are_exclusive(known: &Known<'_>, other: &Look<'_>, conditions: &[(rhai::AST, usize)]) -> bool {
    let mut both = known.clone();
    for line in other.rule.while_.iter().chain(&other.rule.if_) {
        assume(&mut both, &line.ast, line.line);
    }
    for (ast, line) in conditions {
        assume(&mut both, ast, *line);
    }
    both.conflict().is_some()
}
