//! The parts of a running program, put together from the settings.

use super::{Context, Exit};
use crate::automation::Automation;
use crate::automation::missing_receipts::ReceiptChecks;
use crate::automation::rulesets::{Checking, RulesetHost, RulesetOptions};
use crate::automation::send::{Sending, Terms};
use crate::config::{DatabaseUrl, Environment, RulesReload, Secret, Settings, SmsProvider};
use crate::domain::clock::{SharedClock, SystemClock};
use crate::engine::Catalogue;
use crate::gateway::{Account, ClickSend, Dialect, Gateway, Live, MessageMedia, Sandbox};
use crate::http::SmsWay;
use crate::inbound::{Inbound, Secrets, Sources};
use crate::store::{Store, StoreError, StoreOptions};
use std::path::Path;
use std::sync::Arc;

/// Why a program could not be put together. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    #[error("the database cannot be opened: {0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Sources(String),
    #[error("texts cannot be sent: {0}")]
    Gateway(String),
}

/// What every command that touches the clinic works with.
pub struct Parts {
    pub settings: Settings,
    pub clock: SharedClock,
    pub store: Store,
    pub inbound: Arc<Inbound>,
    pub automation: Automation,
}

impl Parts {
    /// Opens everything; migrates nothing and loads no rules. For this program only: it starts itself to check rules.
    ///
    /// # Errors
    /// When a file or the database is not usable.
    pub fn open(settings: Settings, environment: &Environment) -> Result<Self, PartsError> {
        Self::open_checking(settings, environment, Arc::new(SystemClock), false, None, this_program())
    }

    /// Like [`Parts::open`], with a clock and, for a demo, secrets of its own. Rules are checked in this process.
    ///
    /// # Errors
    /// When a file or the database is not usable.
    pub fn open_with(
        settings: Settings,
        environment: &Environment,
        clock: SharedClock,
        is_demo: bool,
        secrets: Option<Secrets>,
    ) -> Result<Self, PartsError> {
        Self::open_checking(settings, environment, clock, is_demo, secrets, Checking::Here)
    }

    /// Like [`Parts::open_with`], and says where candidate rules are checked.
    ///
    /// # Errors
    /// When a file or the database is not usable.
    pub fn open_checking(
        settings: Settings,
        environment: &Environment,
        clock: SharedClock,
        is_demo: bool,
        secrets: Option<Secrets>,
        checking: Checking,
    ) -> Result<Self, PartsError> {
        let sources = read_sources(&settings)?;
        let secrets = secrets.unwrap_or_else(|| read_secrets(environment, &sources));
        let inbound = Inbound::new(&sources, &secrets, settings.clinic.calendar.tz).map_err(|p| PartsError::Sources(list(&p)))?;
        let store = Store::open(store_options(&settings), Arc::clone(&clock))?;
        let catalogue = catalogue(&settings, &inbound);
        let options = RulesetOptions {
            rules_dir: settings.rules.rules_dir.clone(),
            templates_dir: settings.rules.sms_templates_dir.clone(),
            auto: settings.rules.reload == RulesReload::Auto,
            checking,
            debounce: settings.rules.debounce,
        };
        let automation = Automation {
            store: store.clone(),
            clock: Arc::clone(&clock),
            clinic: Arc::clone(&settings.clinic),
            pipelines: Arc::clone(&settings.pipelines),
            rules: RulesetHost::new(store.clone(), Arc::clone(&clock), catalogue, options),
            is_demo,
        };
        Ok(Self { settings, clock, store, inbound: Arc::new(inbound), automation })
    }

    /// How texts leave, as the settings say.
    ///
    /// # Errors
    /// When the provider cannot be used.
    pub fn sending(&self, environment: &Environment) -> Result<Sending, PartsError> {
        let gateway: Arc<dyn Gateway> = match self.settings.sms.provider {
            SmsProvider::Sandbox => return self.sandboxed(environment),
            SmsProvider::ClickSend => Arc::new(self.live::<ClickSend>()?),
            SmsProvider::MessageMedia => Arc::new(self.live::<MessageMedia>()?),
        };
        let sms = &self.settings.sms;
        let terms = Terms {
            receipts: ReceiptChecks { wait: sms.receipt_wait, checks_max: sms.receipt_checks_max },
            part_micros: (sms.price_per_part * 1e6).round() as i64,
        };
        let (per_second, burst) = (sms.per_second_max, sms.per_second_max.max(sms.batch_max));
        Ok(Sending { automation: self.automation.clone(), gateway, per_second, burst, terms })
    }

