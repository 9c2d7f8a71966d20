//! What must not be in logs and metrics: secrets, and anything about a person.

use super::site::{MANYCHAT_SECRET, SMS_TOKEN, Site, WIX_SECRET};
use super::webhooks;
use avatar::automation::staff::split_api_key;
use avatar::domain::staff::Role;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// One thread, so that its recorder and its log are the server's, too.
#[tokio::test]
async fn neither_logs_nor_metrics_know_secrets_or_people() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // With a single subscriber, tracing asks whichever thread comes first whether anybody listens; other tests' threads say no.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let _log = tracing::subscriber::set_default(subscriber);
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let site = Site::open().await;
    let mut last = None;
    for case in webhooks::table() {
        last = super::raw::send(site.address, &case.request).await.header("x-request-id").map(str::to_owned);
    }
    let key = site.key(Role::FrontDesk).await;
    let (_, secret) = split_api_key(&key).unwrap();
    for path in ["/api/contacts?q=Jane", "/api/contacts?q=0491570006&Nguyen=1", "/api/events", "/Nguyen/0491570006"] {
        site.get(&key, path).await;
    }
    let metrics = recorder.handle().render();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/webhooks/sms/inbound/{token}") && log.contains("event_id"), "something is logged: {log}");
    assert!(log.contains(&format!("request{{id=\"{}\"}}", last.unwrap())), "an answer's id finds its log lines: {log}");
    for expected in [
        r#"avatar_http_requests_total{route="/webhooks/sms/inbound/{token}",method="POST",status="2xx"} 1"#,
        r#"avatar_http_requests_total{route="none",method="GET",status="4xx"}"#,
        r#"avatar_webhook_deliveries_total{source="wix",result="duplicate"} 1"#,
        r#"avatar_webhook_deliveries_total{source="wix",result="bad_signature"}"#,
    ] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
    for private in [SMS_TOKEN, MANYCHAT_SECRET, WIX_SECRET, secret, "Jane", "Nguyen", "491570006", "example.com", "nonsense"] {
        assert!(!log.contains(private), "{private} in the log: {log}");
        assert!(!metrics.contains(private), "{private} in the metrics: {metrics}");
    }
}
