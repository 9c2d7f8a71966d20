//! Texts that nothing sends, and events that nobody hears.

use super::outline::EffectKind;
use super::{Whole, emitted_names, warn};
use crate::engine::diagnostic::names;
use crate::engine::source::{Place, Problems};
use std::collections::BTreeSet;

pub(super) fn check(whole: &Whole<'_>, problems: &mut Problems) {
    unheard(whole, problems);
    let effects = whole.outlines.iter().flat_map(|o| &o.effects);
    let sent: BTreeSet<&str> =
        effects.filter_map(|e| if let EffectKind::Sms(name) = &e.kind { Some(name.as_str()) } else { None }).collect();
    for (name, file) in whole.templates {
        let mentioned = || whole.scripts.iter().any(|text| text.contains(&format!("\"{name}\"")));
        if !sent.contains(name.as_str()) && !mentioned() {
            let at = Place { line: 1, column: 1, width: 1 };
            let help = "delete the file, or write `staff: true` into its first line when staff sends it by hand";
            warn(problems, names::UNUSED_TEMPLATE, file, at, format!("no rule sends the text `{name}`"), help);
        }
    }
}

fn unheard(whole: &Whole<'_>, problems: &mut Problems) {
    let heard: BTreeSet<&str> = whole.outlines.iter().flat_map(|o| &o.events).map(|e| e.text.as_str()).collect();
    for (outline, effect, name) in emitted_names(whole.outlines) {
        if !heard.contains(name) {
            let message = format!("no rule listens to `{name}`");
            warn(
                problems,
                names::UNHEARD,
                &outline.file,
                effect.at,
                message,
                "listen to it: `when: { event: … }`, or leave `emit` out",
            );
        }
    }
}
