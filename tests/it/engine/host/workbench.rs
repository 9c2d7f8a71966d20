//! Makes rulesets and facts from Rust values: the compiler has its own tests.

use avatar::domain::booking::Booking;
use avatar::domain::calendar::Calendar;
use avatar::domain::clinic::{Clinic, QuietHours, TextSettings};
use avatar::domain::contact::Contact;
use avatar::domain::event::{Actor, SubjectKind, TimerInput};
use avatar::domain::keywords::Keywords;
use avatar::domain::pipeline::Pipelines;
use avatar::domain::sample;
use avatar::domain::sms::SmsCategory;
use avatar::domain::task::{Task, TaskStatus};
use avatar::domain::time::{Millis, Timestamp};
use avatar::domain::touchpoint::Touchpoint;
use avatar::engine::evaluate::evaluate;
use avatar::engine::facts::{Asked, ContactFacts, EventFacts, Facts, MessageFacts};
use avatar::engine::grammar;
use avatar::engine::plan::RuleRun;
use avatar::engine::ruleset::{
    Again, Catalogue, Expr, IfRunning, Rule, Ruleset, Step, StepAction, Template, Text, TextPart, Trigger, Value,
};
use avatar::engine::script::STACK_BYTES_MIN;
use avatar::engine::timers::date_trigger_id;
use rhai::{AST, Engine, OptimizationLevel};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const FILE: &str = "rules/test.yaml";

/// Monday 23 November 2026, 9:00 in Sydney.
pub fn monday() -> Timestamp {
    at("2026-11-23T09:00:00+11:00")
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

pub fn clinic() -> Arc<Clinic> {
    let words = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    Arc::new(Clinic {
        name: "Harbour Imaging".to_owned(),
        phone: "02 5550 1234".to_owned(),
        calendar: Calendar::weekdays(chrono_tz::Australia::Sydney),
        quiet_hours: QuietHours { from_minute: 8 * 60, until_minute: 20 * 60 },
        keywords: Keywords::default(),
        texts: TextSettings::default(),
        teams: words(&["reception"]),
        task_types: Vec::new(),
        test_contacts: Vec::new(),
    })
}

pub fn engine(level: OptimizationLevel) -> Engine {
    let mut engine = Engine::new_raw();
    grammar::configure(&mut engine);
    engine.set_optimization_level(level);
    engine
}

/// An expression on line 10, column 5 of the test file.
pub fn expr(text: &str) -> Expr {
    expr_at(text, OptimizationLevel::None).expect("an expression that compiles")
}

pub fn expr_at(text: &str, level: OptimizationLevel) -> Result<Expr, String> {
    let ast = engine(level).compile_expression(text).map_err(|error| error.to_string())?;
    Ok(Expr { text: text.to_owned(), ast, file: FILE.into(), line: 10, column: 5, reads: reads_of(text) })
}

/// Every `record.field` outside of quotes: the compiler does this properly.
fn reads_of(text: &str) -> Vec<String> {
    let bare: String = text.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let mut reads: Vec<String> = Vec::new();
    for word in bare.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')) {
        let root = word.split('.').next().unwrap_or_default();
        let known = ["contact", "booking", "event", "message", "task", "clinic", "now", "score"].contains(&root);
        if known && !reads.iter().any(|read| read == word) {
            reads.push(word.to_owned());
        }
    }
    reads
}

pub fn value(text: &str) -> Value {
    Value::Expr(expr(text))
}

/// `Call {{contact.first_name}}`.
pub fn text(source: &str) -> Text {
    let mut parts = Vec::new();
    for piece in source.split("{{") {
        match piece.split_once("}}") {
            None => parts.push(TextPart::Literal(piece.to_owned())),
            Some((merge, rest)) => {
                parts.push(TextPart::Merge(expr(merge)));
                parts.push(TextPart::Literal(rest.to_owned()));
            }
        }
    }
    Text { parts }
}

pub fn on(event: &str) -> Trigger {
    Trigger::Event { names: vec![event.to_owned()], unhandled: false }
}

