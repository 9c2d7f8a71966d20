//! One running server with its own empty clinic.

use super::raw::{self, Answer, request};
use crate::store::TestStore;
use avatar::automation::staff;
use avatar::domain::calendar::Calendar;
use avatar::domain::clinic::{Clinic, QuietHours, TextSettings};
use avatar::domain::clock::SharedClock;
use avatar::domain::keywords::Keywords;
use avatar::domain::pipeline::Pipelines;
use avatar::domain::staff::Role;
use avatar::http::{DraftStatus, HttpContext, RuleSummary, RulesStatus, RulesView, ServerLimits, serve};
use avatar::inbound::{Inbound, Secrets, Sources};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const WIX_SECRET: &str = "wix-shared-secret";
pub const MANYCHAT_SECRET: &str = "manychat-token";
pub const SMS_TOKEN: &str = "sms-token-in-the-path";

pub struct Site {
    pub address: SocketAddr,
    pub context: Arc<HttpContext>,
    pub test: TestStore,
    pub rules: Arc<Rules>,
    pub stop: CancellationToken,
    pub server: JoinHandle<std::io::Result<()>>,
}

/// The rules in force, as the routes see them.
#[derive(Default)]
pub struct Rules {
    pub none: AtomicBool,
}

impl RulesView for Rules {
    fn status(&self) -> RulesStatus {
        let in_force = !self.none.load(Ordering::SeqCst);
        RulesStatus {
            revision: in_force.then(|| "r3".into()),
            hash: in_force.then(|| "ab12".into()),
            published_at: in_force.then_some(1_772_402_400_000),
            draft: DraftStatus { clean: true, diagnostics: vec![], timers: None },
        }
    }

    fn rules(&self) -> Vec<RuleSummary> {
        vec![RuleSummary {
            id: "welcome".into(),
            name: "Welcome".into(),
            about: "Greets new leads.".into(),
            owner: None,
            enabled: true,
            state: "on",
            switched_by: None,
            switched_because: None,
            rollout: "live".into(),
            file: "rules/leads.yaml".into(),
            line: 3,
            events: vec!["lead_created".into()],
        }]
    }
}

impl Site {
    pub async fn open() -> Self {
        Self::with(ServerLimits::default()).await
    }

    pub async fn with(limits: ServerLimits) -> Self {
        Self::over(TestStore::sqlite(), limits).await
    }

    /// One site for each database that this machine has.
    pub async fn of_each_database() -> Vec<Self> {
        let mut sites = vec![Self::open().await];
        // Making a PostgreSQL database blocks for a while.
        if let Some(test) = tokio::task::spawn_blocking(TestStore::postgres).await.unwrap() {
            sites.push(Self::over(test, ServerLimits::default()).await);
        }
        sites
    }

    async fn over(test: TestStore, limits: ServerLimits) -> Self {
        let rules = Arc::new(Rules::default());
        let context = Arc::new(context(&test, Arc::clone(&rules)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, Arc::clone(&context), limits, stop.clone()));
        Self { address, context, test, rules, stop, server }
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        raw::send(self.address, &request(method, path, headers, body)).await
    }

    /// A key's reading of `path`.
    pub async fn get(&self, key: &str, path: &str) -> Answer {
        self.send("GET", path, &[("Authorization", &format!("Bearer {key}"))], "").await
    }

    pub async fn key(&self, role: Role) -> String {
        staff::create_api_key(&self.context.store, &self.context.clock, role.as_str(), role).await.unwrap()
    }

    /// ManyChat's request for a new lead with the given event id.
    pub async fn lead(&self, id: &str) -> Answer {
        self.send("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead_body(id)).await
    }

    /// A connection of the test's own to the SQLite file.
    pub fn database(&self) -> SqliteConnection {
        let path = self.test.url.strip_prefix("sqlite://").unwrap();
        let mut connection = SqliteConnection::establish(path).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        connection
    }

    /// Statements that both databases understand.
    pub fn sql(&self, statements: &str) {
        if self.test.url.starts_with("postgres") {
            PgConnection::establish(&self.test.url).unwrap().batch_execute(statements).unwrap();
        } else {
            self.database().batch_execute(statements).unwrap();
        }
    }
}

pub const MANYCHAT_HEADERS: [(&str, &str); 2] = [("X-Webhook-Token", MANYCHAT_SECRET), ("Content-Type", "application/json")];

pub fn lead_body(id: &str) -> String {
    serde_json::json!({
        "event": "lead_created",
        "event_id": id,
        "subscriber": { "id": "1234567890", "first_name": "Jane", "last_name": "Nguyen", "phone": "0491570006" },
    })
    .to_string()
}

fn context(test: &TestStore, rules: Arc<Rules>) -> HttpContext {
    let tz = chrono_tz::Australia::Sydney;
    let clock: SharedClock = test.clock.clone();
    let secrets = Secrets::new()
        .with("WIX_WEBHOOK_SECRET", WIX_SECRET)
        .with("MANYCHAT_WEBHOOK_SECRET", MANYCHAT_SECRET)
        .with("SMS_WEBHOOK_TOKEN", SMS_TOKEN);
    let inbound = Inbound::new(&Sources::builtin(), &secrets, tz).unwrap_or_else(|p| panic!("{p:?}"));
    HttpContext {
        store: test.store.clone(),
        inbound: Arc::new(inbound),
        clock,
        clinic: Arc::new(clinic(tz)),
        pipelines: Arc::new(pipelines()),
        rules,
        sms: avatar::http::SmsWay { provider: "sandbox", ..Default::default() },
        access: Arc::default(),
        is_demo: false,
        metrics: Arc::new(|| "avatar_up 1\n".into()),
    }
}

fn clinic(tz: chrono_tz::Tz) -> Clinic {
    Clinic {
        name: "Harbour Imaging".into(),
        phone: "02 5550 0000".into(),
        calendar: Calendar::weekdays(tz),
        quiet_hours: QuietHours { from_minute: 8 * 60, until_minute: 20 * 60 },
        keywords: Keywords::default(),
        texts: TextSettings::default(),
        teams: vec![],
        task_types: vec![],
        test_contacts: vec![],
    }
}

fn pipelines() -> Pipelines {
    serde_json::from_value(serde_json::json!({ "pipelines": [{
        "name": "leads", "label": "Leads",
        "stages": [{ "name": "new", "label": "New", "sla_hours": 4 }, { "name": "won", "label": "Won", "terminal": true }],
    }]}))
    .unwrap()
}
