//! The demo clinic: a month of made-up patients, sent through the real webhooks.
//!
//! How `serve --demo` puts it together:
//!
//! 1. `let demo = demo::prepare(now, Size::MONTH)?` gives the clock, which stands a month ago, the secrets for `Inbound::new`, and the keys.
//! 2. Open the store, the ruleset host and the server with `demo.clock`; `Automation::is_demo` is true and the gateway is the
//!    sandbox: what people do with a month of texts is told by the story. Publish the rules. Serve. Start no workers: they would race the story.
//! 3. `demo::feed(DemoParts { .. }, |progress| ..).await?` lives through the month (some seconds) and lets the clock go live.
//! 4. Start the provider of `rehearsal`, which carries the texts from now on, and the workers.

mod bodies;
mod feed;
pub mod generator;
mod leads;
mod names;
mod people;
mod phrases;
mod post;
mod reactions;
pub mod rehearsal;
pub mod request;
mod secrets;
mod services;
mod staff;
mod story;

pub use feed::{DemoParts, FeedError, Progress, Summary, feed};
pub use generator::{Size, generate};
pub use post::PostError;
pub use secrets::{DemoSecretsError, SigningKeys, demo_secrets};

use crate::domain::clock::BackfillClock;
use crate::domain::random;
use crate::domain::time::Timestamp;
use crate::inbound::Secrets;
use std::sync::Arc;

/// What the program is opened with before the story can be told.
pub struct Prepared {
    /// Stands `size.past` before `now`.
    pub clock: Arc<BackfillClock>,
    pub secrets: Secrets,
    pub keys: SigningKeys,
    pub size: Size,
    pub now: Timestamp,
}

/// Makes the clock and the secrets of a story that ends at `now`.
///
/// # Errors
/// When no RSA key could be made.
pub fn prepare(now: Timestamp, size: Size) -> Result<Prepared, DemoSecretsError> {
    let (secrets, keys) = demo_secrets()?;
    Ok(Prepared { clock: BackfillClock::at(now - size.past), secrets, keys, size, now })
}
