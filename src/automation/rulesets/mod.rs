//! Rulesets: from files on disk, through the checker, into the database, in force.
//!
//! What is in force is a row in the database; every node follows it. A draft that does not check clean changes nothing and says
//! why. A restart with broken files goes on with what was in force.

mod ahead;
mod auto;
mod candidate;
mod files;
mod follow_up;
mod pinned;
mod sources;
mod watch;

pub use auto::START;
pub use candidate::{CHILD_ARGUMENTS, Checking, answer};
pub use files::{FILE_BYTES_MAX, FileError, FileText, RuleFile, Saving, is_rule_path};
pub use follow_up::{DERIVE_TIMERS, derive_job};
pub use sources::{SourceError, read_sources};
pub use watch::{Changes, Watching, watch};

use super::audit;
use super::forecast::Forecast;
use super::guard;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::domain::rule_override::{OverrideState, Overrides, RuleOverride};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::diagnostic::Diagnostic;
use crate::engine::{Catalogue, Compiled, Ruleset, Severity, Sources, compile, compile_and_try, renamed};
use crate::store::{Conn, Store, StoreError, StoreResult, overrides, rulesets};
use arc_swap::ArcSwapOption;
use follow_up::follow_up;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The ruleset that evaluations use. One evaluation uses one of these from beginning to end.
pub struct InForce {
    /// Shown to people as `r<number>`.
    pub number: i64,
    pub published_at: Timestamp,
    pub ruleset: Arc<Ruleset>,
    /// Rules that are switched off whatever their file says.
    pub overrides: Arc<Overrides>,
    /// Which state of the overrides that is.
    pub overrides_version: i64,
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
    /// What it would do to pending timers; `None` while that is not known.
    pub timers: Option<Forecast>,
}

/// The usual `debounce`.
pub const DEBOUNCE: Duration = Duration::from_millis(100);

