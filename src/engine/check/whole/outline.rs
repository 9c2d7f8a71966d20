//! What each rule listens to and does, read from the files' trees: with the place of every name.
//!
//! It knows only names and shapes, so a step that the language gains later is seen as soon as it is written in the known way:
//! an action's key, its value, and further steps below a key `do`.

use crate::engine::source::{Entry, Kind, Node, Place, Scalar};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// One rule as it stands in its file.
pub(crate) struct RuleOutline {
    pub id: Scalar,
    pub file: Arc<str>,
    /// The earlier id that the rule says it had.
    pub was: Option<String>,
    /// Events that it listens to or waits for.
    pub events: Vec<Scalar>,
    pub limit: Option<Place>,
    pub effects: Vec<Effect>,
    /// Identifies everything but id, name and description.
    pub body: String,
}

/// One step, with all that must be true for it.
pub(crate) struct Effect {
    pub at: Place,
    pub kind: EffectKind,
    /// Its own `if`, and those of the branches around it.
    pub conditions: Vec<Scalar>,
    /// After a `wait`: the records may have changed since the rule began.
    pub later: bool,
}

pub(crate) enum EffectKind {
    Move {
        pipeline: String,
        stage: String,
    },
    Sms(String),
    Set {
        field: String,
        /// `None` for an expression.
        value: Option<String>,
    },
    Emit(String),
    Other,
}

/// Keys that do not change what a rule does.
const TALK: &[&str] = &["id", "was", "name", "about", "owner"];
/// Keys of a step that are no action.
const STEP_KEYS: &[&str] = &["if", "id", "do"];

/// Every rule of one file, as far as its shape can be understood.
pub(crate) fn outline(root: &Node, file: &Arc<str>) -> Vec<RuleOutline> {
    let defaults = entry(root, "defaults").map_or(&[][..], entries);
    let rules = entry(root, "rules").map_or(&[][..], items);
    rules.iter().filter_map(|rule| rule_outline(rule, defaults, file)).collect()
}

fn rule_outline(rule: &Node, defaults: &[Entry], file: &Arc<str>) -> Option<RuleOutline> {
    let own = entries(rule);
    let inherited = defaults.iter().filter(|d| !own.iter().any(|e| e.key.text == d.key.text));
    let all: Vec<&Entry> = own.iter().chain(inherited).collect();
    let find = |key: &str| all.iter().find(|e| e.key.text == key).map(|e| &e.value);
    let mut reader = StepReader { effects: Vec::new(), later: false, awaited: Vec::new() };
    if let Some(steps) = find("do") {
        reader.steps(steps, &[]);
    }
    Some(RuleOutline {
        id: scalar(find("id")?)?.clone(),
        file: Arc::clone(file),
        was: find("was").and_then(scalar).map(|s| s.text.clone()),
        events: find("when").map(events).unwrap_or_default().into_iter().chain(reader.awaited).collect(),
        limit: find("limit").map(|n| n.at),
        effects: reader.effects,
        body: body_of(&all),
    })
}

fn events(when: &Node) -> Vec<Scalar> {
    let triggers = if let Kind::List(triggers) = &when.kind { triggers.as_slice() } else { std::slice::from_ref(when) };
    triggers.iter().filter_map(|t| entry(t, "event")).flat_map(scalars).cloned().collect()
}

struct StepReader {
    effects: Vec<Effect>,
    later: bool,
    awaited: Vec<Scalar>,
}

impl StepReader {
    fn steps(&mut self, list: &Node, around: &[Scalar]) {
        for step in items(list) {
            let mut conditions = around.to_vec();
            conditions.extend(entry(step, "if").into_iter().flat_map(scalars).cloned());
            for action in entries(step).iter().filter(|e| !STEP_KEYS.contains(&e.key.text.as_str())) {
                self.action(action, &conditions);
            }
            if let Some(inner) = entry(step, "do") {
                self.steps(inner, &conditions);
            }
        }
    }

    fn action(&mut self, action: &Entry, conditions: &[Scalar]) {
        let value = &action.value;
        let text = |key: &str| entry(value, key).and_then(scalar).map(|s| s.text.clone());
        let mut add = |at: Place, kind: EffectKind| {
            self.effects.push(Effect { at, kind, conditions: conditions.to_vec(), later: self.later });
        };
        match action.key.text.as_str() {
            "move" => {
                let at = entry(value, "stage").map_or(action.key.at, |n| n.at);
                if let (Some(pipeline), Some(stage)) = (text("pipeline"), text("stage")) {
                    add(at, EffectKind::Move { pipeline, stage });
                }
            }
            "sms" => add(value.at, scalar(value).map_or(EffectKind::Other, |s| EffectKind::Sms(s.text.clone()))),
            "set" => {
                for pair in entries(value) {
                    let constant = scalar(&pair.value).filter(|s| !s.text.starts_with('=')).map(|s| s.text.clone());
                    add(pair.key.at, EffectKind::Set { field: pair.key.text.clone(), value: constant });
                }
            }
            "emit" => {
                let name = scalar(value).map(|s| s.text.clone()).or_else(|| text("event"));
                add(value.at, name.map_or(EffectKind::Other, EffectKind::Emit));
            }
            "wait" => {
                self.later = true;
                self.awaited.extend(entry(value, "event").into_iter().flat_map(scalars).cloned());
            }
            _ => add(action.key.at, EffectKind::Other),
        }
        self.branches(value, conditions);
    }

    /// `choose: [{if, do}, {do}]`, `each: {do}`: whatever has steps below.
    fn branches(&mut self, value: &Node, conditions: &[Scalar]) {
        match &value.kind {
            Kind::List(_) => self.steps(value, conditions),
            Kind::Map(..) => {
                if let Some(inner) = entry(value, "do") {
                    self.steps(inner, conditions);
                }
            }
            Kind::Scalar(_) => {}
        }
    }
}

/// A digest of all keys but those that only talk about the rule, whatever their order and layout.
fn body_of(all: &[&Entry]) -> String {
    let mut parts: Vec<String> = all
        .iter()
        .filter(|e| !TALK.contains(&e.key.text.as_str()))
        .map(|e| format!("{}={}", e.key.text, plain(&e.value)))
        .collect();
    parts.sort_unstable();
    hex::encode(Sha256::digest(parts.join("\n")))
}

fn plain(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) => format!("{:?}", scalar.text),
        Kind::List(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(",")),
        Kind::Map(entries, _) => {
            let mut pairs: Vec<String> = entries.iter().map(|e| format!("{:?}:{}", e.key.text, plain(&e.value))).collect();
            pairs.sort_unstable();
            format!("{{{}}}", pairs.join(","))
        }
    }
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    entries(node).iter().find(|e| e.key.text == key).map(|e| &e.value)
}

fn entries(node: &Node) -> &[Entry] {
    if let Kind::Map(entries, _) = &node.kind { entries } else { &[] }
}

fn items(node: &Node) -> &[Node] {
    if let Kind::List(items) = &node.kind { items } else { &[] }
}

fn scalar(node: &Node) -> Option<&Scalar> {
    if let Kind::Scalar(scalar) = &node.kind { Some(scalar) } else { None }
}

/// One value, or a list of them.
fn scalars(node: &Node) -> Vec<&Scalar> {
    match &node.kind {
        Kind::List(items) => items.iter().filter_map(scalar).collect(),
        _ => scalar(node).into_iter().collect(),
    }
}
