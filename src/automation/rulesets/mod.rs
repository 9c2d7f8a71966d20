//! Rulesets: from files on disk, through the checker, into the database, in force.
//!
//! What is in force is a row in the database; every node follows it. A draft that does not check clean changes nothing and says
//! why. A restart with broken files goes on with what was in force.

mod sources;
mod watch;

pub use sources::{SourceError, read_sources};
pub use watch::{Watching, watch};

use crate::domain::clock::SharedClock;
use crate::domain::job::NewJob;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::diagnostic::Diagnostic;
use crate::engine::{Catalogue, Ruleset, Severity, Sources, compile};
use crate::store::{Store, StoreError, StoreResult, Tx, jobs, rulesets};
use arc_swap::ArcSwapOption;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The ruleset that evaluations use. One evaluation uses one of these from beginning to end.
pub struct InForce {
    /// Shown to people as `r<number>`.
    pub number: i64,
    pub published_at: Timestamp,
    pub ruleset: Ruleset,
}

/// What the files on disk look like to the checker.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub hash: String,
    pub clean: bool,
    pub diagnostics: Vec<Diagnostic>,
    pub checked_at: Option<Timestamp>,
}

/// Where people write, and when a clean draft goes in force.
#[derive(Clone, Debug)]
pub struct RulesetOptions {
    pub rules_dir: PathBuf,
    pub templates_dir: PathBuf,
    /// A clean draft is in force at once; otherwise it waits for `publish`.
    pub auto: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum RulesetError {
    #[error("{} problems in the rule files; nothing was changed", .0.diagnostics.iter().filter(|d| d.severity == Severity::Error).count())]
    NotClean(Box<Draft>),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no ruleset r{0}")]
    Unknown(i64),
}

/// Holds what is in force and knows the draft.
pub struct RulesetHost {
    store: Store,
    clock: SharedClock,
    catalogue: Catalogue,
    options: RulesetOptions,
    current: ArcSwapOption<InForce>,
    draft: Mutex<Draft>,
    /// Publishing and following never overlap.
    turn: tokio::sync::Mutex<()>,
}

impl RulesetHost {
    pub fn new(store: Store, clock: SharedClock, catalogue: Catalogue, options: RulesetOptions) -> Arc<Self> {
        let host = Self {
            store,
            clock,
            catalogue,
            options,
            current: ArcSwapOption::empty(),
            draft: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
        };
        Arc::new(host)
    }

    /// What is in force; `None` until the first ruleset was published.
    pub fn current(&self) -> Option<Arc<InForce>> {
        self.current.load_full()
    }

