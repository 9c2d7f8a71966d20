//! A JSON document as providers send it: at most 64 levels deep, no key twice, texts borrowed from the bytes where possible.
//!
//! Two parsers that disagree about a repeated key read two different events, so such a document is no document.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Objects and lists inside each other.
pub const DEPTH_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    /// In the order of the document.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads one whole document; the message of an error says where, never what.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Node { depth: 0 }.deserialize(&mut reader).map_err(|e| explain(&e))?;
        reader.end().map_err(|e| explain(&e))?;
        Ok(value)
    }

    /// The value of a key; `None` when missing or when this is no object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text, or a number or truth value written as text.
    #[must_use]
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Float(number) => Some(Cow::Owned(number.to_string())),
            Self::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// A whole number, also when written as text.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A truth value, also when written as `"true"`, `"yes"`, `"1"` or their opposites.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Int(0) => Some(false),
            Self::Int(1) => Some(true),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(true),
                "false" | "no" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    #[must_use]
    pub const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }
}

/// Written out again, when a part of a document is to be kept by itself.
impl serde::Serialize for Json<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(truth) => to.serialize_bool(*truth),
            Self::Int(number) => to.serialize_i64(*number),
            Self::Float(number) => to.serialize_f64(*number),
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items),
            Self::Object(fields) => to.collect_map(fields.iter().map(|(key, value)| (key, value))),
        }
    }
}

/// serde_json's own words quote the input in some messages, so only its kind and place are kept.
fn explain(error: &serde_json::Error) -> String {
    let what = if error.is_data() {
        if error.to_string().starts_with(DUPLICATE) { DUPLICATE } else { TOO_DEEP }
    } else if error.is_eof() {
        "the JSON document ends too early"
    } else {
        "the body is not JSON"
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

const DUPLICATE: &str = "a key is there twice";
const TOO_DEEP: &str = "the JSON document is nested too deep";

#[derive(Clone, Copy)]
struct Node {
    depth: usize,
}

impl Node {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX { Err(E::custom(TOO_DEEP)) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Json<'de>;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json<'de>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(truth))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(number).map_or(Json::Float(number as f64), Json::Int))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(number))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut fields = Vec::with_capacity(8);
        while let Some(Key(key)) = entries.next_key()? {
            fields.push((key, entries.next_value_seed(inner)?));
        }
        if has_duplicates(&fields) { Err(A::Error::custom(DUPLICATE)) } else { Ok(Json::Object(fields)) }
    }
}

/// Objects up to this size are compared pair by pair; larger ones are sorted first.
const PAIRWISE_FIELDS_MAX: usize = 16;

fn has_duplicates(fields: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    if fields.len() <= PAIRWISE_FIELDS_MAX {
        return fields.iter().enumerate().any(|(i, (key, _))| fields[..i].iter().any(|(other, _)| other == key));
    }
    let mut keys: Vec<&str> = fields.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

/// A key, borrowed when it has no escapes (`Cow<str>` alone would always copy).
struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        reader.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_without_copying_plain_text() {
        let doc = Json::parse(r#"{"a":{"b":[1,-2.5,true,null,"x\ny"]},"n":18446744073709551615}"#).expect("a document");
        let Some(Json::List(items)) = doc.at(&["a", "b"]) else { panic!("a list") };
        assert_eq!(items[0].int(), Some(1));
        assert_eq!(items[4].text(), Some("x\ny"));
        assert!(matches!(doc.get("n"), Some(Json::Float(_))));
        let plain = Json::parse(r#"{"a":"text"}"#).expect("a document");
        assert!(matches!(plain.get("a"), Some(Json::Text(Cow::Borrowed("text")))));
    }

    #[test]
    fn a_key_twice_is_no_document_at_any_depth_or_size() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"x":[{"a":1,"\u0061":2}]}"#] {
            assert!(Json::parse(text).expect_err("refused").starts_with(DUPLICATE), "{text}");
        }
        let fields: Vec<String> = (0..5_000).map(|n| format!("\"k{}\":{n}", n % 4_999)).collect();
        assert!(Json::parse(&format!("{{{}}}", fields.join(","))).expect_err("refused").starts_with(DUPLICATE));
    }

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_not() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse(&nested(DEPTH_MAX)).is_ok());
        for levels in [DEPTH_MAX + 1, 127, 128, 10_000] {
            assert!(Json::parse(&nested(levels)).is_err(), "{levels}");
        }
    }

    #[test]
    fn messages_say_where_and_never_what() {
        let error = Json::parse("{\"phone\": 0491570006}").expect_err("refused");
        assert!(error.contains("line 1") && !error.contains("0491"), "{error}");
        assert!(Json::parse("{} x").is_err());
        assert!(Json::parse(r#""\ud800""#).is_err());
    }
}
