//! The accept loop around warp: what `warp::serve` lacks — places, deadlines, limits and a stop that ends.

mod limits;
mod shell;
mod slots;
mod stream;

pub(super) use limits::BODY_DISCARD_BYTES_MAX;
pub use limits::ServerLimits;

use super::context::HttpContext;
use super::metrics;
use super::routes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use limits::{HEADER_BYTES_MAX, HEADERS_MAX, STREAMS_PER_CONNECTION_MAX};
use shell::Shell;
use slots::{Slot, Slots};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stream::{InFlight, TimedStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who is at the other end of the connection. An extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How long the accept loop rests when the machine has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a connection hears for which there is no place.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves until `stop`, then finishes the requests in flight (at most `limits.drain_timeout`) and returns.
///
/// # Errors
/// Only when the listener itself is broken.
pub async fn serve(
    listener: TcpListener,
    context: Arc<HttpContext>,
    limits: ServerLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    raise_open_files_limit();
    let server = Server {
        shell: Shell::new(routes::all(&context, &limits, stop.clone()), &context, limits.clone()),
        slots: Slots::new(limits.clone()),
        builder: Arc::new(connection_builder()),
        limits,
        stop: stop.clone(),
        kill: CancellationToken::new(),
        tracker: TaskTracker::new(),
    };
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => server.take(stream, peer),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    server.drain().await;
    Ok(())
}

struct Server {
    shell: Shell,
    slots: Arc<Slots>,
    builder: Arc<Builder<TokioExecutor>>,
    limits: ServerLimits,
    /// No new requests.
    stop: CancellationToken,
    /// No requests at all.
    kill: CancellationToken,
    tracker: TaskTracker,
}

impl Server {
    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let Some(slot) = self.slots.take(peer.ip()) else {
            metrics::connection_refused();
            // Best effort: a socket just accepted has room for so few bytes.
            let _ = stream.try_write(NO_PLACE);
            return;
        };
        // Answers are written whole; waiting to fill a segment only delays them.
        let _ = stream.set_nodelay(true);
        let in_flight = Arc::new(InFlight::default());
        let service = self.shell.of_connection(Peer(peer), Arc::clone(&in_flight));
        let io = TokioIo::new(TimedStream::new(stream, in_flight, &self.limits));
        let connection = self.builder.serve_connection(io, service).into_owned();
        self.tracker.spawn(run_connection(connection, slot, self.stop.clone(), self.kill.clone()));
    }

    async fn drain(&self) {
        self.tracker.close();
        if tokio::time::timeout(self.limits.drain_timeout, self.tracker.wait()).await.is_err() {
            tracing::warn!(connections = self.tracker.len(), "closing connections that did not end in time");
            self.kill.cancel();
            self.tracker.wait().await;
        }
    }
}

type Connection = hyper_util::server::conn::auto::Connection<'static, TokioIo<TimedStream>, shell::OfConnection, TokioExecutor>;

async fn run_connection(connection: Connection, slot: Slot, stop: CancellationToken, kill: CancellationToken) {
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection.as_mut() => result,
                () = kill.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = result {
        tracing::trace!(%error, "connection ended");
    }
    drop(slot);
}

/// `TimedStream` has the timers, so hyper needs none.
fn connection_builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .header_read_timeout(None)
        .half_close(false)
        .keep_alive(true)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(RESET_STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    builder
}

/// Streams that a peer opened and reset at once, before the connection is closed.
const RESET_STREAMS_MAX: usize = 20;
/// What a peer may send of one body before it is read.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// What a peer may send of all bodies of a connection before they are read.
const CONNECTION_WINDOW_BYTES: u32 = 512 * 1024;

/// Raises the soft limit of open files to the hard one: each connection needs one.
fn raise_open_files_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => tracing::debug!(files, "open files limit"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}

/// The peer was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
