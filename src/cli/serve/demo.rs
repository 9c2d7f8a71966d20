//! `avatar serve --demo`: a made-up clinic, filled through the real webhooks before the workers start.

use crate::automation::staff;
use crate::cli::Context;
use crate::cli::demo::{self as story, DemoParts, Size, rehearsal};
use crate::cli::parts::{Parts, this_program};
use crate::config::{DatabaseUrl, Environment, Settings, SmsProvider};
use crate::domain::clock::{Clock, SharedClock, SystemClock};
use crate::domain::staff::Role;
use crate::jobs::kinds;
use crate::simulator::Simulator;
use crate::store::contacts;
use std::net::SocketAddr;
use std::sync::Arc;

/// Another seed is another clinic.
const SEED: u64 = 20_261_123;
/// Beside the clinic's own database, so that they never mix.
const DATABASE: &str = "data/demo.db";

/// Made up, like the clinic; without a password.
const ADMIN: &str = "admin@demo.example";

pub struct Prepared {
    story: story::Prepared,
    /// Where the provider listens that carries the texts once the story is told.
    provider_at: SocketAddr,
}

/// Opens the parts with the demo's clock, secrets and database. Texts never leave: a simulator on this machine takes them.
pub fn open(mut settings: Settings, environment: &Environment) -> Result<(Parts, Prepared), String> {
    if settings.sms.provider != SmsProvider::Sandbox {
        return Err("a demo never texts real numbers: set SMS_PROVIDER=sandbox".into());
    }
    if environment.get("DATABASE_URL").is_none() {
        settings.database.url = DatabaseUrl::Sqlite(DATABASE.into());
    }
    let provider_at = rehearsal::free_address().map_err(|e| format!("no address for the simulated provider: {e}"))?;
    rehearsal::send_through(&mut settings.sms, provider_at);
    let prepared = story::prepare(SystemClock.now(), Size::MONTH).map_err(|e| e.to_string())?;
    let clock: SharedClock = prepared.clock.clone();
    let parts = Parts::open_checking(settings, environment, clock, true, Some(prepared.secrets.clone()), this_program())
        .map_err(|e| e.to_string())?;
    Ok((parts, Prepared { story: prepared, provider_at }))
}

/// Lives through the demo's month, unless the database holds one already; then says how to look around. The provider that carries
/// texts from now on, until it is dropped.
pub async fn tell(
    context: &Context<'_>,
    parts: &Parts,
    Prepared { story: prepared, provider_at }: Prepared,
    address: SocketAddr,
) -> Result<Simulator, String> {
    let token = prepared.keys.sms_token.clone();
    let known = parts.store.read(contacts::list_first).await.map_err(|e| e.to_string())?;
    if known.iter().any(|c| !c.is_demo) {
        return Err("this database holds real contacts: a demo needs a database of its own".into());
    }
    if known.is_empty() {
        fill(context, parts, prepared, address).await?;
    } else {
        prepared.clock.go_live();
        context.output.hint("the demo clinic is here from before; remove its database for a fresh one");
    }
    let provider = rehearsal::start(provider_at, &format!("http://{address}"), &token, SEED, Arc::clone(&parts.clock)).await;
    let provider = provider.map_err(|e| e.to_string())?;
    let code = staff::link_for(&parts.store, &parts.clock, ADMIN, "Demo Admin", Role::Admin).await.map_err(|e| e.to_string())?;
    context.output.hint(&format!(
        "\nsign in, once, with\n  {}/sign-in#code={code}\nor for a session of a program\n  \
         curl -d '{{\"one_time_code\":\"{code}\",\"bearer\":true}}' http://{address}/api/session",
        parts.settings.server.frontend_url
    ));
    let key = staff::create_api_key(&parts.store, &parts.clock, "demo", Role::Admin).await.map_err(|e| e.to_string())?;
    context.output.hint(&format!(
        "\nlook around with\n  export KEY={key}\n  curl -H \"Authorization: Bearer $KEY\" http://{address}/api/tasks?timeframe=overdue\n  \
         curl -H \"Authorization: Bearer $KEY\" http://{address}/api/events\n  curl http://{address}/metrics\n  \
         curl {url}/_simulator/ledger\nanswer a text as its patient with\n  curl -H 'Content-Type: application/json' \
         -d '{{\"from\":\"+61491570006\",\"body\":\"YES\"}}' {url}/_simulator/replies\n",
        url = provider.base_url()
    ));
    Ok(provider)
}

async fn fill(context: &Context<'_>, parts: &Parts, prepared: story::Prepared, address: SocketAddr) -> Result<(), String> {
    let demo = DemoParts {
        base_url: format!("http://{address}"),
        clock: prepared.clock,
        automation: parts.automation.clone(),
        registry: kinds::registry(parts.sandboxed(context.environment).map_err(|e| e.to_string())?),
        keys: prepared.keys,
        seed: SEED,
        size: prepared.size,
        now: prepared.now,
    };
    context.output.hint("filling the demo clinic through its webhooks …");
    let told = story::feed(demo, |progress| {
        if progress.percent.is_multiple_of(10) {
            tracing::debug!(percent = progress.percent, "demo");
        }
    })
    .await
    .map_err(|e| e.to_string())?;
    context.output.hint(&format!(
        "{} deliveries ({} duplicates, {} refused): {} bookings, {} leads, {} texts, {} replies, {} tasks",
        told.requests, told.duplicates, told.refused, told.bookings, told.leads, told.texts, told.replies, told.tasks
    ));
    Ok(())
}
