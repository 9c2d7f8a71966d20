//! Walks a parsed expression and gives each part its type; chains of dots are in `chain`.

use super::Environment;
use super::scope::Scope;
use super::ty::{BOOL, Kind, NOTHING, Ty, UNKNOWN, of};
use crate::engine::diagnostic::{Severity, names};
use crate::engine::schema::{Type, find_record};
use crate::engine::syntax::{did_you_mean, list_of};
use rhai::{Expr, Position};

/// A problem at a place in the expression's or script's text.
#[derive(Debug)]
pub(crate) struct Finding {
    pub code: &'static str,
    pub severity: Severity,
    pub position: Position,
    pub width: usize,
    pub message: String,
    pub help: Option<String>,
}

/// Checks one expression or function.
pub(crate) struct Walker<'a> {
    pub env: &'a Environment<'a>,
    pub scope: Scope,
    /// The text that positions refer to.
    pub text: &'a str,
    pub in_script: bool,
    pub found: Vec<Finding>,
    /// Dotted paths, in order of appearance.
    pub reads: Vec<String>,
    /// What a function gives back, at each `return`.
    pub returns: Vec<(Ty, Position)>,
}

impl<'a> Walker<'a> {
    pub fn new(env: &'a Environment<'a>, scope: Scope, text: &'a str, in_script: bool) -> Self {
        Self { env, scope, text, in_script, found: Vec::new(), reads: Vec::new(), returns: Vec::new() }
    }

    pub fn expr(&mut self, expr: &Expr) -> Ty {
        match expr {
            Expr::BoolConstant(..) => BOOL,
            Expr::IntegerConstant(..) => of(Type::Int),
            Expr::FloatConstant(..) => of(Type::Float),
            Expr::CharConstant(..) | Expr::StringConstant(..) => of(Type::Text),
            Expr::InterpolatedString(parts, _) => {
                for part in parts {
                    self.expr(part);
                }
                of(Type::Text)
            }
            Expr::Array(items, _) => self.array(items),
            Expr::Unit(_) => NOTHING,
            Expr::Variable(..) => self.operand(expr).ty,
            Expr::Stmt(block) => self.block(block.statements()).ty,
            Expr::FnCall(call, position) => self.call(call, *position),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expr).ty,
            Expr::And(parts, _) => self.logic(parts, true),
            Expr::Or(parts, _) => self.logic(parts, false),
            Expr::Coalesce(parts, _) => self.coalesce(parts),
            Expr::Map(parts, position) => {
                if !self.in_script {
                    self.error(names::NOT_ALLOWED, *position, 2, "maps cannot be used in expressions", None);
                }
                for (_, value) in &parts.0 {
                    self.expr(value);
                }
                UNKNOWN
            }
            Expr::DynamicConstant(_, position) => {
                self.error(names::NOT_ALLOWED, *position, 1, "anonymous functions (`|x| …`) are not available", None);
                UNKNOWN
            }
            _ => UNKNOWN,
        }
    }

    fn array(&mut self, items: &[Expr]) -> Ty {
        let mut types = items.iter().map(|item| self.expr(item).kind).collect::<Vec<_>>().into_iter();
        let first = types.next();
        let same = types.all(|kind| Some(kind) == first);
        match first {
            Some(Kind::Of(ty)) if same => Ty { kind: Kind::List(Some(ty)), maybe: false },
            _ => Ty { kind: Kind::List(None), maybe: false },
        }
    }

    pub(super) fn variable(&mut self, name: &str, position: Position) -> Ty {
        if let Some(item) = self.scope.other_booking.clone().filter(|_| name == "booking") {
            let help = format!("write `{item}`; what you need of the rule's own booking, keep in `vars`");
            let message = format!("`booking` could be two here: the rule's own, and `{item}`, which these steps are about");
            self.error(names::NO_RECORD, position, name.chars().count(), message, Some(help));
            return UNKNOWN;
        }
        if let Some(ty) = self.scope.find(name) {
            return ty;
        }
        let (message, help) = if find_record(name).is_some() && !self.in_script {
            let help = format!("this rule listens to {}; available here: {}", self.scope.because, list_of(&self.scope.names()));
            (format!("there is no `{name}` here"), Some(help))
        } else if self.scope.later.iter().any(|later| later == name) {
            let help = "use it in the `if` of a step".to_owned();
            (format!("`{name}` has no value yet: `vars` are worked out after the rule's `if`"), Some(help))
        } else {
            let help = did_you_mean(name, &self.scope.names(), "text needs quotes; names available here");
            (format!("`{name}` is not a name that can be read here"), help)
        };
        self.error(names::UNKNOWN_VARIABLE, position, name.chars().count(), message, help);
        UNKNOWN
    }

    fn logic(&mut self, parts: &[Expr], truth: bool) -> Ty {
        let mark = self.scope.mark();
        for part in parts {
            self.condition(part);
            self.learn(part, truth);
        }
        self.scope.reset(mark);
        BOOL
    }

    fn coalesce(&mut self, parts: &[Expr]) -> Ty {
        let mut types = parts.iter().map(|part| self.expr(part)).collect::<Vec<_>>().into_iter();
        let mut result = types.next().unwrap_or(UNKNOWN);
        for ty in types {
            let always = !ty.maybe && ty.kind != Kind::Nothing;
            result = result.or(ty);
            if always {
                result.maybe = false;
            }
        }
        result
    }

    /// A value that must be true or false.
    pub fn condition(&mut self, expr: &Expr) {
        let ty = self.expr(expr);
        if !ty.is_unknown() && !ty.is(Type::Bool) {
            let at = start_of(expr);
            let help = Some("compare it with something, such as `== \"yes\"` or `> 0`".to_owned());
            let message = format!("a condition is true or false, and this is {}", ty.describe());
            let width = self.width_at(at);
            self.error(names::NOT_BOOLEAN, at, width, message, help);
        }
    }

    pub fn error(
        &mut self,
        code: &'static str,
        position: Position,
        width: usize,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.found.push(Finding { code, severity: Severity::Error, position, width, message: message.into(), help });
    }

    pub fn warning(&mut self, code: &'static str, position: Position, width: usize, message: impl Into<String>) {
        let message = message.into();
        self.found.push(Finding { code, severity: Severity::Warning, position, width, message, help: None });
    }

    /// How many characters the word, path, number or quoted text at a place has.
    pub fn width_at(&self, position: Position) -> usize {
        token_width(self.text, position)
    }
}

/// Where an expression begins: the operand, not the operator.
pub(super) fn start_of(expr: &Expr) -> Position {
    let first = match expr {
        Expr::FnCall(call, own) if call.is_operator_call() || call.name == "contains" => {
            return call.args.iter().map(start_of).chain([*own]).min().unwrap_or(*own);
        }
        Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => parts.first(),
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => Some(&parts.lhs),
        _ => None,
    };
    first.map_or_else(|| expr.start_position(), start_of)
}

pub(super) fn token_width(text: &str, position: Position) -> usize {
    let line = text.lines().nth(position.line().unwrap_or(1).saturating_sub(1)).unwrap_or("");
    let rest: Vec<char> = line.chars().skip(position.position().unwrap_or(1).saturating_sub(1)).collect();
    let width = match rest.first() {
        Some(quote @ ('"' | '\'' | '`')) => rest.iter().skip(1).position(|c| c == quote).map_or(rest.len(), |end| end + 2),
        Some(c) if c.is_alphanumeric() || *c == '_' => {
            rest.iter().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).count()
        }
        Some(_) => rest.iter().take_while(|c| "=<>!&|+-*/%?".contains(**c)).count(),
        None => 1,
    };
    width.max(1)
}
