//! Lists: written in brackets, or a record's (`contact.touchpoints`). They can be read and walked, not changed.

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};
use std::ops::{Range, RangeInclusive};

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_iterator::<Array>()
        .register_iterator::<Range<i64>>()
        .register_iterator::<RangeInclusive<i64>>()
        .register_fn("len", |list: &mut Array| list.len() as i64)
        .register_fn("is_empty", |list: &mut Array| list.is_empty())
        .register_get("len", |list: &mut Array| list.len() as i64)
        .register_fn("contains", contains)
        .register_fn("contains", |map: &mut Map, name: rhai::ImmutableString| map.contains_key(name.as_str()));
}

/// `x in [..]`. Texts, numbers and yes/no are compared here; everything else by its own `==`.
fn contains(context: NativeCallContext, list: &mut Array, wanted: Dynamic) -> Result<bool, Box<rhai::EvalAltResult>> {
    if let Ok(wanted) = wanted.as_immutable_string_ref() {
        return Ok(list.iter().any(|item| item.as_immutable_string_ref().is_ok_and(|item| *item == *wanted)));
    }
    for item in list.iter_mut() {
        if item.type_id() == wanted.type_id() && context.call_native_fn::<bool>("==", (item.clone(), wanted.clone()))? {
            return Ok(true);
        }
    }
    Ok(false)
}
