//! The simulated provider for stories that are no futures, with a book of what it was asked.

use avatar::domain::clock::SharedClock;
use avatar::simulator::ledger::Text;
use avatar::simulator::{KEY_DEFAULT, Options, Simulator, USERNAME_DEFAULT};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;

pub use avatar::simulator::Provider as Api;

/// A call as the provider's watcher saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub texts: usize,
}

pub struct Provider {
    pub api: Api,
    pub address: SocketAddr,
    clock: SharedClock,
    seen: Arc<Mutex<Vec<Seen>>>,
    simulator: Mutex<Option<Simulator>>,
    /// The last, so that everything else has ended before.
    runtime: Runtime,
}

impl Provider {
    /// On the clinic's clock: what it is asked about is a span of the clinic's time.
    pub fn start(api: Api, clock: SharedClock) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut provider = Self { api, address: nowhere, clock, seen: Arc::default(), simulator: Mutex::default(), runtime };
        provider.come_up();
        provider.address = provider.with(Simulator::address);
        provider
    }

    /// Nobody listens any more, and the book is lost.
    pub fn go_down(&self) {
        let simulator = self.simulator.lock().unwrap().take().expect("it is up");
        self.runtime.block_on(simulator.shut_down());
    }

    pub fn come_up(&self) {
        let options = Options { listen: self.address, clock: self.clock.clone(), ..Options::new(self.api) };
        let simulator = self.runtime.block_on(Simulator::start(options)).unwrap();
        let seen = Arc::clone(&self.seen);
        simulator.watch(move |note| seen.lock().unwrap().push(Seen { path: note.path.to_owned(), texts: note.texts }));
        *self.simulator.lock().unwrap() = Some(simulator);
    }

    fn with<T>(&self, ask: impl FnOnce(&Simulator) -> T) -> T {
        ask(self.simulator.lock().unwrap().as_ref().expect("it is up"))
    }

    pub fn name(&self) -> &'static str {
        match self.api {
            Api::ClickSend => "ClickSend",
            Api::MessageMedia => "MessageMedia",
        }
    }

    pub fn send_path(&self) -> &'static str {
        match self.api {
            Api::ClickSend => "/v3/sms/send",
            Api::MessageMedia => "/v1/messages",
        }
    }

    /// The next calls meet these faults, one each; after the ones that wait already.
    pub fn fail_next<'a>(&self, faults: impl IntoIterator<Item = &'a str>) {
        let rules = faults.into_iter().map(|name| format!("{name}=1").parse().unwrap());
        self.with(|simulator| simulator.faults().add(rules));
    }

    /// From now on no question is answered with a text.
    pub fn go_blind(&self) {
        self.with(|simulator| simulator.faults().add(["lookup.empty".parse().unwrap()]));
    }

    pub fn be_well(&self) {
        self.with(|simulator| simulator.faults().set(Vec::new()));
    }

    /// Every fault that was asked for has been met.
    pub fn is_out_of_faults(&self) -> bool {
        self.with(|simulator| simulator.faults().rules()).is_empty()
    }

    /// Its word for texts to this number, instead of a good one.
    pub fn answer_with(&self, to: &str, word: Option<&str>) {
        self.with(|simulator| simulator.answer_with(to, word)).unwrap();
    }

    /// Lets a call that hangs go on.
    pub fn release(&self) {
        self.with(Simulator::release_late);
    }

    /// Every text that went out, copies and all.
    pub fn sent(&self) -> Vec<Text> {
        self.with(|simulator| simulator.ledger().texts()).into_iter().filter(|text| text.is_sent).collect()
    }

    /// How often this text went out.
    pub fn taken(&self, sms_id: &str) -> u32 {
        self.with(|simulator| simulator.ledger().copies(sms_id))
    }

    /// The provider's own id of a text.
    pub fn message_id(&self, sms_id: &str) -> String {
        self.sent().into_iter().find(|text| text.id.as_deref() == Some(sms_id)).expect("it went out").message_id
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Calls to a path that begins with this.
    pub fn calls(&self, path: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path.starts_with(path)).count()
    }

    /// The environment of a node that sends here.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("SMS_PROVIDER", self.api.as_str().to_owned()),
            ("SMS_API_USERNAME", USERNAME_DEFAULT.to_owned()),
            ("SMS_API_KEY", KEY_DEFAULT.to_owned()),
            ("SMS_FROM", "+61491570156".to_owned()),
            ("SMS_API_BASE_URL", format!("http://{}", self.address)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}
