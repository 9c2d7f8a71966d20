//! What goes wrong, and when: a script ("the next 3 calls"), or a share of all calls. The n-th call of a seed always has the same luck.

mod names;
mod parse;

pub use names::{CallFault, Fault, ReceiptFault};
pub use parse::RuleError;

use crate::domain::random::Random;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Rules at one time.
pub const RULES_MAX: usize = 100;

/// Which calls a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Calls that send texts.
    Send,
    /// Everything else that the provider's API has.
    Lookup,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// The next calls (or texts, for receipts), one after the other.
    Next(u32),
    /// This share of all, from 0 to 1.
    Share(f64),
}

/// One line of mischief, such as `reset=5%`, `429=3`, `sent-500=1`, `lookup.503=10%` or `receipt-late=20%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    pub scope: Scope,
    pub fault: Fault,
    pub when: When,
}

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub fault: CallFault,
    /// The texts are taken in all the same, and only then it goes wrong.
    pub is_sent: bool,
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Fault::Call(self.fault, self.is_sent).fmt(f)
    }
}

/// The rules in force, and how far their scripts have got.
pub struct Faults {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    sends: u64,
    lookups: u64,
}

impl Faults {
    pub(super) fn new(seed: u64, rules: Vec<Rule>) -> Self {
        Self { seed, state: Mutex::new(State { rules, ..State::default() }) }
    }

    /// Other rules from now on. The count of calls goes on.
    pub fn set(&self, rules: Vec<Rule>) {
        self.locked().rules = rules;
    }

    /// Further rules, behind those in force.
    pub fn add(&self, rules: impl IntoIterator<Item = Rule>) {
        self.locked().rules.extend(rules);
    }

    /// What is in force; a script shows what is left of it.
    pub fn rules(&self) -> Vec<Rule> {
        self.locked().rules.clone()
    }

    /// What the next call meets; `None`: nothing.
    pub(super) fn of_call(&self, scope: Scope) -> Option<Hit> {
        let mut state = self.locked();
        let (count, name) = match scope {
            Scope::Send => (&mut state.sends, "send"),
            Scope::Lookup => (&mut state.lookups, "lookup"),
        };
        *count += 1;
        let mut random = Random::of(self.seed, &format!("{name}:{count}"));
        let hit = state.draw(&mut random, |rule| match rule.fault {
            Fault::Call(fault, is_sent) if rule.scope == scope => Some(Hit { fault, is_sent }),
            _ => None,
        });
        hit.filter(|hit| hit.fault != CallFault::Fine)
    }

    /// What the receipts of a text meet: the same for the same text, in whatever order texts come.
    pub(super) fn of_receipts(&self, text: &str) -> Option<ReceiptFault> {
        let mut random = Random::of(self.seed, &format!("receipts:{text}"));
        self.locked().draw(&mut random, |rule| match rule.fault {
            Fault::Receipt(fault) => Some(fault),
            Fault::Call(..) => None,
        })
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Scripts come first, in their order; then one draw decides among the shares.
    fn draw<T>(&mut self, random: &mut Random, concerns: impl Fn(&Rule) -> Option<T>) -> Option<T> {
        let mut luck = random.unit();
        let script = |rule: &Rule| matches!(rule.when, When::Next(_));
        if let Some(index) = self.rules.iter().position(|rule| script(rule) && concerns(rule).is_some()) {
            let found = concerns(&self.rules[index]);
            match &mut self.rules[index].when {
                When::Next(left) if *left > 1 => *left -= 1,
                _ => {
                    self.rules.remove(index);
                }
            }
            return found;
        }
        for rule in &self.rules {
            let (When::Share(share), Some(found)) = (rule.when, concerns(rule)) else { continue };
            if luck < share {
                return Some(found);
            }
            luck -= share;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(seed: u64, rules: &[&str]) -> Faults {
        Faults::new(seed, rules.iter().map(|rule| rule.parse().expect("a rule")).collect())
    }

    fn calls(faults: &Faults, count: usize) -> Vec<String> {
        let name = |hit: Option<Hit>| hit.map_or("-".to_owned(), |hit| hit.to_string());
        (0..count).map(|_| name(faults.of_call(Scope::Send))).collect()
    }

    #[test]
    fn a_script_is_followed_line_by_line_and_then_all_is_well() {
        let faults = faults(1, &["fine=2", "sent-reset=1", "429=2", "lookup.503=1"]);
        assert_eq!(calls(&faults, 6), ["-", "-", "sent-reset", "429", "429", "-"]);
        assert_eq!(faults.rules().len(), 1, "lookups have their own");
        assert_eq!(faults.of_call(Scope::Lookup).map(|hit| hit.fault), Some(CallFault::Status(503)));
        assert_eq!(faults.of_call(Scope::Lookup), None);
    }

    #[test]
    fn shares_hold_and_the_seed_repeats_them() {
        let rules = ["reset=5%", "500=10%"];
        let seen = calls(&faults(7, &rules), 10_000);
        let share = |name: &str| seen.iter().filter(|hit| *hit == name).count();
        assert!(
            (400..600).contains(&share("reset")) && (850..1_150).contains(&share("500")),
            "{} {}",
            share("reset"),
            share("500")
        );
        assert_eq!(calls(&faults(7, &rules), 10_000), seen);
        assert_ne!(calls(&faults(8, &rules), 10_000), seen);
    }

    #[test]
    fn receipts_have_their_luck_by_text_whatever_comes_before_it() {
        let faults = faults(3, &["receipt-twice=50%"]);
        let first: Vec<_> = (0..50).map(|n| faults.of_receipts(&n.to_string())).collect();
        calls(&faults, 9);
        let again: Vec<_> = (0..50).map(|n| faults.of_receipts(&n.to_string())).collect();
        assert_eq!(first, again);
        assert!(first.iter().flatten().count() > 10);
    }
}
