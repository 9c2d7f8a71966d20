//! A connection that does not wait forever: for the first byte, for the end of a request's headers, for the next request, for a
//! peer that does not read. Bodies have their own deadline in `http::body`.

use super::limits::ServerLimits;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

const HTTP2_PREFACE_START: &[u8] = b"PRI * HTTP/2.0";

/// How many requests of a connection are being answered, and how many ever were. Shared with the connection's service.
#[derive(Default)]
pub(super) struct InFlight {
    active: AtomicUsize,
    started: AtomicUsize,
}

/// One request in flight, until dropped.
pub(super) struct InFlightGuard(Arc<InFlight>);

impl InFlight {
    pub(super) fn enter(self: &Arc<Self>) -> InFlightGuard {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.started.fetch_add(1, Ordering::Relaxed);
        InFlightGuard(Arc::clone(self))
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Waiting for the headers of a request that has begun, or for the first request of all.
    Head,
    /// Between requests.
    Idle,
    /// A request is being answered.
    Busy,
}

/// A TCP stream whose reads and writes fail with `TimedOut` when the peer is too slow.
pub(super) struct TimedStream {
    inner: TcpStream,
    in_flight: Arc<InFlight>,
    phase: Phase,
    /// Requests seen to start.
    started: usize,
    is_http2: bool,
    header_timeout: Duration,
    idle_timeout: Duration,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
}

impl TimedStream {
    pub(super) fn new(inner: TcpStream, in_flight: Arc<InFlight>, limits: &ServerLimits) -> Self {
        let deadline = Instant::now() + limits.header_timeout;
        Self {
            inner,
            in_flight,
            phase: Phase::Head,
            started: 0,
            is_http2: false,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            deadline,
            timer: Box::pin(tokio::time::sleep_until(deadline)),
        }
    }

    /// Follows what the connection's service does.
    fn follow_service(&mut self) {
        let busy = self.in_flight.active.load(Ordering::Relaxed) > 0;
        let started = self.in_flight.started.load(Ordering::Relaxed);
        // A quick request may begin and end between two looks: the count still tells.
        let has_begun = started != self.started;
        self.started = started;
        match (busy, self.phase) {
            (true, Phase::Head | Phase::Idle) => self.enter(Phase::Busy, self.idle_timeout),
            (false, Phase::Busy) => self.enter(Phase::Idle, self.idle_timeout),
            (false, Phase::Head) if has_begun => self.enter(Phase::Idle, self.idle_timeout),
            _ => {}
        }
    }

    fn enter(&mut self, phase: Phase, timeout: Duration) {
        self.phase = phase;
        self.deadline = Instant::now() + timeout;
    }

    /// Bytes have moved. Those of a new request start its header deadline, which further bytes do not move.
    fn note_progress(&mut self, read: Option<&[u8]>) {
        self.follow_service();
        match (self.phase, read) {
            (Phase::Head, Some(bytes)) => self.is_http2 |= bytes.starts_with(HTTP2_PREFACE_START),
            (Phase::Head, None) => {}
            (Phase::Idle, Some(_)) if !self.is_http2 => self.enter(Phase::Head, self.header_timeout),
            (Phase::Idle | Phase::Busy, _) => self.deadline = Instant::now() + self.idle_timeout,
        }
    }

    /// Nothing could move: fails when the deadline has passed, else sees to it that the task is woken then.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.follow_service();
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= self.deadline {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            let deadline = self.deadline;
            self.timer.as_mut().reset(deadline);
        }
        if self.timer.deadline() > self.deadline {
            let deadline = self.deadline;
            self.timer.as_mut().reset(deadline);
            return self.wait(cx);
        }
        Poll::Pending
    }

    fn written<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => self.wait(cx),
            ready @ Poll::Ready(_) => {
                self.note_progress(None);
                ready
            }
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buffer) {
            Poll::Pending => this.wait(cx),
            ready @ Poll::Ready(_) => {
                if buffer.filled().len() > before {
                    this.note_progress(Some(&buffer.filled()[before..]));
                    // A peer that drips bytes makes every read ready; the deadline holds for it, too.
                    if Instant::now() >= this.deadline {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                }
                ready
            }
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.written(cx, result)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
