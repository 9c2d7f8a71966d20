//! How the engine grows with the number of rules: `cargo bench --bench rules`.

#[path = "../tests/it/engine/host/workbench.rs"]
#[expect(dead_code, clippy::expect_used, reason = "shared with the tests, which use all of it")]
mod workbench;

use avatar::domain::clinic::Clinic;
use avatar::domain::pipeline::Pipelines;
use avatar::engine::evaluate::evaluate;
use avatar::engine::{Catalogue, Compiled, Sources, compile};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use workbench::{clinic, facts, monday};

const RULES_PER_FILE: usize = 50;
/// So many rules listen to the event that is evaluated; all others to another one.
const LISTENING: usize = 2;

fn sources(rules: usize) -> Sources {
    let mut sources = Sources::default();
    for file in 0..rules.div_ceil(RULES_PER_FILE) {
        let mut text = String::from("about: Measured rules.\n\nrules:\n");
        for n in file * RULES_PER_FILE..rules.min((file + 1) * RULES_PER_FILE) {
            let event = if n < LISTENING { "booking_created" } else { "stage_changed" };
            // Formatting into a string cannot fail.
            let _ = write!(
                text,
                "  - id: rule-{n}\n    name: Rule {n}\n    about: Measured.\n    owner: reception\n    when: {{ event: {event} }}\n    \
                 if:\n      - contact.warmness >= {}\n      - not contact.opted_out\n    do:\n      - task:\n          \
                 type: welcome_call\n          title: \"Call {{{{contact.first_name}}}}\"\n          due: =end_of_day(now)\n          \
                 priority: {}\n",
                101 + n,
                n % 100
            );
        }
        sources.files.insert(format!("rules/file{file}.yaml"), text);
    }
    sources
}

fn catalogue() -> Catalogue {
    let clinic = Clinic { teams: vec!["reception".to_owned()], ..Clinic::clone(&clinic()) };
    Catalogue {
        clinic: Arc::new(clinic),
        pipelines: Arc::new(Pipelines::default()),
        declared_events: Vec::new(),
        declared_sources: Vec::new(),
    }
}

fn compiling(c: &mut Criterion) {
    let catalogue = catalogue();
    let mut group = c.benchmark_group("compile");
    group.sample_size(10);
    for rules in [10, 100, 1_000] {
        let sources = sources(rules);
        group.bench_function(BenchmarkId::from_parameter(rules), |b| b.iter(|| compile(black_box(&sources), &catalogue)));
    }
}

fn evaluating(c: &mut Criterion) {
    let catalogue = catalogue();
    let mut group = c.benchmark_group("evaluate one event");
    for rules in [10, 1_000] {
        let Compiled { ruleset, diagnostics } = compile(&sources(rules), &catalogue);
        let Some(ruleset) = ruleset else { panic_with(&diagnostics) };
        let facts = facts("booking_created");
        group.bench_function(BenchmarkId::from_parameter(rules), |b| b.iter(|| evaluate(&ruleset, black_box(&facts), monday())));
    }
}

#[expect(clippy::panic, reason = "nothing can be measured with rules that do not compile")]
fn panic_with(diagnostics: &[avatar::engine::Diagnostic]) -> ! {
    panic!("{:?}", diagnostics.first())
}

criterion_group!(benches, compiling, evaluating);
criterion_main!(benches);
