//! One reader on one kept connection, asking one thing after the other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub struct Client {
    stream: TcpStream,
    key: String,
}

pub struct Answer {
    pub status: u16,
    pub body: String,
    pub took: Duration,
}

impl Client {
    pub fn open(address: SocketAddr, key: &str) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, key: key.to_owned() }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n", self.key);
        let began = Instant::now();
        self.stream.write_all(request.as_bytes()).expect("a request");
        let mut received = Vec::new();
        let (head, length) = loop {
            self.fill(&mut received);
            if let Some(end) = received.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|l| l.strip_prefix("content-length:")).and_then(|v| v.trim().parse().ok());
                break (head, end + 4 + length.unwrap_or(0usize));
            }
        };
        while received.len() < length {
            self.fill(&mut received);
        }
        let took = began.elapsed();
        let status = head.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0);
        let body = head.len() + 4;
        Answer { status, body: String::from_utf8_lossy(&received[body..]).into_owned(), took }
    }

    fn fill(&mut self, received: &mut Vec<u8>) {
        let mut piece = vec![0; 64 * 1024];
        let count = self.stream.read(&mut piece).expect("an answer");
        assert!(count > 0, "the server hung up");
        received.extend_from_slice(&piece[..count]);
    }
}
