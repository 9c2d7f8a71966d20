//! Lives through the demo's month: posts what arrives, fires what is due, works what is ready, and lets people react to texts.

use super::bodies::{Answered, clicksend_inbound, clicksend_receipt};
use super::generator::{Size, generate, people};
use super::post::{PostError, Providers};
use super::random::Random;
use super::reactions::{Text, react};
use super::request::{Body, DemoRequest, Expect, Kind, Route};
use super::secrets::SigningKeys;
use super::staff;
use crate::automation::{Automation, timers};
use crate::domain::clock::{BackfillClock, Clock};
use crate::domain::phone;
use crate::domain::sms::SmsMessage;
use crate::domain::time::{Millis, Timestamp};
use crate::gateway::HttpClient;
use crate::jobs::kinds::{QUEUES, SMS};
use crate::jobs::{Registry, work_available};
use crate::store::{Conn, StoreError, StoreResult, jobs, schedules, sms, tasks};
use futures_util::stream::{StreamExt, iter};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The story's time moves in such steps.
const STEP: Millis = Millis::minutes(10);
const IN_FLIGHT_MAX: usize = 16;
/// Work that makes work that makes work: what is left after so many rounds waits for the next step.
const ROUNDS_PER_STEP_MAX: usize = 8;

/// What the feeder works with. The server at `base_url`, the store and the automation all read `clock`, and nobody else works
/// on the queues until the feeder is done.
pub struct DemoParts {
    /// Without a slash at the end.
    pub base_url: String,
    pub clock: Arc<BackfillClock>,
    pub automation: Automation,
    pub registry: Registry,
    pub keys: SigningKeys,
    pub seed: u64,
    pub size: Size,
    /// When the story ends and the clock goes live.
    pub now: Timestamp,
}

/// How far the story is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub at: Timestamp,
    pub percent: u8,
    pub requests: usize,
}

/// What was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Posted requests, with everything below.
    pub requests: usize,
    pub duplicates: usize,
    pub refused: usize,
    pub bookings: usize,
    pub leads: usize,
    /// Texts that left.
    pub texts: usize,
    pub replies: usize,
    pub receipts: usize,
    /// Tasks that there are at the end, done or not.
    pub tasks: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells the whole story and lets the clock go live. `progress` hears of each day.
///
/// # Errors
/// At the first answer that is not the expected one, and when the database fails. The clock then stands still.
pub async fn feed(parts: DemoParts, mut progress: impl FnMut(Progress)) -> Result<Summary, FeedError> {
    let (end, past) = (parts.now, parts.size.past);
    let mut feeder = Feeder::new(parts)?;
    let mut at = end - past;
    let mut day_told = at;
    while at < end {
        let before = at;
        at = Timestamp((at + STEP).0.min(end.0));
        feeder.step(before, at).await?;
        if at - day_told >= Millis::DAY || at == end {
            day_told = at;
            let percent = ((past.0 - (end - at).0) * 100 / past.0) as u8;
            progress(Progress { at, percent, requests: feeder.summary.requests });
        }
    }
    feeder.summary.tasks = feeder.automation.store.read(tasks::count).await?;
    feeder.clock.go_live();
    Ok(feeder.summary)
}

struct Feeder {
    providers: Providers,
    clock: Arc<BackfillClock>,
    automation: Automation,
    registry: Registry,
    seed: u64,
    end: Timestamp,
    /// By time of arrival, then in the order of their making.
    pending: BTreeMap<(Timestamp, usize), DemoRequest>,
    made: usize,
    /// E.164 numbers whose owners want no texts.
    stoppers: HashSet<String>,
    summary: Summary,
}

impl Feeder {
    fn new(parts: DemoParts) -> Result<Self, FeedError> {
        let client = HttpClient::new().map_err(PostError::from)?;
        let tz = parts.automation.clinic.calendar.tz;
        let stoppers =
            people(parts.seed, parts.size).into_iter().filter(|p| p.stops).filter_map(|p| phone::normalise(&p.phone).ok());
        let mut feeder = Self {
            stoppers: stoppers.map(|phone| phone.e164).collect(),
            providers: Providers { client, base_url: parts.base_url, keys: parts.keys },
            clock: parts.clock,
            automation: parts.automation,
            registry: parts.registry,
            seed: parts.seed,
            end: parts.now,
            pending: BTreeMap::new(),
            made: 0,
            summary: Summary::default(),
        };
        for request in generate(parts.seed, parts.now, tz, parts.size) {
            feeder.plan(request);
        }
        Ok(feeder)
    }

    fn plan(&mut self, request: DemoRequest) {
        if request.at <= self.end {
            self.pending.insert((request.at, self.made), request);
            self.made += 1;
        }
    }

    /// Everything that happens after `before` and until `at`.
    async fn step(&mut self, before: Timestamp, at: Timestamp) -> Result<(), FeedError> {
        let later = self.pending.split_off(&(at, usize::MAX));
        let due: Vec<DemoRequest> = std::mem::replace(&mut self.pending, later).into_values().collect();
        for wave in waves(due) {
            self.post(wave).await?;
        }
        self.clock.set(at);
        if at.0 % Millis::HOUR.0 < STEP.0 && self.automation.clinic.calendar.is_open(at) {
            let mut random = Random::of(self.seed, &at.to_rfc3339());
            staff::work_an_hour(&self.automation, &mut random, at).await?;
        }
        if self.work(at).await? {
            self.react(before, at).await?;
        }
        Ok(())
    }

