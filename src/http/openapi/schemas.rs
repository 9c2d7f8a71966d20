//! The types of the document: each stands there once, under a name of its own.

use crate::http::doc::Shape;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

const PREFIX: &str = "#/components/schemas/";
/// Types within types, when two are compared.
const DEPTH_MAX: usize = 12;

/// Whose a type is: what the program takes may leave fields out, what it answers has them all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Taken,
    Answered,
}

#[derive(Default)]
pub(super) struct Schemas {
    /// By the name in the document: the type itself, and all that it means.
    known: BTreeMap<String, (Value, String)>,
}

impl Schemas {
    pub(super) fn add(&mut self, name: &str, schema: Value) {
        let meaning = schema.to_string();
        self.known.insert(name.to_owned(), (schema, meaning));
    }

    /// Puts a type and those inside of it into the document; answers with the reference to it. Two types of one name are told
    /// apart by their endpoints' tag.
    pub(super) fn place(&mut self, shape: &Shape, side: Side, tag: &str) -> Value {
        let written = |schema| house_rules(json!(schema), side);
        let mut parts: BTreeMap<String, Value> =
            shape.parts.iter().map(|(name, schema)| (name.clone(), written(schema))).collect();
        let body = written(&shape.schema);
        if ["properties", "oneOf", "allOf", "enum"].into_iter().all(|word| body.get(word).is_none()) {
            // Something simple, such as a list of texts: it needs no name.
            let renamed = self.place_all(&parts, tag);
            return rename(body, &renamed);
        }
        parts.insert(shape.name.clone(), body);
        let renamed = self.place_all(&parts, tag);
        json!({ "$ref": format!("{PREFIX}{}", renamed.get(&shape.name).unwrap_or(&shape.name)) })
    }

    fn place_all(&mut self, parts: &BTreeMap<String, Value>, tag: &str) -> HashMap<String, String> {
        let mut renamed = HashMap::new();
        let mut meanings = HashMap::new();
        for (name, schema) in parts {
            let meaning = meaning(schema, parts, DEPTH_MAX).to_string();
            renamed.insert(name.clone(), self.free_name(name, &meaning, tag));
            meanings.insert(name.clone(), meaning);
        }
        for (name, schema) in parts {
            let (Some(new), Some(meaning)) = (renamed.get(name), meanings.remove(name)) else { continue };
            let schema = rename(schema.clone(), &renamed);
            self.known.entry(new.clone()).or_insert((schema, meaning));
        }
        renamed
    }

    fn free_name(&self, name: &str, meaning: &str, tag: &str) -> String {
        let prefix: String = tag.chars().filter(char::is_ascii_alphanumeric).collect();
        let others = (2..).map(|number| format!("{prefix}{name}{number}"));
        let mut names = [name.to_owned(), format!("{prefix}{name}")].into_iter().chain(others);
        let is_free = |name: &String| self.known.get(name).is_none_or(|(_, known)| known == meaning);
        names.find(is_free).unwrap_or_else(|| name.to_owned())
    }

    /// The type that a reference means; anything else means itself.
    pub(super) fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(PREFIX));
        name.and_then(|name| self.known.get(name)).map_or(schema, |(known, _)| known)
    }

    pub(super) fn requires_fields(&self, schema: &Value) -> bool {
        let required = self.resolve(schema).get("required").and_then(Value::as_array);
        required.is_some_and(|fields| !fields.is_empty())
    }

    pub(super) fn finish(self) -> Value {
        Value::Object(self.known.into_iter().map(|(name, (schema, _))| (name, schema)).collect::<Map<_, _>>())
    }
}

/// A type with everything inside of it written out.
fn meaning(schema: &Value, parts: &BTreeMap<String, Value>, depth: usize) -> Value {
    walk(schema, &mut |target| {
        let name = target.strip_prefix(PREFIX)?;
        let inner = parts.get(name).filter(|_| depth > 0)?;
        Some(meaning(inner, parts, depth - 1))
    })
}

fn rename(schema: Value, names: &HashMap<String, String>) -> Value {
    walk(&schema, &mut |target| {
        let new = names.get(target.strip_prefix(PREFIX)?)?;
        Some(json!({ "$ref": format!("{PREFIX}{new}") }))
    })
}

/// A copy of `schema` in which objects that only refer to something are replaced.
fn walk(schema: &Value, replace: &mut impl FnMut(&str) -> Option<Value>) -> Value {
    match schema {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str);
            if let Some(new) = target.and_then(&mut *replace) {
                let beside = fields.iter().filter(|(name, _)| *name != "$ref");
                let mut new = new;
                for (name, value) in beside {
                    new[name] = value.clone();
                }
                return new;
            }
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), walk(value, replace))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| walk(item, replace)).collect()),
        other => other.clone(),
    }
}

/// Names say what a text is, all over the API; what an answer does not know is null, and never missing.
fn house_rules(mut schema: Value, side: Side) -> Value {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        *part = house_rules(part.take(), side);
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return schema };
    let mut nullable = Vec::new();
    for (name, property) in properties {
        if is_time(name) && is_text(property) && property.get("format").is_none() {
            property["format"] = json!("date-time");
        }
        if let Some(fields) = property.as_object_mut().filter(|fields| fields.get("default").is_some_and(Value::is_null)) {
            fields.remove("default");
        }
        if may_be_null(property) {
            nullable.push(json!(name));
        }
    }
    if side == Side::Answered && !nullable.is_empty() {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        schema["required"] = required.cloned().chain(nullable).collect();
    }
    schema
}

fn may_be_null(property: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let kinds = property.get("type").and_then(Value::as_array);
    let variants = property.get("oneOf").and_then(Value::as_array);
    kinds.is_some_and(|kinds| kinds.iter().any(is_null))
        || variants.is_some_and(|all| all.iter().any(|one| one.get("type").is_some_and(is_null)))
}

fn is_time(name: &str) -> bool {
    name == "at" || name.ends_with("_at") || name.ends_with("_datetime")
}

fn is_text(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    }
}
