//! Who carries the demo's texts once it is live: a simulated ClickSend on this machine, at the other end of a wire. It sends receipts
//! and answers to the webhooks, as the real one does.

use crate::config::{SecretList, SmsProvider, SmsSettings};
use crate::domain::clock::SharedClock;
use crate::simulator::{Answering, KEY_DEFAULT, Options, Provider, Simulator, StartError, USERNAME_DEFAULT};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

/// Kept free for fiction.
const FROM: &str = "+61491570156";
/// From a text to its first receipt, and from one to the next: soon enough to be watched.
const RECEIPT_DELAY: Duration = Duration::from_secs(2);
/// What people answer, and how many of them.
const ANSWERS: [(&str, f64); 3] = [("YES", 0.4), ("Can I come an hour later?", 0.04), ("STOP", 0.005)];

/// An address of this machine that nobody listens at.
///
/// # Errors
/// When there is none.
pub fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// From now on texts go to the provider at `address`. It is a rehearsal: nothing leaves this machine.
pub fn send_through(settings: &mut SmsSettings, address: SocketAddr) {
    settings.provider = SmsProvider::ClickSend;
    settings.rehearsal = true;
    settings.base_url = Some(format!("http://{address}"));
    settings.username = Some(USERNAME_DEFAULT.to_owned());
    settings.api_key = SecretList::parse(KEY_DEFAULT);
    settings.from = Some(FROM.to_owned());
}

/// Starts the provider at `address`. `service`: where the webhooks are, without a slash at the end; `token`: their secret.
///
/// # Errors
/// When the address is taken.
pub async fn start(
    address: SocketAddr,
    service: &str,
    token: &str,
    seed: u64,
    clock: SharedClock,
) -> Result<Simulator, StartError> {
    let answering = ANSWERS.map(|(body, share)| Answering { body: body.to_owned(), share }).to_vec();
    let options = Options {
        listen: address,
        callback: Some(format!("{service}/webhooks/sms/{{kind}}/{token}")),
        receipt_delay: RECEIPT_DELAY,
        answering,
        seed,
        clock,
        ..Options::new(Provider::ClickSend)
    };
    Simulator::start(options).await
}
