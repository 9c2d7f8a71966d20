//! The compiled form of all rule files: what evaluation runs on. Built by `compile`, never changed afterwards.

use crate::domain::clinic::Clinic;
use crate::domain::event::SubjectKind;
use crate::domain::pipeline::Pipelines;
use crate::domain::sms::SmsCategory;
use crate::domain::time::Millis;
use crate::engine::guard::Guard;
use crate::engine::plan::TasksOf;
use crate::engine::promise::Promise;
use crate::engine::script::{FunctionFiles, Host};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The text of every file of a ruleset: relative path (`rules/…`, `rules/scripts/…`, `sms_templates/…`) to content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    pub files: BTreeMap<String, String>,
}

impl Sources {
    /// What identifies a ruleset: SHA-256 over all paths and contents, each with its length before it; lower-case hex.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        for part in self.files.iter().flat_map(|(path, text)| [path, text]) {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        hex::encode(digest.finalize())
    }
}

/// What rule files may name, beside what they define themselves.
#[derive(Clone, Debug)]
pub struct Catalogue {
    pub clinic: Arc<Clinic>,
    pub pipelines: Arc<Pipelines>,
    /// Events of sources declared in `config/webhooks.yaml`.
    pub declared_events: Vec<String>,
    /// The sources declared in `config/webhooks.yaml`.
    pub declared_sources: Vec<String>,
}

/// A ruleset that compiled without an error.
pub struct Ruleset {
    /// SHA-256 over all files, lower-case hex.
    pub hash: String,
    pub rules: Vec<Rule>,
    /// Indexes into `rules`, in file order, by event name.
    pub by_event: HashMap<String, Vec<usize>>,
    /// Indexes into `rules`, in file order, by source of webhooks.
    pub by_source: HashMap<String, Vec<usize>>,
    pub by_id: HashMap<String, usize>,
    pub templates: BTreeMap<String, Template>,
    /// All functions of `rules/scripts/*.rhai` in one tree.
    pub functions: rhai::AST,
    pub catalogue: Catalogue,
    /// The script engine and the parsed templates of this ruleset.
    pub host: Host,
    /// What identifies each rule's body, whatever it is called; by id.
    pub bodies: BTreeMap<String, String>,
    /// The id that a rule had before, by its id of now.
    pub was: BTreeMap<String, String>,
    /// What no rule may do.
    pub promises: Vec<Promise>,
}

impl Ruleset {
    /// Indexes the rules and makes the script host. Rules keep their order; of two with one id the first is found.
    #[must_use]
    pub fn new(
        hash: String,
        rules: Vec<Rule>,
        templates: BTreeMap<String, Template>,
        functions: rhai::AST,
        catalogue: Catalogue,
    ) -> Self {
        let mut by_event: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_source: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_id = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            by_id.entry(rule.id.clone()).or_insert(index);
            for name in rule.event_names() {
                let listening = by_event.entry(name.clone()).or_default();
                if listening.last() != Some(&index) {
                    listening.push(index);
                }
            }
            for source in rule.sources() {
                let listening = by_source.entry(source.clone()).or_default();
                if listening.last() != Some(&index) {
                    listening.push(index);
                }
            }
        }
        let host = Host::new(&catalogue.clinic, &functions, &rules, &templates);
        Self {
            hash,
            rules,
            by_event,
            by_source,
            by_id,
            templates,
            functions,
            catalogue,
            host,
            bodies: BTreeMap::new(),
            was: BTreeMap::new(),
            promises: Vec::new(),
        }
    }

    /// Tells the script host which file each function stands in, for its error messages.
    #[must_use]
    pub fn with_function_files(mut self, files: FunctionFiles) -> Self {
        self.host.function_files = files;
        self
    }

    /// A rule listens to the event, or waits for it.
    #[must_use]
    pub fn hears(&self, event: &str) -> bool {
        self.by_event.contains_key(event) || self.rules.iter().any(|rule| rule.steps.iter().any(|step| step.waits_for(event)))
    }

    #[must_use]
    pub fn find_rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(*self.by_id.get(id)?)
    }
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub name: String,
    pub about: String,
    pub owner: Option<String>,
    pub enabled: bool,
    pub file: Arc<str>,
    pub line: usize,
    pub triggers: Vec<Trigger>,
    /// What `as` calls each trigger; may be shorter than `triggers`.
    pub labels: Vec<Option<String>>,
    pub if_running: IfRunning,
    pub while_: Vec<Expr>,
    pub if_: Vec<Expr>,
    /// In the order written; later ones may use earlier ones.
    pub vars: Vec<(String, Expr)>,
    pub steps: Vec<Step>,
    pub limit: Option<Limit>,
    pub guard: Guard,
}

