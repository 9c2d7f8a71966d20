//! A JSON body into a type: what is wrong is said with a pointer, and without what the caller sent.

use super::problem::{ApiError, FieldError, pointer_step};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

/// An empty body counts as an object without fields.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    // Without this, a list of values would count as an object with its fields in order.
    if body.trim_ascii_start().first().is_some_and(|first| matches!(first, b'[' | b'"' | b't' | b'f' | b'n' | b'0'..=b'9' | b'-'))
    {
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| broken())?;
        return Err(ApiError::refused("/body", "must be an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| told(&error))?;
    json.end().map_err(|_| broken())?;
    Ok(read)
}

fn broken() -> ApiError {
    ApiError::bad_request("The body is not JSON.")
}

fn told(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    if error.inner().classify() != Category::Data {
        return broken();
    }
    let (name, detail) = explain(&error.inner().to_string());
    let mut pointer = "/body".to_owned();
    for segment in error.path() {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.clone(),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        push(&mut pointer, &step);
    }
    if let Some(name) = name
        && !pointer.ends_with(&format!("/{}", pointer_step(&name)))
    {
        push(&mut pointer, &name);
    }
    ApiError::bad_fields(vec![FieldError { pointer, detail }])
}

fn push(pointer: &mut String, step: &str) {
    pointer.push('/');
    pointer.push_str(&pointer_step(step));
}

/// The field that is meant beside the path, and what is wrong. What the parser says of the value stays out of it.
fn explain(message: &str) -> (Option<String>, String) {
    let named = |prefix: &str| message.strip_prefix(prefix).and_then(|rest| rest.split('`').next()).map(str::to_owned);
    let expected = message.rsplit_once(", expected ").map(|(_, rest)| rest.split(" at line ").next().unwrap_or(rest));
    if let Some(field) = named("missing field `") {
        return (Some(field), "is missing".to_owned());
    }
    if let Some(field) = named("duplicate field `") {
        return (Some(field), "is given twice".to_owned());
    }
    if let Some(field) = named("unknown field `") {
        let known = expected.map_or_else(String::new, |known| format!("; the body takes {known}"));
        return (Some(field), format!("is not a field{known}"));
    }
    (None, expected.map_or_else(|| "cannot be read".to_owned(), |expected| format!("must be {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[serde(rename = "type")]
        kind: Kind,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Small,
        Large,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        count: u8,
    }

    #[test]
    fn what_is_wrong_has_a_pointer_and_does_not_repeat_values() {
        let told = |body: &str| format!("{:?}", read::<Order>(body.as_bytes()).expect_err(body));
        insta::assert_debug_snapshot!([
            told("{"),
            told("{\"type\":\"small\"} x"),
            told(r"{}"),
            told(r#"{"type":"Jane Nguyen"}"#),
            told(r#"{"type":"small","phone":"0491570006"}"#),
            told(r#"{"type":"small","lines":[{"count":1},{"count":"Jane"}]}"#),
            told(r#"{"type":"small","lines":[{"count":300}]}"#),
            told(r#"{"type":"small","lines":[{"count":1,"a/b":2}]}"#),
            told(r#"{"type":"small","type":"large"}"#),
            told("[]"),
        ]);
        let order = read::<Order>(br#"{"type":"large","lines":[{"count":3}]}"#).unwrap();
        assert!(matches!(order.kind, Kind::Large) && order.lines[0].count == 3);
        assert!(matches!(read::<Order>(br#"{"type":"small"}"#).unwrap().kind, Kind::Small));
    }
}
