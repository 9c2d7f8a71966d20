//! `avatar serve` and `avatar worker`: everything that runs, started in order and stopped in order.

use super::args::{ServeArgs, WorkerArgs};
use super::parts::Parts;
use super::runtime::block_on;
use super::{Context, Exit};
use crate::automation::rulesets::{RulesetError, Watching, watch};
use crate::automation::send::Sending;
use crate::automation::sign_in::SessionLimits;
use crate::automation::{Automation, backups, guard, missing_receipts, overdue, reconcile, reports, retention, rulesets, timers};
use crate::config::{BackupSettings, Retention, Settings, SmsProvider};
use crate::http::{self, Access, AccessSettings, HttpContext, Rate, ServerLimits};
use crate::jobs::{QueueOptions, Runner, RunnerOptions, kinds};
use crate::store::{StoreResult, handovers, holds, jobs, search};
use crate::telemetry::{self, Metric, metrics};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod demo;
mod rules_view;

pub use rules_view::HostView;

/// What one caller may ask for at once is what it may ask for in so many seconds.
const BURST_SECONDS: u32 = 10;
/// How often due timers are looked for.
const TIMER_POLL: Duration = Duration::from_millis(500);
/// How often queue figures are measured.
const GAUGE_POLL: Duration = Duration::from_secs(5);
/// How often this node offers itself for the duties of all nodes.
const DUTY_POLL: Duration = Duration::from_secs(10);
/// Texts of unknown fate that are asked about in one go.
const SMS_CHECKS_BATCH: usize = reconcile::BATCH_MAX;

pub(super) fn run(context: &Context, args: &ServeArgs) -> Exit {
    let adjust = |settings: &mut Settings| {
        if let Some(listen) = args.listen {
            settings.server.listen_at(listen);
        }
        if let Some(workers) = args.workers {
            settings.jobs.workers = workers;
        }
    };
    start(context, if args.demo { Mode::Demo } else { Mode::Server }, adjust)
}

pub(super) fn run_worker(context: &Context, args: &WorkerArgs) -> Exit {
    let adjust = |settings: &mut Settings| {
        if let Some(workers) = args.workers {
            settings.jobs.workers = workers;
        }
    };
    start(context, Mode::Worker, adjust)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Server,
    Demo,
    Worker,
}

fn start(context: &Context, mode: Mode, adjust: impl FnOnce(&mut Settings)) -> Exit {
    let mut settings = match context.settings() {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    adjust(&mut settings);
    telemetry::init_logs(&settings.server.log_level, settings.server.log_format);
    for warning in settings.warnings() {
        tracing::warn!(setting = warning.key, help = warning.help, "{}", warning.message);
    }
    let opened = match mode {
        Mode::Demo => demo::open(settings, context.environment).map(|(parts, demo)| (parts, Some(demo))),
        Mode::Server | Mode::Worker => {
            Parts::open(settings, context.environment).map(|parts| (parts, None)).map_err(|e| e.to_string())
        }
    };
    let (parts, demo) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            context.output.error(&error, Some("`avatar doctor` looks at everything a running clinic needs"));
            return Exit::CouldNotRun;
        }
    };
    match block_on(async { Box::pin(run_all(context, parts, mode, demo)).await }) {
        Ok(Ok(())) => Exit::Done,
        Ok(Err(message)) => {
            context.output.error(&message, None);
            Exit::CouldNotRun
        }
        Err(error) => {
            context.output.error(&error.to_string(), None);
            Exit::CouldNotRun
        }
    }
}

