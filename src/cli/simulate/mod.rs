//! `avatar simulate`: a provider on this machine, to rehearse with.

pub mod args;

use super::failure::{Done, Failure, wait_for};
use super::serve::stop_on_signal;
use super::{Context, Exit};
use crate::config::SecretList;
use crate::inbound::sign::MessageMediaSigner;
use crate::simulator::faults::Fault;
use crate::simulator::ledger::Totals;
use crate::simulator::{Account, Encoding, KEY_DEFAULT, NUMBERS, Note, Options, Provider, SCHEMA, Simulator, USERNAME_DEFAULT};
use args::{CallbackEncoding, SimulateArgs, SimulatedProvider};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(context: &Context, args: &SimulateArgs) -> Exit {
    context.end(options(context, args).and_then(|options| wait_for(Box::pin(serve(context, options)))))
}

async fn serve(context: &Context<'_>, options: Options) -> Done {
    let (provider, username) = (options.provider.as_str(), options.account.username.clone());
    let is_ours = options.account.key == KEY_DEFAULT;
    let has_callback = options.callback.is_some();
    let stop = stop_on_signal();
    let simulator = Simulator::start(options)
        .await
        .map_err(|error| Failure::new(error.to_string()).with_help("choose another with --listen 127.0.0.1:PORT"))?;
    let output = context.output;
    simulator.watch(move |note| show(output, note));
    let url = simulator.base_url();
    if output.json {
        output.object(&json!({ "schema": SCHEMA, "provider": provider, "base_url": url, "username": username }));
    }
    let key = if is_ours { KEY_DEFAULT } else { "(yours)" };
    output.hint(&format!(
        "{provider} on {url}; nothing leaves this machine; stop with Ctrl C\n\nstart the service with\n  \
         SMS_PROVIDER={provider} SMS_REHEARSAL=true SMS_API_BASE_URL={url} SMS_API_USERNAME={username} SMS_API_KEY={key} SMS_FROM=+61491570156\n\
         look at what was sent with\n  curl {url}/_simulator/ledger"
    ));
    if !has_callback {
        output.hint("no receipts and no replies are sent: say where with --callback http://127.0.0.1:8787");
    }
    stop.cancelled().await;
    Ok(end(context, &simulator.ledger().totals()))
}

fn show(output: super::Output, note: &Note) {
    let fault = note.fault.map(|fault| fault.to_string());
    if output.json {
        let call = json!({ "method": note.method, "path": note.path, "status": note.status, "fault": fault });
        output.object(&json!({ "schema": SCHEMA, "call": call }));
    } else if !output.quiet {
        let status = note.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let fault = fault.map(|fault| format!("  {fault}")).unwrap_or_default();
        output.line(&format!("{} {}  {status}{fault}", note.method, note.path));
    }
}

/// A text that was sent twice is a problem found.
fn end(context: &Context, totals: &Totals) -> Exit {
    if context.output.json {
        context.output.object(&json!({ "schema": SCHEMA, "totals": totals }));
    } else {
        context.output.line(&format!(
            "{} calls, {} texts sent, {} refused, {} sent more than once; {} receipts and replies taken, {} given up",
            totals.calls, totals.sent, totals.refused, totals.doubled, totals.callbacks_taken, totals.callbacks_given_up
        ));
    }
    if totals.doubled > 0 { Exit::Found } else { Exit::Done }
}

fn options(context: &Context, args: &SimulateArgs) -> Result<Options, Failure> {
    if !args.listen.ip().is_loopback() && !args.allow_remote {
        let failure = Failure::new(format!("{} is not an address of this machine alone", args.listen));
        return Err(failure.with_help("whoever reaches it reads every text: say --allow-remote when you mean it"));
    }
    let provider = match args.provider {
        SimulatedProvider::Clicksend => Provider::ClickSend,
        SimulatedProvider::Messagemedia => Provider::MessageMedia,
    };
    let username = context.environment.get("SMS_API_USERNAME").unwrap_or(USERNAME_DEFAULT).to_owned();
    let account = Account { username, key: secret(context, "SMS_API_KEY")?.unwrap_or_else(|| KEY_DEFAULT.to_owned()) };
    let encoding = args.encoding.map(|encoding| match encoding {
        CallbackEncoding::Form => Encoding::Form,
        CallbackEncoding::Json => Encoding::Json,
    });
    Ok(Options {
        listen: args.listen,
        account,
        callback: args.callback.as_deref().map(|url| callback(context, url)).transpose()?,
        encoding,
        signer: args.signing_key.as_deref().map(signer).transpose()?,
        latency: args.latency,
        receipt_delay: args.receipt_delay,
        late: args.late,
        faults: args.fault.clone(),
        answering: args.reply.clone(),
        seed: args.seed,
        ..Options::new(provider)
    })
}

/// The address of a service stands for its webhooks, whose secret is in the environment.
fn callback(context: &Context, url: &str) -> Result<String, Failure> {
    let help = "write it as http://127.0.0.1:8787, or as a whole URL with {kind} in it";
    let Some((_, rest)) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) else {
        return Err(Failure::new("the callback is no URL").with_help(help));
    };
    if rest.trim_end_matches('/').contains('/') {
        return Ok(url.to_owned());
    }
    let Some(token) = secret(context, "SMS_WEBHOOK_TOKEN")? else {
        let failure = Failure::new("the webhooks of the service need their secret, and SMS_WEBHOOK_TOKEN is not set");
        return Err(failure.with_help("set it to what the service has, for both"));
    };
    Ok(format!("{}/webhooks/sms/{{kind}}/{token}", url.trim_end_matches('/')))
}

/// From the variable, or from the file that `NAME_FILE` names, as the service reads it. Of several, while it is rotated, the first: it
/// is the one that is used for calls.
fn secret(context: &Context, variable: &str) -> Result<Option<String>, Failure> {
    let file_variable = format!("{variable}_FILE");
    let all = match (context.environment.get(variable), context.environment.get(&file_variable)) {
        (Some(_), Some(_)) => {
            let failure = Failure::new(format!("{variable} and {file_variable} are both set"));
            return Err(failure.with_help("set one of them"));
        }
        (Some(all), None) => all.to_owned(),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("the file of {file_variable} cannot be read: {}", error.kind())))?,
        (None, None) => return Ok(None),
    };
    Ok(SecretList::parse(&all).first().map(|secret| secret.expose().to_owned()))
}

fn signer(file: &Path) -> Result<Arc<MessageMediaSigner>, Failure> {
    let pem = std::fs::read_to_string(file).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    MessageMediaSigner::from_pem(&pem).map(Arc::new).map_err(|error| {
        Failure::new(format!("{}: {error}", file.display()))
            .with_help("make one with `openssl genpkey -algorithm RSA -out key.pem`")
    })
}

/// What the options mean, and the numbers with a fate of their own.
pub(super) fn help() -> String {
    let names: Vec<String> = Fault::names().filter(|name| !name.starts_with("sent-")).collect();
    let mut help = format!(
        "Faults: {}.\nWith `sent-` in front (sent-500, sent-timeout, …) the texts are taken in before it goes wrong; with `lookup.` it is \
         about calls that send nothing.\nWhile it runs: GET and DELETE /_simulator/ledger, GET and POST /_simulator/faults, POST \
         /_simulator/replies, POST /_simulator/words, POST /_simulator/release.\n\nNumbers with a fate of their own (they belong to nobody):\n",
        names.join(", ")
    );
    for (number, _, words) in NUMBERS.iter().filter(|(_, _, words)| !words.starts_with("ClickSend")) {
        help.push_str(&format!("  {number}  {words}\n"));
    }
    help
}
