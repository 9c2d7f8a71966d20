//! Types as the checker sees them.

use crate::engine::plan::FieldValue;
use crate::engine::schema::{Field, Type, find_record};

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ty {
    pub kind: Kind,
    /// The value may be `()`.
    pub maybe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Anything; nothing is said about it.
    Unknown,
    /// `()`.
    Nothing,
    Of(Type),
    /// A list written in place; `None` when its items are of several types.
    List(Option<Type>),
}

pub(crate) const UNKNOWN: Ty = Ty { kind: Kind::Unknown, maybe: false };
pub(crate) const NOTHING: Ty = Ty { kind: Kind::Nothing, maybe: false };
pub(crate) const BOOL: Ty = of(Type::Bool);

pub(crate) const fn of(ty: Type) -> Ty {
    Ty { kind: Kind::Of(ty), maybe: false }
}

impl Ty {
    /// Anything.
    pub const fn unknown() -> Self {
        UNKNOWN
    }

    /// The words it can be, if it is one out of a closed list.
    pub const fn words(self) -> Option<&'static [&'static str]> {
        match self.kind {
            Kind::Of(Type::Enum(words)) => Some(words),
            _ => None,
        }
    }

    pub const fn optional(mut self, maybe: bool) -> Self {
        self.maybe = maybe;
        self
    }

    pub fn is_unknown(self) -> bool {
        self.kind == Kind::Unknown
    }

    pub fn is(self, ty: Type) -> bool {
        self.kind == Kind::Of(ty)
    }

    pub fn is_text(self) -> bool {
        matches!(self.kind, Kind::Of(Type::Text | Type::Enum(_)))
    }

    pub fn is_list(self) -> bool {
        matches!(self.kind, Kind::Of(Type::List(_) | Type::Texts | Type::Steps) | Kind::List(_))
    }

    /// What the items of a list are; `None` when it is no list.
    pub fn item(self) -> Option<Self> {
        match self.kind {
            Kind::Of(Type::List(record)) => Some(of(Type::Record(record))),
            Kind::Of(Type::Texts) => Some(of(Type::Text)),
            Kind::List(Some(ty)) => Some(of(ty)),
            Kind::Unknown | Kind::List(None) | Kind::Of(Type::Steps) => Some(UNKNOWN),
            _ => None,
        }
    }

    /// A value that is no record and no list of them.
    pub fn is_plain(self) -> bool {
        !matches!(self.kind, Kind::Of(Type::Record(_) | Type::List(_) | Type::Steps | Type::TextMap))
    }

    pub fn is_number(self) -> bool {
        matches!(self.kind, Kind::Of(Type::Int | Type::Float))
    }

    /// Something that reads well inside a text.
    pub fn is_printable(self) -> bool {
        !matches!(
            self.kind,
            Kind::Of(Type::Record(_) | Type::List(_) | Type::Texts | Type::Steps | Type::TextMap) | Kind::List(_) | Kind::Nothing
        )
    }

    /// Either of two values.
    pub fn or(self, other: Self) -> Self {
        let maybe = self.maybe || other.maybe || self.kind == Kind::Nothing || other.kind == Kind::Nothing;
        let kind = match (self.kind, other.kind) {
            (a, b) if a == b => return Self { kind: a, maybe: self.maybe || other.maybe },
            (Kind::Nothing, kind) | (kind, Kind::Nothing) => kind,
            _ if self.is_text() && other.is_text() => Kind::Of(Type::Text),
            _ => return UNKNOWN,
        };
        Self { kind, maybe }
    }

    /// Whether the two can ever be equal.
    pub fn comparable(self, other: Self) -> bool {
        match (self.kind, other.kind) {
            (Kind::Unknown | Kind::Nothing, _) | (_, Kind::Unknown | Kind::Nothing) => true,
            _ if self.is_list() && other.is_list() => true,
            (a, b) => a == b || (self.is_text() && other.is_text()) || (self.is_number() && other.is_number()),
        }
    }

    /// Whether the value can be used where `wanted` is asked for.
    pub fn fits(self, wanted: Self) -> bool {
        if self.is_unknown() || wanted.is_unknown() {
            return true;
        }
        if self.kind == Kind::Nothing {
            return wanted.maybe || wanted.kind == Kind::Nothing;
        }
        if self.maybe && !wanted.maybe {
            return false;
        }
        match (self.kind, wanted.kind) {
            (Kind::List(_), Kind::Of(Type::List(_) | Type::Steps)) => true,
            (Kind::List(Some(Type::Text | Type::Enum(_)) | None), Kind::Of(Type::Texts)) => true,
            (a, b) => a == b || (self.is_text() && wanted.is_text()),
        }
    }

    /// What it is, with its article.
    pub fn describe(self) -> String {
        let text = match self.kind {
            Kind::Unknown => "something",
            Kind::Nothing => "nothing (`()`)",
            Kind::List(_) => "a list",
            Kind::Of(ty) => return describe(ty),
        };
        text.to_owned()
    }
}

/// Whether a field can hold a value that a script has made.
pub(crate) fn of_field_value(field: &Field, value: &FieldValue) -> bool {
    match (field.ty, value) {
        (_, FieldValue::Nothing) => field.optional,
        (Type::Enum(words), FieldValue::Text(text)) => words.contains(&text.as_str()),
        (Type::Bool, FieldValue::Bool(_))
        | (Type::Int, FieldValue::Int(_))
        | (Type::Text, FieldValue::Text(_))
        | (Type::Time, FieldValue::Time { .. }) => true,
        _ => false,
    }
}

pub(crate) fn describe(ty: Type) -> String {
    let text = match ty {
        Type::Bool => "true or false",
        Type::Int => "a whole number",
        Type::Float => "a number",
        Type::Text => "text",
        Type::Enum(_) => "a word out of a list",
        Type::Time => "a time",
        Type::Duration => "a duration",
        Type::TextMap => "a map of texts",
        Type::Record(name) => return format!("a {name}"),
        Type::Texts => "a list of texts",
        Type::Steps => "a list of steps",
        Type::List(name) => return format!("a list of {name}s"),
    };
    text.to_owned()
}

/// A type as a script's signature writes it: `int`, `contact`, `booking?`, `[touchpoint]`.
pub(crate) fn parse_type(text: &str) -> Option<Ty> {
    if let Some(inner) = text.strip_suffix('?') {
        return Some(parse_type(inner)?.optional(true));
    }
    if let Some(item) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return match item.trim() {
            "step" => Some(of(Type::Steps)),
            "string" | "text" => Some(of(Type::Texts)),
            record => find_record(record).map(|r| of(Type::List(r.name))),
        };
    }
    let name = if text == "text" { "string" } else { text };
    let plain = Type::PLAIN.iter().find(|(known, _)| *known == name).map(|(_, ty)| *ty);
    plain.or_else(|| find_record(name).map(|r| Type::Record(r.name))).map(of)
}
