//! A rule that got another id: without `was`, its history and its limits begin anew.

use crate::engine::diagnostic::{Diagnostic, Severity, names};
use crate::engine::ruleset::Ruleset;
use std::collections::BTreeMap;

/// Hints about rules that were there before under another id, with the very same body.
#[must_use]
pub fn renamed(before: &Ruleset, now: &Ruleset) -> Vec<Diagnostic> {
    let mut gone: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, body) in before.bodies.iter().filter(|(id, _)| !now.by_id.contains_key(*id)) {
        gone.entry(body).or_default().push(id);
    }
    let fresh = now.rules.iter().filter(|r| !before.by_id.contains_key(&r.id) && !now.was.contains_key(&r.id));
    let hint = |rule: &crate::engine::ruleset::Rule| {
        // With several of the same body nobody can say which one it was.
        let [old] = gone.get(now.bodies.get(&rule.id)?.as_str())?.as_slice() else { return None };
        Some(Diagnostic {
            code: names::RENAMED.to_owned(),
            severity: Severity::Warning,
            file: rule.file.to_string(),
            line: rule.line,
            column: 1,
            width: 1,
            message: format!("`{}` does just what `{old}` did, which is gone", rule.id),
            help: Some(format!("if it is the same rule, add `was: {old}`, so that its history and limits go on")),
        })
    };
    fresh.filter_map(hint).collect()
}