pub fn before_appointment(offset: Millis, late: Millis) -> Trigger {
    Trigger::Date {
        subject: SubjectKind::Booking,
        field: "appointment_datetime",
        offset: Millis(-offset.0),
        at_minute: None,
        late,
        again: Again::MovedDay,
    }
}

pub fn rule(id: &str, trigger: Trigger) -> Rule {
    Rule {
        id: id.to_owned(),
        name: id.to_owned(),
        about: String::new(),
        owner: None,
        enabled: true,
        file: FILE.into(),
        line: 3,
        triggers: vec![trigger],
        labels: Vec::new(),
        if_running: IfRunning::default(),
        while_: Vec::new(),
        if_: Vec::new(),
        vars: Vec::new(),
        steps: Vec::new(),
        limit: None,
        guard: avatar::engine::guard::Guard::default(),
    }
}

pub trait RuleExt: Sized {
    fn when_true(self, conditions: &[&str]) -> Self;
    fn alive_while(self, condition: &str) -> Self;
    fn var(self, name: &str, source: &str) -> Self;
    fn step(self, action: StepAction) -> Self;
    fn step_if(self, condition: &str, action: StepAction) -> Self;
}

impl RuleExt for Rule {
    fn when_true(mut self, conditions: &[&str]) -> Self {
        self.if_ = conditions.iter().map(|line| expr(line)).collect();
        self
    }
    fn alive_while(mut self, condition: &str) -> Self {
        self.while_.push(expr(condition));
        self
    }
    fn var(mut self, name: &str, source: &str) -> Self {
        self.vars.push((name.to_owned(), expr(source)));
        self
    }
    fn step(mut self, action: StepAction) -> Self {
        let path = format!("do/{}", self.steps.len());
        self.steps.push(Step { path, line: 20, if_: Vec::new(), action });
        self
    }
    fn step_if(mut self, condition: &str, action: StepAction) -> Self {
        self = self.step(action);
        if let Some(step) = self.steps.last_mut() {
            step.if_.push(expr(condition));
        }
        self
    }
}

pub fn task(task_type: &str, title: &str, due: &str, priority: &str) -> StepAction {
    StepAction::Task {
        task_type: task_type.to_owned(),
        title: text(title),
        due: value(due),
        priority: value(priority),
        assign: None,
        note: None,
    }
}

pub fn note(source: &str) -> StepAction {
    StepAction::Note(text(source))
}

pub fn template(name: &str, source: &str) -> Template {
    Template {
        name: name.to_owned(),
        file: format!("sms_templates/{name}.hbs").into(),
        category: SmsCategory::Transactional,
        immediate: false,
        source: source.to_owned(),
        reads: Vec::new(),
    }
}

pub fn ruleset(rules: Vec<Rule>) -> Ruleset {
    ruleset_with(rules, &[], "")
}

pub fn ruleset_with(rules: Vec<Rule>, templates: &[Template], scripts: &str) -> Ruleset {
    let functions = if scripts.is_empty() { AST::empty() } else { functions(scripts).expect("scripts that compile") };
    ruleset_of(rules, templates, functions)
}

pub fn ruleset_of(rules: Vec<Rule>, templates: &[Template], functions: AST) -> Ruleset {
    let templates: BTreeMap<String, Template> = templates.iter().map(|t| (t.name.clone(), t.clone())).collect();
    let catalogue = Catalogue {
        clinic: clinic(),
        pipelines: Arc::new(Pipelines::default()),
        declared_events: Vec::new(),
        declared_sources: Vec::new(),
    };
    Ruleset::new("0".repeat(64), rules, templates, functions, catalogue)
}

pub fn functions(source: &str) -> Result<AST, String> {
    let mut ast = engine(OptimizationLevel::None).compile(source).map_err(|error| error.to_string())?;
    ast.set_source("rules/scripts/test.rhai");
    Ok(ast)
}

pub fn ana() -> Contact {
    Contact {
        email: Some("ana.lee@example.com".to_owned()),
        source: "google".to_owned(),
        current_pipeline: Some("lead".to_owned()),
        current_stage: Some("new_lead".to_owned()),
        warmness: 42,
        ..sample::contact("c1", "Ana Lee", at("2026-11-01T09:00:00+11:00"))
    }
}

