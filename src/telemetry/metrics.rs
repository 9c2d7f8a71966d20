//! The metrics of the program: each name is a value of [`Metric`], so that none can be misspelt.

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

const QUANTILES: &[f64] = &[0.5, 0.95, 0.99];

/// Times are in seconds, sizes in bytes, as Prometheus has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Summary by `route` and `status` (2xx, 4xx, …): from the end of the headers to the answer.
    HttpRequestSeconds,
    /// Counter by `route`, `method` and `status`. Routes are templates, never paths.
    HttpRequests,
    /// Counter: connections turned away because there was no place.
    HttpConnectionsRefused,
    /// Counter by `source` and `result` (accepted, duplicate, refused, unavailable).
    WebhookDeliveries,
    /// Summary by `kind`.
    JobSeconds,
    /// Counter by `kind` and `outcome` (completed, retried, failed, rescued).
    JobsFinished,
    /// Gauge by `queue`.
    QueueDepth,
    /// Gauge by `queue`.
    OldestJobAgeSeconds,
    /// Counter by `outcome` (fired, skipped, failed).
    RuleRuns,
    /// Counter by `then` (block, `move_to_window`, alert): actions that would have broken a promise.
    PromisesBroken,
    /// Counter by `rule`: what the step `alert` told staff.
    StaffAlerts,
    /// Counter by `kind` (failed, paused, silent, volume, parked): troubles with rules and jobs that people are told of.
    RuleAlerts,
    /// Summary.
    RulesReloadSeconds,
    /// Counter by `result` (published, unchanged, refused).
    RulesReloads,
    /// Gauge: the number of the revision in force.
    RulesRevision,
    /// Counter by `provider` and `result`.
    SmsSent,
    /// Counter by `provider` and `reason`: how often a call ended with the provider taking no more texts.
    SmsHolds,
    /// Gauge by `provider`: 1 while texts wait because it takes none.
    SmsHeld,
    /// Gauge: texts of which nobody knows whether they were sent.
    SmsUnknown,
    /// Counter by `result` (ok, failed).
    Backups,
    /// Gauge: how long ago the last sound copy of the database was made; absent while there is none.
    BackupAgeSeconds,
    /// Counter by `reason`: texts that are kept back for good, when they are planned or when they would leave.
    SmsWithheld,
    /// Counter by `provider` and `result` (found, `on_its_way`, `not_found`, unclear): questions for receipts that did not come.
    SmsReceiptChecks,
    /// Gauge: open connections.
    HttpConnections,
    /// Gauge: subscribers of the event stream.
    StreamSubscribers,
}

impl Metric {
    pub const ALL: [Self; 25] = [
        Self::HttpRequestSeconds,
        Self::HttpRequests,
        Self::HttpConnectionsRefused,
        Self::WebhookDeliveries,
        Self::JobSeconds,
        Self::JobsFinished,
        Self::QueueDepth,
        Self::OldestJobAgeSeconds,
        Self::RuleRuns,
        Self::PromisesBroken,
        Self::StaffAlerts,
        Self::RuleAlerts,
        Self::RulesReloadSeconds,
        Self::RulesReloads,
        Self::RulesRevision,
        Self::SmsSent,
        Self::SmsHolds,
        Self::SmsHeld,
        Self::SmsUnknown,
        Self::Backups,
        Self::BackupAgeSeconds,
        Self::SmsWithheld,
        Self::SmsReceiptChecks,
        Self::HttpConnections,
        Self::StreamSubscribers,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HttpRequestSeconds => "avatar_http_request_seconds",
            Self::HttpRequests => "avatar_http_requests_total",
            Self::HttpConnectionsRefused => "avatar_http_connections_refused_total",
            Self::WebhookDeliveries => "avatar_webhook_deliveries_total",
            Self::JobSeconds => "avatar_job_seconds",
            Self::JobsFinished => "avatar_jobs_finished_total",
            Self::QueueDepth => "avatar_queue_depth",
            Self::OldestJobAgeSeconds => "avatar_oldest_job_age_seconds",
            Self::RuleRuns => "avatar_rule_runs_total",
            Self::PromisesBroken => "avatar_promises_broken_total",
            Self::StaffAlerts => "avatar_staff_alerts_total",
            Self::RuleAlerts => "avatar_rule_alerts_total",
            Self::RulesReloadSeconds => "avatar_rules_reload_seconds",
            Self::RulesReloads => "avatar_rules_reloads_total",
            Self::RulesRevision => "avatar_rules_revision",
            Self::SmsSent => "avatar_sms_sent_total",
            Self::SmsHolds => "avatar_sms_holds_total",
            Self::SmsHeld => "avatar_sms_held",
            Self::SmsUnknown => "avatar_sms_unknown",
            Self::Backups => "avatar_backups_total",
            Self::BackupAgeSeconds => "avatar_backup_age_seconds",
            Self::SmsWithheld => "avatar_sms_withheld_total",
            Self::SmsReceiptChecks => "avatar_sms_receipt_checks_total",
            Self::HttpConnections => "avatar_http_connections",
            Self::StreamSubscribers => "avatar_stream_subscribers",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::HttpRequestSeconds => "Time to answer a request",
            Self::HttpRequests => "Requests answered",
            Self::HttpConnectionsRefused => "Connections turned away because there was no place",
            Self::WebhookDeliveries => "Deliveries of webhooks",
            Self::JobSeconds => "Time that a job ran",
            Self::JobsFinished => "Jobs that ended",
            Self::QueueDepth => "Jobs that are ready to run",
            Self::OldestJobAgeSeconds => "How long the oldest ready job has been due",
            Self::RuleRuns => "Rules considered for an event",
            Self::PromisesBroken => "Actions that would have broken a promise",
            Self::StaffAlerts => "Alerts that rules gave to staff",
            Self::RuleAlerts => "Troubles with rules that people are told of",
            Self::RulesReloadSeconds => "Time to read, check and compile all rules",
            Self::RulesReloads => "Reloads of rules",
            Self::RulesRevision => "Number of the ruleset in force",
            Self::SmsSent => "Texts handed to the provider",
            Self::SmsHolds => "Calls after which the provider takes no more texts",
            Self::SmsHeld => "1 while texts wait because the provider takes none",
            Self::SmsUnknown => "Texts of which nobody knows whether they were sent",
            Self::Backups => "Copies of the database",
            Self::BackupAgeSeconds => "Age of the last sound copy of the database",
            Self::SmsWithheld => "Texts kept back for good",
            Self::SmsReceiptChecks => "Questions to the provider for receipts that did not come",
            Self::HttpConnections => "Open connections",
            Self::StreamSubscribers => "Open event streams",
        }
    }

    fn describe(self) {
        match self {
            Self::HttpRequestSeconds | Self::JobSeconds | Self::RulesReloadSeconds => {
                metrics::describe_histogram!(self.name(), self.about());
            }
            Self::QueueDepth
            | Self::OldestJobAgeSeconds
            | Self::RulesRevision
            | Self::SmsHeld
            | Self::SmsUnknown
            | Self::BackupAgeSeconds
            | Self::HttpConnections
            | Self::StreamSubscribers => metrics::describe_gauge!(self.name(), self.about()),
            Self::Backups
            | Self::HttpRequests
            | Self::HttpConnectionsRefused
            | Self::WebhookDeliveries
            | Self::JobsFinished
            | Self::RuleRuns
            | Self::PromisesBroken
            | Self::StaffAlerts
            | Self::RuleAlerts
            | Self::RulesReloads
            | Self::SmsSent
            | Self::SmsHolds
            | Self::SmsWithheld
            | Self::SmsReceiptChecks => {
                metrics::describe_counter!(self.name(), self.about());
            }
        }
    }
}

