//! A candidate ruleset is checked and tried out before it can be in force: in a process of its own, with limits, so that nothing
//! that somebody saves can take the serving process down.

mod child;
mod wire;

pub use child::{CHILD_ARGUMENTS, answer};

use crate::engine::diagnostic::Diagnostic;
use crate::engine::{Catalogue, Severity, Sources};
use std::path::PathBuf;

/// Where candidates are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Checking {
    /// In this process, within the engine's own limits: for tests, and where there is no program to start.
    #[default]
    Here,
    /// In a process of its own: this program, started with [`CHILD_ARGUMENTS`].
    Child(PathBuf),
}

/// What the child says against the candidate; empty when it may be compiled here. Blocks until the child has ended.
pub(super) fn vet(program: &std::path::Path, sources: &Sources, catalogue: &Catalogue) -> Vec<Diagnostic> {
    match child::ask(program, sources, catalogue) {
        Ok(diagnostics) if diagnostics.iter().any(|d| d.severity == Severity::Error) => diagnostics,
        Ok(_) => Vec::new(),
        Err(stopped) => vec![stopped.diagnostic(sources)],
    }
}