/// Friday 4 December, 10:30 in Sydney; booked a month before.
pub fn scan() -> Booking {
    let booked = at("2026-11-04T10:00:00+11:00");
    Booking {
        service_name: Some("MRI".to_owned()),
        location: Some("Manly".to_owned()),
        ..sample::booking("b1", "c1", at("2026-12-04T10:30:00+11:00"), booked)
    }
}

pub fn touchpoint(kind: &str, channel: &str, at: Timestamp) -> Touchpoint {
    Touchpoint {
        id: format!("t-{kind}"),
        contact_id: "c1".to_owned(),
        timestamp: at,
        kind: kind.to_owned(),
        channel: Some(channel.to_owned()),
        direction: "in".to_owned(),
        source: None,
        medium: None,
        campaign: None,
        event_id: None,
    }
}

pub fn call_task() -> Task {
    Task {
        id: "k1".to_owned(),
        task_type: "lead_call".to_owned(),
        title: "Call Ana".to_owned(),
        contact_id: Some("c1".to_owned()),
        booking_id: None,
        status: TaskStatus::Todo,
        due_datetime: monday(),
        priority_score: 60,
        assigned_to: Some("reception".to_owned()),
        because: String::new(),
        run_id: None,
        dedupe_key: None,
        note: None,
        completed_at: None,
        outcome: None,
        completed_by: None,
        is_demo: false,
        version: 1,
        created_at: monday(),
        updated_at: monday(),
    }
}

pub fn contact_facts(contact: Contact) -> Arc<ContactFacts> {
    Arc::new(ContactFacts {
        contact,
        touchpoints: vec![
            touchpoint("form", "manychat", at("2026-11-22T09:00:00+11:00")).into(),
            touchpoint("ad_click", "google", at("2026-11-20T09:00:00+11:00")).into(),
        ],
        next_booking: Some(Arc::new(scan())),
        bookings: vec![Arc::new(scan())],
        open_tasks: vec![Arc::new(call_task())],
    })
}

/// Ana, her scan, and an event of the given name.
pub fn facts(event_type: &str) -> Facts {
    Facts {
        event: EventFacts {
            id: "e1".to_owned(),
            event_type: event_type.to_owned(),
            source: "wix".to_owned(),
            actor: Actor::Patient,
            timestamp: monday(),
            occurred_at: None,
            depth: 0,
            data: BTreeMap::from([("campaign".to_owned(), "spring".to_owned())]),
        },
        contact: Some(contact_facts(ana())),
        booking: Some(Arc::new(scan())),
        message: None,
        task: None,
        timer: None,
        fired: Vec::new(),
        running: Vec::new(),
        asked: Asked::Listening,
    }
}

pub fn message(body: &str, intent: &str) -> Facts {
    let message = MessageFacts { body: body.to_owned(), intent: intent.to_owned(), channel: "sms".to_owned() };
    Facts { message: Some(message), ..facts("sms_received") }
}

/// A timer of a rule that waits for so long before the appointment.
pub fn timer_for(rule_id: &str, before: Millis, due_at: Timestamp) -> TimerInput {
    TimerInput {
        rule_id: rule_id.to_owned(),
        trigger: date_trigger_id(&before_appointment(before, Millis(0))).expect("a date trigger"),
        subject_kind: SubjectKind::Booking,
        subject_id: Some("b1".to_owned()),
        contact_id: Some("c1".to_owned()),
        occurrence: "2026-12-04".to_owned(),
        due_at,
    }
}

/// One rule on `booking_created`, evaluated for Ana and her scan.
pub fn run_one(rule: Rule) -> RuleRun {
    evaluate(&ruleset(vec![rule]), &facts("booking_created"), monday()).remove(0)
}

/// Runs `work` on a thread with the stack that evaluation asks for.
pub fn on_script_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES_MIN).spawn(work).expect("a thread");
    thread.join().expect("the thread ends in order")
}
