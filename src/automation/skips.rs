//! What is kept of a rule that did nothing: enough to say why.

use super::world::Changes;
use crate::domain::skip::{SkippedEvent, SkippedRule};
use crate::engine::plan::{Outcome, RuleRun, StopReason};
use crate::engine::script::shorten;

/// Characters of a condition that are kept.
const TEXT_CHARS_MAX: usize = 160;
/// Values that are kept, and characters of each.
const VALUES_MAX: usize = 8;
const VALUE_CHARS_MAX: usize = 80;

/// The run's remains; `None` when it is to be kept whole: it did something, failed, or shows what it would have done.
pub fn compact(run: &RuleRun) -> Option<SkippedRule> {
    let stopped = run.stopped_at.as_ref().filter(|s| run.outcome == Outcome::Skipped && s.reason != StopReason::Shadow)?;
    let values = stopped.values.iter().take(VALUES_MAX);
    Some(SkippedRule {
        rule_id: run.rule_id.clone(),
        file: run.file.clone(),
        line: run.line,
        reason: stopped.reason.as_str().to_owned(),
        path: stopped.path.clone(),
        stop_file: (stopped.file != run.file).then(|| stopped.file.clone()),
        stop_line: stopped.line,
        column: stopped.column,
        text: shorten(&stopped.text, TEXT_CHARS_MAX),
        values: values.map(|v| (v.path.clone(), shorten(&v.value, VALUE_CHARS_MAX))).collect(),
        count: 1,
    })
}

impl Changes {
    /// Adds a skip to those of its event.
    pub(super) fn skip(&mut self, of: SkippedEvent) {
        match self.skips.last_mut() {
            Some(last) if last.event_id == of.event_id => last.rules.extend(of.rules),
            _ => self.skips.push(of),
        }
    }

    /// Nothing happened but that rules were asked.
    pub(super) fn are_only_skips(&self) -> bool {
        self.runs.len() == self.skips.iter().map(|s| s.rules.len()).sum::<usize>()
    }
}

/// Adds the skips of one more contact or booking to those of its slot: one line for each condition that stopped it.
pub(super) fn fold(all: &mut Vec<SkippedRule>, more: Vec<SkippedRule>) {
    for rule in more {
        match all.iter_mut().find(|known| known.rule_id == rule.rule_id && known.path == rule.path) {
            Some(known) => {
                known.count += rule.count;
                // Of one contact these would be a riddle.
                known.values.clear();
            }
            None => all.push(rule),
        }
    }
}
