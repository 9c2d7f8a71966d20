//! What the two processes say to each other, as JSON.

use crate::domain::calendar::Calendar;
use crate::domain::clinic::{Clinic, QuietHours, TextSettings};
use crate::domain::keywords::Keywords;
use crate::domain::pipeline::Pipelines;
use crate::engine::diagnostic::Diagnostic;
use crate::engine::{Catalogue, Sources};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Version of both messages.
const SCHEMA: &str = "avatar.candidate/1";
const DATE: &str = "%Y-%m-%d";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    schema: String,
    files: BTreeMap<String, String>,
    name: String,
    phone: String,
    tz: String,
    hours: Vec<Vec<(u32, u32)>>,
    holidays: Vec<String>,
    quiet_hours: (u32, u32),
    keywords: Keywords,
    texts: TextSettings,
    teams: Vec<String>,
    task_types: Vec<String>,
    test_contacts: Vec<String>,
    pipelines: Pipelines,
    declared_events: Vec<String>,
    declared_sources: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Answer {
    schema: String,
    pub diagnostics: Vec<Diagnostic>,
}

impl Answer {
    pub fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Self { schema: SCHEMA.to_owned(), diagnostics }
    }
}

impl Request {
    pub fn new(sources: &Sources, catalogue: &Catalogue) -> Self {
        let clinic = &catalogue.clinic;
        Self {
            schema: SCHEMA.to_owned(),
            files: sources.files.clone(),
            name: clinic.name.clone(),
            phone: clinic.phone.clone(),
            tz: clinic.calendar.tz.name().to_owned(),
            hours: clinic.calendar.hours.to_vec(),
            holidays: clinic.calendar.holidays.iter().map(|day| day.format(DATE).to_string()).collect(),
            quiet_hours: (clinic.quiet_hours.from_minute, clinic.quiet_hours.until_minute),
            keywords: clinic.keywords.clone(),
            texts: clinic.texts,
            teams: clinic.teams.clone(),
            task_types: clinic.task_types.clone(),
            test_contacts: clinic.test_contacts.clone(),
            pipelines: Pipelines::clone(&catalogue.pipelines),
            declared_events: catalogue.declared_events.clone(),
            declared_sources: catalogue.declared_sources.clone(),
        }
    }

    pub fn into_parts(self) -> Result<(Sources, Catalogue), String> {
        if self.schema != SCHEMA {
            return Err(format!("this program speaks {SCHEMA}, not {}", self.schema));
        }
        let calendar = Calendar {
            tz: self.tz.parse().map_err(|_| "the time zone is not known".to_owned())?,
            hours: self.hours.try_into().map_err(|_| "a week has seven days".to_owned())?,
            holidays: self.holidays.iter().map(|day| holiday(day)).collect::<Result<BTreeSet<_>, _>>()?,
        };
        let clinic = Clinic {
            name: self.name,
            phone: self.phone,
            calendar,
            quiet_hours: QuietHours { from_minute: self.quiet_hours.0, until_minute: self.quiet_hours.1 },
            keywords: self.keywords,
            texts: self.texts,
            teams: self.teams,
            task_types: self.task_types,
            test_contacts: self.test_contacts,
        };
        let catalogue = Catalogue {
            clinic: Arc::new(clinic),
            pipelines: Arc::new(self.pipelines),
            declared_events: self.declared_events,
            declared_sources: self.declared_sources,
        };
        Ok((Sources { files: self.files }, catalogue))
    }
}

fn holiday(day: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(day, DATE).map_err(|e| e.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::automation::rulesets::candidate) fn catalogue() -> Catalogue {
        let shipped =
            |name: &str| std::fs::read_to_string(format!("{}/config/{name}", env!("CARGO_MANIFEST_DIR"))).expect("shipped");
        let clinic = crate::config::load_clinic(&shipped("clinic.yaml"), chrono_tz::Australia::Sydney).expect("the clinic");
        let pipelines = crate::config::load_pipelines(&shipped("pipelines.yaml")).expect("the pipelines");
        let declared_events = vec!["form_sent".to_owned()];
        let declared_sources = vec!["forms".to_owned()];
        Catalogue { clinic: Arc::new(clinic), pipelines: Arc::new(pipelines), declared_events, declared_sources }
    }

    #[test]
    fn the_clinic_arrives_as_it_was() {
        let (sources, before) = (Sources { files: [("a".to_owned(), "b\n".to_owned())].into() }, catalogue());
        let text = serde_json::to_string(&Request::new(&sources, &before)).expect("JSON");
        let request: Request = serde_json::from_str(&text).expect("a request");
        let (arrived, after) = request.into_parts().expect("its parts");
        assert_eq!((arrived, &after.clinic, &after.pipelines), (sources, &before.clinic, &before.pipelines));
        assert_eq!(after.declared_events, before.declared_events);
        assert_eq!(after.declared_sources, before.declared_sources);
    }
}
