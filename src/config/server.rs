//! `server`: where to listen, what to accept, how to log.

use super::parse::{self, choice};
use super::reader::Reader;
use crate::domain::time::Millis;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const LISTEN_PORT: u16 = 8787;
const LOG_FORMATS: &[&str] = &["auto", "json", "human"];

#[derive(Clone, Debug)]
pub struct ServerSettings {
    pub listen: SocketAddr,
    /// Public base URL without a trailing slash; the only CORS origin.
    pub frontend_url: String,
    /// Proxies that say for whom they speak, besides those on this machine.
    pub trusted_proxies: Vec<IpAddr>,
    pub access: AccessLimits,
    pub limits: ServerLimits,
    /// A filter in the syntax of `RUST_LOG`.
    pub log_level: String,
    pub log_format: LogFormat,
}

/// What one client, and all of them together, may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    pub body_bytes_max: usize,
    /// For all headers of a request to arrive.
    pub header_timeout: Millis,
    /// For the whole body to arrive.
    pub body_timeout: Millis,
    /// For a kept-alive connection without a request.
    pub idle_timeout: Millis,
    pub connections_max: usize,
    pub connections_per_ip_max: usize,
    /// For requests in flight at a stop.
    pub shutdown_timeout: Millis,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 256 * 1024,
            header_timeout: Millis::seconds(5),
            body_timeout: Millis::seconds(5),
            idle_timeout: Millis::seconds(30),
            connections_max: 4_096,
            connections_per_ip_max: 64,
            shutdown_timeout: Millis::seconds(10),
        }
    }
}

/// `Auto` is human on a terminal and JSON elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Auto,
    Json,
    Human,
}

impl LogFormat {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "json" => Some(Self::Json),
            "human" => Some(Self::Human),
            _ => None,
        }
    }
}

impl ServerSettings {
    /// Listens elsewhere. Unless it was named, the public URL goes along: providers send their receipts there.
    pub fn listen_at(&mut self, listen: SocketAddr) {
        if self.frontend_url == own_url(self.listen) {
            self.frontend_url = own_url(listen);
        }
        self.listen = listen;
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, LISTEN_PORT));
        let listen = reader.shown_value("server.listen", Some("LISTEN_ADDR"), here, parse::listen);
        let frontend_url =
            reader.shown_value("server.frontend_url", Some("FRONTEND_URL"), own_url(listen), |t| parse::base_url(t, false));
        let log_level = reader.shown_value("server.log_level", Some("RUST_LOG"), "info".to_owned(), log_filter);
        let show = |format: &LogFormat| format!("{format:?}").to_lowercase();
        let format = |t: &str| choice(t, LOG_FORMATS, LogFormat::parse);
        let log_format = reader.value("server.log_format", None, LogFormat::Auto, show, format);
        let show_list = |list: &Vec<IpAddr>| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let trusted_proxies = reader.value("server.trusted_proxies", Some("TRUSTED_PROXIES"), Vec::new(), show_list, addresses);
        let access = AccessLimits::read(reader);
        Self { listen, frontend_url, trusted_proxies, access, limits: ServerLimits::read(reader), log_level, log_format }
    }
}

fn addresses(text: &str) -> parse::Parsed<Vec<IpAddr>> {
    let parsed: Result<_, _> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect();
    parsed.map_err(|_| parse::Refusal {
        message: "is not a list of IP addresses".to_owned(),
        help: Some("write it as 10.0.0.1,10.0.0.2".to_owned()),
    })
}

fn own_url(listen: SocketAddr) -> String {
    format!("http://{listen}")
}

fn log_filter(text: &str) -> parse::Parsed<String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            let help = Some("write a level such as `info`, or `info,avatar::jobs=debug`".to_owned());
            Err(parse::Refusal { message: format!("is not a log filter: {error}"), help })
        }
    }
}

/// How long sessions last, and how many requests one address and one caller may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessLimits {
    pub session_idle: Millis,
    pub session_absolute: Millis,
    pub per_address_per_second: u32,
    pub per_caller_per_second: u32,
}

impl AccessLimits {
    fn read(reader: &mut Reader) -> Self {
        let rate = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            session_idle: parse::seconds(reader.number("server.session_idle_minutes", 30, 1, 720) * 60),
            session_absolute: parse::seconds(reader.number("server.session_hours", 12, 1, 168) * 3_600),
            per_address_per_second: rate(reader.number("server.api_per_ip_per_second", 400, 1, 100_000)),
            per_caller_per_second: rate(reader.number("server.api_per_caller_per_second", 200, 1, 100_000)),
        }
    }
}

impl ServerLimits {
    fn read(reader: &mut Reader) -> Self {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            body_bytes_max: count(reader.number("server.body_bytes_max", 256 * 1024, 1_024, 8 * 1024 * 1024)),
            header_timeout: parse::seconds(reader.number("server.header_timeout_seconds", 5, 1, 60)),
            body_timeout: parse::seconds(reader.number("server.body_timeout_seconds", 5, 1, 120)),
            idle_timeout: parse::seconds(reader.number("server.idle_timeout_seconds", 30, 1, 600)),
            connections_max: count(reader.number("server.connections_max", 4_096, 8, 65_536)),
            connections_per_ip_max: count(reader.number("server.connections_per_ip_max", 64, 1, 65_536)),
            shutdown_timeout: parse::seconds(reader.number("server.shutdown_timeout_seconds", 10, 1, 120)),
        }
    }
}
