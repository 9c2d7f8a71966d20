//! Logs go to stderr: JSON lines, or words on a terminal.
//!
//! Work on one event, job or request runs in a span from here, so that every line inside carries its id.

use crate::config::LogFormat;
use std::io::IsTerminal;
use tracing::Span;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

type Subscriber = Box<dyn tracing::Subscriber + Send + Sync>;

/// Starts logging for this process; `filter` is in the syntax of `RUST_LOG`. A second call changes nothing.
pub fn init_logs(filter: &str, format: LogFormat) {
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    // Only the first subscriber of a process counts.
    let _ = subscriber(filter, json, std::io::stderr).try_init();
}

fn subscriber<W>(filter: &str, json: bool, writer: W) -> Subscriber
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(true);
    if json {
        Box::new(builder.json().flatten_event(true).with_current_span(false).with_span_list(true).finish())
    } else {
        Box::new(builder.with_ansi(std::io::stderr().is_terminal()).compact().finish())
    }
}

/// Everything logged inside belongs to this request.
#[must_use]
pub fn request_span(request_id: &str, route: &str) -> Span {
    tracing::info_span!("request", request_id, route)
}

/// Everything logged inside belongs to this event.
#[must_use]
pub fn event_span(event_id: &str) -> Span {
    tracing::info_span!("event", event_id)
}

/// Everything logged inside belongs to this job, and to the event that caused it.
#[must_use]
pub fn job_span(job_id: i64, kind: &str, event_id: Option<&str>) -> Span {
    tracing::info_span!("job", job_id, kind, event_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_json_line_carries_the_ids_of_its_job_and_event() {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber("info", true, move || writer.clone()), || {
            let _job = job_span(7, "run_event", Some("evt-1")).entered();
            tracing::info!("applied");
            tracing::debug!("not at this level");
        });
        let text = String::from_utf8(lines.0.lock().expect("not poisoned").clone()).expect("text");
        assert_eq!(text.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(line["message"], "applied");
        assert_eq!(line["spans"][0]["job_id"], 7);
        assert_eq!(line["spans"][0]["event_id"], "evt-1");
    }
}
