//! A client that costs as little as possible: HTTP/1.1 over a kept connection, no headers parsed but the length.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1_024) })
    }

    /// Sends a whole request and reads the whole answer; its status.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|s| s.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0);
        while self.buffer.len() < head + length {
            self.fill().await?;
        }
        Ok(status)
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// A POST as it goes over the wire.
pub fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = vec![format!("POST {path} HTTP/1.1"), "Host: localhost".to_owned(), format!("Content-Length: {}", body.len())];
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// What many requests gave.
#[derive(Default)]
pub struct Measured {
    /// Microseconds, of each request.
    latencies: Vec<u64>,
    /// Answers other than 200.
    bad: usize,
    elapsed: Duration,
}

impl Measured {
    pub fn merge(parts: Vec<Self>, elapsed: Duration) -> Self {
        let bad = parts.iter().map(|p| p.bad).sum();
        let mut latencies: Vec<u64> = parts.into_iter().flat_map(|p| p.latencies).collect();
        latencies.sort_unstable();
        Self { latencies, bad, elapsed }
    }

    fn note(&mut self, began: Instant, status: u16) {
        self.latencies.push(began.elapsed().as_micros() as u64);
        self.bad += usize::from(status != 200);
    }

    fn quantile_ms(&self, q: f64) -> f64 {
        let index = ((self.latencies.len() as f64 * q) as usize).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(index).copied().unwrap_or(0) as f64 / 1_000.0
    }

    pub fn row(&self, name: &str) -> String {
        let rate = self.latencies.len() as f64 / self.elapsed.as_secs_f64();
        format!(
            "{name:<34} {rate:>9.0}/s  p50 {:>8.2} ms  p99 {:>8.2} ms  p99.9 {:>8.2} ms  bad {}",
            self.quantile_ms(0.5),
            self.quantile_ms(0.99),
            self.quantile_ms(0.999),
            self.bad
        )
    }
}

/// `connections` clients, each asking again as soon as it has its answer, for `time`. `make(client, n)` is the n-th request.
pub async fn closed_loop<F>(address: SocketAddr, connections: usize, time: Duration, make: F) -> Measured
where
    F: Fn(usize, usize) -> Option<Vec<u8>> + Clone + Send + 'static,
{
    let began = Instant::now();
    let clients = (0..connections).map(|client| {
        let make = make.clone();
        tokio::spawn(async move {
            let mut measured = Measured::default();
            let mut connection = Connection::open(address).await.expect("a connection");
            for n in 0.. {
                if began.elapsed() >= time {
                    break;
                }
                let Some(request) = make(client, n) else { break };
                let sent = Instant::now();
                let status = connection.ask(&request).await.expect("an answer");
                measured.note(sent, status);
            }
            measured
        })
    });
    let parts = join(clients.collect()).await;
    Measured::merge(parts, began.elapsed())
}

/// `rate` requests a second whatever the answers take; latency counts from when a request was due.
pub async fn open_loop<F>(address: SocketAddr, connections: usize, rate: usize, time: Duration, make: F) -> Measured
where
    F: Fn(usize, usize) -> Option<Vec<u8>> + Clone + Send + 'static,
{
    let began = Instant::now();
    let each = Duration::from_secs_f64(connections as f64 / rate as f64);
    let clients = (0..connections).map(|client| {
        let make = make.clone();
        tokio::spawn(async move {
            let mut measured = Measured::default();
            let mut connection = Connection::open(address).await.expect("a connection");
            let first = began + Duration::from_secs_f64(client as f64 / rate as f64);
            for n in 0.. {
                let due = first + each * n as u32;
                if due >= began + time {
                    break;
                }
                let Some(request) = make(client, n) else { break };
                tokio::time::sleep_until(due.into()).await;
                let status = connection.ask(&request).await.expect("an answer");
                measured.note(due, status);
            }
            measured
        })
    });
    let parts = join(clients.collect()).await;
    Measured::merge(parts, began.elapsed())
}

async fn join<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        done.push(task.await.expect("a client"));
    }
    done
}
