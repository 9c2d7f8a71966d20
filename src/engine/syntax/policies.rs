//! `rules/policies.yaml`: promises that every planned action is held against.

use super::fields::{Keys, Reader};
use super::nearest::did_you_mean;
use crate::domain::event::SubjectKind;
use crate::domain::time::Millis;
use crate::engine::diagnostic::names;
use crate::engine::promise::Then;
use crate::engine::source::{Kind, Node, Place, Problems, Scalar, SourceFile};

/// Promises in all.
const PROMISES_MAX: usize = 200;

const FILE: Keys = Keys { what: "a file of promises", known: &["about", "promises"], later: &[] };
const PROMISE: Keys = Keys { what: "a promise", known: &["id", "about", "owner", "never", "limit", "then"], later: &[] };
const LIMIT: Keys = Keys { what: "`limit`", known: &["action", "max", "in", "per"], later: &[] };
const THENS: &[&str] = &["block", "move_to_window", "alert"];
const MAX_MAX: u32 = 1_000;

pub(crate) struct PromiseSyntax {
    pub at: Place,
    pub id: Scalar,
    pub about: Option<Scalar>,
    pub owner: Option<Scalar>,
    pub what: PromisedSyntax,
    pub then: (Place, Then),
}

pub(crate) enum PromisedSyntax {
    Never(Vec<Scalar>),
    Limit { action: Scalar, max: u32, within: Millis, per: SubjectKind },
}

/// Reads the file's tree; promises with problems in their shape are left out.
pub(crate) fn read_promises(file: &SourceFile, root: Node, problems: &mut Problems) -> Vec<PromiseSyntax> {
    let mut reader = Reader { file, problems };
    if matches!(&root.kind, Kind::Scalar(scalar) if scalar.is_null()) {
        return Vec::new();
    }
    let Some(mut fields) = reader.fields(root, &FILE) else { return Vec::new() };
    if let Some(about) = fields.take("about") {
        reader.scalar(about, "`about`");
    }
    let Some(list) = fields.take("promises") else { return Vec::new() };
    match list.kind {
        Kind::List(items) if items.len() > PROMISES_MAX => {
            reader.error(names::TOO_MANY, list.at, format!("there are more than {PROMISES_MAX} promises"), None);
            Vec::new()
        }
        Kind::List(items) => items.into_iter().filter_map(|item| reader.promise(item)).collect(),
        _ => {
            let help = Some("begin each promise with `- id: name`".to_owned());
            reader.error(names::WRONG_SHAPE, list.at, format!("`promises` is a list, not {}", list.describe()), help);
            Vec::new()
        }
    }
}

impl Reader<'_> {
    fn promise(&mut self, node: Node) -> Option<PromiseSyntax> {
        let at = node.at;
        let mut fields = self.fields(node, &PROMISE)?;
        let id = fields.need("id", self).and_then(|n| self.scalar(n, "`id`"));
        let about = fields.take("about").and_then(|n| self.scalar(n, "`about`"));
        let owner = fields.take("owner").and_then(|n| self.scalar(n, "`owner`"));
        let then = fields.need("then", self).and_then(|n| self.then(n));
        let what = match (fields.take("never"), fields.take("limit")) {
            (Some(never), None) => Some(PromisedSyntax::Never(self.scalars(never, "`never`"))),
            (None, Some(limit)) => self.action_limit(limit),
            (None, None) if fields.refused => None,
            _ => {
                let help = Some("a promise has either `never` or `limit`".to_owned());
                self.error(names::MISSING_KEY, at, "this promise does not say one thing", help);
                None
            }
        };
        Some(PromiseSyntax { at, id: id?, about, owner, what: what?, then: then? })
    }

    fn then(&mut self, node: Node) -> Option<(Place, Then)> {
        let scalar = self.scalar(node, "`then`")?;
        let found = [Then::Block, Then::MoveToWindow, Then::Alert].into_iter().find(|then| then.as_str() == scalar.text);
        if found.is_none() {
            let help = did_you_mean(&scalar.text, THENS, "it can be");
            self.error(names::BAD_VALUE, scalar.at, format!("`then` cannot be `{}`", scalar.text), help);
        }
        found.map(|then| (scalar.at, then))
    }

    fn action_limit(&mut self, node: Node) -> Option<PromisedSyntax> {
        let mut fields = self.fields(node, &LIMIT)?;
        let action = fields.need("action", self).and_then(|n| self.scalar(n, "`action`"));
        let max = fields.need("max", self).and_then(|n| self.count(n, "`max`", 1, MAX_MAX));
        let within = fields.need("in", self).and_then(|n| self.duration(n, "`in`"));
        let per = fields.take("per").map_or(Some(SubjectKind::Contact), |n| self.subject(n, "`per`"));
        Some(PromisedSyntax::Limit { action: action?, max: max?, within: within?, per: per? })
    }
}
