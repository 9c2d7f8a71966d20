//! Rulesets: from files on disk, through the checker, into the database, in force.
//!
//! What is in force is a row in the database; every node follows it. A draft that does not check clean changes nothing and says
//! why. A restart with broken files goes on with what was in force.

mod auto;
mod follow_up;
mod pinned;
mod sources;
mod watch;

pub use auto::START;
pub use follow_up::{DERIVE_TIMERS, derive_job};
pub use sources::{SourceError, read_sources};
pub use watch::{Watching, watch};

use crate::domain::clock::SharedClock;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::diagnostic::Diagnostic;
use crate::engine::{Catalogue, Ruleset, Severity, Sources, compile};
use crate::store::{Store, StoreError, StoreResult, rulesets};
use arc_swap::ArcSwapOption;
use follow_up::follow_up;
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
    /// How many rules there are; 0 when the files are not clean.
    pub rules: usize,
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

impl From<RulesetError> for StoreError {
    fn from(error: RulesetError) -> Self {
        match error {
            RulesetError::Store(error) => error,
            _ => Self::NotFound { what: "a ruleset in force that this program understands" },
        }
    }
}

/// A ruleset that is not compiled again for this long after it did not check clean with this program.
const REFUSED_TIME: Millis = Millis::MINUTE;

/// The ruleset in force that does not check clean with this program.
struct Refused {
    number: i64,
    at: Timestamp,
    draft: Box<Draft>,
}

/// Holds what is in force and knows the draft.
pub struct RulesetHost {
    store: Store,
    clock: SharedClock,
    catalogue: Catalogue,
    options: RulesetOptions,
    current: ArcSwapOption<InForce>,
    draft: Mutex<Draft>,
    refused: Mutex<Option<Refused>>,
    earlier: pinned::Earlier,
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
            refused: Mutex::default(),
            earlier: pinned::Earlier::default(),
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
        if let Some(draft) = self.refused_lately(number) {
            return Err(RulesetError::NotClean(draft));
        }
        let stored = self.store.read(move |conn| rulesets::find(conn, number)).await?.ok_or(RulesetError::Unknown(number))?;
        let (draft, ruleset) = self.compile(Sources { files: stored.files }).await;
        let Some(ruleset) = ruleset else { return Err(self.refuse(number, draft)) };
        self.swap(number, stored.published_at, ruleset);
        Ok(true)
    }

    /// Follows, if this program understands what is in force: it may have been published by another version. True when
    /// [`current`](Self::current) is what is in force.
    async fn follow_if_understood(&self) -> Result<bool, RulesetError> {
        match self.follow_in_turn().await {
            Ok(_) => Ok(true),
            Err(RulesetError::NotClean(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn refused_lately(&self, number: i64) -> Option<Box<Draft>> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let lately = refused.as_ref().filter(|r| r.number == number && r.at <= now && now - r.at < REFUSED_TIME);
        lately.map(|r| r.draft.clone())
    }

    fn refuse(&self, number: i64, draft: Draft) -> RulesetError {
        let problems = draft.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        tracing::error!(revision = number, problems, "the ruleset in force does not check clean with this program");
        let draft = Box::new(draft);
        let refused = Refused { number, at: self.clock.now(), draft: draft.clone() };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        RulesetError::NotClean(draft)
    }

    /// Puts the files in force, whatever the mode. Answers with the number; the one in force when nothing differs.
    pub async fn publish(&self, by: &str, note: Option<String>) -> Result<i64, RulesetError> {
        let _turn = self.turn.lock().await;
        let is_current = self.follow_if_understood().await?;
        let (draft, compiled) = self.check(self.read().await?).await;
        let Some((sources, ruleset)) = compiled else { return Err(RulesetError::NotClean(Box::new(draft))) };
        match self.current() {
            Some(current) if is_current && current.ruleset.hash == ruleset.hash => Ok(current.number),
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

    async fn check(&self, sources: Sources) -> (Draft, Option<(Sources, Ruleset)>) {
        let (draft, ruleset) = self.compile(sources.clone()).await;
        *self.draft.lock().unwrap_or_else(PoisonError::into_inner) = draft.clone();
        (draft, ruleset.map(|r| (sources, r)))
    }

    async fn compile(&self, sources: Sources) -> (Draft, Option<Ruleset>) {
        let catalogue = self.catalogue.clone();
        let now = self.clock.now();
        let done = tokio::task::spawn_blocking(move || {
            let compiled = compile(&sources, &catalogue);
            let draft = Draft {
                hash: sources.hash(),
                clean: compiled.ruleset.is_some(),
                rules: compiled.ruleset.as_ref().map_or(0, |r| r.rules.len()),
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
