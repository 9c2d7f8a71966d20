//! Values reached by dots and brackets: `contact.next_booking.date`, `now.plus_days(2)`, `list[0]`.

use super::ty::{Kind, Ty, UNKNOWN, of};
use super::walk::{Walker, start_of};
use crate::engine::diagnostic::names;
use crate::engine::functions::PROPERTIES;
use crate::engine::schema::{Field, Type, find_record};
use crate::engine::syntax::did_you_mean;
use rhai::{ASTFlags, Expr, Position};

/// A value on the way along a chain of dots.
pub(super) struct Link {
    pub ty: Ty,
    /// `contact.next_booking`, as far as it is a plain path.
    pub path: Option<String>,
    pub position: Position,
    /// Index of the path among those read, when it was this chain that put it there.
    pub read: Option<usize>,
}

impl Walker<'_> {
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
                Kind::Of(Type::TextMap) => of(Type::Text).optional(true),
                _ => base.ty.item().unwrap_or(UNKNOWN),
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
            (Kind::Of(Type::Enum(_)), Type::Text) => true,
            (_, Type::List(_)) => base.is_list(),
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
}
