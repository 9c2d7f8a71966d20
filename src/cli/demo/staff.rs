//! What the clinic's own people do in the story: see patients, miss some, and work off their tasks. They click as everybody does:
//! each click is an event that rules hear of and that a replay sees.

use super::random::Random;
use crate::automation::Automation;
use crate::automation::staff_work::{About, Refused, Wanted, act};
use crate::domain::booking::BookingStatus;
use crate::domain::staff_action::StaffAction;
use crate::domain::task::{Task, TaskOutcome};
use crate::domain::time::{Millis, Timestamp};
use crate::store::{StoreError, StoreResult, bookings, tasks};
use futures_util::stream::{StreamExt, iter};

/// Of patients who were expected.
const NO_SHOW: f64 = 0.045;
/// Of tasks that are due; the rest is looked at again an hour later.
const TASK_DONE: f64 = 0.7;
/// Of calls: somebody answered; of the others, a voice asked for a message.
const SPOKE: f64 = 0.6;
const VOICEMAIL: f64 = 0.5;
/// Most tasks are done before they are due.
const TASK_DONE_BEFORE: Millis = Millis::HOUR;
/// Some tasks stay for everybody to see.
const TASK_FORGOTTEN_AFTER: Millis = Millis::hours(3);
/// Patients are marked this long after their time.
const MARKED_AFTER: Millis = Millis::minutes(40);
const RECORDS_MAX: i64 = 500;
/// People who click at the same time.
const AT_ONCE_MAX: usize = 8;
const WHO: &str = "staff:demo";

/// One hour of work.
pub async fn work_an_hour(automation: &Automation, random: &mut Random, now: Timestamp) -> StoreResult<()> {
    let read = move |conn: &mut _| {
        let expected = bookings::list_expected_before(conn, now - MARKED_AFTER, RECORDS_MAX)?;
        StoreResult::Ok((expected, tasks::list_open_due(conn, now - TASK_FORGOTTEN_AFTER, now + TASK_DONE_BEFORE, RECORDS_MAX)?))
    };
    let (expected, due) = automation.store.read(read).await?;
    let mut clicks = Vec::new();
    for booking in expected {
        let to = if random.chance(NO_SHOW) { BookingStatus::NoShow } else { BookingStatus::Completed };
        clicks.push(click(About::Booking(booking.id), StaffAction::MarkBooking { to, reason: None }));
    }
    for task in due {
        if random.chance(TASK_DONE) {
            let outcome = outcome(&task, random);
            clicks.push(click(About::Task(task.id), StaffAction::CompleteTask { outcome, note: None }));
        }
    }
    let mut done = iter(clicks).map(|wanted| act(automation, wanted)).buffer_unordered(AT_ONCE_MAX);
    while let Some(result) = done.next().await {
        told(result.map(drop))?;
    }
    Ok(())
}

fn click(about: About, action: StaffAction) -> Wanted {
    Wanted { who: WHO.into(), about, action, version: None }
}

fn outcome(task: &Task, random: &mut Random) -> TaskOutcome {
    if !task.task_type.ends_with("_call") || random.chance(SPOKE) {
        return if task.task_type.ends_with("_call") { TaskOutcome::Spoke } else { TaskOutcome::Done };
    }
    if random.chance(VOICEMAIL) { TaskOutcome::Voicemail } else { TaskOutcome::NoAnswer }
}

/// A rule may have been faster: what somebody wanted to do is done already, or makes no sense any more.
fn told(result: Result<(), Refused>) -> StoreResult<()> {
    match result {
        Err(Refused::Store(error)) => Err(error),
        Err(Refused::NoRules) => Err(StoreError::NotFound { what: "a ruleset in force" }),
        Ok(()) | Err(_) => Ok(()),
    }
}
