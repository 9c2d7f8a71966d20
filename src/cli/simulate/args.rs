//! The options of `avatar simulate`.

use crate::simulator::Answering;
use crate::simulator::faults::Rule;
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The longest span that an option takes.
const SPAN_MAX: Duration = Duration::from_hours(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SimulatedProvider {
    Clicksend,
    Messagemedia,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CallbackEncoding {
    Form,
    Json,
}

#[derive(Debug, Args)]
pub struct SimulateArgs {
    pub provider: SimulatedProvider,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8790")]
    pub listen: SocketAddr,
    /// Listen on other addresses than those of this machine, too
    #[arg(long)]
    pub allow_remote: bool,
    /// Where receipts and replies go: the address of `avatar serve`, or a whole URL in which {kind} becomes receipts or inbound
    #[arg(long, value_name = "URL")]
    pub callback: Option<String>,
    /// How ClickSend writes receipts and replies, instead of forms for receipts and JSON for replies
    #[arg(long, value_enum, value_name = "ENCODING")]
    pub encoding: Option<CallbackEncoding>,
    /// RSA private key (PEM) that signs what MessageMedia sends
    #[arg(long, value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
    /// Before each answer
    #[arg(long, value_name = "SPAN", default_value = "20ms", value_parser = span)]
    pub latency: Duration,
    /// From a text to its first receipt, and from one to the next
    #[arg(long, value_name = "SPAN", default_value = "1s", value_parser = span)]
    pub receipt_delay: Duration,
    /// What a late receipt takes
    #[arg(long, value_name = "SPAN", default_value = "1m", value_parser = span)]
    pub late: Duration,
    /// What goes wrong: NAME=SHARE%, or NAME=COUNT for the next calls; as often as needed, see below
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<Rule>,
    /// What people answer: TEXT=SHARE%, as often as needed
    #[arg(long, value_name = "TEXT=SHARE%", value_parser = answering)]
    pub reply: Vec<Answering>,
    /// The same seed and the same calls have the same luck
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

/// `20ms`, `2s`, `1m`; 0 needs no unit.
fn span(text: &str) -> Result<Duration, String> {
    let (number, unit_ms) = [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)]
        .into_iter()
        .find_map(|(unit, ms)| text.strip_suffix(unit).map(|number| (number, ms)))
        .or_else(|| (text == "0").then_some((text, 1.0)))
        .ok_or("write it with its unit: 20ms, 2s, 1m")?;
    let number: f64 = number.trim().parse().map_err(|_| "write it as a number with its unit: 20ms, 2s, 1m")?;
    let span = Duration::try_from_secs_f64(number * unit_ms / 1_000.0).map_err(|_| "it cannot be negative")?;
    if span > SPAN_MAX { Err(format!("at most {} minutes", SPAN_MAX.as_secs() / 60)) } else { Ok(span) }
}

/// `YES=60%`
fn answering(text: &str) -> Result<Answering, String> {
    let parsed = text.rsplit_once('=').and_then(|(body, share)| {
        let percent: f64 = share.trim().strip_suffix('%')?.parse().ok()?;
        let good = !body.is_empty() && (0.0..=100.0).contains(&percent);
        good.then(|| Answering { body: body.to_owned(), share: percent / 100.0 })
    });
    parsed.ok_or_else(|| "write it as TEXT=SHARE%, such as YES=60%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_answers_are_read_with_their_units() {
        assert_eq!(span("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(span("1.5s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        for wrong in ["20", "x", "-1s", "61m", "ms", ""] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!(answering("YES=60%"), Ok(Answering { body: "YES".to_owned(), share: 0.6 }));
        assert_eq!(answering("1+1=2=5%").map(|a| a.body), Ok("1+1=2".to_owned()));
        for wrong in ["YES", "YES=60", "=60%", "YES=101%"] {
            assert!(answering(wrong).is_err(), "{wrong}");
        }
    }
}
