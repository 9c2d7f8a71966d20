//! What all real providers have in common: texts go in batches, and each answer is read for what it surely says.

use super::answers::{Answers, Said, Stop, raw};
use super::http_client::{Call, HttpClient, HttpError, Reply};
use super::lookup::{Asked, Found, History, LookedUp, Lookups};
use super::meaning::{Meaning, of_status, trouble};
use super::{Account, Gateway, Outgoing, SendResult, Sending};
use crate::domain::sms_provider::HoldReason;
use crate::domain::time::Millis;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// For all calls that the texts of one job batch take; the job's own deadline is later.
const SEND_MAX: Duration = Duration::from_secs(70);
/// A batch that is refused as a whole is cut in halves until the bad text is found.
const CALLS_MAX: usize = 32;
/// What is kept of an answer that says nothing about single texts.
const RAW_OF_CALL_BYTES_MAX: usize = 512;

/// What differs between providers.
pub trait Dialect: Send + Sync + 'static {
    const NAME: &'static str;
    const BASE_URL: &'static str;
    const SEND_PATH: &'static str;
    /// Texts in one call.
    const BATCH_MAX: usize;

    fn request(account: &Account, texts: &[Outgoing]) -> serde_json::Value;

    /// Reads an answer whose status says that it speaks of each text.
    fn read(texts: &[Outgoing], body: &[u8]) -> Reading;

    /// The provider's ids of texts in an answer that broke off.
    fn salvage(texts: &[Outgoing], body: &[u8]) -> HashMap<String, String>;

    /// Where to ask about a text.
    fn question(asked: &Asked) -> String;

    /// What the answer says of it; `None` when it is not there, an error when the answer cannot be read.
    fn find(asked: &Asked, body: &[u8]) -> Result<Option<Found>, String>;
}

/// What an answer says.
pub enum Reading {
    Texts(Answers),
    /// One thing for all of them, as if it were an HTTP status; with the provider's own word.
    Status(u16, String),
    Stop(HoldReason, String),
    Unreadable(&'static str),
}

/// A provider that texts real phones.
pub struct Live<D> {
    client: HttpClient,
    account: Account,
    dialect: PhantomData<D>,
}

enum Handed {
    Answered(Answers),
    /// Refused as a whole, because of one of them.
    Split,
}

impl<D: Dialect> Live<D> {
    /// # Errors
    /// When the machine's TLS or resolver settings cannot be used.
    pub fn new(account: Account) -> Result<Self, HttpError> {
        Ok(Self { client: HttpClient::new()?, account, dialect: PhantomData })
    }

    async fn send_all(&self, texts: &[Outgoing]) -> Answers {
        let began = Instant::now();
        let batch_max = self.account.batch_max.clamp(1, D::BATCH_MAX);
        let mut waiting: Vec<&[Outgoing]> = texts.chunks(batch_max).rev().collect();
        let (mut answers, mut calls) = (Answers::default(), 0);
        while let Some(batch) = waiting.pop() {
            if answers.stop.is_some() || calls == CALLS_MAX || began.elapsed() + self.timeout() > SEND_MAX {
                answers.merge(all(batch, &not_processed("not handed over yet"), None, b""));
                continue;
            }
            calls += 1;
            match self.hand_over(batch).await {
                Handed::Answered(some) => answers.merge(some),
                Handed::Split => {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    waiting.extend([second, first]);
                }
            }
        }
        answers
    }

    async fn hand_over(&self, batch: &[Outgoing]) -> Handed {
        let body = D::request(&self.account, batch).to_string().into_bytes();
        match self.call(D::SEND_PATH, Some(body)).await {
            Ok(reply) => answered::<D>(batch, &reply),
            Err(error) => Handed::Answered(lost::<D>(batch, &error)),
        }
    }

    async fn call(&self, path: &str, body: Option<Vec<u8>>) -> Result<Reply, HttpError> {
        let url = format!("{}{path}", self.account.base_url.as_deref().unwrap_or(D::BASE_URL));
        let authorization = self.account.authorization();
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("User-Agent", "avatar-cms"),
        ];
        self.client.call(Call { url: &url, headers: &headers, body, timeout: self.timeout() }).await
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(self.account.timeout.0.unsigned_abs())
    }

    async fn look_up_all(&self, texts: &[Asked]) -> HashMap<String, LookedUp> {
        let mut found = HashMap::new();
        let mut unclear = None;
        for asked in texts {
            let answer = match &unclear {
                // What one question could not reach, the next will not reach either.
                Some(unclear) => LookedUp::clone(unclear),
                None => self.look_up_one(asked).await,
            };
            if matches!(answer, LookedUp::Unclear { .. }) {
                unclear = Some(answer.clone());
            }
            found.insert(asked.sms_id.clone(), answer);
        }
        found
    }

