//! A provider on loopback that speaks the documented API and misbehaves when it is told to. It keeps a ledger of what it took.

use super::provider_api::{Api, answer_of};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub const USERNAME: &str = "clinic";
pub const KEY: &str = "key-of-the-test-clinic";
/// `clinic:key-of-the-test-clinic`
const AUTHORIZATION: &str = "basic y2xpbmljomtles1vzi10agutdgvzdc1jbgluawm=";

/// What one call to send meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// This status with a body of the provider's kind; nothing is taken.
    Status(u16),
    /// 429 with `Retry-After` in seconds.
    Busy(u32),
    /// This status after the texts were taken.
    TakenThen(u16),
    /// Takes nothing and never answers.
    Silent,
    /// Takes the texts and never answers.
    TakenThenSilent,
    /// Resets the connection when the request is there.
    Reset,
    TakenThenReset,
    /// Takes the texts and breaks off in the middle of the body.
    TakenThenCut,
    /// 200 and a page for people.
    Html,
    Garbage,
    /// Half of the JSON, with a length that fits.
    Truncated,
    /// A body without end.
    Huge,
    /// One byte at a time.
    Slow,
    Redirect(u16),
    /// Valid JSON that speaks of no text.
    Empty,
    /// Waits for [`Provider::release`].
    Hang,
}

/// One text that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub sms_id: String,
    pub to: String,
    pub body: String,
    pub message_id: String,
}

#[derive(Default)]
pub struct State {
    pub ledger: Vec<Taken>,
    pub faults: VecDeque<Fault>,
    /// The provider's word for texts to these numbers, instead of a good one.
    pub words: HashMap<String, String>,
    /// Its record of texts is not shown.
    pub is_blind: bool,
    /// Bodies and paths of all requests.
    pub requests: Vec<(String, Value)>,
}

pub struct Provider {
    pub api: Api,
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    released: Arc<Notify>,
    server: Mutex<Option<JoinHandle<()>>>,
    /// The last, so that everything else has ended before.
    runtime: Runtime,
}