/// Label names and values. Values come from small closed sets: never an id, never personal data.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// Adds `by` to a counter.
pub fn counter(metric: Metric, labels: Labels<'_>, by: u64) {
    metrics::counter!(metric.name(), &owned(labels)).increment(by);
}

/// Sets a gauge.
pub fn gauge(metric: Metric, labels: Labels<'_>, value: f64) {
    metrics::gauge!(metric.name(), &owned(labels)).set(value);
}

/// Adds one observation to a summary.
pub fn observe(metric: Metric, labels: Labels<'_>, value: f64) {
    metrics::histogram!(metric.name(), &owned(labels)).record(value);
}

fn owned(labels: Labels<'_>) -> Vec<(&'static str, String)> {
    labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// What `/metrics` answers with.
#[derive(Clone)]
pub struct MetricsHandle(PrometheusHandle);

impl MetricsHandle {
    /// Starts recording for this process.
    ///
    /// # Errors
    /// When this process records already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = Self(builder()?.install_recorder()?);
        describe_all();
        Ok(handle)
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_quantiles(QUANTILES)
}

/// A recorder that is not the process's, with its handle: for tests.
///
/// # Errors
/// Never in practice: the quantiles are constants.
pub fn local_recorder() -> Result<(PrometheusRecorder, MetricsHandle), BuildError> {
    let recorder = builder()?.build_recorder();
    let handle = MetricsHandle(recorder.handle());
    metrics::with_local_recorder(&recorder, describe_all);
    Ok((recorder, handle))
}

fn describe_all() {
    Metric::ALL.into_iter().for_each(Metric::describe);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_rendered_with_labels_and_quantiles() {
        let (recorder, handle) = local_recorder().expect("a recorder");
        metrics::with_local_recorder(&recorder, || {
            for millis in 1..=100 {
                observe(Metric::HttpRequestSeconds, &[("route", "/webhooks/wix")], f64::from(millis) / 1_000.0);
            }
            observe(Metric::JobSeconds, &[("kind", "run_event")], 0.002);
            counter(Metric::WebhookDeliveries, &[("source", "wix"), ("result", "accepted")], 2);
            gauge(Metric::QueueDepth, &[("queue", "events")], 5.0);
        });
        let text = handle.render();
        for line in [
            "avatar_webhook_deliveries_total{source=\"wix\",result=\"accepted\"} 2",
            "avatar_queue_depth{queue=\"events\"} 5",
            "avatar_http_request_seconds_count{route=\"/webhooks/wix\"} 100",
            "avatar_job_seconds_count{kind=\"run_event\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
        for quantile in ["0.5", "0.95", "0.99"] {
            assert!(
                text.contains(&format!("avatar_http_request_seconds{{route=\"/webhooks/wix\",quantile=\"{quantile}\"}}")),
                "{text}"
            );
        }
    }

    #[test]
    fn names_are_unique_and_say_their_unit() {
        let mut names: Vec<&str> = Metric::ALL.iter().map(|m| m.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Metric::ALL.len());
        assert!(names.iter().all(|n| n.starts_with("avatar_")));
    }
}