impl Rule {
    /// Every event that one of the triggers names; a name may come twice.
    fn event_names(&self) -> impl Iterator<Item = &String> {
        self.triggers.iter().flat_map(|trigger| match trigger {
            Trigger::Event { names, .. } => names.as_slice(),
            _ => &[],
        })
    }

    fn sources(&self) -> impl Iterator<Item = &String> {
        self.triggers.iter().filter_map(|trigger| match trigger {
            Trigger::Webhook { source } => Some(source),
            _ => None,
        })
    }

    /// What the expression `trigger` says when the trigger in this place sets the rule off by `event`.
    #[must_use]
    pub fn label(&self, index: usize, event: &str) -> String {
        let given = self.labels.get(index).cloned().flatten();
        given.unwrap_or_else(|| self.triggers.get(index).map_or("", |trigger| trigger.name(event)).to_owned())
    }

    /// A run of the rule can wait.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.steps.iter().any(Step::waits)
    }

    /// The rule can be set off by hand, for a subject of this kind.
    #[must_use]
    pub fn manual(&self) -> Option<SubjectKind> {
        self.triggers.iter().find_map(|trigger| match trigger {
            Trigger::Manual { subject } => Some(*subject),
            _ => None,
        })
    }
}

/// What happens when a rule is set off for a contact or booking for which an earlier run of it is waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfRunning {
    /// Nothing: the earlier run goes on (default).
    #[default]
    Skip,
    /// The earlier run ends.
    Restart,
    /// The new run begins when the earlier one has ended.
    Queue,
    /// Both go on.
    Parallel,
}

impl IfRunning {
    pub const NAMES: &[&str] = &["skip", "restart", "queue", "parallel"];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "skip" => Some(Self::Skip),
            "restart" => Some(Self::Restart),
            "queue" => Some(Self::Queue),
            "parallel" => Some(Self::Parallel),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Trigger {
    Event {
        names: Vec<String>,
        /// Only when no other rule fired on the event.
        unhandled: bool,
    },
    Date {
        /// `Contact` or `Booking`.
        subject: SubjectKind,
        field: &'static str,
        /// Negative for `before`.
        offset: Millis,
        /// Minutes after clinic midnight: the timer is due at this time on the (offset) day.
        at_minute: Option<u32>,
        late: Millis,
        again: Again,
    },
    Every {
        schedule: Every,
        /// One evaluation for each contact or booking; `None` for one evaluation in all.
        each: Option<SubjectKind>,
        late: Millis,
    },
    /// The expression has been true for a while.
    Holds {
        /// `Contact` or `Booking`.
        subject: SubjectKind,
        expr: Expr,
        lasting: Millis,
        /// Only opening hours count.
        business: bool,
    },
    /// Somebody asks for it.
    Manual { subject: SubjectKind },
    /// Any event of a declared source.
    Webhook { source: String },
}

impl Trigger {
    /// What it is called when `as` does not say it.
    fn name<'a>(&'a self, event: &'a str) -> &'a str {
        match self {
            Self::Event { .. } => event,
            Self::Date { .. } => "date",
            Self::Every { .. } => "every",
            Self::Holds { .. } => "holds",
            Self::Manual { .. } => "manual",
            Self::Webhook { source } => source,
        }
    }
}

/// When a `date` trigger may run again for the same record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// When the field moves to another clinic-local day (default).
    MovedDay,
    /// Whenever the field changes.
    Moved,
    Never,
}

