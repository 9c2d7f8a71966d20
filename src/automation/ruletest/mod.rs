//! Runs the tests of rules: each in a clinic of its own, in memory, with a clock of its own. No text leaves the machine.

mod compare;
mod coverage;
mod differ;
mod event;
mod given;
mod mask;
mod play;
mod rewrite;
mod save;
mod suite;
mod table;
mod why_not;

pub use coverage::{Coverage, Gap};
pub use differ::tell;
pub use rewrite::{Rewrite, rewrite};
pub use save::{NotSaved, Saved, appended, can_be_saved, load as load_saved};
pub use suite::{FileResult, Suite, TestResult};

use crate::automation::simulate::{Happening, Ran};
use crate::domain::time::Timestamp;

/// Why a test failed, at one of its steps.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Of the expectation.
    pub line: usize,
    pub column: usize,
    /// When it was, in the test.
    pub at: Timestamp,
    /// One line: what is wrong.
    pub message: String,
    /// Listed, and did not happen.
    pub missing: Vec<Missing>,
    /// Happened, and is not listed.
    pub unexpected: Vec<Happening>,
    /// What did happen as expected.
    pub matched: Vec<Happening>,
    /// Everything since the step before, for `--update`; `None` when no expectation failed but the step itself.
    pub happened: Option<Vec<Happening>>,
}

/// Something that was expected and did not happen.
#[derive(Clone, Debug)]
pub struct Missing {
    /// As it was written.
    pub what: String,
    pub line: usize,
    /// Why the rule that would have done it did not.
    pub why: Vec<String>,
}

/// What a step has to be judged by.
struct Since<'s> {
    happened: &'s [Happening],
    ran: &'s [Ran],
}
