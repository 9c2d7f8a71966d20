//! A rule file: `about`, `defaults`, `rules`.

use super::RuleSyntax;
use super::fields::{Keys, Reader};
use super::rule::RULE;
use crate::engine::diagnostic::names;
use crate::engine::source::{Entry, Kind, Node, Problems, SourceFile};

/// Rules in all files together.
pub(crate) const RULES_MAX: usize = 20_000;

pub(super) const FILE: Keys = Keys { what: "a rule file", known: &["about", "defaults", "rules"], later: &[] };

/// Reads one rule file's tree.
pub(crate) struct FileReader<'a> {
    reader: Reader<'a>,
}

impl<'a> FileReader<'a> {
    pub fn new(file: &'a SourceFile, problems: &'a mut Problems) -> Self {
        Self { reader: Reader { file, problems } }
    }

    /// The file's rules, in order; those with problems in their shape are left out.
    pub fn rules(mut self, root: Node) -> Vec<RuleSyntax> {
        if matches!(&root.kind, Kind::Scalar(scalar) if scalar.is_null()) {
            return Vec::new();
        }
        let Some(mut fields) = self.reader.fields(root, &FILE) else { return Vec::new() };
        if let Some(about) = fields.take("about") {
            self.reader.scalar(about, "`about`");
        }
        let defaults = fields.take("defaults").map(|node| self.defaults(node)).unwrap_or_default();
        let Some(rules) = fields.take("rules") else { return Vec::new() };
        let items = match rules.kind {
            Kind::List(items) => items,
            Kind::Scalar(scalar) if scalar.is_null() => Vec::new(),
            _ => {
                let help = Some("begin each rule with `- id: name`".to_owned());
                self.reader.error(names::WRONG_SHAPE, rules.at, format!("`rules` is a list, not {}", rules.describe()), help);
                Vec::new()
            }
        };
        if items.len() > RULES_MAX {
            self.reader.error(names::TOO_MANY, rules.at, format!("there are more than {RULES_MAX} rules"), None);
            return Vec::new();
        }
        items.into_iter().filter_map(|item| self.reader.rule(item, &defaults)).collect()
    }

    fn defaults(&mut self, node: Node) -> Vec<Entry> {
        let at = node.at;
        if let Kind::Map(entries, _) = node.kind {
            let known = self.reader.fields_of(entries.clone(), at, &RULE);
            return if known.refused { Vec::new() } else { entries };
        }
        self.reader.error(names::WRONG_SHAPE, at, "`defaults` is a map of rule keys and values", None);
        Vec::new()
    }
}