/// Starts everything, waits for the stop, and lets the parts end in order: server, workers, background.
async fn run_all(context: &Context<'_>, parts: Parts, mode: Mode, demo: Option<demo::Prepared>) -> Result<(), String> {
    let stop = stop_on_signal();
    let metrics = telemetry::MetricsHandle::install().map_err(|e| format!("metrics: {e}"))?;
    let sending = parts.sending(context.environment).map_err(|e| e.to_string())?;
    if let Some(notice) = parts.settings.sms.notice() {
        tracing::warn!(provider = parts.settings.sms.provider.as_str(), "{notice}");
        context.output.hint(&notice);
    }
    prepare(&parts).await?;
    let server = match mode {
        Mode::Worker => None,
        Mode::Server | Mode::Demo => Some(listen(context, &parts, metrics, stop.clone()).await?),
    };
    let provider = match (demo, &server) {
        (Some(demo), Some((address, _))) => Some(demo::tell(context, &parts, demo, *address).await?),
        _ => None,
    };
    let mut background = JoinSet::new();
    start_background(&mut background, &parts, &stop);
    background.spawn(ask_for_receipts(sending.clone(), stop.clone()));
    let runner = start_runner(&parts, sending, &stop);
    let served = if let Some((_, serving)) = server {
        serving.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    } else {
        context.output.hint("working; stop with Ctrl C");
        stop.cancelled().await;
        Ok(())
    };
    stop.cancel();
    if let Some(runner) = runner {
        runner.await.map_err(|e| e.to_string())?.map_err(|e| format!("workers: {e}"))?;
    }
    while background.join_next().await.is_some() {}
    drop(provider);
    served
}

