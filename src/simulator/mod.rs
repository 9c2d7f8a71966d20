//! A provider to rehearse with: speaks ClickSend's or MessageMedia's documented API on this machine, keeps a book of what it sent,
//! answers with receipts and replies, and misbehaves on request. For tests, benches and `avatar simulate`; nothing of the clinic
//! knows of it.

mod clicksend;
mod control;
mod courier;
mod desk;
pub mod faults;
pub mod ledger;
mod messagemedia;
mod misbehave;
mod numbers;
mod options;
mod reports;
mod server;
mod wire;
mod words;

pub use ledger::Ledger;
pub use numbers::{Fate, NUMBERS};
pub use options::{Account, Answering, KEY_DEFAULT, Options, Provider, USERNAME_DEFAULT};
pub use reports::{Encoding, Failure, Report};
pub use words::WordError;

use crate::gateway::{HttpClient, HttpError};
use faults::{Faults, Hit};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use words::Words;

/// Version of the JSON of the control API.
pub const SCHEMA: &str = "avatar.simulator/1";

/// A running provider. Ends when it is stopped or dropped.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error(transparent)]
    Client(#[from] HttpError),
}

/// A call, as somebody who watches sees it. No text and no number.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Texts that it holds.
    pub texts: usize,
    /// `None`: no answer.
    pub status: Option<u16>,
    pub fault: Option<Hit>,
}

type Watcher = Box<dyn Fn(&Note) + Send + Sync>;

/// What every connection of a simulator has at hand.
struct Shared {
    options: Options,
    ledger: Ledger,
    faults: Faults,
    client: HttpClient,
    /// Callbacks at once.
    on_the_wire: Semaphore,
    /// Texts whose callbacks are under way.
    tracker: TaskTracker,
    /// Late receipts wait for a change of this.
    released: watch::Sender<u64>,
    /// Texts taken so far: each makes its id from its number.
    taken: AtomicU64,
    /// Replies made so far.
    said: AtomicU64,
    words: Words,
    watcher: OnceLock<Watcher>,
    stop: CancellationToken,
}

impl Simulator {
    /// Listens and serves in the background.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(mut options: Options) -> Result<Self, StartError> {
        let listener =
            TcpListener::bind(options.listen).await.map_err(|error| StartError::Listen { address: options.listen, error })?;
        let address = listener.local_addr().map_err(|error| StartError::Listen { address: options.listen, error })?;
        let shared = Arc::new(Shared {
            faults: Faults::new(options.seed, std::mem::take(&mut options.faults)),
            options,
            ledger: Ledger::default(),
            client: HttpClient::new()?,
            on_the_wire: Semaphore::new(courier::AT_ONCE_MAX),
            tracker: TaskTracker::new(),
            released: watch::Sender::new(0),
            taken: AtomicU64::new(0),
            said: AtomicU64::new(0),
            words: Words::default(),
            watcher: OnceLock::new(),
            stop: CancellationToken::new(),
        });
        let server = tokio::spawn(server::accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `SMS_API_BASE_URL`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Shows every call to `watcher`. Only the first watcher is heard.
    pub fn watch(&self, watcher: impl Fn(&Note) + Send + Sync + 'static) {
        let _ = self.shared.watcher.set(Box::new(watcher));
    }

    /// Texts to this number are answered with this word and are not sent; with `None`, as ever.
    ///
    /// # Errors
    /// When it is no word of a provider, or there are too many.
    pub fn answer_with(&self, to: &str, word: Option<&str>) -> Result<(), WordError> {
        self.shared.words.set(to, word)
    }

    /// Late receipts and answers that hang come now.
    pub fn release_late(&self) {
        self.shared.released.send_modify(|count| *count += 1);
    }

    /// A text from a patient, now: an answer to the newest text to that number, if there is one. True when it was taken.
    pub async fn reply(&self, from: &str, body: &str) -> bool {
        let about = self.shared.ledger.newest(1, |text| text.is_sent && text.to == from).pop();
        courier::say(&self.shared, from, body, about).await
    }

    /// Waits until all receipts and replies of the texts so far are taken or given up.
    pub async fn quiet(&self) {
        self.shared.tracker.close();
        self.shared.tracker.wait().await;
        self.shared.tracker.reopen();
    }

    /// Breaks off everything.
    pub fn stop(&self) {
        self.shared.stop.cancel();
    }

    /// Breaks off everything, and waits until nobody listens at its address any more.
    pub async fn shut_down(mut self) {
        self.stop();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn tell<'a>(&self, note: impl FnOnce() -> Note<'a>) {
        if let Some(watcher) = self.watcher.get() {
            watcher(&note());
        }
    }
}
