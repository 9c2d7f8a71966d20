//! Names that rule files can use in this clinic.

use crate::domain::event::KNOWN_EVENTS;
use crate::domain::task::KNOWN_TASK_TYPES;
use crate::engine::check::template_name;
use crate::engine::ruleset::{Catalogue, Sources};
use crate::engine::schema::{Field, Type, find_record};

/// Names as of now: of the settings, and of the files.
pub struct Live<'a> {
    pub catalogue: &'a Catalogue,
    pub templates: Vec<String>,
}

impl<'a> Live<'a> {
    #[must_use]
    pub fn new(sources: &Sources, catalogue: &'a Catalogue) -> Self {
        let templates = sources.files.keys().filter(|path| path.starts_with("sms_templates/"));
        Self { catalogue, templates: templates.map(|path| template_name(path).to_owned()).collect() }
    }

    pub(super) fn events(&self) -> Vec<String> {
        KNOWN_EVENTS.iter().map(|e| (*e).to_owned()).chain(self.catalogue.declared_events.iter().cloned()).collect()
    }

    pub(super) fn task_types(&self) -> Vec<String> {
        KNOWN_TASK_TYPES.iter().map(|t| (*t).to_owned()).chain(self.catalogue.clinic.task_types.iter().cloned()).collect()
    }
}

/// `contact.warmness` and so on, with their fields.
pub(super) fn settable() -> Vec<(String, &'static Field)> {
    fields_where(|field| field.settable)
}

/// Times that a `date` trigger can follow.
pub(super) fn dates() -> Vec<(String, &'static Field)> {
    fields_where(|field| field.ty == Type::Time)
}

fn fields_where(wanted: impl Fn(&Field) -> bool) -> Vec<(String, &'static Field)> {
    let records = ["contact", "booking"].into_iter().filter_map(find_record);
    let all = records.flat_map(|r| r.fields.iter().map(move |f| (format!("{}.{}", r.name, f.name), f)));
    all.filter(|(_, field)| wanted(field)).collect()
}
