//! Text with merge fields: `Call {{contact.first_name}}`.

use super::Environment;
use super::expression::{Part, Wanted, check_expression};
use super::scope::Scope;
use crate::engine::diagnostic::names;
use crate::engine::ruleset::{Text, TextPart};
use crate::engine::source::{Problems, Scalar, SourceFile};

/// Longest text in a rule.
const TEXT_BYTES_MAX: usize = 2 * 1024;

/// Splits a text at its merge fields and checks each. `None` when a problem was reported.
pub(crate) fn check_text(
    env: &Environment<'_>,
    file: &SourceFile,
    scalar: &Scalar,
    scope: &Scope,
    problems: &mut Problems,
) -> Option<Text> {
    if scalar.text.len() > TEXT_BYTES_MAX {
        problems.error(names::FILE_TOO_LARGE, &file.path, scalar.at, format!("a text has at most {TEXT_BYTES_MAX} bytes"), None);
        return None;
    }
    let mut parts = Vec::new();
    let mut good = true;
    let mut rest = scalar.text.as_str();
    let mut at = 0;
    while let Some(open) = rest.find("{{") {
        let literal = rest.get(..open).unwrap_or("");
        push_literal(&mut parts, literal);
        at += literal.chars().count();
        let inside = rest.get(open + 2..).unwrap_or("");
        let Some(close) = inside.find("}}") else {
            let help = Some("write `{{contact.first_name}}`".to_owned());
            problems.error(names::MERGE, &file.path, scalar.place_of(file, at, 2), "`{{` without `}}`", help);
            return None;
        };
        let merge = inside.get(..close).unwrap_or("");
        let part = Part { file, scalar, text: merge, skip: at + 2 };
        if merge.trim().is_empty() {
            problems.error(names::MERGE, &file.path, scalar.place_of(file, at, 4), "this merge field is empty", None);
            good = false;
        } else {
            let checked = check_expression(env, part, scope, &Wanted::Printable, problems);
            good &= checked.is_some();
            parts.extend(checked.map(|c| TextPart::Merge(c.expr)));
        }
        at += 4 + merge.chars().count();
        rest = inside.get(close + 2..).unwrap_or("");
    }
    if let Some(stray) = rest.find("}}") {
        let column = at + rest.get(..stray).unwrap_or("").chars().count();
        problems.error(names::MERGE, &file.path, scalar.place_of(file, column, 2), "`}}` without `{{`", None);
        return None;
    }
    push_literal(&mut parts, rest);
    good.then_some(Text { parts })
}

fn push_literal(parts: &mut Vec<TextPart>, literal: &str) {
    if !literal.is_empty() {
        parts.push(TextPart::Literal(literal.to_owned()));
    }
}
