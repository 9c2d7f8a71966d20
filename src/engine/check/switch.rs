//! `switch` keeps only hashes of its cases. The words a field can have are hashed the same way, so that a case that is none
//! of them is found all the same.

use super::parser;
use super::ty::{Kind, NOTHING, Ty};
use super::walk::Walker;
use crate::engine::diagnostic::names;
use crate::engine::schema::Type;
use crate::engine::syntax::did_you_mean;
use rhai::{Expr, Position, Stmt, SwitchCasesCollection};
use std::collections::BTreeSet;

impl Walker<'_> {
    pub(super) fn switch(&mut self, subject: &Expr, cases: &SwitchCasesCollection) -> Ty {
        let value = self.chain(subject);
        if let Kind::Of(Type::Enum(words)) = value.ty.kind {
            self.unknown_cases(value.path.as_deref().unwrap_or("this"), words, cases);
        }
        let mut result: Option<Ty> = None;
        for case in &cases.expressions {
            self.condition(&case.lhs);
            let ty = self.expr(&case.rhs);
            result = Some(result.map_or(ty, |known| known.or(ty)));
        }
        let result = result.unwrap_or(NOTHING);
        if cases.def_case.is_some() { result } else { result.or(NOTHING) }
    }

    fn unknown_cases(&mut self, path: &str, words: &[&str], cases: &SwitchCasesCollection) {
        let known = hashes_of(words);
        for (_, list) in cases.cases.iter().filter(|(hash, _)| !known.contains(hash)) {
            let case = list.blocks.first().and_then(|block| cases.expressions.get(*block));
            let Some(at) = case.map(|c| c.rhs.start_position()) else { continue };
            let Some((word, position)) = self.word_before(at, words) else { continue };
            let help = did_you_mean(&word, words, "it can be");
            let message = format!("\"{word}\" is not a value of `{path}`");
            let width = word.chars().count() + 2;
            if !self.found.iter().any(|f| f.position == position) {
                self.error(names::UNKNOWN_VALUE, position, width, message, help);
            }
        }
    }

    /// The quoted word on the line of a case that is none of the known ones.
    fn word_before(&self, at: Position, words: &[&str]) -> Option<(String, Position)> {
        let number = at.line()?;
        let line = self.text.lines().nth(number.checked_sub(1)?)?;
        let before: String = line.chars().take(at.position()?).collect();
        let mut column = 1;
        for (index, part) in before.split(['"', '\'']).enumerate() {
            if index % 2 == 1 && !words.contains(&part) {
                let column = u16::try_from(column - 1).ok()?;
                return Some((part.to_owned(), Position::new(u16::try_from(number).ok()?, column)));
            }
            column += part.chars().count() + 1;
        }
        None
    }
}

/// The hashes under which `switch` keeps these words.
fn hashes_of(words: &[&str]) -> BTreeSet<u64> {
    let arms: Vec<String> = words.iter().map(|w| format!("\"{w}\" => 0")).collect();
    let script = format!("switch x {{ {} }}", arms.join(", "));
    let Ok(ast) = parser().compile_expression(script) else { return BTreeSet::new() };
    let statement = ast.statements().first();
    let switch = match statement {
        Some(Stmt::Expr(expr)) => match expr.as_ref() {
            Expr::Stmt(block) => block.statements().first(),
            _ => None,
        },
        other => other,
    };
    match switch {
        Some(Stmt::Switch(parts, _)) => parts.1.cases.keys().copied().collect(),
        _ => BTreeSet::new(),
    }
}