    pub fn draft(&self) -> Draft {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub const fn options(&self) -> &RulesetOptions {
        &self.options
    }

    /// Brings this node to the ruleset in force in the database. True when it changed.
    pub async fn follow(&self) -> Result<bool, RulesetError> {
        let _turn = self.turn.lock().await;
        self.follow_in_turn().await
    }

    async fn follow_in_turn(&self) -> Result<bool, RulesetError> {
        let have = self.current().map(|c| c.number);
        let Some(number) = self.store.read(rulesets::find_in_force).await? else { return Ok(false) };
        if have == Some(number) {
            return Ok(false);
        }
        let stored = self.store.read(move |conn| rulesets::find(conn, number)).await?.ok_or(RulesetError::Unknown(number))?;
        let (draft, ruleset) = self.compile(Sources { files: stored.files }).await;
        let Some(ruleset) = ruleset else { return Err(RulesetError::NotClean(Box::new(draft))) };
        self.swap(number, stored.published_at, ruleset);
        Ok(true)
    }

    /// Reads the files and checks them. Puts them in force when they are clean, differ, and that is to happen by itself.
    pub async fn reload(&self, by: &str) -> Result<Option<i64>, RulesetError> {
        let _turn = self.turn.lock().await;
        let (draft, compiled) = self.check().await?;
        let differs = self.current().is_none_or(|c| c.ruleset.hash != draft.hash);
        match compiled {
            Some((sources, ruleset)) if self.options.auto && differs => {
                self.put_in_force(sources, ruleset, by, None).await.map(Some)
            }
            Some(_) => Ok(None),
            None => Err(RulesetError::NotClean(Box::new(draft))),
        }
    }

    /// Puts the files in force, whatever the mode. Answers with the number; the one in force when nothing differs.
    pub async fn publish(&self, by: &str, note: Option<String>) -> Result<i64, RulesetError> {
        let _turn = self.turn.lock().await;
        self.follow_in_turn().await?;
        let (draft, compiled) = self.check().await?;
        let Some((sources, ruleset)) = compiled else { return Err(RulesetError::NotClean(Box::new(draft))) };
        match self.current() {
            Some(current) if current.ruleset.hash == ruleset.hash => Ok(current.number),
            _ => self.put_in_force(sources, ruleset, by, note).await,
        }
    }

    /// Makes an earlier ruleset the one in force.
    pub async fn rollback(&self, number: i64) -> Result<(), RulesetError> {
        let _turn = self.turn.lock().await;
        let stored = self.store.read(move |conn| rulesets::find(conn, number)).await?.ok_or(RulesetError::Unknown(number))?;
        let (draft, ruleset) = self.compile(Sources { files: stored.files }).await;
        let Some(ruleset) = ruleset else { return Err(RulesetError::NotClean(Box::new(draft))) };
        let now = self.clock.now();
        let plan = super::schedules::wanted(&ruleset);
        self.store
            .write(move |tx| {
                rulesets::put_in_force(tx, number, now)?;
                follow_up(tx, &plan, now)
            })
            .await?;
        self.swap(number, stored.published_at, ruleset);
        Ok(())
    }

    async fn check(&self) -> Result<(Draft, Option<(Sources, Ruleset)>), RulesetError> {
        let options = self.options.clone();
        let read = tokio::task::spawn_blocking(move || read_sources(&options)).await;
        let sources = read.unwrap_or(Err(SourceError::Interrupted))?;
        let (draft, ruleset) = self.compile(sources.clone()).await;
        *self.draft.lock().unwrap_or_else(PoisonError::into_inner) = draft.clone();
        Ok((draft, ruleset.map(|r| (sources, r))))
    }

    async fn compile(&self, sources: Sources) -> (Draft, Option<Ruleset>) {
        let catalogue = self.catalogue.clone();
        let now = self.clock.now();
        let done = tokio::task::spawn_blocking(move || {
            let compiled = compile(&sources, &catalogue);
            let draft = Draft {
                hash: super::rulesets::sources::hash(&sources),
                clean: compiled.ruleset.is_some(),
                diagnostics: compiled.diagnostics,
                checked_at: Some(now),
            };
            (draft, compiled.ruleset)
        });
        done.await.unwrap_or_default()
    }

    async fn put_in_force(
        &self,
        sources: Sources,
        ruleset: Ruleset,
        by: &str,
        note: Option<String>,
    ) -> Result<i64, RulesetError> {
        let (hash, by, now) = (ruleset.hash.clone(), by.to_owned(), self.clock.now());
        let plan = super::schedules::wanted(&ruleset);
        let number = self
            .store
            .write(move |tx| {
                let number = rulesets::publish(tx, &hash, &sources.files, &by, note.as_deref(), now)?;
                follow_up(tx, &plan, now)?;
                StoreResult::Ok(number)
            })
            .await?;
        self.swap(number, now, ruleset);
        Ok(number)
    }

    fn swap(&self, number: i64, published_at: Timestamp, ruleset: Ruleset) {
        tracing::info!(revision = number, rules = ruleset.rules.len(), "ruleset in force");
        self.current.store(Some(Arc::new(InForce { number, published_at, ruleset })));
    }
}

/// What has to happen with every change of the ruleset, in the same transaction: schedules, and a job that derives all timers.
fn follow_up(tx: &mut Tx<'_>, plan: &[super::schedules::Wanted], now: Timestamp) -> StoreResult<()> {
    super::schedules::store(tx, plan, now)?;
    jobs::enqueue(tx, &NewJob { run_at: now, ..derive_job("") }, now)?;
    Ok(())
}

pub const DERIVE_TIMERS: &str = "derive_timers";

/// The job that derives the timers of all contacts after `after`, a page at a time.
pub fn derive_job(after: &str) -> NewJob {
    NewJob {
        queue: "maintenance",
        kind: DERIVE_TIMERS,
        priority: 1,
        run_at: Timestamp(0),
        max_attempts: 20,
        timeout: Millis::seconds(120),
        lane_key: None,
        unique_key: after.is_empty().then(|| DERIVE_TIMERS.to_owned()),
        event_id: None,
        payload: serde_json::json!({ "after": after }).to_string(),
    }
}
