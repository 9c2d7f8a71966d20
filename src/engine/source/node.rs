//! The tree of a YAML file.

use saphyr_parser::ScalarStyle;

/// A place in a file: line and column from 1, in characters; width at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
    pub width: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub at: Place,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    /// `true` when written with braces.
    Map(Vec<Entry>, bool),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: Scalar,
    pub value: Node,
}

/// A scalar with its style, so that a place inside of it can be found again.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub text: String,
    /// Where it begins, with its quote.
    pub at: Place,
    pub style: ScalarStyle,
    /// Inside `{ }` or `[ ]`, where a comma ends a plain value.
    pub in_flow: bool,
}

impl Scalar {
    /// Stands for what was not written.
    pub fn nothing() -> Self {
        let at = Place { line: 1, column: 1, width: 1 };
        Self { text: String::new(), at, style: ScalarStyle::Plain, in_flow: false }
    }

    /// Nothing written, or YAML's words for it.
    pub fn is_null(&self) -> bool {
        self.style == ScalarStyle::Plain && matches!(self.text.as_str(), "" | "~" | "null")
    }

    pub fn is_plain(&self) -> bool {
        self.style == ScalarStyle::Plain
    }
}

impl Node {
    /// How many values it is, with everything inside.
    pub fn count(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar(_) => 0,
            Kind::List(items) => items.iter().map(Self::count).sum(),
            Kind::Map(entries, _) => entries.iter().map(|e| e.value.count()).sum(),
        }
    }

    /// What it is, for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(scalar) if scalar.is_null() => "nothing",
            Kind::Scalar(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(..) => "a map",
        }
    }
}
