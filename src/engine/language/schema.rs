//! The JSON Schema of rule files (draft 2020-12), with the names of this clinic: editors complete and check while one types.

use super::live::{Live, dates, settable};
use super::shapes::{Shape, type_name};
use super::{Key, find, keys_of};
use crate::engine::functions::WEEKDAYS;
use crate::engine::schema::{Field, Type};
use crate::engine::syntax::{Keys, MAPS};
use serde_json::{Map, Value, json};

const DURATION: &str = "^[0-9]+[mhdw]$";
const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const ID: &str = "^[A-Za-z0-9._-]{1,80}$";
const EXPRESSION: &str = "^=";

/// The schema of one rule file.
#[must_use]
pub fn schema(live: &Live<'_>) -> Value {
    let writer = Writer { live };
    let mut definitions = Map::new();
    definitions.insert("rule".to_owned(), writer.map_of("a rule"));
    definitions.insert("rule_keys".to_owned(), writer.loose("a rule"));
    definitions.insert("trigger".to_owned(), writer.trigger());
    definitions.insert("step".to_owned(), writer.step());
    definitions.insert("steps".to_owned(), json!({ "type": "array", "items": { "$ref": "#/$defs/step" } }));
    definitions.insert("conditions".to_owned(), conditions());
    let mut root = writer.map_of("a rule file");
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Avatar CMS rule file");
    root["type"] = json!(["object", "null"]);
    root["$defs"] = Value::Object(definitions);
    root
}

/// Several lines are all true, so that a `false` in a list is as good as one alone.
fn conditions() -> Value {
    let line = json!({ "type": ["string", "boolean"] });
    json!({ "anyOf": [line, { "type": "array", "items": line }] })
}

struct Writer<'a> {
    live: &'a Live<'a>,
}