    /// Texts go nowhere, whatever the settings say; at no cost, and with no provider to spare.
    ///
    /// # Errors
    /// When the ledger that the environment names cannot be written.
    pub fn sandboxed(&self, environment: &Environment) -> Result<Sending, PartsError> {
        Ok(Sending {
            automation: self.automation.clone(),
            gateway: Arc::new(sandbox(environment)?),
            per_second: SANDBOX_PER_SECOND,
            burst: SANDBOX_PER_SECOND,
            terms: Terms::default(),
        })
    }
}

impl Parts {
    fn live<D: Dialect>(&self) -> Result<Live<D>, PartsError> {
        let account = Account::of(&self.settings.sms, self.callback_url());
        let account = account.ok_or_else(|| PartsError::Gateway("the account at the provider is not set".to_owned()))?;
        Live::new(account).map_err(|error| PartsError::Gateway(error.to_string()))
    }

    /// Where the provider may send receipts and replies. Its token must not go over a wire in the clear, nor to nowhere.
    fn callback_url(&self) -> Option<Secret> {
        let token = self.settings.secrets.sms_webhook_token.first()?.expose();
        let base = &self.settings.server.frontend_url;
        let reaches_us = base.starts_with("https://") || self.settings.sms.rehearsal;
        reaches_us.then(|| Secret::new(format!("{base}/webhooks/sms/receipts/{token}")))
    }

    /// How texts leave, for people.
    pub fn sms_way(&self) -> SmsWay {
        SmsWay {
            provider: self.settings.sms.provider.as_str(),
            is_live: self.settings.sms.is_live(),
            notice: self.settings.sms.notice(),
        }
    }
}

/// The running program's own file, even after an upgrade has put another one in its place.
const OWN_FILE: &str = "/proc/self/exe";

/// Candidates are checked by this program, in a process of its own.
pub fn this_program() -> Checking {
    if Path::new(OWN_FILE).exists() {
        return Checking::Child(OWN_FILE.into());
    }
    std::env::current_exe().map_or(Checking::Here, Checking::Child)
}

const SANDBOX_PER_SECOND: u32 = 100_000;

impl Context<'_> {
    /// Settings and parts; problems have been told.
    ///
    /// # Errors
    /// The exit to end with.
    pub fn parts(&self) -> Result<Parts, Exit> {
        let settings = self.settings()?;
        Parts::open(settings, self.environment).map_err(|error| {
            self.output.error(&error.to_string(), Some("`avatar doctor` looks at everything a running clinic needs"));
            Exit::CouldNotRun
        })
    }
}

/// What rule files may name, by the settings.
pub fn catalogue(settings: &Settings, inbound: &Inbound) -> Catalogue {
    Catalogue {
        clinic: Arc::clone(&settings.clinic),
        pipelines: Arc::clone(&settings.pipelines),
        declared_events: inbound.added_events().iter().cloned().collect(),
        declared_sources: inbound.source_names().map(str::to_owned).collect(),
    }
}

/// `config/webhooks.yaml`, or the built-in sources when there is none.
pub fn read_sources(settings: &Settings) -> Result<Sources, PartsError> {
    let path = settings.config_dir.join("webhooks.yaml");
    match std::fs::read_to_string(&path) {
        Ok(text) => Sources::parse(&text).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(|p| format!("{}: {p}", path.display())).collect();
            PartsError::Sources(lines.join("\n"))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Sources::builtin()),
        Err(error) => Err(PartsError::Sources(format!("{}: {error}", path.display()))),
    }
}

fn read_secrets(environment: &Environment, sources: &Sources) -> Secrets {
    let mut secrets = Secrets::new();
    for name in sources.secret_names() {
        if let Some(list) = environment.get(&name) {
            secrets.add_list(&name, list);
        } else if let Some(path) = environment.get(&format!("{name}_FILE")) {
            match std::fs::read_to_string(path) {
                Ok(list) => secrets.add_list(&name, &list),
                Err(error) => tracing::error!(variable = %name, %error, "secret file cannot be read"),
            }
        }
    }
    secrets
}

fn sandbox(environment: &Environment) -> Result<Sandbox, PartsError> {
    match environment.get("SMS_SANDBOX_LEDGER") {
        Some(path) => Sandbox::with_ledger(&path.into()).map_err(|e| PartsError::Gateway(format!("SMS_SANDBOX_LEDGER: {e}"))),
        None => Ok(Sandbox::default()),
    }
}

fn list(problems: &[impl std::fmt::Display]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn store_options(settings: &Settings) -> StoreOptions {
    let url = match &settings.database.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    StoreOptions { readers: settings.database.readers, ..StoreOptions::new(url) }
}
