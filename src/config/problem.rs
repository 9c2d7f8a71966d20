//! One problem in the settings, told so that the reader can fix it.

use serde::Serialize;
use std::fmt;

/// Suggestions must be at least this similar to what was written.
const SIMILARITY_MIN: f64 = 0.8;

/// What is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ConfigProblem {
    /// A path such as `config/default.yaml`, or `environment` for variables.
    pub file: String,
    /// From 1; 0 when the problem has no place in a file.
    pub line: usize,
    /// From 1, in characters; 0 when the problem has no place in a file.
    pub column: usize,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  = {help}"),
            None => Ok(()),
        }
    }
}

/// The candidate that `written` was probably meant to be.
#[must_use]
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::jaro_winkler(&written, &c.to_lowercase()), c))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A hint that names the nearest candidate, or all of them when none is near.
pub(super) fn hint<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(written, candidates.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be: {}", candidates.into_iter().collect::<Vec<_>>().join(", ")),
    }
}
