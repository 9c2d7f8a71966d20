//! The runtime of the job queue: workers that claim, run and settle jobs, heartbeats, and maintenance without a leader.

mod drain;
mod handler;
pub mod kinds;
mod maintenance;
mod presence;
mod registry;
mod retry;
mod runner;
mod settle;
mod work;
mod worker;

pub use drain::{DRAIN_JOBS_MAX, work_available};
pub use handler::{JobHandler, JobOutcome, Outcomes};
pub use registry::Registry;
pub use retry::{RETRY_DELAY_MAX, retry_delay};
pub use runner::{QueueOptions, Runner, RunnerOptions};
