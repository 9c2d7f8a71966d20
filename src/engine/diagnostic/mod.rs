//! One problem in a file that people wrote: where it is, what is wrong, what to write instead.

mod codes;
mod examples;
mod github;
mod render;
mod sarif;
mod whole_codes;

pub use codes::{Code, codes, explain};
pub use examples::{AND_SO_ON, Example, example_of, examples};
pub use render::{Format, render};

pub use codes::CHECK_STOPPED;
pub(crate) use codes::names;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
}

/// Codes: `R` rules, `S` scripts, `T` templates, `C` configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub code: String,
    pub severity: Severity,
    /// Relative path with `/`, such as `rules/bookings.yaml`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters of that line the problem covers; at least 1.
    pub width: usize,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}
