//! The default: nothing leaves. Texts count as accepted; a ledger file can keep a line for each call.

use super::{Gateway, Outgoing, SendResult, Sending};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

/// Accepts everything.
#[derive(Default)]
pub struct Sandbox {
    ledger: Option<Mutex<std::fs::File>>,
}

impl Sandbox {
    /// With a ledger: one line of JSON for each text handed over, appended before the answer.
    pub fn with_ledger(path: &PathBuf) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self { ledger: Some(Mutex::new(file)) })
    }

    fn note(&self, texts: &[Outgoing]) -> std::io::Result<()> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let mut lines = String::new();
        for text in texts {
            lines.push_str(&serde_json::json!({ "sms_id": text.sms_id, "to": text.to }).to_string());
            lines.push('\n');
        }
        let mut file = ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(lines.as_bytes())
    }
}

impl Gateway for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn is_live(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, texts: &'a [Outgoing]) -> Sending<'a> {
        let noted = self.note(texts);
        Box::pin(async move {
            let answer = |text: &Outgoing| match &noted {
                Ok(()) => SendResult::Accepted { provider_message_id: format!("sandbox-{}", text.sms_id) },
                Err(error) => SendResult::Unknown { detail: format!("the ledger could not be written: {}", error.kind()) },
            };
            texts.iter().map(|text| (text.sms_id.clone(), answer(text))).collect()
        })
    }
}