impl Again {
    pub const NAMES: &[&str] = &["moved_day", "moved", "never"];
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Every {
    /// A cron expression in the given zone (`every: day` with `at` is one, too).
    Cron { expression: String, tz: chrono_tz::Tz },
    /// A fixed interval, aligned to the epoch.
    Interval(Millis),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub max: u32,
    pub within: Millis,
    pub per: SubjectKind,
}

/// A checked expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expr {
    pub text: String,
    pub ast: rhai::AST,
    pub file: Arc<str>,
    pub line: usize,
    /// Column of the expression's first character, from 1.
    pub column: usize,
    /// Dotted paths it reads, such as `contact.warmness`, in order of appearance, without repeats.
    pub reads: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Step {
    /// `do/0`; stable for the same position.
    pub path: String,
    pub line: usize,
    pub if_: Vec<Expr>,
    pub action: StepAction,
}

#[derive(Clone, Debug)]
pub enum StepAction {
    Move {
        pipeline: String,
        stage: String,
    },
    Sms {
        template: String,
    },
    Task {
        task_type: String,
        title: Text,
        due: Value,
        priority: Value,
        assign: Option<String>,
        note: Option<Text>,
    },
    CloseTasks {
        task_type: Option<String>,
        /// `None`: of the booking when there is one, else of the contact.
        of: Option<TasksOf>,
        reason: Text,
    },
    /// Dotted field to value.
    Set(Vec<(String, Value)>),
    Note(Text),
    CancelSms {
        template: Option<String>,
    },
    /// The rule ends here.
    Stop {
        reason: Option<String>,
    },
    /// The first way whose conditions hold.
    Choose(Vec<Branch>),
    Alert(Text),
    Emit {
        event: String,
        data: Vec<(String, Text)>,
    },
    Tag(String),
    Untag(String),
    /// The steps, once for each item.
    Each {
        list: Expr,
        name: String,
        /// The items are bookings, and the steps are about them.
        of_bookings: bool,
        steps: Vec<Step>,
    },
    /// The conditions, variables and steps of another rule.
    Run(String),
    /// A function that gives the steps.
    Plan(Expr),
    Wait(Wait),
}

#[derive(Clone, Debug)]
pub struct Branch {
    pub line: usize,
    /// Empty for the way that is taken when no other is.
    pub if_: Vec<Expr>,
    pub steps: Vec<Step>,
}

/// What a run waits for; after that the next step is taken.
#[derive(Clone, Debug)]
pub enum Wait {
    For(Millis),
    Until(Value),
    Event { name: String, limit: Millis },
}

impl Step {
    /// The step waits, or one inside of it does.
    #[must_use]
    pub fn waits(&self) -> bool {
        match &self.action {
            StepAction::Wait(_) => true,
            StepAction::Choose(branches) => branches.iter().any(|b| b.steps.iter().any(Self::waits)),
            _ => false,
        }
    }

    /// The step waits for this event, or one inside of it does.
    fn waits_for(&self, event: &str) -> bool {
        match &self.action {
            StepAction::Wait(Wait::Event { name, .. }) => name == event,
            StepAction::Choose(branches) => branches.iter().any(|b| b.steps.iter().any(|step| step.waits_for(event))),
            _ => false,
        }
    }
}

/// A literal as written, or `=expression`.
#[derive(Clone, Debug)]
pub enum Value {
    Nothing,
    Bool(bool),
    Int(i64),
    Text(String),
    Expr(Expr),
}

/// Text with merge fields: `Call {{contact.first_name}}`.
#[derive(Clone, Debug)]
pub struct Text {
    pub parts: Vec<TextPart>,
}

#[derive(Clone, Debug)]
pub enum TextPart {
    Literal(String),
    Merge(Expr),
}

/// One `sms_templates/*.hbs`.
#[derive(Clone, Debug)]
pub struct Template {
    pub name: String,
    pub file: Arc<str>,
    pub category: SmsCategory,
    /// Sent at any hour: an answer to a message the patient has just sent.
    pub immediate: bool,
    /// The Handlebars source without the header comment.
    pub source: String,
    /// Dotted paths it reads.
    pub reads: Vec<String>,
}
