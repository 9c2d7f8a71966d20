//! Plays one test from its first step to its last.

use super::compare::compare;
use super::coverage::Coverage;
use super::event::{Making, event};
use super::{Failure, Missing, Since, given, why_not};
use crate::automation::simulate::{Happening, Landed, Ran, Rules, Simulation};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::plan::Outcome;
use crate::engine::ruletest::{Act, Expect, Expected, Given, Partly, Step, Story, To};
use std::collections::BTreeSet;

/// `to: end` gives up after so long: something is always pending.
const END_MAX: Millis = Millis::days(400);

/// Plays a story; every expectation that failed, in order. A step that cannot be done ends the story.
pub(super) fn play(rules: Rules<'_>, start: Timestamp, given: &Given, story: &Story, coverage: &mut Coverage) -> Vec<Failure> {
    let mut simulation = Simulation::new(rules, start);
    simulation.keep_runs();
    let mut failures = Vec::new();
    let timezone = rules.clinic.calendar.tz.name();
    for facts in [given, &story.given] {
        let mut done = Ok(());
        simulation.change(|records, now| done = given::apply(records, facts, timezone, now));
        if let Err(message) = done {
            return vec![Failure::of_step(story.name.at.line, story.name.at.column, simulation.now(), message)];
        }
    }
    simulation.settle_the_past();
    for (ordinal, step) in story.steps.iter().enumerate() {
        let done = act(&mut simulation, rules, step, ordinal);
        let (happened, ran) = (simulation.take_happened(), simulation.take_runs());
        coverage.see(rules.ruleset, &ran);
        coverage.see_lifetimes(rules.ruleset, &simulation);
        if let Err(message) = done.and_then(|()| simulation.trouble().map_or(Ok(()), |trouble| Err(trouble.to_owned()))) {
            failures.push(Failure::of_step(step.at.line, step.at.column, simulation.now(), message));
            return failures;
        }
        if let Some(expect) = &step.expect {
            failures.extend(judge(&simulation, rules, expect, &Since { happened: &happened, ran: &ran }));
        }
    }
    failures
}

fn act(simulation: &mut Simulation<'_>, rules: Rules<'_>, step: &Step, ordinal: usize) -> Result<(), String> {
    let now = simulation.now();
    match &step.act {
        Act::Event(step) => {
            let making = Making { step, clinic: rules.clinic, ordinal, now };
            let mut made = Err(String::new());
            simulation.prepare(|records| made = event(records, &making));
            simulation.happen(made?);
        }
        Act::To(To::At(at)) if *at < now => return Err("this time has passed in the test already".to_owned()),
        Act::To(To::At(at)) => simulation.advance(*at),
        Act::To(To::After(span)) => simulation.advance(now + *span),
        Act::To(To::End) => simulation.run_to_end(now + END_MAX),
        Act::Given(facts) => {
            let mut done = Ok(());
            simulation.change(|records, now| done = given::apply(records, facts, rules.clinic.calendar.tz.name(), now));
            done?;
        }
    }
    Ok(())
}

impl Failure {
    fn of_step(line: usize, column: usize, at: Timestamp, message: String) -> Self {
        let nothing = Vec::new;
        Self { line, column, at, message, missing: nothing_of(), unexpected: nothing(), matched: nothing(), happened: None }
    }
}

const fn nothing_of<T>() -> Vec<T> {
    Vec::new()
}

fn judge(simulation: &Simulation<'_>, rules: Rules<'_>, expect: &Expect, since: &Since<'_>) -> Option<Failure> {
    let failed_rules = failed(since.ran);
    let mut failure = match &expect.what {
        Expected::Any => None,
        Expected::Exactly(wanted) => exactly(simulation, rules, wanted, since),
        Expected::Some(partly) => partly_holds(simulation, rules, partly, since),
    };
    if !failed_rules.is_empty() && !matches!(expect.what, Expected::Any) {
        let failure = failure.get_or_insert_with(|| Failure::of_step(0, 0, simulation.now(), String::new()));
        failure.message = failed_rules.join("; ");
    }
    failure.map(|failure| Failure { line: expect.at.line, column: expect.at.column, at: simulation.now(), ..failure })
}

