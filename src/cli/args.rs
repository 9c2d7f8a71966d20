//! Every command and its options. Help opens with what somebody would really type.

pub use super::args_staff::{AdminCommand, AuditCommand, TokenCommand, UserCommand};
pub use super::contact::args::{ContactCommand, EraseArgs};
pub use super::db::args::DbCommand;
pub use super::simulate::args::SimulateArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  avatar serve --demo          a clinic to try out, with its dashboard
  avatar rules check           find mistakes in rules, scripts and templates
  avatar why EVENT             every rule considered for an event, and why not

";

const EXIT_CODES: &str = "\
Exit codes: 0 done, nothing found; 1 problems or a difference found; 2 could not run; 130 interrupted.
Settings: `avatar config show`. What a problem's code means: `avatar explain CODE`.";

const TEMPLATE: &str = "{before-help}{about}\n\n{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Rules engine with scriptable automations for a medical imaging clinic
#[derive(Debug, Parser)]
#[command(name = "avatar", version, before_help = EXAMPLES, after_help = EXIT_CODES, help_template = TEMPLATE)]
#[command(arg_required_else_help = true, max_term_width = 100, disable_help_subcommand = true, infer_subcommands = false)]
pub struct Cli {
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct OutputArgs {
    /// Print data as JSON: one object, or one on each line for streams
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only problems
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start server, workers and dashboard
    #[command(before_help = "Examples:\n  avatar serve --demo\n  avatar serve --listen 0.0.0.0:8787 --workers 8\n")]
    Serve(ServeArgs),
    /// Start workers only, beside a server on the same database
    #[command(before_help = "Examples:\n  avatar worker --workers 8\n")]
    Worker(WorkerArgs),
    /// What will happen next with a contact
    #[command(before_help = "Examples:\n  avatar next 0491570006\n  avatar next Nguyen\n")]
    Next(NextArgs),
    /// Every rule considered for an event, and why not; or a rule's last runs for a contact
    #[command(
        before_help = "Examples:\n  avatar why 019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d\n  avatar why EVENT reminder-24h\n  avatar why 0491570006 reminder-24h\n"
    )]
    Why(WhyArgs),
    /// Long form of a problem's code
    #[command(before_help = "Examples:\n  avatar explain R0102\n")]
    Explain(ExplainArgs),
    /// Check, list, publish and roll back rules
    #[command(
        subcommand,
        before_help = "Examples:\n  avatar rules check\n  avatar rules publish --message \"Call leads earlier\"\n  avatar rules rollback r47\n"
    )]
    Rules(RulesCommand),
    /// The figures of a week or a month
    #[command(subcommand, before_help = "Examples:\n  avatar report weekly\n  avatar report monthly --start 2026-03-01 --csv\n")]
    Report(super::report::ReportCommand),
    /// Watch events, look at them, make one
    #[command(
        subcommand,
        before_help = "Examples:\n  avatar events tail\n  avatar events send booking_created --set booking.urgency_level=urgent\n"
    )]
    Events(EventsCommand),
    /// Look at background jobs; retry or discard those that failed
    #[command(subcommand, before_help = "Examples:\n  avatar jobs list --state dead\n  avatar jobs retry --all\n")]
    Jobs(JobsCommand),
    /// What people may ask of a clinic: everything that is known of them, and that it is forgotten
    #[command(
        subcommand,
        before_help = "Examples:\n  avatar contact export 0491570006\n  avatar contact erase 0491570006 --reason request-17 --dry-run\n"
    )]
    Contact(ContactCommand),
    /// Bring the database up to date
    #[command(subcommand, before_help = "Examples:\n  avatar db status\n  avatar db migrate\n  avatar db backup\n")]
    Db(DbCommand),
    /// API keys
    #[command(subcommand, before_help = "Examples:\n  avatar token create --name reports --role manager\n")]
    Token(TokenCommand),
    /// Members of staff who can sign in
    #[command(subcommand, before_help = "Examples:\n  avatar user add ana@example.com --name \"Ana Lima\" --role manager\n")]
    User(UserCommand),
    /// The first admin
    #[command(subcommand, before_help = "Examples:\n  avatar admin create ana@example.com --name \"Ana Lima\"\n")]
    Admin(AdminCommand),
    /// What people did
    #[command(subcommand, before_help = "Examples:\n  avatar audit verify\n  avatar audit list --action session.signed_in\n")]
    Audit(AuditCommand),
    /// The settings in force
    #[command(subcommand, before_help = "Examples:\n  avatar config check\n  avatar config show\n")]
    Config(ConfigCommand),
    /// The HTTP API as an OpenAPI 3.1 document
    #[command(before_help = "Examples:\n  avatar openapi > openapi.json\n")]
    Openapi,
    /// Check the invariants of a whole database
    #[command(before_help = "Examples:\n  avatar check\n")]
    Check,
    /// Check everything that a running clinic needs
    #[command(before_help = "Examples:\n  avatar doctor\n  avatar doctor --only sms\n")]
    Doctor(DoctorArgs),
    /// Text templates
    #[command(subcommand, before_help = "Examples:\n  avatar sms preview booking_confirmation\n")]
    Sms(SmsCommand),
    /// A provider to rehearse with: speaks its API on this machine, and misbehaves on request
    #[command(
        before_help = "Examples:\n  avatar simulate clicksend\n  avatar simulate clicksend --fault reset=5% --fault receipt-late=10%\n  avatar simulate messagemedia --callback http://127.0.0.1:8787 --reply YES=60%\n",
        after_help = super::simulate::help()
    )]
    Simulate(SimulateArgs),
    /// Completions for a shell
    #[command(before_help = "Examples:\n  avatar completions bash > /etc/bash_completion.d/avatar\n")]
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Fill a demo clinic through the real webhooks, and print a sign-in
    #[arg(long)]
    pub demo: bool,
    /// Address and port, instead of LISTEN_ADDR
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
    /// Workers in this process; 0 for none
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=256))]
    pub workers: Option<u32>,
}