/// Where people write, and when a clean draft goes in force.
#[derive(Clone, Debug)]
pub struct RulesetOptions {
    pub rules_dir: PathBuf,
    pub templates_dir: PathBuf,
    /// A clean draft is in force at once; otherwise it waits for `publish`.
    pub auto: bool,
    /// Where candidates are checked and tried out.
    pub checking: Checking,
    /// Several files saved within this time are one change.
    pub debounce: Duration,
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

/// Replays at one time.
const REPLAYS_MAX: usize = 1;

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
    /// Replays take a processor each.
    replays: Arc<tokio::sync::Semaphore>,
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
            replays: Arc::new(tokio::sync::Semaphore::new(REPLAYS_MAX)),
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
        let current = self.current();
        let read = |conn: &mut Conn| StoreResult::Ok((rulesets::find_in_force(conn)?, overrides::find_version(conn)?));
        let (Some(number), version) = self.store.read(read).await? else { return Ok(false) };
        if let Some(current) = current.filter(|c| c.number == number) {
            return self.follow_overrides(&current, version).await;
        }
        if let Some(draft) = self.refused_lately(number) {
            return Err(RulesetError::NotClean(draft));
        }
        let stored = self.store.read(move |conn| rulesets::find(conn, number)).await?.ok_or(RulesetError::Unknown(number))?;
        let (draft, ruleset) = self.compile(Sources { files: stored.files }).await;
        let Some(ruleset) = ruleset else { return Err(self.refuse(number, draft)) };
        self.swap(number, stored.published_at, ruleset).await?;
        Ok(true)
    }

    /// The same rules, with what was switched off or on meanwhile.
    async fn follow_overrides(&self, current: &InForce, version: i64) -> Result<bool, RulesetError> {
        if current.overrides_version == version {
            return Ok(false);
        }
        let (overrides, overrides_version) = self.read_overrides().await?;
        let ruleset = Arc::clone(&current.ruleset);
        let next = InForce { number: current.number, published_at: current.published_at, ruleset, overrides, overrides_version };
        self.current.store(Some(Arc::new(next)));
        Ok(true)
    }

    async fn read_overrides(&self) -> StoreResult<(Arc<Overrides>, i64)> {
        let read = |conn: &mut Conn| {
            // The version first: what comes in between is seen at the next look.
            let version = overrides::find_version(conn)?;
            StoreResult::Ok((overrides::list(conn)?, version))
        };
        let (all, version) = self.store.read(read).await?;
        Ok((Arc::new(Overrides::new(all)), version))
    }

    /// Switches a rule off or on again. False when it is in that state already. Who switches it on has seen to what was wrong.
    pub async fn switch(&self, wanted: RuleOverride, ip: Option<IpAddr>) -> Result<bool, RulesetError> {
        let now = self.clock.now();
        let changed = self
            .store
            .write(move |tx| {
                let changed = overrides::put(tx, &wanted)?;
                if changed && wanted.state == OverrideState::Enabled {
                    guard::close_alerts(tx, &wanted)?;
                }
                if changed {
                    let entry = Entry::new(Who::new(wanted.by.clone(), ip), action::RULE_SWITCHED);
                    audit::note(tx, &entry.of("rule", &wanted.rule_id).with_word("state", wanted.state.as_str()), now)?;
                }
                StoreResult::Ok(changed)
            })
            .await?;
        self.follow().await?;
        Ok(changed)
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
    pub async fn publish(&self, by: impl Into<Who> + Send, note: Option<String>) -> Result<i64, RulesetError> {
        let who = by.into();
        let _turn = self.turn.lock().await;
        let is_current = self.follow_if_understood().await?;
        let (draft, compiled) = self.check(self.read().await?).await;
        let Some((sources, ruleset)) = compiled else { return Err(RulesetError::NotClean(Box::new(draft))) };
        match self.current() {
            Some(current) if is_current && current.ruleset.hash == ruleset.hash => Ok(current.number),
            _ => self.put_in_force(sources, ruleset, who, note).await,
        }
    }

    /// Makes an earlier ruleset the one in force.
    pub async fn rollback(&self, number: i64, by: impl Into<Who> + Send, why: Option<String>) -> Result<(), RulesetError> {
        let who = by.into();
        let _turn = self.turn.lock().await;
        let stored = self.store.read(move |conn| rulesets::find(conn, number)).await?.ok_or(RulesetError::Unknown(number))?;
        let (draft, ruleset) = self.examine(Sources { files: stored.files }).await;
        let Some(ruleset) = ruleset else { return Err(RulesetError::NotClean(Box::new(draft))) };
        let now = self.clock.now();
        let plan = super::schedules::wanted(&ruleset);
        self.store
            .write(move |tx| {
                rulesets::roll_back(tx, number, &who.by, why.as_deref(), now)?;
                follow_up(tx, &plan, now)?;
                let entry = Entry::new(who, action::RULES_ROLLED_BACK).of("ruleset", &format!("r{number}"));
                audit::note(tx, &entry, now)
            })
            .await?;
        self.swap(number, stored.published_at, ruleset).await?;
        Ok(())
    }

    async fn check(&self, sources: Sources) -> (Draft, Option<(Sources, Ruleset)>) {
        let (mut draft, ruleset) = self.examine(sources.clone()).await;
        if let (Some(current), Some(ruleset)) = (self.current(), &ruleset) {
            draft.diagnostics.extend(renamed(&current.ruleset, ruleset));
        }
        *self.draft.lock().unwrap_or_else(PoisonError::into_inner) = draft.clone();
        (draft, ruleset.map(|r| (sources, r)))
    }

    /// Checks and tries out what could be in force. What is in force already has been through it.
    async fn examine(&self, sources: Sources) -> (Draft, Option<Ruleset>) {
        let hash = sources.hash();
        if self.current().is_some_and(|c| c.ruleset.hash == hash) {
            return self.compile(sources).await;
        }
        match self.options.checking.clone() {
            Checking::Here => self.compiled_by(sources, compile_and_try).await,
            Checking::Child(program) => {
                let (catalogue, candidate) = (self.catalogue.clone(), sources.clone());
                let vetted = tokio::task::spawn_blocking(move || candidate::vet(&program, &candidate, &catalogue)).await;
                match vetted {
                    Ok(said) if said.is_empty() => self.compile(sources).await,
                    Ok(diagnostics) => {
                        let checked_at = Some(self.clock.now());
                        (Draft { hash, diagnostics, checked_at, ..Draft::default() }, None)
                    }
                    Err(_) => (Draft::default(), None),
                }
            }
        }
    }

    async fn compile(&self, sources: Sources) -> (Draft, Option<Ruleset>) {
        self.compiled_by(sources, compile).await
    }

    async fn compiled_by(&self, sources: Sources, how: fn(&Sources, &Catalogue) -> Compiled) -> (Draft, Option<Ruleset>) {
        let catalogue = self.catalogue.clone();
        let now = self.clock.now();
        let done = tokio::task::spawn_blocking(move || {
            let compiled = how(&sources, &catalogue);
            let draft = Draft {
                hash: sources.hash(),
                clean: compiled.ruleset.is_some(),
                rules: compiled.ruleset.as_ref().map_or(0, |r| r.rules.len()),
                diagnostics: compiled.diagnostics,
                checked_at: Some(now),
                timers: None,
            };
            (draft, compiled.ruleset)
        });
        done.await.unwrap_or_default()
    }

    async fn put_in_force(
        &self,
        sources: Sources,
        ruleset: Ruleset,
        who: Who,
        note: Option<String>,
    ) -> Result<i64, RulesetError> {
        let (hash, now) = (ruleset.hash.clone(), self.clock.now());
        let plan = super::schedules::wanted(&ruleset);
        let number = self
            .store
            .write(move |tx| {
                let number = rulesets::publish(tx, &hash, &sources.files, &who.by, note.as_deref(), now)?;
                follow_up(tx, &plan, now)?;
                let entry = Entry::new(who, action::RULES_PUBLISHED).of("ruleset", &format!("r{number}"));
                audit::note(tx, &entry, now)?;
                StoreResult::Ok(number)
            })
            .await?;
        self.swap(number, now, ruleset).await?;
        Ok(number)
    }

    async fn swap(&self, number: i64, published_at: Timestamp, ruleset: Ruleset) -> StoreResult<()> {
        let (overrides, overrides_version) = self.read_overrides().await?;
        tracing::info!(revision = number, rules = ruleset.rules.len(), "ruleset in force");
        let next = InForce { number, published_at, ruleset: Arc::new(ruleset), overrides, overrides_version };
        self.current.store(Some(Arc::new(next)));
        Ok(())
    }
}