impl Writer<'_> {
    /// A map with exactly its keys.
    fn map_of(&self, what: &str) -> Value {
        let mut map = self.loose(what);
        let needed = find(what).map_or(&[][..], |t| t.needed);
        if !needed.is_empty() {
            map["required"] = json!(needed);
        }
        if what == "`move`" {
            map["allOf"] = self.stages();
        }
        map
    }

    fn loose(&self, what: &str) -> Value {
        let Some(known) = MAPS.iter().find(|m| m.what == what) else { return json!({ "type": "object" }) };
        json!({ "type": "object", "properties": self.properties(known), "additionalProperties": false })
    }

    fn properties(&self, known: &Keys) -> Value {
        Value::Object(keys_of(known).into_iter().map(|key| (key.name.to_owned(), self.described(key))).collect())
    }

    fn described(&self, key: &Key) -> Value {
        let mut value = self.shape(key.shape);
        if let Value::Object(map) = &mut value {
            map.insert("description".to_owned(), json!(key.about));
        }
        value
    }

    /// One of the kinds, each with its own keys.
    fn trigger(&self) -> Value {
        let kinds = MAPS.iter().filter(|m| m.what.ends_with(" trigger") && m.what != "a trigger");
        let kinds: Vec<Value> = kinds.map(|m| self.map_of(m.what)).collect();
        json!({ "oneOf": kinds })
    }

    /// Exactly one action.
    fn step(&self) -> Value {
        let mut step = self.map_of("a step");
        let keys = MAPS.iter().find(|m| m.what == "a step").map_or(&[][..], |m| m.known);
        let actions = keys.iter().filter(|k| !matches!(**k, "if" | "id" | "do"));
        step["oneOf"] = actions.map(|action| json!({ "required": [action] })).collect();
        json!({ "anyOf": [step, { "const": "stop" }] })
    }

    /// The stages that go with each pipeline.
    fn stages(&self) -> Value {
        let pipelines = &self.live.catalogue.pipelines.pipelines;
        let rule = |p: &crate::domain::pipeline::Pipeline| {
            let stages: Vec<&str> = p.stages.iter().map(|s| s.name.as_str()).collect();
            json!({
                "if": { "properties": { "pipeline": { "const": p.name } }, "required": ["pipeline"] },
                "then": { "properties": { "stage": { "enum": stages } } },
            })
        };
        pipelines.iter().map(rule).collect()
    }

    fn shape(&self, shape: Shape) -> Value {
        let pipelines = &self.live.catalogue.pipelines.pipelines;
        match shape {
            Shape::Text | Shape::Merge | Shape::Zone => json!({ "type": ["string", "number"] }),
            Shape::Cron => json!({ "type": "string" }),
            Shape::Id => json!({ "type": ["string", "number"], "pattern": ID }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Count => json!({ "type": "integer", "minimum": 1 }),
            Shape::Duration => pattern(DURATION),
            Shape::TimeOfDay => pattern(TIME_OF_DAY),
            Shape::Conditions => json!({ "$ref": "#/$defs/conditions" }),
            Shape::Expression => pattern(EXPRESSION),
            Shape::Value(Type::Int) => {
                json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 100 }, pattern(EXPRESSION)] })
            }
            Shape::Value(ty) => value_of(ty, false),
            Shape::Words(words) => json!({ "enum": words }),
            Shape::Events => self.events(),
            Shape::OneEvent => self.event(),
            Shape::EventName => json!({ "type": "string" }),
            Shape::DateField => json!({ "enum": dates().into_iter().map(|(path, _)| path).collect::<Vec<_>>() }),
            Shape::Rhythm => rhythm(),
            Shape::Template => json!({ "enum": self.live.templates }),
            Shape::Pipeline => json!({ "enum": pipelines.iter().map(|p| p.name.as_str()).collect::<Vec<_>>() }),
            Shape::Stage => json!({ "type": "string" }),
            Shape::TaskType => json!({ "enum": self.live.task_types() }),
            Shape::TaskTypeOrAny => {
                json!({ "enum": self.live.task_types().into_iter().chain(["any".to_owned()]).collect::<Vec<_>>() })
            }
            Shape::Team => json!({ "enum": self.live.catalogue.clinic.teams }),
            Shape::Vars => vars(),
            Shape::Fields => fields(),
            Shape::Triggers => {
                let one = json!({ "$ref": "#/$defs/trigger" });
                json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
            }
            Shape::Steps => json!({ "$ref": "#/$defs/steps" }),
            Shape::Rules => json!({ "type": ["array", "null"], "items": { "$ref": "#/$defs/rule" } }),
            Shape::Defaults => json!({ "$ref": "#/$defs/rule_keys" }),
            Shape::Branches => json!({ "type": "array", "items": self.branch() }),
            Shape::Map(what) => self.map_of(what),
            Shape::WordsOrMap(words, what) => json!({ "anyOf": [{ "enum": words }, self.map_of(what)] }),
            Shape::DurationOrMap(what) => json!({ "anyOf": [pattern(DURATION), self.map_of(what)] }),
            Shape::EventOrMap(what) => json!({ "anyOf": [{ "type": "string" }, self.map_of(what)] }),
            Shape::Free => json!({}),
        }
    }

    fn branch(&self) -> Value {
        let known = MAPS.iter().any(|m| m.what == "a way of `choose`");
        let steps = || json!({ "type": "object", "properties": { "if": { "$ref": "#/$defs/conditions" }, "do": { "$ref": "#/$defs/steps" } }, "required": ["do"] });
        if known { self.map_of("a way of `choose`") } else { steps() }
    }

    /// Rules may listen to names that rules emit, as soon as there is `emit`.
    fn events(&self) -> Value {
        let one = self.event();
        json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }

    fn event(&self) -> Value {
        let names = json!({ "enum": self.live.events() });
        let emits = MAPS.iter().any(|m| m.what == "a step" && m.known.contains(&"emit"));
        if emits { json!({ "anyOf": [names, { "type": "string" }] }) } else { names }
    }
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn rhythm() -> Value {
    let days = [["day", "hour"].as_slice(), WEEKDAYS].concat();
    json!({ "anyOf": [{ "enum": days }, pattern(DURATION)] })
}

fn vars() -> Value {
    let value = json!({ "anyOf": [{ "type": ["number", "boolean"] }, pattern(EXPRESSION)] });
    json!({ "type": "object", "propertyNames": { "pattern": "^[a-z_][a-z0-9_]*$" }, "additionalProperties": value })
}

fn fields() -> Value {
    let property = |(path, field): (String, &'static Field)| {
        let mut value = value_of(field.ty, field.optional);
        value["description"] = json!(format!("{} ({})", field.about, type_name(field.ty)));
        (path, value)
    };
    let properties: Map<String, Value> = settable().into_iter().map(property).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1 })
}

/// A literal of the type, or an expression.
fn value_of(ty: Type, optional: bool) -> Value {
    let literal = match ty {
        Type::Bool => json!({ "type": "boolean" }),
        Type::Int => json!({ "type": "integer" }),
        Type::Enum(words) => json!({ "enum": words }),
        Type::Text => json!({ "type": ["string", "number", "boolean"] }),
        _ => json!(false),
    };
    let mut choices = vec![literal, pattern(EXPRESSION)];
    if optional {
        choices.push(json!({ "type": "null" }));
    }
    json!({ "anyOf": choices })
}
