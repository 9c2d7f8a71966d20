//! The kinds of jobs, one file each: they hand the work to its use case and translate what became of it.

mod derive_timers;
mod make_report;
mod reconcile_sms;
mod run_event;
mod run_schedule;
mod send_sms;

use super::handler::JobOutcome;
use super::registry::Registry;
use crate::automation::run::Worked;
use crate::automation::send::Sending;

/// The queues of the program.
pub const AUTOMATION: &str = "automation";
pub const SMS: &str = "sms";
pub const SMS_CHECKS: &str = "sms_checks";
pub const MAINTENANCE: &str = "maintenance";
pub const QUEUES: [&str; 4] = [AUTOMATION, SMS, SMS_CHECKS, MAINTENANCE];

/// Every kind that this program knows.
#[must_use]
pub fn registry(sending: Sending) -> Registry {
    let automation = sending.automation.clone();
    Registry::new()
        .with(run_event::RunEvent(automation.clone()))
        .with(run_schedule::RunSchedule(automation.clone()))
        .with(make_report::MakeReport(automation.clone()))
        .with(derive_timers::DeriveTimers(automation))
        .with(reconcile_sms::ReconcileSms(sending.clone()))
        .with(send_sms::SendSms(sending))
}

fn outcome(worked: Worked) -> JobOutcome {
    match worked {
        Worked::Completed => JobOutcome::Completed,
        Worked::LeaseLost => JobOutcome::LeaseLost,
        Worked::Again => JobOutcome::Release,
        Worked::Later(at) => JobOutcome::Snooze(at),
        Worked::Failed(reason) => JobOutcome::Retry(reason),
    }
}
