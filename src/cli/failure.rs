//! Why a command could not run, and what to do about it.

use super::parts::{Parts, PartsError};
use super::runtime::block_on;
use super::{Context, Exit};
use crate::automation::rulesets::{RulesetError, SourceError};
use crate::automation::staff::StaffError;
use crate::config::{DatabaseUrl, Settings};
use crate::store::StoreError;

/// Ends a command with [`Exit::CouldNotRun`].
#[derive(Debug)]
pub struct Failure {
    message: String,
    help: Option<String>,
    /// What is wrong has been told already.
    told: Option<Exit>,
}

/// What commands give: how they end, or why they could not run.
pub type Done = Result<Exit, Failure>;

const LOOK_AROUND: &str = "`avatar doctor` looks at everything a running clinic needs";
const MIGRATE: &str = "make it with `avatar db migrate`";

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, told: None }
    }

    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Failure {
    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl From<Exit> for Failure {
    fn from(exit: Exit) -> Self {
        Self { told: Some(exit), ..Self::new("") }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string()).with_help(LOOK_AROUND)
    }
}

impl From<PartsError> for Failure {
    fn from(error: PartsError) -> Self {
        Self::new(error.to_string()).with_help(LOOK_AROUND)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::new(error.to_string()).with_help("RULES_DIR and SMS_TEMPLATES_DIR say where the files are: `avatar config show`")
    }
}

impl From<RulesetError> for Failure {
    fn from(error: RulesetError) -> Self {
        match error {
            RulesetError::Store(error) => error.into(),
            RulesetError::Source(error) => error.into(),
            RulesetError::NotClean(_) => Self::new(error.to_string()).with_help("`avatar rules check` shows them"),
            RulesetError::Unknown(_) => Self::new(error.to_string()),
        }
    }
}

impl From<StaffError> for Failure {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::Store(error) => error.into(),
            other => Self::new(other.to_string()),
        }
    }
}

impl Context<'_> {
    /// Tells a failure, and ends with it.
    pub(super) fn end(&self, done: Done) -> Exit {
        done.unwrap_or_else(|failure| {
            failure.told.unwrap_or_else(|| {
                self.output.error(&failure.message, failure.help.as_deref());
                Exit::CouldNotRun
            })
        })
    }

    /// Runs a command that works on a database that is there and up to date.
    pub(super) fn on_database(&self, work: impl AsyncFnOnce(&Parts) -> Done) -> Exit {
        self.end(self.ready_parts().and_then(|parts| wait_for(Box::pin(work(&parts)))))
    }

    /// Opens a database that is there and has every migration. Nothing is made or changed.
    fn ready_parts(&self) -> Result<Parts, Failure> {
        let settings = self.settings()?;
        refuse_missing(&settings)?;
        let parts = Parts::open(settings, self.environment)?;
        let missing = parts.store.migration_status()?.iter().filter(|(_, applied)| !applied).count();
        if missing > 0 {
            let message = format!("the database {} lacks {missing} migrations", parts.settings.database.url);
            return Err(Failure::new(message).with_help("bring it up to date with `avatar db migrate`"));
        }
        Ok(parts)
    }
}

/// Waits for a command's work.
pub(super) fn wait_for(work: impl Future<Output = Done>) -> Done {
    block_on(work).map_err(|error| Failure::new(error.to_string()))?
}

/// Opening SQLite would make the file.
pub(super) fn refuse_missing(settings: &Settings) -> Result<(), Failure> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) if !path.exists() => {
            Err(Failure::new(format!("there is no database {}", settings.database.url)).with_help(MIGRATE))
        }
        _ => Ok(()),
    }
}