/// A rule that fails while it runs fails the test, whatever was expected.
fn failed(ran: &[Ran]) -> Vec<String> {
    let failed = ran.iter().map(|r| &r.trace.run).filter(|run| run.outcome == Outcome::Failed);
    let told = failed.map(|run| {
        let stopped = run.stopped_at.as_ref().map(|at| format!(": {} ({}:{}:{})", at.text, at.file, at.line, at.column));
        format!("{} failed{}", run.rule_id, stopped.unwrap_or_default())
    });
    let told: BTreeSet<String> = told.collect();
    told.into_iter().collect()
}

fn exactly(
    simulation: &Simulation<'_>,
    rules: Rules<'_>,
    wanted: &[crate::engine::ruletest::Wanted],
    since: &Since<'_>,
) -> Option<Failure> {
    let fired = fired(since.ran);
    let compared = compare(wanted, since.happened, &fired);
    if compared.missing.is_empty() && compared.unexpected.is_empty() {
        return None;
    }
    let missing = compared.missing.iter().map(|want| why_not::missing(simulation, rules, want, since)).collect();
    let cloned = |list: &[&Happening]| list.iter().map(|h| (*h).clone()).collect::<Vec<_>>();
    Some(Failure {
        message: "what happened is not what was expected".to_owned(),
        missing,
        unexpected: cloned(&compared.unexpected),
        matched: cloned(&compared.matched),
        happened: Some(since.happened.to_vec()),
        ..Failure::of_step(0, 0, simulation.now(), String::new())
    })
}

/// The ids of rules that fired, each once.
fn fired(ran: &[Ran]) -> Vec<&str> {
    let fired = ran.iter().map(|r| &r.trace.run).filter(|run| run.outcome == Outcome::Fired);
    let ids: BTreeSet<&str> = fired.map(|run| run.rule_id.as_str()).collect();
    ids.into_iter().collect()
}

fn partly_holds(simulation: &Simulation<'_>, rules: Rules<'_>, partly: &Partly, since: &Since<'_>) -> Option<Failure> {
    let done = |kind: &str, field: &str| -> Vec<String> {
        let of = since.happened.iter().filter(|h| h.kind == kind && h.landed == Landed::Done);
        of.filter_map(|h| h.text(field).map(str::to_owned)).collect()
    };
    let (texts, tasks) = (done("sms", "template"), done("task", "type"));
    let fired: Vec<String> = fired(since.ran).into_iter().map(str::to_owned).collect();
    let mut failure = Failure::of_step(0, 0, simulation.now(), "what happened is not what was expected".to_owned());
    let checks = [
        ("sms", "texts", &partly.sms, &texts),
        ("task", "tasks", &partly.tasks, &tasks),
        ("rule", "rules", &partly.rules, &fired),
    ];
    let mut words = Vec::new();
    for (kind, plural, wanted, got) in checks {
        let Some(wanted) = wanted else { continue };
        let mut left = got.clone();
        for name in wanted {
            match left.iter().position(|g| *g == name.text) {
                Some(index) => drop(left.remove(index)),
                None => failure.missing.push(Missing {
                    what: format!("{kind} {}", name.text),
                    line: name.at.line,
                    why: why_not::by_name(simulation, rules, kind, &name.text, since),
                }),
            }
        }
        if !left.is_empty() {
            words.push(format!("unexpected {plural}: {}", left.join(", ")));
        }
    }
    let happened = |name: &str| texts.iter().chain(&tasks).chain(&fired).any(|got| got == name);
    for name in partly.never.iter().filter(|name| happened(&name.text)) {
        words.push(format!("{} must never happen here, and did", name.text));
    }
    if words.is_empty() && failure.missing.is_empty() {
        return None;
    }
    if !words.is_empty() {
        failure.message = words.join("; ");
    }
    failure.unexpected = since.happened.iter().filter(|h| partly.never.iter().any(|n| h.is_called(&n.text))).cloned().collect();
    Some(failure)
}
