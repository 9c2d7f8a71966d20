//! The whole program in one process: database file, rules of the repository, server on a loopback port.

use avatar::automation::Automation;
use avatar::automation::rulesets::{Checking, DEBOUNCE, RulesetHost, RulesetOptions};
use avatar::automation::send::{Sending, Terms};
use avatar::config::{load_clinic, load_pipelines};
use avatar::domain::clock::SharedClock;
use avatar::engine::Catalogue;
use avatar::gateway::Sandbox;
use avatar::http::{HttpContext, RuleSummary, RulesStatus, RulesView, ServerLimits, SmsWay, serve};
use avatar::inbound::{Inbound, Secrets, Sources};
use avatar::jobs::{Registry, kinds};
use avatar::store::{Store, StoreOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct House {
    pub automation: Automation,
    pub registry: Registry,
    pub inbound: Arc<Inbound>,
    pub clock: SharedClock,
    _folder: TempDir,
}

/// A server of a house; ask it to stop, then wait for it.
pub struct Serving {
    pub base_url: String,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

struct NoRules;

impl RulesView for NoRules {
    fn status(&self) -> RulesStatus {
        RulesStatus::default()
    }
    fn rules(&self) -> Vec<RuleSummary> {
        Vec::new()
    }
}

impl House {
    /// A new one, with the shipped rules in force.
    pub async fn open(clock: SharedClock, secrets: &Secrets) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/avatar.db", folder.path().display());
        let (opened, at) = (clock.clone(), url.clone());
        let opening = tokio::task::spawn_blocking(move || {
            let store = Store::open(StoreOptions::new(at), opened).expect("a store");
            store.migrate().expect("migrations");
            store
        });
        let store = opening.await.expect("an open store");
        let tz = chrono_tz::Australia::Sydney;
        let clinic = Arc::new(load_clinic(&read("config/clinic.yaml"), tz).expect("the clinic"));
        let pipelines = Arc::new(load_pipelines(&read("config/pipelines.yaml")).expect("the pipelines"));
        let catalogue = Catalogue {
            clinic: clinic.clone(),
            pipelines: pipelines.clone(),
            declared_events: Vec::new(),
            declared_sources: Vec::new(),
        };
        let options = RulesetOptions {
            rules_dir: root("rules"),
            templates_dir: root("sms_templates"),
            auto: true,
            checking: Checking::Here,
            debounce: DEBOUNCE,
        };
        let rules = RulesetHost::new(store.clone(), clock.clone(), catalogue, options);
        let automation = Automation { store, clock: clock.clone(), clinic, pipelines, rules, is_demo: true };
        automation.rules.publish("tests", None).await.expect("rules that check clean");
        let gateway = Arc::new(Sandbox::default());
        let registry = kinds::registry(Sending {
            automation: automation.clone(),
            gateway,
            per_second: 1_000,
            burst: 1_000,
            terms: Terms::default(),
        });
        let inbound = Inbound::new(&Sources::builtin(), secrets, tz).unwrap_or_else(|p| panic!("{p:?}"));
        Self { automation, registry, inbound: Arc::new(inbound), clock, _folder: folder }
    }

    /// Opens its door on a free port.
    pub async fn serve(&self) -> Serving {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let context = HttpContext {
            store: self.automation.store.clone(),
            inbound: self.inbound.clone(),
            clock: self.clock.clone(),
            clinic: self.automation.clinic.clone(),
            pipelines: self.automation.pipelines.clone(),
            rules: Arc::new(NoRules),
            sms: SmsWay { provider: "sandbox", ..SmsWay::default() },
            access: Arc::default(),
            is_demo: true,
            metrics: Arc::new(String::new),
        };
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, Arc::new(context), ServerLimits::default(), stop.clone()));
        Serving { base_url: format!("http://{address}"), stop, server }
    }
}

impl Serving {
    pub async fn stop(self) {
        self.stop.cancel();
        self.server.await.expect("the server's task").expect("the server");
    }
}

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root(name)).expect("a file of the repository")
}
