//! Settings: `config/default.yaml`, then `config/<ENVIRONMENT>.yaml`, then the environment. Everything is checked before
//! anything starts, and all problems are reported at once.

pub mod backup;
pub mod clinic;
mod clock_time;
pub mod database;
mod document;
mod environment;
pub mod jobs;
pub mod keywords;
mod lists;
mod parse;
pub mod pipelines;
mod problem;
mod reader;
pub mod rules;
mod secret;
pub mod secrets;
mod sender;
pub mod server;
pub mod sms;

pub use backup::{BackupSettings, Keep};
pub use clinic::load_clinic;
pub use database::{DatabaseSettings, DatabaseUrl, Retention};
pub use environment::{Environment, Stage};
pub use jobs::JobSettings;
pub use keywords::load_keywords;
pub use pipelines::load_pipelines;
pub use problem::{ConfigProblem, nearest};
pub use reader::Explained;
pub use rules::{RuleSettings, RulesReload};
pub use secret::{Secret, SecretList};
pub use secrets::Secrets;
pub use sender::Warning;
pub use server::{LogFormat, ServerLimits, ServerSettings};
pub use sms::{SmsProvider, SmsSettings};

use crate::domain::clinic::Clinic;
use crate::domain::pipeline::Pipelines;
use reader::Reader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that can be set, checked.
#[derive(Clone)]
pub struct Settings {
    pub stage: Stage,
    /// Where `clinic.yaml`, `keywords.yaml`, `pipelines.yaml` and `webhooks.yaml` are.
    pub config_dir: PathBuf,
    pub server: ServerSettings,
    pub database: DatabaseSettings,
    pub backup: BackupSettings,
    pub rules: RuleSettings,
    pub sms: SmsSettings,
    pub jobs: JobSettings,
    pub secrets: Secrets,
    pub clinic: Arc<Clinic>,
    pub pipelines: Arc<Pipelines>,
    explained: Vec<Explained>,
}

impl Settings {
    /// Reads and checks every setting. Relative paths are relative to `working_dir`.
    ///
    /// # Errors
    /// All problems of all sections, in the order of files and lines.
    pub fn load(environment: &Environment, working_dir: &Path) -> Result<Self, Vec<ConfigProblem>> {
        let mut reader = Reader::open(environment, working_dir);
        let settings = Self::read(&mut reader);
        let (problems, explained) = reader.finish();
        match settings {
            Some(settings) if problems.is_empty() => Ok(Self { explained, ..settings }),
            _ => Err(problems),
        }
    }

    /// What can be used and should not stay so.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        sender::warnings(&self.sms)
    }

    /// Each value in force with its origin; secrets are redacted.
    #[must_use]
    pub fn explain(&self) -> &[Explained] {
        &self.explained
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        let server = ServerSettings::read(reader);
        let database = DatabaseSettings::read(reader);
        let backup = BackupSettings::read(reader, &database.url);
        let rules = RuleSettings::read(reader);
        let sms = SmsSettings::read(reader);
        let jobs = JobSettings::read(reader);
        let secrets = Secrets::read(reader, sms.provider);
        let clinic = clinic::read(reader);
        let pipelines = pipelines::read(reader);
        Some(Self {
            stage: reader.stage,
            config_dir: reader.config_dir.clone(),
            server,
            database,
            backup,
            rules,
            sms,
            jobs,
            secrets,
            clinic: Arc::new(clinic?),
            pipelines: Arc::new(pipelines?),
            explained: Vec::new(),
        })
    }
}
