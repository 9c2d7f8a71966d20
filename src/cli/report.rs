//! `avatar report`: the figures of a week or a month.

use super::failure::Failure;
use super::moment::Wall;
use super::{Context, Exit};
use crate::automation::reports::{self, Figure, Kind, Period, Report, Shown, csv, definitions};
use crate::domain::time::Millis;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.report/1";

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// The figures of a week: Monday to Sunday
    Weekly(ReportArgs),
    /// The figures of a month
    Monthly(ReportArgs),
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The first day of the period, instead of that of the last one that is over
    #[arg(long, value_name = "DAY")]
    pub start: Option<NaiveDate>,
    /// Lines of CSV
    #[arg(long)]
    pub csv: bool,
}

pub(super) fn run(context: &Context, command: &ReportCommand) -> Exit {
    let (kind, args) = match command {
        ReportCommand::Weekly(args) => (Kind::Weekly, args),
        ReportCommand::Monthly(args) => (Kind::Monthly, args),
    };
    context.on_database(async |parts| {
        let (tz, now) = (parts.settings.clinic.calendar.tz, parts.clock.now());
        let period = match args.start {
            Some(start) => Period::starting(kind, start, tz, now).map_err(|wrong| Failure::new(format!("--start: {wrong}")))?,
            None => Period::last_over(kind, tz, now).ok_or_else(|| Failure::new("there is no such period"))?,
        };
        let report = reports::get(&parts.store, &parts.settings.clinic, period, now).await?.report;
        if context.output.json {
            context.output.object(&object(&report, Wall(tz)));
        } else if args.csv {
            context.output.line(csv(&report).trim_end());
        } else {
            print(context, &report, Wall(tz));
        }
        Ok(Exit::Done)
    })
}

fn object(report: &Report, wall: Wall) -> Value {
    json!({
        "schema": SCHEMA,
        "kind": report.kind.as_str(),
        "start": report.start,
        "period_start": wall.json(report.from),
        "period_end": wall.json(report.to),
        "timezone": report.zone,
        "generated_at": wall.json(report.generated_at),
        "is_over": report.is_over(),
        "is_final": report.is_final(),
        "figures": report.figures.iter().map(figure).collect::<Vec<_>>(),
    })
}

fn figure(figure: &Figure) -> Value {
    let value = figure.value().map(|shown| match shown {
        Shown::Whole(n) => json!(n),
        Shown::Rate(rate) => json!(rate),
    });
    json!({
        "name": figure.name,
        "group": figure.group,
        "unit": definitions::find(&figure.name).map(|d| d.unit.as_str()),
        "value": value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
    })
}

fn print(context: &Context, report: &Report, wall: Wall) {
    context.output.line(&format!("{} report from {} ({})", report.kind.as_str(), report.start, report.zone));
    for figure in &report.figures {
        context.output.line(&line(figure));
    }
    context.output.hint(&format!("counted at {}", wall.day_and_time(report.generated_at)));
}

/// `  show_rate                      94.2 %  (49 of 52)`
fn line(figure: &Figure) -> String {
    let unit = definitions::find(&figure.name).map(|d| d.unit);
    let shown = match figure.value() {
        None => "-".to_owned(),
        Some(Shown::Rate(rate)) => format!("{:.1} %", rate * 100.0),
        Some(Shown::Whole(ms)) if unit == Some(definitions::Unit::Ms) => span(Millis(ms)),
        Some(Shown::Whole(n)) => n.to_string(),
    };
    let parts = match (figure.numerator, figure.denominator) {
        (Some(part), Some(all)) => format!("  ({part} of {all})"),
        _ => String::new(),
    };
    let indent = if figure.group.is_some() { "    " } else { "  " };
    let name = figure.group.as_deref().unwrap_or(&figure.name);
    format!("{indent}{name:<32} {shown:>12}{parts}")
}

/// `2 d 3 h`, `14 min`, `40 s`
fn span(span: Millis) -> String {
    let (days, hours) = (span.0 / Millis::DAY.0, span.0 % Millis::DAY.0 / Millis::HOUR.0);
    let (minutes, seconds) = (span.0 % Millis::HOUR.0 / Millis::MINUTE.0, span.0 % Millis::MINUTE.0 / Millis::SECOND.0);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