impl Provider {
    pub fn start(api: Api) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Self { api, address, state: Arc::default(), released: Arc::default(), server: Mutex::new(None), runtime };
        provider.serve(listener);
        provider
    }

    fn serve(&self, listener: TcpListener) {
        let (api, state, released) = (self.api, Arc::clone(&self.state), Arc::clone(&self.released));
        let server = self.runtime.spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (state, released) = (Arc::clone(&state), Arc::clone(&released));
                connections.spawn(async move { drop(converse(stream, api, &state, &released).await) });
            }
        });
        *self.server.lock().unwrap() = Some(server);
    }

    /// Nobody listens any more; open connections end.
    pub fn go_down(&self) {
        let server = self.server.lock().unwrap().take().expect("it is up");
        server.abort();
        self.runtime.block_on(async { drop(server.await) });
    }

    pub fn come_up(&self) {
        let listener = self.runtime.block_on(TcpListener::bind(self.address)).unwrap();
        self.serve(listener);
    }

    /// The next calls to send meet these faults, one each.
    pub fn fail_next(&self, faults: &[Fault]) {
        self.state().faults.extend(faults);
    }

    /// Lets a call that hangs go on.
    pub fn release(&self) {
        self.released.notify_one();
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often this text was taken.
    pub fn taken(&self, sms_id: &str) -> usize {
        self.state().ledger.iter().filter(|taken| taken.sms_id == sms_id).count()
    }

    /// Requests to a path that begins with this.
    pub fn calls(&self, path: &str) -> usize {
        self.state().requests.iter().filter(|(p, _)| p.starts_with(path)).count()
    }

    /// The environment of a node that sends here.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("SMS_PROVIDER", self.api.name().to_owned()),
            ("SMS_API_USERNAME", USERNAME.to_owned()),
            ("SMS_API_KEY", KEY.to_owned()),
            ("SMS_FROM", "+61491570156".to_owned()),
            ("SMS_API_BASE_URL", format!("http://{}", self.address)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

struct Request {
    path: String,
    is_authorized: bool,
    body: Value,
}

/// Answers requests until the client or a fault ends the connection.
async fn converse(mut stream: TcpStream, api: Api, state: &Mutex<State>, released: &Notify) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(request) = read(&mut stream).await? {
        state.lock().unwrap().requests.push((request.path.clone(), request.body.clone()));
        if !request.is_authorized {
            write(&mut stream, api.refusal_of_strangers(), "", &api.error(401)).await?;
            continue;
        }
        if !request.path.starts_with(api.send_path()) || request.body.is_null() {
            let (status, body) = api.lookup(&request.path, &state.lock().unwrap());
            write(&mut stream, status, "", &body).await?;
            continue;
        }
        let fault = state.lock().unwrap().faults.pop_front();
        if !send(&mut stream, api, state, released, &request.body, fault).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// False when the connection is to end.
async fn send(
    stream: &mut TcpStream,
    api: Api,
    state: &Mutex<State>,
    released: &Notify,
    request: &Value,
    fault: Option<Fault>,
) -> std::io::Result<bool> {
    let good = |state: &Mutex<State>| answer_of(api, request, &mut state.lock().unwrap()).to_string();
    let ok = api.good_status();
    match fault {
        None => write(stream, ok, "", &good(state)).await?,
        Some(Fault::Hang) => {
            released.notified().await;
            write(stream, ok, "", &good(state)).await?;
        }
        Some(Fault::Status(status)) => write(stream, status, "", &api.error(status)).await?,
        Some(Fault::Busy(seconds)) => write(stream, 429, &format!("Retry-After: {seconds}\r\n"), &api.error(429)).await?,
        Some(Fault::TakenThen(status)) => {
            good(state);
            write(stream, status, "", &api.error(status)).await?;
        }
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::TakenThenSilent) => {
            good(state);
            std::future::pending::<()>().await;
        }
        Some(Fault::Reset) => return reset(stream),
        Some(Fault::TakenThenReset) => {
            good(state);
            return reset(stream);
        }
        Some(Fault::TakenThenCut) => {
            let body = good(state);
            stream.write_all(head(ok, "", body.len()).as_bytes()).await?;
            // All but the last brackets: what it says of the text is whole, the document is not.
            stream.write_all(&body.as_bytes()[..body.len() - 2]).await?;
            return Ok(false);
        }
        Some(Fault::Html) => write(stream, 200, "", "<html><body>Welcome to the hotel's network</body></html>").await?,
        Some(Fault::Garbage) => {
            stream.write_all(b"\x00\xff\xfe no protocol at all \r\n\r\n").await?;
            return Ok(false);
        }
        Some(Fault::Truncated) => {
            let body = good(state);
            write(stream, ok, "", &body[..body.len() / 2]).await?;
        }
        Some(Fault::Huge) => {
            stream.write_all(head(200, "", 100 * 1024 * 1024).as_bytes()).await?;
            while stream.write_all(&[b' '; 8_192]).await.is_ok() {}
            return Ok(false);
        }
        Some(Fault::Slow) => {
            let body = good(state);
            stream.write_all(head(ok, "", body.len()).as_bytes()).await?;
            for byte in body.as_bytes() {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                stream.write_all(&[*byte]).await?;
            }
        }
        Some(Fault::Redirect(status)) => write(stream, status, "Location: https://elsewhere.example/\r\n", "").await?,
        Some(Fault::Empty) => write(stream, ok, "", "{\"http_code\":200,\"data\":{\"messages\":[]},\"messages\":[]}").await?,
    }
    Ok(true)
}

/// The client sees a reset, not an end.
fn reset(stream: &TcpStream) -> std::io::Result<bool> {
    stream.set_zero_linger()?;
    Ok(false)
}

fn head(status: u16, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} Word\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n")
}

async fn write(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    stream.write_all(format!("{}{body}", head(status, headers, body.len())).as_bytes()).await
}

/// A whole request; `None` at the end of the connection.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let lower = head.to_ascii_lowercase();
    let field = |name: &str| lower.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let length: usize = field("content-length:").and_then(|value| value.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let is_authorized = field("authorization:") == Some(AUTHORIZATION);
    Ok(Some(Request { path, is_authorized, body: serde_json::from_slice(&bytes[end..]).unwrap_or_default() }))
}
