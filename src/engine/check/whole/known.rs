//! What is certain about the records when some conditions are true. Says "impossible" only when it is: a condition that it does
//! not understand says nothing.

use super::literal::{Literal, literal_of, path_of};
use super::slot::Slot;
use super::span::{Order, difference};
use super::universe::universe;
use crate::engine::ruleset::Catalogue;
use rhai::Expr;
use std::collections::BTreeMap;

/// Alternatives (`or`) that are followed one by one.
const ALTERNATIVES_MAX: usize = 16;

/// Possible values of each path that the conditions speak of.
#[derive(Clone)]
pub(crate) struct Known<'c> {
    catalogue: &'c Catalogue,
    slots: BTreeMap<String, Slot>,
    impossible: bool,
    /// Where the condition at hand stands: kept with what it narrows.
    origin: Option<usize>,
}

/// Why nothing can be true any more.
pub(crate) struct Conflict {
    pub path: String,
    /// Line of the first condition about the path, when it is another one.
    pub line: Option<usize>,
}

impl<'c> Known<'c> {
    pub fn nothing(catalogue: &'c Catalogue) -> Self {
        Self { catalogue, slots: BTreeMap::new(), impossible: false, origin: None }
    }

    /// The path is one of these words.
    pub fn one_of(&mut self, path: &str, words: Vec<String>) {
        self.slot(path).keep(words.into_iter().map(Literal::Text).collect());
    }

    /// From now on the condition on this line is true.
    pub fn assume(&mut self, condition: &Expr, line: usize) {
        self.origin = Some(line);
        self.hold(condition, true);
        self.origin = None;
    }

    /// The path whose values are used up, if there is one.
    pub fn conflict(&self) -> Option<Conflict> {
        let empty = |(path, slot): &(&String, &Slot)| slot.is_empty(universe(path, self.catalogue).as_deref());
        if let Some((path, slot)) = self.slots.iter().find(empty) {
            let name = path.split('\0').next().unwrap_or(path);
            return Some(Conflict { path: name.to_owned(), line: slot.origin });
        }
        if self.impossible || self.stage_is_elsewhere() {
            let path = if self.impossible { "" } else { "contact.current_stage" };
            return Some(Conflict { path: path.to_owned(), line: self.slots.get(path).and_then(|s| s.origin) });
        }
        None
    }

    /// The stages that the contact can be in, when only certain ones are possible.
    pub fn words(&self, path: &str) -> Option<Vec<&str>> {
        let values = self.slots.get(path)?.values()?;
        values.into_iter().map(|v| if let Literal::Text(word) = v { Some(word.as_str()) } else { None }).collect()
    }

    fn slot(&mut self, path: &str) -> &mut Slot {
        let origin = self.origin;
        self.slots.entry(path.to_owned()).or_insert_with(|| Slot::since(origin))
    }

    fn hold(&mut self, condition: &Expr, truth: bool) {
        match condition {
            Expr::And(parts, _) if truth => parts.iter().for_each(|p| self.hold(p, true)),
            Expr::Or(parts, _) if !truth => parts.iter().for_each(|p| self.hold(p, false)),
            Expr::And(parts, _) | Expr::Or(parts, _) => self.one_holds(parts, truth),
            Expr::BoolConstant(value, _) => self.impossible |= *value != truth,
            Expr::FnCall(call, _) => match (call.name.as_str(), call.args.as_slice()) {
                ("!", [inner]) => self.hold(inner, !truth),
                ("contains", [Expr::Array(items, _), value]) => self.member(value, items, truth),
                ("==", [a, b]) => self.equal(a, b, truth),
                ("!=", [a, b]) => self.equal(a, b, !truth),
                (name, [a, b]) => {
                    if let Some(order) = Order::parse(name) {
                        self.ordered(a, if truth { order } else { order.negated() }, b);
                    }
                }
                _ => {}
            },
            other => {
                if let Some(path) = path_of(other) {
                    self.slot(&path).keep(vec![Literal::Bool(truth)]);
                }
            }
        }
    }

    /// At least one of the parts is `truth`: what all that are possible have in common is certain.
    fn one_holds(&mut self, parts: &[Expr], truth: bool) {
        if parts.len() > ALTERNATIVES_MAX {
            return;
        }
        let possible: Vec<Self> = parts.iter().map(|part| self.with(part, truth)).filter(|k| k.conflict().is_none()).collect();
        match possible.as_slice() {
            [] => self.impossible = true,
            [only] => *self = only.clone(),
            [first, rest @ ..] => {
                for (path, slot) in &first.slots {
                    let others: Option<Vec<&Slot>> = rest.iter().map(|k| k.slots.get(path)).collect();
                    if let Some(union) = others.and_then(|others| slot.union(&others)) {
                        self.slot(path).keep(union);
                    }
                }
            }
        }
    }

    fn with(&self, part: &Expr, truth: bool) -> Self {
        let mut known = self.clone();
        known.hold(part, truth);
        known
    }

    fn member(&mut self, value: &Expr, items: &[Expr], truth: bool) {
        let (Some(path), Some(list)) = (path_of(value), items.iter().map(literal_of).collect::<Option<Vec<_>>>()) else {
            return;
        };
        if truth {
            self.slot(&path).keep(list);
        } else {
            self.slot(&path).exclude(list);
        }
    }

    fn equal(&mut self, a: &Expr, b: &Expr, truth: bool) {
        let found = path_of(a).zip(literal_of(b)).or_else(|| path_of(b).zip(literal_of(a)));
        match found {
            Some((path, value)) if truth => self.slot(&path).keep(vec![value]),
            Some((path, value)) => self.slot(&path).exclude(vec![value]),
            None => {}
        }
    }

    fn ordered(&mut self, a: &Expr, order: Order, b: &Expr) {
        if let (Some(path), Some(Literal::Number(number))) = (path_of(a), literal_of(b)) {
            self.slot(&path).bound(order, number);
        } else if let (Some(Literal::Number(number)), Some(path)) = (literal_of(a), path_of(b)) {
            self.slot(&path).bound(order.mirrored(), number);
        } else if let Some((key, order, milliseconds)) = difference(a, order, b) {
            self.slot(&key).bound(order, milliseconds);
        }
    }

    /// The contact's stage is certain, and not one of its pipeline.
    fn stage_is_elsewhere(&self) -> bool {
        let (Some(pipelines), Some(stages)) = (self.words("contact.current_pipeline"), self.words("contact.current_stage"))
        else {
            return false;
        };
        let all = &self.catalogue.pipelines;
        let known = |pipeline: &&str| all.find(pipeline).is_some();
        pipelines.iter().all(known)
            && !pipelines.iter().filter_map(|p| all.find(p)).any(|p| stages.iter().any(|s| p.find_stage(s).is_some()))
    }
}