    /// Lets people react to the texts that just left.
    async fn react(&mut self, before: Timestamp, at: Timestamp) -> Result<(), FeedError> {
        let left = self.automation.store.read(move |conn| sms::list_accepted_between(conn, before, at)).await?;
        self.summary.texts += left.len();
        for text in &left {
            self.plan_reaction(text);
        }
        Ok(())
    }

    async fn post(&mut self, wave: Vec<DemoRequest>) -> Result<(), FeedError> {
        if let Some(last) = wave.last() {
            self.clock.set(Timestamp(last.at.0.max(self.clock.now().0)));
        }
        for request in &wave {
            self.summary.count(request);
        }
        let providers = &self.providers;
        let mut answers = iter(&wave).map(|request| providers.post(request)).buffer_unordered(IN_FLIGHT_MAX);
        while let Some(answer) = answers.next().await {
            answer?;
        }
        Ok(())
    }

    /// Fires and works what is due; true when texts may have left.
    async fn work(&self, at: Timestamp) -> Result<bool, FeedError> {
        let store = &self.automation.store;
        let mut texts = false;
        for _ in 0..ROUNDS_PER_STEP_MAX {
            let due = store.read(move |conn| Due::look(conn, at)).await?;
            if due.timers {
                timers::fire_due(store, at).await?;
            }
            if due.schedules {
                store.write(move |tx| schedules::fire_due(tx, at)).await?;
            }
            for queue in &due.queues {
                work_available(store, &self.registry, queue).await?;
            }
            texts |= due.queues.contains(&SMS);
            if !due.timers && !due.schedules && due.queues.is_empty() {
                break;
            }
        }
        Ok(texts)
    }

    fn plan_reaction(&mut self, text: &SmsMessage) {
        let Some(left) = text.accepted_at else { return };
        let Some(provider_message_id) = text.provider_message_id.as_deref() else { return };
        let about = text.appointment_datetime.unwrap_or(left).0;
        let stops = self.stoppers.contains(&text.to);
        let reaction = react(self.seed, Text { to: &text.to, template: text.template.as_deref(), about, stops });
        let answered = Answered { sms_id: &text.id, provider_message_id, to: &text.to };
        if let Some((after, delivered)) = reaction.receipt {
            let at = left + after;
            self.plan(sms_request(at, Route::SmsReceipt, clicksend_receipt(&answered, delivered, at), Kind::Receipt, &text.to));
        }
        if let Some((after, body)) = reaction.reply {
            let at = left + after;
            let mut random = Random::of(self.seed, &text.id);
            let form = clicksend_inbound(&mut random, &answered, body, at);
            self.plan(sms_request(at, Route::SmsInbound, form, Kind::Reply, &text.to));
        }
    }
}

fn sms_request(at: Timestamp, route: Route, form: String, kind: Kind, key: &str) -> DemoRequest {
    DemoRequest { at, route, body: Body::Form(form), kind, expect: Expect::Accepted, key: key.to_owned() }
}

/// Neighbours that may be posted at the same moment.
fn waves(due: Vec<DemoRequest>) -> Vec<Vec<DemoRequest>> {
    let mut waves: Vec<Vec<DemoRequest>> = Vec::new();
    let mut keys: HashSet<String> = HashSet::new();
    for request in due {
        if waves.is_empty() || !keys.insert(request.key.clone()) {
            keys = HashSet::from([request.key.clone()]);
            waves.push(Vec::new());
        }
        if let Some(wave) = waves.last_mut() {
            wave.push(request);
        }
    }
    waves
}

impl Summary {
    fn count(&mut self, request: &DemoRequest) {
        self.requests += 1;
        match (request.expect, request.kind) {
            (Expect::Duplicate, _) => self.duplicates += 1,
            (Expect::Refused, _) => self.refused += 1,
            (_, Kind::NewBooking) => self.bookings += 1,
            (_, Kind::Lead) => self.leads += 1,
            (_, Kind::Reply) => self.replies += 1,
            (_, Kind::Receipt) => self.receipts += 1,
            _ => {}
        }
    }
}

/// What waits to be fired or worked.
struct Due {
    timers: bool,
    schedules: bool,
    queues: Vec<&'static str>,
}

impl Due {
    fn look(conn: &mut Conn, at: Timestamp) -> StoreResult<Self> {
        let next = [crate::store::timers::find_next_due(conn)?, crate::store::waiting::find_next_due(conn)?];
        let timers = next.into_iter().flatten().any(|due| due <= at);
        let schedules = schedules::list(conn)?.iter().any(|s| s.paused_at.is_none() && s.next_at <= at.0);
        let mut queues = Vec::new();
        for queue in QUEUES {
            if jobs::next_due(conn, queue)?.is_some_and(|due| due <= at) {
                queues.push(queue);
            }
        }
        Ok(Self { timers, schedules, queues })
    }
}
