//! Logs and metrics. Neither ever holds personal data: ids only.

pub mod logs;
pub mod metrics;

pub use logs::init_logs;
pub use metrics::{Metric, MetricsHandle};
