//! What the server counts. Labels have few values: route templates, never paths.

use crate::telemetry::Metric;
use crate::telemetry::metrics::{counter, gauge, observe};
use std::time::Duration;
use warp::http::{Method, StatusCode};

pub(super) fn request_answered(route: &'static str, method: &Method, status: StatusCode, elapsed: Duration) {
    let class = status_class(status);
    counter(Metric::HttpRequests, &[("route", route), ("method", method_label(method)), ("status", class)], 1);
    observe(Metric::HttpRequestSeconds, &[("route", route), ("status", class)], elapsed.as_secs_f64());
}

pub(super) fn connection_refused() {
    counter(Metric::HttpConnectionsRefused, &[], 1);
}

pub(super) fn connections(open: usize) {
    gauge(Metric::HttpConnections, &[], open as f64);
}

pub(super) fn stream_subscribers(open: usize) {
    gauge(Metric::StreamSubscribers, &[], open as f64);
}

/// `source` is a name from the configuration; `result` is `accepted`, `duplicate`, `refused` or `unavailable`.
pub(super) fn delivery(source: &str, result: &'static str) {
    counter(Metric::WebhookDeliveries, &[("source", source), ("result", result)], 1);
}

const fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// A method is text of the caller's choice: only the known ones become labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
