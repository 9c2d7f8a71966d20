//! Earlier rulesets that waiting runs take their steps from, compiled when they are needed.

use super::{InForce, RulesetHost};
use crate::automation::waits::Pinned;
use crate::domain::event::WaitingRun;
use crate::engine::{Ruleset, Sources, compile};
use crate::store::{Conn, StoreResult, rulesets};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Earlier rulesets that are kept compiled.
const KEPT_MAX: usize = 8;

/// The rulesets used last, the newest use in front.
#[derive(Default)]
pub(super) struct Earlier(Mutex<VecDeque<Known>>);

#[derive(Clone)]
struct Known {
    number: i64,
    /// `None` when this program does not understand it.
    ruleset: Option<Arc<Ruleset>>,
}

impl RulesetHost {
    /// The rulesets of these runs, but for the one in force. One that does not check clean with this program is left out.
    pub fn pinned<'w>(
        &self,
        conn: &mut Conn,
        in_force: &InForce,
        waiting: impl Iterator<Item = &'w WaitingRun>,
    ) -> StoreResult<Pinned> {
        let wanted: BTreeSet<i64> = waiting.map(|run| run.revision).filter(|number| *number != in_force.number).collect();
        let mut pinned = Pinned::default();
        for number in wanted {
            if let Some(ruleset) = self.earlier_ruleset(conn, number)? {
                pinned.0.insert(number, ruleset);
            }
        }
        Ok(pinned)
    }

    fn earlier_ruleset(&self, conn: &mut Conn, number: i64) -> StoreResult<Option<Arc<Ruleset>>> {
        if let Some(known) = self.earlier.find(number) {
            return Ok(known.ruleset);
        }
        let stored = rulesets::find(conn, number)?;
        let ruleset = stored.and_then(|stored| compile(&Sources { files: stored.files }, &self.catalogue).ruleset).map(Arc::new);
        if ruleset.is_none() {
            tracing::error!(revision = number, "a ruleset that runs wait with does not check clean with this program");
        }
        self.earlier.keep(number, ruleset.clone());
        Ok(ruleset)
    }
}

impl Earlier {
    fn find(&self, number: i64) -> Option<Known> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().position(|known| known.number == number)?;
        let found = kept.remove(index)?;
        kept.push_front(found.clone());
        Some(found)
    }

    fn keep(&self, number: i64, ruleset: Option<Arc<Ruleset>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| known.number != number);
        kept.push_front(Known { number, ruleset });
        kept.truncate(KEPT_MAX);
    }
}
