//! The variables of a run that waits: to plain values, and back.

use crate::domain::time::{Millis, Timestamp};
use crate::engine::plan::Kept;
use crate::engine::ruleset::Rule;
use rhai::{Dynamic, Scope};
use std::collections::BTreeMap;

/// The rule's variables as they are. An error names the one that is no plain value.
pub(super) fn vars(rule: &Rule, scope: &Scope<'static>) -> Result<BTreeMap<String, Kept>, String> {
    let mut kept = BTreeMap::new();
    for (name, _) in &rule.vars {
        let value = scope.get(name).map_or(Some(Kept::Nothing), keep).ok_or_else(|| name.clone())?;
        kept.insert(name.clone(), value);
    }
    Ok(kept)
}

fn keep(value: &Dynamic) -> Option<Kept> {
    if value.is_unit() {
        return Some(Kept::Nothing);
    }
    if let Some(time) = value.read_lock::<Timestamp>() {
        return Some(Kept::Time { time: *time });
    }
    if let Some(span) = value.read_lock::<Millis>() {
        return Some(Kept::Span { span_ms: span.0 });
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Some(Kept::Text(text.to_string()));
    }
    if let Some(list) = value.read_lock::<rhai::Array>() {
        return list.iter().map(keep).collect::<Option<Vec<_>>>().map(Kept::List);
    }
    let plain = value.as_bool().map(Kept::Bool).or_else(|_| value.as_int().map(Kept::Int));
    plain.or_else(|_| value.as_float().map(Kept::Float)).ok()
}

pub(super) fn restore(value: &Kept) -> Dynamic {
    match value {
        Kept::Nothing => Dynamic::UNIT,
        Kept::Bool(yes) => (*yes).into(),
        Kept::Int(number) => (*number).into(),
        Kept::Float(number) => (*number).into(),
        Kept::Text(text) => text.as_str().into(),
        Kept::Time { time } => Dynamic::from(*time),
        Kept::Span { span_ms } => Dynamic::from(Millis(*span_ms)),
        Kept::List(items) => items.iter().map(restore).collect::<rhai::Array>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_the_same() {
        let list: rhai::Array = vec![1.into(), "a".into()];
        let values: [Dynamic; 8] = [
            Dynamic::UNIT,
            true.into(),
            42.into(),
            3.0.into(),
            "2026-11-23".into(),
            Dynamic::from(Timestamp(1_700_000_000_000)),
            Dynamic::from(Millis::hours(4)),
            list.into(),
        ];
        for value in values {
            let kept = keep(&value).expect("a plain value");
            let text = serde_json::to_string(&kept).expect("JSON");
            let back: Kept = serde_json::from_str(&text).expect("the same");
            assert_eq!(kept, back, "{text}");
            assert_eq!(restore(&back).type_name(), value.type_name(), "{text}");
        }
    }
}
