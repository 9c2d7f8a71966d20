//! The job table. Every function works inside of the caller's transaction.

mod enqueue;
mod queues;
mod stats;

pub use enqueue::{enqueue, enqueue_many};
pub use queues::{pause, paused, resume};
pub use stats::{QueueStats, stats};
