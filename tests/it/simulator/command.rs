//! `avatar simulate` as a process.

use super::JANE;
use crate::support::client;
use crate::support::clinic::wait_until;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

fn avatar(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avatar"));
    command.args(["simulate"]).args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    fn start_with(arguments: &[&str], variables: &[(&str, &Path)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut child = avatar(arguments)
            .envs(variables.iter().copied())
            .args(["--json", "--latency", "0", "--listen", &address.to_string()])
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, out, address };
        let first = running.line();
        assert_eq!(first["base_url"], format!("http://{address}"), "{first}");
        running
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    }

    fn send(&self, id: &str) -> u16 {
        let body = json!({ "messages": [{ "to": JANE, "body": "Hi", "custom_string": id }] }).to_string();
        // simulator:simulator-key
        let headers = [("Authorization", "Basic c2ltdWxhdG9yOnNpbXVsYXRvci1rZXk="), ("Content-Type", "application/json")];
        client::send(self.address, "POST", "/v3/sms/send", &headers, body.as_bytes()).unwrap().status
    }

    /// Ends it as Ctrl C does: what it said last, and its exit.
    fn end(mut self) -> (Value, i32) {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let mut exit = None;
        wait_until(Duration::from_secs(20), "it ends", || {
            exit = self.child.try_wait().unwrap();
            exit.is_some()
        });
        let last = rest.lines().last().unwrap_or_default();
        (serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {rest}")), exit.unwrap().code().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_tells_every_call_and_ends_with_the_sum() {
    let mut running = Running::start(&["clicksend", "--fault", "429=1"]);
    assert_eq!((running.send("s-1"), running.send("s-1")), (429, 200));
    let call = json!({ "method": "POST", "path": "/v3/sms/send", "status": 429, "fault": "429" });
    assert_eq!(running.line(), json!({ "schema": "avatar.simulator/1", "call": call }));
    assert_eq!(running.line()["call"]["fault"], Value::Null);
    let (last, exit) = running.end();
    assert_eq!((&last["totals"]["sent"], &last["totals"]["doubled"], exit), (&json!(1), &json!(0), 0));
}

#[test]
fn a_text_that_was_sent_twice_is_a_problem_found() {
    let running = Running::start(&["clicksend"]);
    assert_eq!((running.send("s-1"), running.send("s-1")), (200, 200));
    let (last, exit) = running.end();
    assert_eq!((&last["totals"]["doubled"], exit), (&json!(1), 1));
}

#[test]
fn the_account_and_the_webhooks_secret_can_stand_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    // Two of a rotation, as the service reads them: the first is used.
    let key = write("key", "simulator-key, an-older-key\n");
    let token = write("token", "token-of-the-webhooks-0000000001\n");
    let taken = Receiver::start();
    let callback = format!("http://{}", taken.address);
    let files = [("SMS_API_KEY_FILE", key.as_path()), ("SMS_WEBHOOK_TOKEN_FILE", token.as_path())];
    let running = Running::start_with(&["clicksend", "--receipt-delay", "0", "--callback", &callback], &files);
    assert_eq!(running.send("s-1"), 200);
    assert_eq!(taken.first_path(), "/webhooks/sms/receipts/token-of-the-webhooks-0000000001");
    let output = avatar(&["clicksend", "--callback", &callback]).env("SMS_WEBHOOK_TOKEN_FILE", "/nowhere").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the file of SMS_WEBHOOK_TOKEN_FILE cannot be read"), "{stderr}");
}

/// A service that takes one callback.
struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    fn first_path(&self) -> String {
        let (stream, _) = self.listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

#[test]
fn mistakes_end_with_2_and_say_what_to_write() {
    for (arguments, said) in [
        (&["clicksent"][..], "'clicksend'"),
        (&["clicksend", "--fault", "rest=5%"], "did you mean `reset`?"),
        (&["clicksend", "--latency", "20"], "20ms, 2s, 1m"),
        (&["clicksend", "--reply", "YES"], "YES=60%"),
        (&["clicksend", "--listen", "0.0.0.0:0"], "--allow-remote"),
        (&["clicksend", "--callback", "here"], "http://127.0.0.1:8787"),
        (&["clicksend", "--callback", "http://127.0.0.1:8787"], "SMS_WEBHOOK_TOKEN"),
        (&["messagemedia", "--signing-key", "Cargo.toml"], "openssl genpkey"),
    ] {
        let output = avatar(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}
