//! How a command ends.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; for checks: nothing found.
    Done,
    /// Problems or a difference found.
    Found,
    /// Bad usage, unreadable file, no database, server unreachable.
    CouldNotRun,
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::CouldNotRun => 2,
            Exit::Interrupted => 130,
        })
    }
}
