//! Text. No function here makes a text longer than the ones it was given, but for a few letters whose capital has more bytes.

use rhai::{Engine, ImmutableString};

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("contains", |text: ImmutableString, part: ImmutableString| text.contains(part.as_str()))
        .register_fn("starts_with", |text: ImmutableString, part: ImmutableString| text.starts_with(part.as_str()))
        .register_fn("ends_with", |text: ImmutableString, part: ImmutableString| text.ends_with(part.as_str()))
        .register_fn("to_lower", |text: ImmutableString| text.to_lowercase())
        .register_fn("to_upper", |text: ImmutableString| text.to_uppercase())
        .register_fn("trim", |text: ImmutableString| text.trim().to_owned())
        .register_fn("len", characters)
        .register_fn("is_empty", |text: ImmutableString| text.is_empty())
        .register_get("len", |text: &mut ImmutableString| characters(text.clone()))
        .register_fn("to_string", |number: i64| number.to_string())
        .register_fn("to_string", |number: f64| number.to_string())
        .register_fn("to_string", |yes: bool| yes.to_string())
        .register_fn("to_string", |text: ImmutableString| text);
}

fn characters(text: ImmutableString) -> i64 {
    text.chars().count() as i64
}
