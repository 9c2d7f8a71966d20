//! What the routes need of the rest of the program, and nothing else.

use super::access::Access;
use crate::automation::Automation;
use crate::automation::forecast::Forecast;
use crate::automation::rulesets::RulesetHost;
use crate::domain::clinic::Clinic;
use crate::domain::clock::SharedClock;
use crate::domain::pipeline::Pipelines;
use crate::engine::Diagnostic;
use crate::inbound::Inbound;
use crate::store::Store;
use std::sync::Arc;

/// Everything the routes work with. Built once at start.
pub struct HttpContext {
    pub store: Store,
    pub inbound: Arc<Inbound>,
    pub clock: SharedClock,
    pub clinic: Arc<Clinic>,
    pub pipelines: Arc<Pipelines>,
    pub rules: Arc<dyn RulesView>,
    pub sms: SmsWay,
    /// Who may come in.
    pub access: Arc<Access>,
    /// Everybody in it is made up.
    pub is_demo: bool,
    /// The metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl HttpContext {
    /// What actions of staff are worked with; `None` where nobody holds the rules.
    pub(super) fn automation(&self) -> Option<Automation> {
        Some(Automation {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            clinic: Arc::clone(&self.clinic),
            pipelines: Arc::clone(&self.pipelines),
            rules: self.rules.host()?,
            is_demo: self.is_demo,
        })
    }
}

/// How texts leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsWay {
    /// `sandbox`, `clicksend` or `messagemedia`.
    pub provider: &'static str,
    /// Texts can reach real phones.
    pub is_live: bool,
    /// What people must know when they cannot.
    pub notice: Option<String>,
}

/// What the routes may know of the rules. Implemented by whoever holds the ruleset in force.
pub trait RulesView: Send + Sync {
    fn status(&self) -> RulesStatus;
    /// The rules in force, in file order.
    fn rules(&self) -> Vec<RuleSummary>;
    /// Who can change what is in force; `None` where nobody can.
    fn host(&self) -> Option<Arc<RulesetHost>> {
        None
    }
}

/// Which rules are in force, and how the files on disk differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RulesStatus {
    /// `r3`; `None` while nothing is in force.
    pub revision: Option<String>,
    /// SHA-256 over all files, lower-case hex.
    pub hash: Option<String>,
    /// Epoch ms.
    pub published_at: Option<i64>,
    pub draft: DraftStatus,
}

/// The rule files on disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftStatus {
    /// No diagnostic is an error.
    pub clean: bool,
    pub diagnostics: Vec<Diagnostic>,
    /// What it would do to pending timers, as far as that is known.
    pub timers: Option<Forecast>,
}

/// One rule in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSummary {
    pub id: String,
    pub name: String,
    pub about: String,
    pub owner: Option<String>,
    /// As the file says.
    pub enabled: bool,
    /// `on`, `off` (by the file), `disabled` (by a person) or `paused` (by the program).
    pub state: &'static str,
    /// Who disabled or paused it, and why.
    pub switched_by: Option<String>,
    pub switched_because: Option<String>,
    /// `live`, `shadow`, `10%` or `test_contacts`.
    pub rollout: String,
    pub file: String,
    pub line: usize,
    /// Names of the events it listens to.
    pub events: Vec<String>,
}
