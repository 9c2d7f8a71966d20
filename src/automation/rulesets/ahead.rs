//! What putting rules in force does to the timers that are pending: told before where somebody decides, logged where nobody does.

use super::{InForce, RulesetError, RulesetHost};
use crate::automation::forecast::{Forecast, forecast};
use crate::engine::{Ruleset, Sources};
use crate::store::{StoreResult, rulesets};
use std::sync::{Arc, PoisonError};
use tokio::sync::OwnedSemaphorePermit;

impl RulesetHost {
    /// What `ruleset` would do to pending timers; everything would be new when nothing is in force.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn forecast(&self, ruleset: Arc<Ruleset>) -> StoreResult<Forecast> {
        let Some(current) = self.current() else { return Ok(Forecast::default()) };
        let now = self.clock.now();
        self.store.read(move |conn| forecast(conn, &current.ruleset, &ruleset, now)).await
    }

    /// Checks the files as they are, without putting anything in force, and looks ahead when they are clean.
    ///
    /// # Errors
    /// When the files cannot be read, or the database is unavailable. Problems in the files are no error.
    pub async fn check_files(&self) -> Result<super::Draft, RulesetError> {
        let sources = self.read().await?;
        let turn = self.turn.lock().await;
        let (draft, compiled) = self.check(sources).await;
        // Nobody need wait while timers are compared.
        drop(turn);
        if let Some((_, ruleset)) = compiled {
            self.look_ahead(ruleset).await?;
            return Ok(self.draft());
        }
        Ok(draft)
    }

    /// The files as they are, checked and compiled, without putting anything in force.
    ///
    /// # Errors
    /// When the files cannot be read or have problems.
    pub async fn compile_draft(&self) -> Result<Ruleset, RulesetError> {
        let sources = self.read().await?;
        let _turn = self.turn.lock().await;
        let (draft, compiled) = self.check(sources).await;
        compiled.map(|(_, ruleset)| ruleset).ok_or_else(|| RulesetError::NotClean(Box::new(draft)))
    }

    /// An earlier ruleset, compiled by this program.
    ///
    /// # Errors
    /// When there is none of this number, or this program does not understand it.
    pub async fn compile_earlier(&self, number: i64) -> Result<Ruleset, RulesetError> {
        let stored = self.store.read(move |conn| rulesets::find(conn, number)).await?.ok_or(RulesetError::Unknown(number))?;
        let (draft, ruleset) = self.compile(Sources { files: stored.files }).await;
        ruleset.ok_or_else(|| RulesetError::NotClean(Box::new(draft)))
    }

    /// Leave to replay; `None` while somebody else does. Whoever has it holds it until the replay has ended.
    #[must_use]
    pub fn begin_replay(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.replays).try_acquire_owned().ok()
    }

    /// Notes with the draft what it would do.
    pub(super) async fn look_ahead(&self, ruleset: Ruleset) -> StoreResult<()> {
        let hash = ruleset.hash.clone();
        let timers = self.forecast(Arc::new(ruleset)).await?;
        let mut draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        if draft.hash == hash {
            draft.timers = Some(timers);
        }
        Ok(())
    }

    /// Beside everything else: an edit is in force before its difference is counted.
    pub(super) fn log_difference(&self, before: Option<Arc<InForce>>) {
        let (Some(before), Some(current)) = (before, self.current()) else { return };
        let (store, now) = (self.store.clone(), self.clock.now());
        tokio::spawn(async move {
            let number = current.number;
            match store.read(move |conn| forecast(conn, &before.ruleset, &current.ruleset, now)).await {
                Ok(found) => tracing::info!(
                    revision = number,
                    moves = found.total.moves,
                    appears = found.total.appears,
                    vanishes = found.total.vanishes,
                    "pending timers"
                ),
                Err(error) => tracing::warn!(revision = number, %error, "the difference of timers could not be counted"),
            }
        });
    }
}
