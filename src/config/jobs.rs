//! `jobs`: how many workers, and how they hold their jobs.

use super::parse;
use super::reader::Reader;
use crate::domain::time::Millis;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobSettings {
    pub workers: u32,
    /// A worker not heard of for this long is dead, and its jobs run elsewhere.
    pub lease: Millis,
    /// How often an idle worker looks for jobs.
    pub poll: Millis,
    /// Jobs taken at once.
    pub batch_max: u32,
}

impl JobSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            workers: reader.number("jobs.workers", 4, 1, 256) as u32,
            lease: parse::seconds(reader.number("jobs.lease_seconds", 8, 2, 600)),
            poll: parse::millis(reader.number("jobs.poll_ms", 500, 10, 60_000)),
            batch_max: reader.number("jobs.batch_max", 64, 1, 1_000) as u32,
        }
    }
}
