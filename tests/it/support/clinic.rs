//! A whole clinic in one process: real database, real server, shipped rules, and a clock that the story moves.

use super::client::{self, Answer};
use super::postgres;
use super::records::Records;
use super::wix::{Patient, WixEvent};
use avatar::automation::receive::receive;
use avatar::automation::rulesets::{RulesetHost, Watching, watch};
use avatar::automation::send::Sending;
use avatar::automation::{Automation, overdue, staff, timers};
use avatar::cli::parts::Parts;
use avatar::cli::{http_context, prepare};
use avatar::config::{Environment, Settings};
use avatar::domain::clock::{Clock, ManualClock};
use avatar::domain::staff::Role;
use avatar::domain::time::Timestamp;
use avatar::http::{Access, ServerLimits, serve};
use avatar::inbound::sign::{Identity, WixSigner};
use avatar::inbound::{Inbound, RawRequest};
use avatar::jobs::{Registry, kinds, work_available};
use avatar::store::{invariants, schedules};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub const MANYCHAT_SECRET: &str = "manychat-secret-of-the-test-clinic";
pub const SMS_TOKEN: &str = "sms-token-of-the-test-clinic-000000";
/// Monday.
pub const MONDAY_9AM: &str = "2026-11-23T09:00:00+11:00";

/// The folder of an installation: shipped settings, rules and templates, to be edited at will.
pub struct Installation {
    folder: TempDir,
    pub url: String,
    further: Mutex<Vec<(String, String)>>,
}

/// One node that runs in this process. Reads like its [`Records`].
pub struct Clinic {
    pub installation: Arc<Installation>,
    pub clock: Arc<ManualClock>,
    pub automation: Automation,
    inbound: Arc<Inbound>,
    pub address: SocketAddr,
    pub records: Records,
    pub registry: Registry,
    pub sending: Sending,
    key: String,
    stop: CancellationToken,
    /// The last, so that everything else has ended before.
    pub runtime: Runtime,
}

impl Deref for Clinic {
    type Target = Records;
    fn deref(&self) -> &Records {
        &self.records
    }
}

impl Installation {
    pub fn sqlite() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/avatar.db", folder.path().display());
        Self::with(folder, url)
    }

    /// `None` when this machine has no PostgreSQL.
    pub fn postgres() -> Option<Arc<Self>> {
        let url = postgres::fresh_database()?;
        Some(Self::with(tempfile::tempdir().unwrap(), url))
    }

    pub fn with(folder: TempDir, url: String) -> Arc<Self> {
        for name in ["config", "rules", "rules/scripts", "sms_templates"] {
            let to = folder.path().join(name);
            std::fs::create_dir(&to).unwrap();
            for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            }
        }
        Arc::new(Self { folder, url, further: Mutex::default() })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    /// What every process of this installation has in its environment.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("DATABASE_URL", self.url.clone()),
            ("WIX_WEBHOOK_PUBLIC_KEY", sample("wix_test_public.pem")),
            ("MANYCHAT_WEBHOOK_SECRET", MANYCHAT_SECRET.into()),
            ("SMS_WEBHOOK_TOKEN", SMS_TOKEN.into()),
            ("SMS_SANDBOX_LEDGER", self.file("ledger.jsonl").display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain(self.further.lock().unwrap().clone())
        .collect()
    }

    /// Further variables of every process that starts from now on.
    pub fn set_variables(&self, variables: Vec<(String, String)>) {
        *self.further.lock().unwrap() = variables;
    }

    /// Every text that was handed to the gateway, by its id.
    pub fn ledger(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.file("ledger.jsonl")).unwrap_or_default();
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["sms_id"].as_str().unwrap().to_owned();
        text.lines().map(id).collect()
    }

    pub fn records(&self) -> Records {
        Records { url: self.url.clone() }
    }
}

pub fn sample(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)).unwrap()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is no time"))
}

/// A webhook's whole body for an event of Wix.
pub fn signed(event: &WixEvent, now: Timestamp) -> String {
    let signer = WixSigner::from_pem(&sample("wix_test_private.pem")).unwrap();
    signer.sign_event(&event.event_type, &event.inner.to_string(), Identity::Visitor, now).unwrap()
}

impl Clinic {
    /// On Monday, 23 November 2026, at 9 in the morning.
    pub fn sqlite() -> Self {
        Self::open(Installation::sqlite(), MONDAY_9AM)
    }

    pub fn postgres() -> Option<Self> {
        Some(Self::open(Installation::postgres()?, MONDAY_9AM))
    }

    pub fn open(installation: Arc<Installation>, start: &str) -> Self {
        Self::node(installation, &ManualClock::at(at(start)), &[])
    }