/// Migrations and rules, before anything is taken in.
///
/// # Errors
/// When the database cannot be migrated, or there are no rules that could be in force.
pub async fn prepare(parts: &Parts) -> Result<(), String> {
    let store = parts.store.clone();
    let applied = tokio::task::spawn_blocking(move || store.migrate()).await.map_err(|e| e.to_string())?;
    let applied = applied.map_err(|e| format!("the database cannot be migrated: {e}"))?;
    if !applied.is_empty() {
        tracing::info!(count = applied.len(), "migrations applied");
    }
    let store = parts.store.clone();
    let found = tokio::task::spawn_blocking(move || search::catch_up(&store)).await.map_err(|e| e.to_string())?;
    if found.map_err(|e| format!("what people are found by cannot be written: {e}"))? > 0 {
        tracing::info!("contacts can be found by name and number");
    }
    reports::schedule::store(&parts.automation).await.map_err(|e| format!("the reports cannot be scheduled: {e}"))?;
    let rules = &parts.automation.rules;
    let followed = rules.follow().await;
    match rules.reload(rulesets::START).await {
        Ok(_) => {}
        Err(RulesetError::NotClean(draft)) if rules.current().is_some() => {
            tracing::error!(problems = draft.diagnostics.len(), "the rule files have problems; what was in force stays in force");
        }
        Err(RulesetError::NotClean(draft)) => return Err(report(&draft)),
        Err(error) if rules.current().is_some() => tracing::error!(%error, "the rule files could not be read"),
        Err(error) => return Err(error.to_string()),
    }
    if let Err(error) = &followed {
        tracing::error!(%error, "the ruleset in force could not be loaded");
    }
    if rules.current().is_none() {
        if matches!(followed, Err(RulesetError::NotClean(_))) && rules.draft().rules == 0 {
            return Err("this program does not understand the ruleset in force, and the rule files hold no rules".into());
        }
        // Reload is manual, and nothing was ever published or this program does not understand it: it cannot run without rules.
        rules.publish(rulesets::START, None).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn report(draft: &rulesets::Draft) -> String {
    let lines: Vec<String> =
        draft.diagnostics.iter().map(|d| format!("{}:{}:{}: {} {}", d.file, d.line, d.column, d.code, d.message)).collect();
    format!("the rule files have problems, and there is no ruleset in force that this program understands\n{}", lines.join("\n"))
}

fn start_background(tasks: &mut JoinSet<()>, parts: &Parts, stop: &CancellationToken) {
    let rules = Arc::clone(&parts.automation.rules);
    tasks.spawn(watch(rules, Arc::new(ReloadMetrics), stop.clone()));
    tasks.spawn(fire_timers(parts.automation.clone(), stop.clone()));
    tasks.spawn(measure_queues(parts.automation.clone(), parts.settings.sms.provider, stop.clone()));
    tasks.spawn(look_after(parts.automation.clone(), parts.settings.database.retention, backups_of(parts), stop.clone()));
}

/// A demo is made anew each time: nobody wants it back.
fn backups_of(parts: &Parts) -> BackupSettings {
    let settings = parts.settings.backup.clone();
    if parts.automation.is_demo { BackupSettings { every: None, ..settings } } else { settings }
}

async fn fire_timers(automation: Automation, stop: CancellationToken) {
    let mut ticks = ticks(TIMER_POLL);
    while ticked(&mut ticks, &stop).await {
        let now = automation.clock.now();
        if let Err(error) = timers::fire_due(&automation.store, now).await {
            tracing::warn!(%error, "due timers could not be looked for");
        }
        if let Err(error) = overdue::tell(&automation.store, now).await {
            tracing::warn!(%error, "overdue tasks could not be looked for");
        }
    }
}

/// Duties of which each is done by some node.
async fn look_after(automation: Automation, keep: Retention, backup: BackupSettings, stop: CancellationToken) {
    let mut ticks = ticks(DUTY_POLL);
    while ticked(&mut ticks, &stop).await {
        if let Err(error) = guard::watch(&automation).await {
            tracing::warn!(%error, "the rules could not be looked after");
        }
        if let Err(error) = retention::prune(&automation, keep).await {
            tracing::warn!(%error, "what is old could not be thrown away");
        }
        match backups::make_if_due(&automation.store, &automation.clock, &backup).await {
            Some(Ok(copy)) => tracing::info!(bytes = copy.bytes, "the database was copied"),
            Some(Err(error)) => tracing::error!(%error, "the database could not be copied"),
            None => {}
        }
    }
}

async fn ask_for_receipts(sending: Sending, stop: CancellationToken) {
    let mut ticks = ticks(DUTY_POLL);
    while ticked(&mut ticks, &stop).await {
        if let Err(error) = missing_receipts::look_for(&sending).await {
            tracing::warn!(%error, "texts without a receipt could not be looked for");
        }
    }
}

async fn measure_queues(automation: Automation, provider: SmsProvider, stop: CancellationToken) {
    let mut ticks = ticks(GAUGE_POLL);
    while ticked(&mut ticks, &stop).await {
        measure_sms(&automation, provider.as_str()).await;
        let now = automation.clock.now();
        if let Ok(stats) = automation.store.read(move |conn| jobs::stats(conn, now)).await {
            measure(&stats);
        }
        if let Ok(Some(at)) = backups::last(&automation.store).await {
            metrics::gauge(Metric::BackupAgeSeconds, &[], (now - at).0 as f64 / 1_000.0);
        }
        let number = automation.rules.current().map_or(0, |c| c.number);
        metrics::gauge(Metric::RulesRevision, &[], number as f64);
    }
}

async fn measure_sms(automation: &Automation, provider: &'static str) {
    let read = move |conn: &mut _| StoreResult::Ok((holds::find(conn, provider)?.is_some(), handovers::count_unknown(conn)?));
    if let Ok((is_held, unknown)) = automation.store.read(read).await {
        metrics::gauge(Metric::SmsHeld, &[("provider", provider)], f64::from(u8::from(is_held)));
        metrics::gauge(Metric::SmsUnknown, &[], unknown as f64);
    }
}

fn measure(stats: &[jobs::QueueStats]) {
    for queue in stats {
        metrics::gauge(Metric::QueueDepth, &[("queue", &queue.queue)], queue.ready as f64);
        let age = queue.oldest_ready_age.0 as f64 / 1_000.0;
        metrics::gauge(Metric::OldestJobAgeSeconds, &[("queue", &queue.queue)], age);
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}

/// Waits for the next tick; false at the stop.
async fn ticked(ticks: &mut tokio::time::Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        _ = ticks.tick() => true,
    }
}

fn start_runner(parts: &Parts, sending: Sending, stop: &CancellationToken) -> Option<tokio::task::JoinHandle<StoreResult<()>>> {
    let (workers, batch) = (parts.settings.jobs.workers as usize, parts.settings.jobs.batch_max as usize);
    if workers == 0 {
        return None;
    }
    let queue = |name: &str, workers: usize, batch: usize| QueueOptions { name: name.to_owned(), workers, batch };
    let queues = vec![
        queue(kinds::AUTOMATION, workers, batch),
        queue(kinds::SMS, 1, batch),
        queue(kinds::SMS_CHECKS, 1, SMS_CHECKS_BATCH),
        queue(kinds::MAINTENANCE, 1, 1),
    ];
    let node = format!("{}-{}", parts.settings.server.listen, crate::domain::ids::new_id(parts.clock.now()));
    let options = RunnerOptions {
        lease: parts.settings.jobs.lease,
        poll: Duration::from_millis(parts.settings.jobs.poll.0.unsigned_abs()),
        keep_history: parts.settings.database.retention.job_history,
        ..RunnerOptions::new(node, queues)
    };
    let runner = Runner::new(parts.store.clone(), Arc::clone(&parts.clock), kinds::registry(sending), options);
    Some(tokio::spawn(runner.run(stop.clone())))
}

type Serving = tokio::task::JoinHandle<std::io::Result<()>>;

async fn listen(
    context: &Context<'_>,
    parts: &Parts,
    metrics: telemetry::MetricsHandle,
    stop: CancellationToken,
) -> Result<(SocketAddr, Serving), String> {
    let address = parts.settings.server.listen;
    let listener = TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))?;
    let bound = listener.local_addr().map_err(|e| e.to_string())?;
    let http = Arc::new(http_context(parts, access(&parts.settings), Arc::new(move || metrics.render())));
    let serving = tokio::spawn(http::serve(listener, http, server_limits(&parts.settings), stop));
    announce(context, parts, bound);
    Ok((bound, serving))
}

