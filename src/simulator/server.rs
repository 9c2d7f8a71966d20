//! Connections: read a call, let it go right or wrong, answer.

use super::faults::{Hit, Scope};
use super::misbehave::{self, Manner};
use super::options::Provider;
use super::wire::{self, Answer, ReadError, Request};
use super::{Note, Shared, clicksend, control, desk, messagemedia};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections at once; the next one waits to be accepted.
const CONNECTIONS_MAX: usize = 1_024;
/// For one request to arrive, from its first byte or from the accept on.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the accept loop rests when the machine has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let stop = shared.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = converse(stream, &shared) => {}
            }
            drop(place);
        });
    }
}

async fn converse(stream: TcpStream, shared: &Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    loop {
        let request = match tokio::time::timeout(READ_TIMEOUT, wire::read(&mut stream)).await {
            Ok(Ok(Some(request))) => request,
            Ok(Err(ReadError::Refused(status))) => {
                let refusal = Answer::html(status, "this cannot be read\n");
                let _ = stream.write_all(&refusal.bytes(false)).await;
                return;
            }
            _ => return,
        };
        let keeps_alive = request.keeps_alive;
        let done = if control::is_for(&request) {
            let answer = control::answer(shared, &request).await;
            stream.write_all(&answer.bytes(keeps_alive)).await.is_ok()
        } else {
            call(&mut stream, shared, request).await
        };
        // Without a tidy end: it would go out before a reset, and spare the caller the surprise.
        if !done || !keeps_alive {
            return;
        }
    }
}

/// One call of the provider's API. False when the connection has ended.
async fn call(stream: &mut BufReader<TcpStream>, shared: &Arc<Shared>, request: Request) -> bool {
    shared.ledger.count(|totals| totals.calls += 1);
    let hit = shared.faults.of_call(scope(shared, &request));
    if let Some(hit) = hit {
        let name = hit.to_string();
        shared.ledger.count(|totals| *totals.faults.entry(name).or_default() += 1);
    }
    let manner = manner(shared, &request, hit);
    if !shared.options.latency.is_zero() {
        tokio::time::sleep(shared.options.latency).await;
    }
    shared.tell(|| Note {
        method: &request.method,
        path: &request.path,
        texts: desk::texts_in(&request.body),
        status: manner.status(),
        fault: hit,
    });
    misbehave::perform(stream, manner, request.keeps_alive, shared).await
}

fn scope(shared: &Shared, request: &Request) -> Scope {
    let sends = match shared.options.provider {
        Provider::ClickSend => clicksend::sends(request),
        Provider::MessageMedia => messagemedia::sends(request),
    };
    if sends { Scope::Send } else { Scope::Lookup }
}

/// What the caller will see. Texts are taken in here, or not.
fn manner(shared: &Arc<Shared>, request: &Request, hit: Option<Hit>) -> Manner {
    let honest = || match shared.options.provider {
        Provider::ClickSend => clicksend::answer(shared, request),
        Provider::MessageMedia => messagemedia::answer(shared, request),
    };
    match hit {
        None => Manner::Answer(honest()),
        Some(hit) => {
            let spoilt = hit.is_sent.then(honest);
            misbehave::manner(shared, hit.fault, spoilt, request)
        }
    }
}
