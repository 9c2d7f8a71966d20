//! What one server holds and how long it waits. Every number has its unit in its name.

use std::net::IpAddr;
use std::time::Duration;

/// Open connections in all.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Open connections of one address that is neither this machine nor a trusted proxy.
pub const CONNECTIONS_PER_IP_MAX: usize = 64;
/// Headers of one request.
pub const HEADERS_MAX: usize = 64;
/// All headers of one request together, and what is buffered of one connection.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Requests in flight on one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
pub const BODY_DISCARD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bodies that are being read at once. More than connections, since one HTTP/2 connection can send many.
pub const BODIES_MAX: usize = 8_192;
/// Requests of one webhook source that are worked on at once.
pub const SOURCE_CONCURRENCY_MAX: usize = 512;

/// Open event streams of one process.
pub const STREAMS_MAX: usize = 256;

const HEADER_TIMEOUT_MS: u64 = 5_000;
const BODY_TIMEOUT_MS: u64 = 5_000;
const IDLE_TIMEOUT_MS: u64 = 30_000;
const APPEND_TIMEOUT_MS: u64 = 5_000;
const DRAIN_TIMEOUT_MS: u64 = 10_000;
const HEARTBEAT_MS: u64 = 15_000;
const AUTHORISE_AGAIN_MS: u64 = 20_000;

/// The limits of one server. Tests shorten them; production takes the default and adds its proxies.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    pub connections_max: usize,
    pub connections_per_ip_max: usize,
    /// From the first byte of a request (or from the accept) to the end of its headers.
    pub header_timeout: Duration,
    /// From the end of the headers to the end of the body.
    pub body_timeout: Duration,
    /// Without a byte in either direction.
    pub idle_timeout: Duration,
    /// How long a webhook waits to be durable before it is answered with 503.
    pub append_timeout: Duration,
    /// How long requests in flight may take after the stop was asked for.
    pub drain_timeout: Duration,
    pub bodies_max: usize,
    pub streams_max: usize,
    /// How often an event stream says that it lives. Shorter than the idle timeout, or streams end.
    pub heartbeat: Duration,
    /// How often an event stream asks whether its reader may still read it.
    pub authorise_again: Duration,
    pub source_concurrency_max: usize,
    /// Addresses that speak for many clients: no limit per address.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            connections_per_ip_max: CONNECTIONS_PER_IP_MAX,
            header_timeout: Duration::from_millis(HEADER_TIMEOUT_MS),
            body_timeout: Duration::from_millis(BODY_TIMEOUT_MS),
            idle_timeout: Duration::from_millis(IDLE_TIMEOUT_MS),
            append_timeout: Duration::from_millis(APPEND_TIMEOUT_MS),
            drain_timeout: Duration::from_millis(DRAIN_TIMEOUT_MS),
            bodies_max: BODIES_MAX,
            streams_max: STREAMS_MAX,
            heartbeat: Duration::from_millis(HEARTBEAT_MS),
            authorise_again: Duration::from_millis(AUTHORISE_AGAIN_MS),
            source_concurrency_max: SOURCE_CONCURRENCY_MAX,
            trusted_proxies: Vec::new(),
        }
    }
}

impl ServerLimits {
    /// True when `ip` may hold any number of connections.
    pub(in crate::http) fn trusts(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.trusted_proxies.contains(&ip)
    }
}
