//! Walks a parsed expression and gives each part its type.

use super::Environment;
use super::scope::Scope;
use super::ty::{BOOL, Kind, NOTHING, Ty, UNKNOWN, of};
use crate::engine::diagnostic::{Severity, names};
use crate::engine::functions::PROPERTIES;
use crate::engine::schema::{Field, Type, find_record};
use crate::engine::syntax::{did_you_mean, list_of};
use rhai::{ASTFlags, Expr, Position};

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

/// A value on the way along a chain of dots.
pub(super) struct Link {
    pub ty: Ty,
    /// `contact.next_booking`, as far as it is a plain path.
    pub path: Option<String>,
    pub position: Position,
    /// Index of the path among those read, when it was this chain that put it there.
    pub read: Option<usize>,
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

    fn variable(&mut self, name: &str, position: Position) -> Ty {
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

    /// A value that an operator or a function takes.
    pub(super) fn operand(&mut self, expr: &Expr) -> Link {
        let link = self.chain(expr);
        self.note_name(&link);
        link
    }

    pub(super) fn chain(&mut self, expr: &Expr) -> Link {
        match expr {
            Expr::Dot(parts, flags, _) => {
                let base = self.chain(&parts.lhs);
                self.follow(base, flags.contains(ASTFlags::NEGATED), &parts.rhs)
            }
            Expr::Index(parts, flags, _) => {
                let base = self.chain(&parts.lhs);
                self.index(base, &parts.rhs, *flags)
            }
            Expr::Variable(name, _, position) => {
                Link { ty: self.variable(&name.1, *position), path: Some(name.1.to_string()), position: *position, read: None }
            }
            other => Link { ty: self.expr(other), path: None, position: start_of(other), read: None },
        }
    }

    /// Goes from a value along the part after the dot; `safe` for `?.`.
    fn follow(&mut self, base: Link, safe: bool, next: &Expr) -> Link {
        match next {
            Expr::Property(name, position) => self.property(base, &name.2, *position, safe),
            Expr::MethodCall(call, position) => {
                let start = base.position;
                Link { ty: self.method(&base, call, *position), path: None, position: start, read: None }
            }
            Expr::Dot(parts, flags, _) => {
                let link = self.follow(base, safe, &parts.lhs);
                self.follow(link, flags.contains(ASTFlags::NEGATED), &parts.rhs)
            }
            Expr::Index(parts, flags, _) => {
                let link = self.follow(base, safe, &parts.lhs);
                self.index(link, &parts.rhs, *flags)
            }
            other => Link { ty: self.expr(other), path: None, position: base.position, read: None },
        }
    }

    fn index(&mut self, base: Link, index: &Expr, flags: ASTFlags) -> Link {
        let item = |base: &Link| {
            let ty = match base.ty.kind {
                Kind::Of(Type::List(record)) => of(Type::Record(record)),
                Kind::Of(Type::TextMap) => of(Type::Text).optional(true),
                Kind::List(Some(ty)) => of(ty),
                _ => UNKNOWN,
            };
            Link { ty, path: None, position: base.position, read: None }
        };
        self.require(&base, "cannot be indexed");
        match index {
            Expr::Dot(parts, inner, _) if !flags.contains(ASTFlags::BREAK) => {
                self.expr(&parts.lhs);
                self.follow(item(&base), inner.contains(ASTFlags::NEGATED), &parts.rhs)
            }
            Expr::Index(parts, inner, _) if !flags.contains(ASTFlags::BREAK) => {
                self.expr(&parts.lhs);
                self.index(item(&base), &parts.rhs, *inner)
            }
            other => {
                self.expr(other);
                item(&base)
            }
        }
    }

    fn property(&mut self, base: Link, name: &str, position: Position, safe: bool) -> Link {
        let path = base.path.as_ref().map(|p| format!("{p}.{name}"));
        let maybe_base = base.ty.maybe;
        if !safe {
            self.require(&base, "so it has no fields then");
        }
        let mut ty = match base.ty.kind {
            Kind::Unknown => UNKNOWN,
            Kind::Of(Type::Record(record)) => self.record_field(record, name, position),
            Kind::Of(Type::TextMap) => of(Type::Text).optional(true),
            _ => self.plain_property(base.ty, name, position),
        };
        let mut read = None;
        if let Some(path) = &path {
            if matches!(base.ty.kind, Kind::Of(Type::Record(_) | Type::TextMap | Type::Time)) {
                read = self.note_read(path, base.read);
            }
            ty.maybe &= !self.scope.is_present(path);
        }
        ty.maybe |= safe && maybe_base;
        Link { ty, path, position: base.position, read }
    }

    /// Remembers a path; a longer one takes the place of the beginning it grew from.
    fn note_read(&mut self, path: &str, grown_from: Option<usize>) -> Option<usize> {
        let known = self.reads.iter().any(|r| r == path);
        match grown_from {
            Some(index) if known => {
                self.reads.remove(index);
                None
            }
            Some(index) => {
                path.clone_into(&mut self.reads[index]);
                Some(index)
            }
            None if known => None,
            None => {
                self.reads.push(path.to_owned());
                Some(self.reads.len() - 1)
            }
        }
    }

    /// A name that is read for itself, not for one of its fields.
    fn note_name(&mut self, link: &Link) {
        let plain = link.path.as_ref().filter(|path| !path.contains('.'));
        let telling = link.ty.maybe || !matches!(link.ty.kind, Kind::Of(Type::Record(_)) | Kind::Unknown);
        if let Some(name) = plain.filter(|_| telling && !self.in_script) {
            self.note_read(name, None);
        }
    }

    fn record_field(&mut self, record: &'static str, name: &str, position: Position) -> Ty {
        let fields: &[Field] = find_record(record).map_or(&[], |r| r.fields);
        if let Some(field) = fields.iter().find(|f| f.name == name) {
            return of(field.ty).optional(field.optional);
        }
        let all: Vec<&str> = fields.iter().map(|f| f.name).collect();
        let help = did_you_mean(name, &all, "its fields are");
        self.error(names::UNKNOWN_FIELD, position, name.chars().count(), format!("a {record} has no field `{name}`"), help);
        UNKNOWN
    }

    fn plain_property(&mut self, base: Ty, name: &str, position: Position) -> Ty {
        let same = |of: Type| match (base.kind, of) {
            (Kind::Of(Type::Enum(_)), Type::Text) | (Kind::List(_) | Kind::Of(Type::List(_)), Type::List(_)) => true,
            (kind, of) => kind == Kind::Of(of),
        };
        if let Some(property) = PROPERTIES.iter().find(|p| p.name == name && same(p.of)) {
            return of(property.result);
        }
        let known: Vec<&str> = PROPERTIES.iter().filter(|p| same(p.of)).map(|p| p.name).collect();
        let help = did_you_mean(name, &known, "it has");
        let message = format!("{} has no field `{name}`", base.describe());
        self.error(names::UNKNOWN_FIELD, position, name.chars().count(), message, help);
        UNKNOWN
    }

    /// Reports a value that may be missing where it must not be.
    pub(super) fn require(&mut self, link: &Link, consequence: &str) {
        if !link.ty.maybe {
            return;
        }
        let (name, help) = match &link.path {
            Some(path) => {
                (format!("`{path}`"), format!("test it first: `{path} != () and …`, or an `if` line of its own before this one"))
            }
            None => ("this".to_owned(), "give a stand-in that is always there: `… ?? value`".to_owned()),
        };
        let message = format!("{name} may be missing ({}), {consequence}", link.ty.describe());
        let help = Some(help);
        let width = link.path.as_ref().map_or(1, |p| p.chars().count());
        self.error(names::MAYBE_MISSING, link.position, width, message, help);
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
