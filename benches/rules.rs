//! How the engine grows with the number of rules: `cargo bench --bench rules`.
//!
//! Goals on a release build: a save of 200 rules is in force within a second, whoever wrote them; no hostile file holds a core for
//! longer than 100 ms.

#![expect(clippy::expect_used, reason = "nothing can be measured when the set-up fails")]

#[path = "../tests/it/engine/host/workbench.rs"]
#[expect(dead_code, clippy::expect_used, reason = "shared with the tests, which use all of it")]
mod workbench;

use avatar::automation::rulesets::{Checking, DEBOUNCE, RulesetHost, RulesetOptions};
use avatar::domain::clinic::Clinic;
use avatar::domain::clock::SystemClock;
use avatar::domain::pipeline::Pipelines;
use avatar::engine::evaluate::evaluate;
use avatar::engine::script::STACK_BYTES_MIN;
use avatar::engine::{Catalogue, Compiled, Sources, compile, compile_and_try};
use avatar::store::{Store, StoreOptions};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::fmt::Write;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
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

/// Checked and tried out, as `avatar rules check` does it.
fn checking(c: &mut Criterion) {
    let catalogue = catalogue();
    let mut group = c.benchmark_group("check");
    group.sample_size(10);
    for rules in [10, 100, 1_000, 10_000] {
        let sources = sources(rules);
        let check = || compile_and_try(black_box(&sources), &catalogue);
        group.bench_function(BenchmarkId::from_parameter(rules), |b| b.iter_custom(|times| on_script_thread(times, &check)));
    }
}

/// Scripts and the many sets of records need the stack.
fn on_script_thread<T>(times: u64, work: &(impl Fn() -> T + Sync)) -> Duration {
    let timed = || {
        let began = Instant::now();
        (0..times).for_each(|_| drop(black_box(work())));
        began.elapsed()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES_MIN).spawn_scoped(scope, timed);
        thread.expect("a thread").join().expect("the thread ends in order")
    })
}

/// From files that were just saved to rules in force: read, checked by a child, compiled, stored.
fn reloading(c: &mut Criterion) {
    let mut group = c.benchmark_group("reload");
    group.sample_size(10);
    for rules in [10, 100, 200, 1_000, 10_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES_MIN).build();
        let runtime = runtime.expect("a runtime");
        let host = runtime.block_on(async { host(folder.path(), rules) });
        let mut edit = 0;
        group.bench_function(BenchmarkId::from_parameter(rules), |b| {
            b.iter(|| {
                edit += 1;
                let text = format!("# edit {edit}\nrules: []\n");
                std::fs::write(folder.path().join("rules/edited.yaml"), text).expect("a file is saved");
                runtime.block_on(host.publish("bench", None)).expect("the files are clean")
            });
        });
    }
}

fn host(folder: &Path, rules: usize) -> Arc<RulesetHost> {
    for (path, text) in sources(rules).files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, text).expect("the file is written");
    }
    std::fs::create_dir_all(folder.join("sms_templates")).expect("the folder is made");
    let clock = Arc::new(SystemClock);
    let url = format!("sqlite://{}/avatar.db", folder.display());
    let store = Store::open(StoreOptions::new(url), clock.clone()).expect("a store");
    store.migrate().expect("migrations");
    let options = RulesetOptions {
        rules_dir: folder.join("rules"),
        templates_dir: folder.join("sms_templates"),
        auto: false,
        checking: Checking::Child(env!("CARGO_BIN_EXE_avatar").into()),
        debounce: DEBOUNCE,
    };
    RulesetHost::new(store, clock, catalogue(), options)
}

/// Prints the slowest of the corpus: criterion's statistics say nothing about the worst file.
#[expect(clippy::print_stdout, reason = "a figure for people")]
fn hostile(_: &mut Criterion) {
    let mut slowest: Vec<(Duration, String)> = corpus().into_iter().map(|(name, sources)| (cost(&sources), name)).collect();
    slowest.sort();
    slowest.reverse();
    for (took, name) in slowest.iter().take(5) {
        println!("hostile: {took:?} {name}");
    }
}

fn cost(sources: &Sources) -> Duration {
    let catalogue = catalogue();
    on_script_thread(1, &|| compile_and_try(sources, &catalogue))
}

/// Each hostile file that is text, in a ruleset of its own with a rule that uses it.
fn corpus() -> Vec<(String, Sources)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/engine/corpus");
    let script_user =
        "rules: [ { id: u, when: { event: booking_created }, if: 'attack(contact, now) > 0', do: [ { note: x } ] } ]\n";
    let text_user = "rules: [ { id: u, when: { event: booking_created }, do: [ { sms: hostile } ] } ]\n";
    let kinds = [
        ("yaml", "rules/hostile.yaml", None),
        ("rhai", "rules/scripts/hostile.rhai", Some(script_user)),
        ("handlebars", "sms_templates/hostile.hbs", Some(text_user)),
    ];
    let mut all = Vec::new();
    for (kind, path, user) in kinds {
        for file in entries(&root.join(kind)).iter().flat_map(|group| entries(group)) {
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let mut sources = Sources::default();
            sources.files.insert(path.to_owned(), text);
            sources.files.extend(user.map(|user| ("rules/uses.yaml".to_owned(), user.to_owned())));
            all.push((file.display().to_string(), sources));
        }
    }
    all
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect()
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

criterion_group!(benches, compiling, checking, reloading, evaluating, hostile);
criterion_main!(benches);
