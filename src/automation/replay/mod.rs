//! What a draft would have done: the recorded events once more, in memory, with the rules of one side and of the other.
//!
//! Both sides start from the same clinic: the events of the time before are worked through with the rules of the first side
//! alone. So every difference comes from the rules. Nothing is written and nothing is sent.

mod difference;
mod draft;
mod history;
mod pairing;

pub use difference::{Change, Detail, Difference, Item, RuleDifference, RuleState, Tally, compare};
pub use draft::{Asked, DraftError, Told, WINDOW_MAX, parse_since, replay_draft};
pub use history::{History, REPLAY_EVENTS_MAX, WARM_UP, as_it_arrived, load};
pub(super) use history::{booking_then, contact_then};

use super::simulate::{Happening, Records, Rules, Simulation};
use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::engine::script::STACK_BYTES_MIN;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What each side did in the window.
pub struct Replayed {
    pub before: Vec<Happening>,
    pub after: Vec<Happening>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("the operating system gives no thread to replay on")]
    NoThread,
    #[error("the replay failed unexpectedly")]
    Failed,
    /// With the words of the simulation.
    #[error("{0}")]
    Trouble(String),
}

/// Replays `history` with the rules of both sides, each on a thread of its own. `done` counts events as they are worked on,
/// those of the window once for each side.
///
/// # Errors
/// When a side cannot be brought to its end.
pub fn replay(history: &History, before: Rules<'_>, after: Rules<'_>, done: &AtomicUsize) -> Result<Replayed, ReplayError> {
    let start =
        std::thread::scope(|scope| run(scope, || warm_up(history, before, done))?.join().map_err(|_| ReplayError::Failed))?;
    if let Some(trouble) = start.trouble() {
        return Err(ReplayError::Trouble(trouble.to_owned()));
    }
    let (first, second) = (start.fork(before), start.fork(after));
    drop(start);
    std::thread::scope(|scope| {
        let first = run(scope, move || window(history, first, done))?;
        let second = run(scope, move || window(history, second, done))?;
        let join = |side: std::thread::ScopedJoinHandle<'_, Result<Vec<Happening>, ReplayError>>| {
            side.join().map_err(|_| ReplayError::Failed)?
        };
        Ok(Replayed { before: join(first)?, after: join(second)? })
    })
}

/// Scripts need the stack.
fn run<'scope, 'env, T: Send + 'scope>(
    scope: &'scope std::thread::Scope<'scope, 'env>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<std::thread::ScopedJoinHandle<'scope, T>, ReplayError> {
    std::thread::Builder::new().stack_size(STACK_BYTES_MIN).spawn_scoped(scope, work).map_err(|_| ReplayError::NoThread)
}

/// The clinic as it was when the window began.
fn warm_up<'r>(history: &History, rules: Rules<'r>, done: &AtomicUsize) -> Simulation<'r> {
    let mut simulation = Simulation::new(rules, history.known_since);
    simulation.change(|records, _| seed(records, history));
    simulation.settle_late();
    work(&mut simulation, &history.before, done);
    simulation.advance(just_before(history.since));
    simulation
}

fn seed(records: &mut Records, history: &History) {
    for world in &history.seeds {
        records.put(world.clone());
    }
    records.know_real_texts(&history.texts);
    records.know_real_tasks(&history.tasks);
}

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_sub(1))
}

fn window(history: &History, mut simulation: Simulation<'_>, done: &AtomicUsize) -> Result<Vec<Happening>, ReplayError> {
    work(&mut simulation, &history.window, done);
    simulation.advance(history.until);
    match simulation.trouble() {
        Some(trouble) => Err(ReplayError::Trouble(trouble.to_owned())),
        None => Ok(simulation.take_happened()),
    }
}

fn work(simulation: &mut Simulation<'_>, events: &[Event], done: &AtomicUsize) {
    for event in events {
        simulation.happen(event.clone());
        done.fetch_add(1, Ordering::Relaxed);
    }
}