    async fn look_up_one(&self, asked: &Asked) -> LookedUp {
        let unclear = |detail: String, retry_after| LookedUp::Unclear { detail, retry_after };
        match self.call(&D::question(asked), None).await {
            Ok(reply) if reply.status == 404 && asked.provider_message_id.is_some() => LookedUp::NotFound,
            Ok(reply) if of_status(reply.status) == Meaning::Read => match D::find(asked, &reply.body) {
                Ok(Some(found)) => LookedUp::Found(found),
                Ok(None) => LookedUp::NotFound,
                Err(detail) => unclear(detail, None),
            },
            Ok(reply) => unclear(format!("HTTP {}", reply.status), reply.retry_after.map(Millis::seconds)),
            Err(error) => unclear(error.to_string(), None),
        }
    }
}

impl<D: Dialect> Gateway for Live<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn is_live(&self) -> bool {
        !self.account.is_rehearsal
    }

    fn send<'a>(&'a self, texts: &'a [Outgoing]) -> Sending<'a> {
        Box::pin(self.send_all(texts))
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }
}

impl<D: Dialect> History for Live<D> {
    fn look_up<'a>(&'a self, texts: &'a [Asked]) -> Lookups<'a> {
        Box::pin(self.look_up_all(texts))
    }
}

fn answered<D: Dialect>(batch: &[Outgoing], reply: &Reply) -> Handed {
    let status = format!("HTTP {}", reply.status);
    if of_status(reply.status) != Meaning::Read {
        return by_status(batch, reply.status, status, reply);
    }
    match D::read(batch, &reply.body) {
        Reading::Texts(answers) => Handed::Answered(complete(batch, answers, reply)),
        Reading::Status(code, word) => by_status(batch, code, word, reply),
        Reading::Stop(reason, word) => Handed::Answered(stopped(batch, reason, word, reply)),
        Reading::Unreadable(why) => {
            Handed::Answered(unknown(batch, &format!("{status}: {why}"), HoldReason::Unavailable, &reply.body))
        }
    }
}

fn by_status(batch: &[Outgoing], status: u16, word: String, reply: &Reply) -> Handed {
    Handed::Answered(match of_status(status) {
        Meaning::Refused if batch.len() > 1 => return Handed::Split,
        Meaning::Refused => all(batch, &SendResult::Refused { reason: "bad_request".into() }, Some(word), &reply.body),
        Meaning::Stop(reason) => stopped(batch, reason, word, reply),
        Meaning::Read | Meaning::Unknown => unknown(batch, &word, trouble(status), &reply.body),
    })
}

/// None of them was taken.
fn stopped(batch: &[Outgoing], reason: HoldReason, word: String, reply: &Reply) -> Answers {
    let retry_after = reply.retry_after.map(Millis::seconds);
    let mut answers = all(batch, &not_processed(reason.as_str()), Some(word.clone()), &reply.body);
    answers.stop = Some(Stop { reason, detail: word, retry_after });
    answers
}

/// Each of them may have been taken.
fn unknown(batch: &[Outgoing], detail: &str, reason: HoldReason, body: &[u8]) -> Answers {
    let mut answers = all(batch, &SendResult::Unknown { detail: detail.to_owned() }, None, body);
    answers.stop = Some(Stop { reason, detail: detail.to_owned(), retry_after: None });
    answers
}

/// The call did not come to its end.
fn lost<D: Dialect>(batch: &[Outgoing], error: &HttpError) -> Answers {
    let detail = error.to_string();
    match error {
        HttpError::Client(_) | HttpError::Connect(_) => {
            let mut answers = all(batch, &not_processed("no connection"), None, b"");
            answers.stop = Some(Stop { reason: HoldReason::Unavailable, detail, retry_after: None });
            answers
        }
        HttpError::Cut { status, read, .. } => {
            let mut answers = unknown(batch, &detail, HoldReason::Unavailable, read);
            if of_status(*status) == Meaning::Read {
                for (sms_id, id) in D::salvage(batch, read) {
                    answers.said.entry(sms_id).or_default().provider_message_id = Some(id);
                }
            }
            answers
        }
        HttpError::Answer(_) | HttpError::TooLarge => unknown(batch, &detail, HoldReason::Unavailable, b""),
    }
}

/// A text that the answer does not speak of may have been sent.
fn complete(batch: &[Outgoing], mut answers: Answers, reply: &Reply) -> Answers {
    for text in batch.iter().filter(|text| !answers.results.contains_key(&text.sms_id)).cloned().collect::<Vec<_>>() {
        let result = SendResult::Unknown { detail: "the provider's answer does not speak of this text".into() };
        answers.merge(all(&[text], &result, None, &reply.body));
    }
    answers
}

fn all(batch: &[Outgoing], result: &SendResult, status: Option<String>, body: &[u8]) -> Answers {
    let said = Said { status, raw: raw(&body[..body.len().min(RAW_OF_CALL_BYTES_MAX)]), ..Said::default() };
    let mut answers = Answers::default();
    for text in batch {
        answers.put(&text.sms_id, result.clone(), said.clone());
    }
    answers
}

fn not_processed(reason: &str) -> SendResult {
    SendResult::NotProcessed { reason: reason.to_owned(), retry_after: None }
}
