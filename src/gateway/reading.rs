//! Reading what providers send: numbers that may be texts, lists that may be cut off, items that may lack everything.

use super::Outgoing;
use serde_json::Value;
use std::collections::HashMap;

/// A text or a number, without white space around it; `None` for nothing.
pub(super) fn text(value: &Value) -> Option<String> {
    let found = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!found.is_empty()).then_some(found)
}

pub(super) fn number(value: &Value) -> Option<i64> {
    text(value)?.parse().ok()
}

/// Millionths of a price such as `"0.0792"` or `0.0792`; digits beyond are cut off.
pub(super) fn micros(value: &Value) -> Option<i64> {
    const DIGITS: usize = 6;
    let price = text(value)?;
    let (whole, fraction) = price.split_once('.').unwrap_or((&price, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.is_empty() {
        return None;
    }
    let fraction: String = fraction.chars().chain("000000".chars()).take(DIGITS).collect();
    whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)
}

/// A provider's code word, fit for logs: upper and lower case, digits, `_`, at most 40 characters.
pub(super) fn word(value: &Value) -> Option<String> {
    const CHARS_MAX: usize = 40;
    let word: String = text(value)?.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(CHARS_MAX).collect();
    Some(word)
}

/// Which items speak of which text: by our own id, else by the receiver when only one text and one item are left for it.
pub(super) fn assign<'v>(
    texts: &[Outgoing],
    items: &'v [Value],
    own_id: fn(&Value) -> Option<String>,
    receiver: fn(&Value) -> Option<String>,
) -> HashMap<String, Vec<&'v Value>> {
    let mut found: HashMap<String, Vec<&'v Value>> = HashMap::new();
    let mut nameless = Vec::new();
    for item in items {
        match own_id(item) {
            Some(id) if texts.iter().any(|t| t.sms_id == id) => found.entry(id).or_default().push(item),
            Some(_) => {}
            None => nameless.push(item),
        }
    }
    for item in &nameless {
        let Some(to) = receiver(item) else { continue };
        let mut left = texts.iter().filter(|t| t.to == to && !found.contains_key(&t.sms_id));
        let alone = nameless.iter().filter(|other| receiver(other).as_ref() == Some(&to)).count() == 1;
        if let (Some(text), None, true) = (left.next(), left.next(), alone) {
            found.entry(text.sms_id.clone()).or_default().push(item);
        }
    }
    found
}

/// The items of the list `key` that are whole, in an answer that may be cut off.
pub(super) fn whole_items(body: &[u8], key: &str) -> Vec<Value> {
    let name = format!("\"{key}\"");
    let Some(at) = memchr::memmem::find(body, name.as_bytes()) else { return Vec::new() };
    let Some(open) = memchr::memchr(b'[', &body[at..]) else { return Vec::new() };
    let mut rest = &body[at + open + 1..];
    let mut items = Vec::new();
    loop {
        let skipped = rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == b',').count();
        rest = &rest[skipped..];
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(item @ Value::Object(_))) => items.push(item),
            _ => return items,
        }
        rest = &rest[stream.byte_offset()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prices_are_exact_whether_text_or_number() {
        for (given, expected) in [
            (json!("0.0792"), Some(79_200)),
            (json!(0.0792), Some(79_200)),
            (json!(2), Some(2_000_000)),
            (json!("12.3456789"), Some(12_345_678)),
            (json!("-1"), None),
            (json!("1e3"), None),
            (json!("99999999999999999999"), None),
            (json!(null), None),
            (json!(""), None),
        ] {
            assert_eq!(micros(&given), expected, "{given}");
        }
    }

    fn outgoing(sms_id: &str, to: &str) -> Outgoing {
        Outgoing { sms_id: sms_id.into(), to: to.into(), body: "Hi".into() }
    }

    #[test]
    fn an_item_without_our_id_counts_only_when_it_can_mean_one_text() {
        let own = |item: &Value| text(&item["id"]);
        let to = |item: &Value| text(&item["to"]);
        let texts = [outgoing("a", "+1"), outgoing("b", "+2"), outgoing("c", "+3"), outgoing("d", "+3")];
        let items = [
            json!({"id": "a", "to": "+9"}),
            json!({"id": "stranger", "to": "+2"}),
            json!({"to": "+2"}),
            json!({"to": "+3"}),
            json!({}),
        ];
        let found = assign(&texts, &items, own, to);
        let mut ids: Vec<&str> = found.keys().map(String::as_str).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["a", "b"], "two texts went to +3: nobody knows which is meant");
        let twice = [json!({"to": "+2"}), json!({"to": "+2"})];
        assert!(assign(&texts, &twice, own, to).is_empty());
    }

    #[test]
    fn what_is_whole_in_a_cut_answer_is_read() {
        let body = br#"{"data": {"messages": [ {"id": "a", "x": [1]} , {"id": "b"}, {"id": "c", "st"#;
        let ids: Vec<Option<String>> = whole_items(body, "messages").iter().map(|i| text(&i["id"])).collect();
        assert_eq!(ids, [Some("a".into()), Some("b".into())]);
        for cut in 0..body.len() {
            assert!(whole_items(&body[..cut], "messages").len() <= 2);
        }
        assert!(whole_items(b"<html>messages</html>", "messages").is_empty());
    }
}