/// What the routes work with, made of the program's parts; who may come in is for the caller to say.
pub fn http_context(parts: &Parts, access: Access, metrics: Arc<dyn Fn() -> String + Send + Sync>) -> HttpContext {
    HttpContext {
        store: parts.store.clone(),
        inbound: Arc::clone(&parts.inbound),
        clock: Arc::clone(&parts.clock),
        clinic: Arc::clone(&parts.settings.clinic),
        pipelines: Arc::clone(&parts.settings.pipelines),
        rules: Arc::new(HostView(Arc::clone(&parts.automation.rules))),
        sms: parts.sms_way(),
        access: Arc::new(access),
        is_demo: parts.automation.is_demo,
        metrics,
    }
}

fn access(settings: &Settings) -> Access {
    let server = &settings.server;
    let rate = |per_second: u32| Rate { per_second, burst: per_second.saturating_mul(BURST_SECONDS) };
    Access::new(AccessSettings {
        frontend_url: server.frontend_url.clone(),
        sessions: SessionLimits { idle: server.access.session_idle, absolute: server.access.session_absolute },
        per_address: rate(server.access.per_address_per_second),
        per_caller: rate(server.access.per_caller_per_second),
    })
}

fn announce(context: &Context<'_>, parts: &Parts, bound: SocketAddr) {
    for (source, variables) in parts.inbound.unconfigured() {
        tracing::warn!(source, variables, "no secret is configured: its webhooks are refused");
    }
    let in_force = parts.automation.rules.current();
    let (number, rules) = in_force.map_or((0, 0), |c| (c.number, c.ruleset.rules.len()));
    context.output.hint(&format!("serving on http://{bound}, r{number} in force with {rules} rules; stop with Ctrl C"));
    tracing::info!(address = %bound, revision = number, "ready");
}

pub(super) fn server_limits(settings: &Settings) -> ServerLimits {
    let limits = settings.server.limits;
    let span = |millis: crate::domain::time::Millis| Duration::from_millis(millis.0.unsigned_abs());
    ServerLimits {
        connections_max: limits.connections_max,
        connections_per_ip_max: limits.connections_per_ip_max,
        header_timeout: span(limits.header_timeout),
        body_timeout: span(limits.body_timeout),
        idle_timeout: span(limits.idle_timeout),
        drain_timeout: span(limits.shutdown_timeout),
        trusted_proxies: settings.server.trusted_proxies.clone(),
        ..ServerLimits::default()
    }
}

/// Cancelled by Ctrl C and by SIGTERM. A second signal ends the process at once.
pub(super) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        tracing::info!("stopping");
        asked.cancel();
        wait_for_signal().await;
        std::process::exit(130);
    });
    stop
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

struct ReloadMetrics;

impl Watching for ReloadMetrics {
    fn reloaded(&self, ok: bool, took: Duration) {
        metrics::observe(Metric::RulesReloadSeconds, &[], took.as_secs_f64());
        metrics::counter(Metric::RulesReloads, &[("result", if ok { "clean" } else { "refused" })], 1);
    }
}