    /// A node of an installation, with further environment variables.
    pub fn node(installation: Arc<Installation>, clock: &Arc<ManualClock>, variables: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let further = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Environment = installation.variables().into_iter().chain(further).collect();
        let settings = Settings::load(&environment, installation.path()).unwrap_or_else(|p| panic!("{p:?}"));
        let parts = Parts::open_with(settings, &environment, clock.clone(), false, None).unwrap();
        let sending = parts.sending(&environment).unwrap();
        let automation = parts.automation.clone();
        let (address, stop, key) = runtime.block_on(async {
            prepare(&parts).await.unwrap();
            let key = staff::create_api_key(&parts.store, &parts.clock, "stories", Role::Admin).await.unwrap();
            let (address, stop) = start_server(&parts).await;
            (address, stop, key)
        });
        let records = installation.records();
        let registry = kinds::registry(sending.clone());
        let inbound = Arc::clone(&parts.inbound);
        Self { inbound, installation, clock: clock.clone(), automation, address, records, registry, sending, key, stop, runtime }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn rules(&self) -> &Arc<RulesetHost> {
        &self.automation.rules
    }

    /// Sends Wix's event and works off everything that it leads to.
    pub fn wix(&self, event: &WixEvent) {
        let answer = self.post_wix(event);
        assert_eq!(answer.status, 200, "{answer:?}");
        self.settle();
    }

    pub fn post_wix(&self, event: &WixEvent) -> Answer {
        self.post("/webhooks/wix/bookings", &[], signed(event, self.now()).as_bytes())
    }

    /// The first words of a new lead, or a later message when `event` says so.
    pub fn post_manychat(&self, patient: &Patient, event: &str, text: &str, campaign: Option<&str>) -> Answer {
        let body = json!({
            "event": event,
            "event_id": format!("{}-{event}-{}", patient.wix_id, self.now().0),
            "subscriber": { "id": patient.wix_id, "first_name": patient.first_name, "last_name": patient.last_name, "phone": patient.phone },
            "message": { "text": text },
            "utm": campaign.map(|c| json!({ "source": c, "campaign": "mri-nov" })),
        });
        let headers = [("X-Webhook-Token", MANYCHAT_SECRET), ("Content-Type", "application/json")];
        self.post("/webhooks/manychat", &headers, body.to_string().as_bytes())
    }

    pub fn manychat(&self, patient: &Patient, event: &str, text: &str, campaign: Option<&str>) {
        let answer = self.post_manychat(patient, event, text, campaign);
        assert_eq!(answer.status, 200, "{answer:?}");
        self.settle();
    }

    /// A text from a patient.
    pub fn post_sms_reply(&self, patient: &Patient, id: &str, text: &str) -> Answer {
        let body = json!({ "from": patient.mobile(), "body": text, "message_id": id, "timestamp": self.now().0 / 1_000 });
        let path = format!("/webhooks/sms/inbound/{SMS_TOKEN}");
        self.post(&path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    pub fn reply(&self, patient: &Patient, text: &str) {
        let id = format!("reply-{}-{}", self.count("event_log"), text.len());
        let answer = self.post_sms_reply(patient, &id, text);
        assert_eq!(answer.status, 200, "{answer:?}");
        self.settle();
    }

    /// What the provider says became of one of our texts. `code`: 201 delivered, 301 failed.
    pub fn post_receipt(&self, message_id: &str, sms_id: &str, code: &str) -> Answer {
        let body =
            json!({ "message_id": message_id, "custom_string": sms_id, "status_code": code, "timestamp": self.now().0 / 1_000 });
        let path = format!("/webhooks/sms/receipts/{SMS_TOKEN}");
        self.post(&path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        client::send(self.address, "POST", path, headers, body).unwrap()
    }

    pub fn get(&self, path: &str) -> Answer {
        client::send(self.address, "GET", path, &[("Authorization", &format!("Bearer {}", self.key))], &[]).unwrap()
    }

    /// An API key of an admin.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A call that changes something.
    pub fn post_api(&self, path: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {}", self.key);
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
        self.post(path, &headers, body.to_string().as_bytes())
    }

    /// A change by staff; `version` is what they have seen of the record.
    pub fn call(&self, method: &str, path: &str, version: Option<i64>, body: &Value) -> Answer {
        let authorization = format!("Bearer {}", self.key);
        let tag = version.map(|version| format!("\"{version}\"")).unwrap_or_default();
        let mut headers = vec![("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
        if version.is_some() {
            headers.push(("If-Match", tag.as_str()));
        }
        client::send(self.address, method, path, &headers, body.to_string().as_bytes()).unwrap()
    }

    /// A member of staff has done a task, and what follows from it has happened.
    pub fn complete(&self, task_id: &str) -> Answer {
        let done = self.call("POST", &format!("/api/tasks/{task_id}/complete"), None, &json!({}));
        self.settle();
        done
    }

    /// A call with further headers.
    pub fn call_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let authorization = format!("Bearer {}", self.key);
        let mut all = vec![("Authorization", authorization.as_str())];
        all.extend(headers);
        client::send(self.address, method, path, &all, body.as_bytes()).unwrap()
    }

    /// Fires what is due and works until everything is quiet at this moment.
    pub fn settle(&self) {
        self.runtime.block_on(async {
            loop {
                let now = self.now();
                let mut done = timers::fire_due(&self.automation.store, now).await.unwrap();
                done += overdue::tell(&self.automation.store, now).await.unwrap();
                done += self.automation.store.write(move |tx| schedules::fire_due(tx, now)).await.unwrap().len();
                for queue in kinds::QUEUES {
                    done += work_available(&self.automation.store, &self.registry, queue).await.unwrap();
                }
                if done == 0 {
                    return;
                }
            }
        });
    }

    /// Works on events, and sends nothing.
    pub fn work_only_automation(&self) {
        let work = work_available(&self.automation.store, &self.registry, kinds::AUTOMATION);
        self.runtime.block_on(work).unwrap();
    }

    /// Sends what may leave, and works on no event.
    pub fn work_only_sms(&self) {
        let work = work_available(&self.automation.store, &self.registry, kinds::SMS);
        self.runtime.block_on(work).unwrap();
    }

    /// Verifies and records a webhook as the server does, without the network.
    pub fn deliver(&self, to: &str, body: &str) {
        let (source, token) = self.inbound.route(to).unwrap();
        let path = format!("/webhooks/{to}");
        let request = RawRequest {
            method: "POST",
            path: &path,
            content_type: None,
            token_from_path: token,
            headers: &|_| None,
            body: body.as_bytes(),
        };
        self.runtime.block_on(receive(&self.automation.store, source, &request, self.now())).unwrap();
    }

    /// Lets time pass, stopping whenever something is due.
    pub fn advance(&self, to: &str) {
        let to = at(to);
        assert!(to >= self.now(), "time does not go back");
        loop {
            self.settle();
            let next = self.next_due();
            if next == 0 || next > to.0 {
                break;
            }
            self.clock.set(Timestamp(next));
        }
        self.clock.set(to);
        self.settle();
    }

    /// The next timer or waiting job after now; 0 when there is none.
    fn next_due(&self) -> i64 {
        let now = self.now().0;
        self.number(&format!(
            "SELECT MIN(at) AS value FROM (SELECT due_at AS at FROM timers WHERE state = 'pending' UNION ALL SELECT due_at AS at FROM waiting_runs WHERE state = 'waiting' UNION ALL \
             SELECT run_at AS at FROM jobs WHERE state = 'ready' UNION ALL SELECT next_at AS at FROM schedules) AS waiting WHERE at > {now}"
        ))
    }

    /// Watches the rule files and the database, as a running server does.
    pub fn watch_rules(&self) {
        self.runtime.spawn(watch(Arc::clone(self.rules()), Arc::new(Nobody), self.stop.clone()));
    }

    /// Waits until `holds`; a failure when it does not within `within`.
    pub fn until(&self, within: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        wait_until(within, what, || holds(self));
    }

    /// Nothing in the database contradicts anything else.
    pub fn check(&self) {
        let broken = self.automation.store.read_now(invariants::check).unwrap();
        assert!(broken.is_empty(), "{broken:#?}");
    }

    /// Ends this node; the installation stays.
    pub fn shut_down(self) -> Arc<Installation> {
        self.stop.cancel();
        let installation = Arc::clone(&self.installation);
        drop(self);
        installation
    }
}

pub fn wait_until(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !holds() {
        assert!(started.elapsed() < within, "{what}: not within {within:?}");
        pause(POLL);
    }
}

/// Sleeps. Only where nothing signals: files and other processes.
#[expect(clippy::disallowed_methods, reason = "other processes have no clock that a test could move")]
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}

const POLL: Duration = Duration::from_millis(5);

async fn start_server(parts: &Parts) -> (SocketAddr, CancellationToken) {
    let context = http_context(parts, Access::default(), Arc::new(String::new));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, Arc::new(context), ServerLimits::default(), stop.clone()));
    (address, stop)
}

struct Nobody;

impl Watching for Nobody {
    fn reloaded(&self, _ok: bool, _took: Duration) {}
}
