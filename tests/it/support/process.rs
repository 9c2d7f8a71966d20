//! The binary itself, as real processes that can be stopped, frozen and killed.

use super::clinic::{Installation, pause, wait_until};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A process that is not ready by then never will be.
const START_PATIENCE: Duration = Duration::from_secs(30);
const END_PATIENCE: Duration = Duration::from_secs(20);

/// One process of an installation. Killed with the test.
pub struct Node {
    installation: Arc<Installation>,
    /// `None` for a worker.
    pub address: Option<SocketAddr>,
    name: String,
    child: Option<Child>,
}

impl Node {
    pub fn serve(installation: &Arc<Installation>, name: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        Self::started(installation, name, Some(address))
    }

    pub fn worker(installation: &Arc<Installation>, name: &str) -> Self {
        Self::started(installation, name, None)
    }

    fn started(installation: &Arc<Installation>, name: &str, address: Option<SocketAddr>) -> Self {
        let mut node = Self { installation: Arc::clone(installation), address, name: name.into(), child: None };
        node.start();
        node
    }

    /// Starts it (again), on the same port; does not wait until it is ready.
    pub fn start(&mut self) {
        let log = |kind: &str| {
            let path = self.installation.file(&format!("{}.{kind}", self.name));
            File::options().create(true).append(true).open(path).unwrap()
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_avatar"));
        match self.address {
            Some(address) => command.args(["serve", "--listen", &address.to_string(), "--workers", "3"]),
            None => command.args(["worker", "--workers", "3"]),
        };
        command.env_clear().env("RUST_LOG", "warn").envs(self.installation.variables()).current_dir(self.installation.path());
        self.child = Some(command.stdin(Stdio::null()).stdout(log("out")).stderr(log("err")).spawn().unwrap());
    }

    /// Waits until it answers.
    pub fn ready(mut self) -> Self {
        let Some(address) = self.address else { return self };
        wait_until(START_PATIENCE, &format!("{} is ready", self.name), || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("{} ended with {status}:\n{}", self.name, self.log());
            }
            TcpStream::connect(address).is_ok()
        });
        self
    }

    /// What it wrote to stderr.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.installation.file(&format!("{}.err", self.name))).unwrap_or_default()
    }

    /// SIGKILL: nothing is tidied up.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal by name: `TERM`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let child = self.child.as_ref().unwrap();
        let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{name} to {}", self.name);
    }

    /// Waits for its own end.
    pub fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let mut status = None;
        wait_until(END_PATIENCE, &format!("{} ends", self.name), || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits a while: real processes have no clock that a test could move.
pub fn let_run(span: Duration) {
    pause(span);
}
