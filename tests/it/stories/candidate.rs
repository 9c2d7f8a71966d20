//! A candidate ruleset goes through a process of its own before it is in force; whatever becomes of that process, what was in
//! force stays.

use avatar::automation::rulesets::{Checking, DEBOUNCE, RulesetError, RulesetHost, RulesetOptions};
use avatar::config::{load_clinic, load_pipelines};
use avatar::domain::clock::SystemClock;
use avatar::engine::Catalogue;
use avatar::engine::script::STACK_BYTES_MIN;
use avatar::store::{Store, StoreOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Folder(tempfile::TempDir);

impl Folder {
    /// The shipped rules and texts, and a database.
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (from, ending) in [("rules", "yaml"), ("rules/scripts", "rhai"), ("sms_templates", "hbs")] {
            std::fs::create_dir_all(folder.path(from)).expect("a folder");
            for entry in std::fs::read_dir(shipped(from)).expect("a shipped folder").flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(ending) {
                    std::fs::copy(entry.path(), folder.path(from).join(name)).expect("a copy");
                }
            }
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path("rules/added.yaml"), text).expect("the file is written");
    }

    fn host(&self, checking: Checking) -> Arc<RulesetHost> {
        let clock = Arc::new(SystemClock);
        let url = format!("sqlite://{}", self.path("avatar.db").display());
        let store = Store::open(StoreOptions::new(url), clock.clone()).expect("a store");
        store.migrate().expect("migrations");
        let options = RulesetOptions {
            rules_dir: self.path("rules"),
            templates_dir: self.path("sms_templates"),
            auto: true,
            checking,
            debounce: DEBOUNCE,
        };
        RulesetHost::new(store, clock, catalogue(), options)
    }
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn catalogue() -> Catalogue {
    let text = |name: &str| std::fs::read_to_string(shipped(name)).expect("a shipped file");
    let clinic = load_clinic(&text("config/clinic.yaml"), chrono_tz::Australia::Sydney).expect("the clinic");
    let pipelines = load_pipelines(&text("config/pipelines.yaml")).expect("the pipelines");
    Catalogue {
        clinic: Arc::new(clinic),
        pipelines: Arc::new(pipelines),
        declared_events: Vec::new(),
        declared_sources: Vec::new(),
    }
}

/// Publishes, and answers with the number, or with the codes of what stood against it.
fn publish(host: &RulesetHost) -> Result<i64, Vec<String>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES_MIN).build();
    match runtime.expect("a runtime").block_on(host.publish("stories", None)) {
        Ok(number) => Ok(number),
        Err(RulesetError::NotClean(draft)) => Err(draft.diagnostics.into_iter().map(|d| d.code).collect()),
        Err(other) => panic!("{other}"),
    }
}

fn in_force(host: &RulesetHost) -> Option<i64> {
    host.current().map(|c| c.number)
}

const FAILS: &str = "rules: [ { id: f, when: { event: lead_created }, do: [ { note: '{{100 / contact.no_shows}}' } ] } ]\n";
const FINE: &str = "rules: [ { id: f, when: { event: lead_created }, do: [ { note: x } ] } ]\n";

#[test]
fn the_program_checks_a_candidate_and_says_what_it_says() {
    let folder = Folder::new();
    let host = folder.host(Checking::Child(env!("CARGO_BIN_EXE_avatar").into()));
    assert_eq!(publish(&host), Ok(1));
    folder.write(FAILS);
    assert_eq!(publish(&host), Err(vec!["R0501".to_owned()]));
    folder.write("rules: [ { id: f } ]\n");
    assert_eq!(publish(&host), Err(vec!["R0108".to_owned(), "R0108".to_owned()]));
    assert_eq!(in_force(&host), Some(1));
    folder.write(FINE);
    assert_eq!(publish(&host), Ok(2));
}

#[test]
fn a_process_that_dies_changes_nothing() {
    let folder = Folder::new();
    assert_eq!(publish(&folder.host(Checking::Here)), Ok(1));
    folder.write(FINE);
    for program in ["/bin/false", "/nowhere/avatar"] {
        let host = folder.host(Checking::Child(program.into()));
        assert_eq!(publish(&host), Err(vec!["R0502".to_owned()]), "{program}");
        assert_eq!(in_force(&host), Some(1), "it has followed what is in force");
    }
}

#[test]
fn without_a_program_to_start_it_is_tried_out_here() {
    let folder = Folder::new();
    folder.write(FAILS);
    assert_eq!(publish(&folder.host(Checking::Here)), Err(vec!["R0501".to_owned()]));
}