#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// Workers in this process
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub workers: Option<u32>,
}

#[derive(Debug, Args)]
pub struct NextArgs {
    /// Id, phone number, or a part of the name
    pub contact: String,
}

#[derive(Debug, Args)]
pub struct WhyArgs {
    /// Id of an event; or a contact's id, phone number, or a part of its name
    #[arg(value_name = "EVENT|CONTACT")]
    pub event: String,
    /// Only this rule; with a contact: its last runs
    pub rule: Option<String>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Code of a problem, such as R0102
    pub code: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    #[default]
    Full,
    Concise,
    Json,
    /// Annotations of a GitHub workflow
    Github,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Debug, Args)]
pub struct PrintArgs {
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    #[default]
    Human,
    Junit,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check rules, scripts and templates
    #[command(
        before_help = "Examples:\n  avatar rules check\n  avatar rules check --watch\n  avatar rules check --format sarif > rules.sarif\n"
    )]
    Check {
        /// Folder with rules/ and sms_templates/, instead of RULES_DIR and SMS_TEMPLATES_DIR
        path: Option<PathBuf>,
        #[arg(long, value_enum, default_value_t)]
        format: ReportFormat,
        /// Check again whenever a file is saved
        #[arg(short, long)]
        watch: bool,
        /// Read sources from stdin, and answer on stdout: for the program itself
        #[arg(long, hide = true, exclusive = true)]
        child: bool,
    },
    /// Long form of a problem's code; the same as `avatar explain`
    Explain(ExplainArgs),
    /// Print the JSON Schema of rule files, for editors
    #[command(before_help = "Examples:\n  avatar rules schema --out rules.schema.json\n")]
    Schema(PrintArgs),
    /// Print what scripts can use as .d.rhai, for editors
    #[command(before_help = "Examples:\n  avatar rules definitions --out avatar.d.rhai\n")]
    Definitions(PrintArgs),
    /// Print tables of all keys, steps, fields and functions as Markdown
    Reference(PrintArgs),
    /// Run the tests beside the rules, with a clock of their own; no text leaves the machine
    #[command(
        before_help = "Examples:\n  avatar rules test\n  avatar rules test rules/leads.test.yaml --run \"4 hours\"\n  avatar rules test --update\n"
    )]
    Test {
        /// Test files or folders, instead of all below RULES_DIR
        path: Vec<PathBuf>,
        /// Only tests whose name this regular expression finds
        #[arg(long, value_name = "REGEX")]
        run: Option<String>,
        #[arg(long, value_enum, default_value_t)]
        format: TestFormat,
        /// Write what happened in the place of expectations that failed
        #[arg(long)]
        update: bool,
        /// Show the rules and conditions that no test has reached
        #[arg(long)]
        coverage: bool,
    },
    /// What the draft on disk would have done with real events; nothing is sent
    #[command(
        before_help = "Examples:\n  avatar rules diff\n  avatar rules diff --since 30d --rule reminder-24h\n  avatar rules diff --against r47 --json\n"
    )]
    Diff {
        /// Events of this time: 7d, 12h, or since a day such as 2026-11-20
        #[arg(long, value_name = "TIME", default_value = "7d", conflicts_with = "events")]
        since: String,
        /// Events from a file, one a line, as `avatar events list --json` prints them
        #[arg(long, value_name = "FILE")]
        events: Option<PathBuf>,
        /// Compare with this ruleset, instead of the one in force
        #[arg(long, value_name = "REVISION")]
        against: Option<String>,
        /// Only what this rule does otherwise
        #[arg(long, value_name = "ID")]
        rule: Option<String>,
        /// List everything
        #[arg(long)]
        all: bool,
    },
    /// List the rules
    List,
    /// Show one rule as it is in force
    #[command(before_help = "Examples:\n  avatar rules show reminder-24h\n")]
    Show { id: String },
    /// Set off a rule by hand, for one contact or booking
    #[command(before_help = "Examples:\n  avatar rules run welcome-call --contact 018f4e9a-0000-7000-8000-000000000000\n")]
    Run {
        /// A rule with the trigger `manual`
        id: String,
        /// For this contact
        #[arg(long, value_name = "ID", conflicts_with = "booking", required_unless_present = "booking")]
        contact: Option<String>,
        /// For this booking
        #[arg(long, value_name = "ID")]
        booking: Option<String>,
    },
    /// Check the files, and put them in force
    #[command(before_help = "Examples:\n  avatar rules publish\n  avatar rules publish --yes --message \"Call leads earlier\"\n")]
    Publish {
        /// What changed, for those who come after
        #[arg(short, long)]
        message: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Put an earlier ruleset in force again
    #[command(before_help = "Examples:\n  avatar rules rollback r47 --message \"Texts came too early\"\n")]
    Rollback {
        /// Such as r47
        revision: String,
        /// Why, for those who come after
        #[arg(short, long)]
        message: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Switch a rule on again that was disabled or paused
    #[command(before_help = "Examples:\n  avatar rules enable reminder-24h --message \"Checked\"\n")]
    Enable {
        id: String,
        /// Why, for those who come after
        #[arg(short, long)]
        message: Option<String>,
    },
    /// Switch a rule off at once, whatever its file says
    #[command(before_help = "Examples:\n  avatar rules disable reminder-24h --message \"Wrong time\"\n")]
    Disable {
        id: String,
        /// Why, for those who come after
        #[arg(short, long)]
        message: String,
    },
    /// Who changed which rules are in force, when and why
    #[command(before_help = "Examples:\n  avatar rules history\n  avatar rules history reminder-24h\n")]
    History {
        /// Only changes of this rule
        rule: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Withdraw everything unsent that a rule has made since a time
    #[command(
        before_help = "Examples:\n  avatar rules recall --rule reminder-24h --since 2h\n  avatar rules recall --rule reminder-24h --since 2h --yes\n"
    )]
    Recall {
        #[arg(long, value_name = "ID")]
        rule: String,
        /// A time such as 2026-11-23T09:00:00+11:00, or a span such as 30m, 2h, 1d
        #[arg(long, value_name = "TIME")]
        since: String,
        /// Do not ask, and do it without a terminal too
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Make an event
    Send {
        /// Such as booking_created
        event_type: String,
        /// FIELD=VALUE, as often as needed
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
    },
    /// Save a real event as a test, of people who do not exist
    #[command(
        before_help = "Examples:\n  avatar events save 019ab2f0-6c1e\n  avatar events save 019ab2f0-6c1e --into rules/bookings.test.yaml\n"
    )]
    Save {
        /// Id of an event
        event: String,
        /// Add it to this test file, instead of printing it
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Show events as they come
    Tail(EventFilter),
    /// Show the newest events
    List {
        #[command(flatten)]
        filter: EventFilter,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

#[derive(Clone, Debug, Default, Args)]
pub struct EventFilter {
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,
    /// Only events from this source
    #[arg(long)]
    pub source: Option<String>,
    /// Only events about this contact
    #[arg(long)]
    pub contact: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs
    List {
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        queue: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show one job with its attempts
    Show { id: i64 },
    /// Run jobs again that failed for good
    Retry(JobSelection),
    /// Throw jobs away that failed for good
    Discard(JobSelection),
    /// Start no more jobs of a queue: automation, sms, sms_checks or maintenance
    Pause { queue: String },
    /// Start the jobs of a paused queue again
    Resume { queue: String },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct JobSelection {
    /// This job
    pub id: Option<i64>,
    /// All that failed for good
    #[arg(long)]
    pub all: bool,
    /// Those whose last error contains this
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show each value in force, and where it came from; secrets are redacted
    Show,
    /// Check all settings
    Check,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Only this part: config, database, rules, workers, webhooks, sms, clock, disk
    #[arg(long, value_name = "PART")]
    pub only: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum SmsCommand {
    /// Render a template, count its segments, and name the characters that cost more
    Preview {
        template: String,
        /// With the fields of this contact, instead of samples
        #[arg(long, value_name = "ID")]
        contact: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    pub shell: Shell,
}
