//! What one person is, out of two records of them; and back.

use crate::domain::contact::Contact;
use crate::domain::time::Timestamp;

/// The winner with what the loser knows and the winner does not. Whoever said no, said it for both.
pub(super) fn combined(winner: &Contact, loser: &Contact, now: Timestamp) -> Contact {
    let mut one = winner.clone();
    if one.name.trim().is_empty() {
        one.name.clone_from(&loser.name);
        one.first_name.clone_from(&loser.first_name);
        one.last_name.clone_from(&loser.last_name);
    }
    if one.phone.is_none() && loser.phone.is_some() {
        one.phone.clone_from(&loser.phone);
        one.phone_status.clone_from(&loser.phone_status);
    }
    take(&mut one.phone_raw, loser.phone_raw.as_ref());
    take(&mut one.email, loser.email.as_ref());
    take(&mut one.first_source, loser.first_source.as_ref());
    take(&mut one.interest, loser.interest.as_ref());
    take(&mut one.assigned_to, loser.assigned_to.as_ref());
    take(&mut one.recall_due_on, loser.recall_due_on.as_ref());
    if one.phone.is_some() {
        // Who has a number of their own needs nobody's.
        one.guardian_contact_id.clone_from(&winner.guardian_contact_id);
    } else {
        take(&mut one.guardian_contact_id, loser.guardian_contact_id.as_ref());
    }
    if one.current_stage.is_none() {
        one.current_pipeline.clone_from(&loser.current_pipeline);
        one.current_stage.clone_from(&loser.current_stage);
        one.stage_entered_at = loser.stage_entered_at;
    }
    if loser.warmness > one.warmness {
        one.warmness = loser.warmness;
        one.warmness_at = loser.warmness_at;
    }
    one.is_existing_patient |= loser.is_existing_patient;
    one.marketing_consent = consent(&winner.marketing_consent, &loser.marketing_consent);
    one.sms_consent = consent(&winner.sms_consent, &loser.sms_consent);
    one.opted_out_at = earlier(winner.opted_out_at, loser.opted_out_at);
    one.last_inbound_at = winner.last_inbound_at.max(loser.last_inbound_at);
    one.last_outbound_at = winner.last_outbound_at.max(loser.last_outbound_at);
    one.last_visit_at = winner.last_visit_at.max(loser.last_visit_at);
    one.no_shows = winner.no_shows.saturating_add(loser.no_shows);
    one.tags.extend(loser.tags.iter().filter(|tag| !winner.tags.contains(tag)).cloned());
    // Whoever has seen either of them has not seen this.
    one.version = winner.version.max(loser.version) + 1;
    one.updated_at = now;
    one
}

/// What stays of the loser: the way to the winner.
pub(super) fn tombstone(loser: &Contact, winner_id: &str, now: Timestamp) -> Contact {
    Contact {
        phone: None,
        phone_raw: None,
        email: None,
        guardian_contact_id: None,
        current_pipeline: None,
        current_stage: None,
        stage_entered_at: None,
        opted_out_at: None,
        assigned_to: None,
        recall_due_on: None,
        merged_into_id: Some(winner_id.to_owned()),
        version: loser.version + 1,
        updated_at: now,
        ..loser.clone()
    }
}

/// The loser as it was, now.
pub(super) fn risen(before: &Contact, tombstone: &Contact, winner: &Contact, now: Timestamp) -> Contact {
    // By its id the winner was shown meanwhile.
    Contact { version: tombstone.version.max(winner.version) + 1, updated_at: now, ..before.clone() }
}

/// The winner without what the merge has brought: each field that is still as the merge left it is what it was before.
pub(super) fn parted(current: &Contact, before: &Contact, after: &Contact, now: Timestamp) -> Contact {
    macro_rules! each {
        ($($field:ident),*) => {
            Contact {
                $( $field: if current.$field == after.$field { before.$field.clone() } else { current.$field.clone() }, )*
                version: current.version + 1,
                updated_at: now,
                ..current.clone()
            }
        };
    }
    each!(
        name,
        first_name,
        last_name,
        phone,
        phone_raw,
        phone_status,
        email,
        is_existing_patient,
        guardian_contact_id,
        marketing_consent,
        sms_consent,
        opted_out_at,
        first_source,
        interest,
        current_pipeline,
        current_stage,
        stage_entered_at,
        warmness,
        warmness_at,
        assigned_to,
        last_inbound_at,
        last_outbound_at,
        last_visit_at,
        recall_due_on,
        no_shows,
        tags
    )
}

fn take<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>) {
    if mine.is_none() {
        *mine = theirs.cloned();
    }
}

fn consent(mine: &str, theirs: &str) -> String {
    let said = |word: &str| mine == word || theirs == word;
    let word = if said("denied") {
        "denied"
    } else if said("granted") {
        "granted"
    } else {
        mine
    };
    word.to_owned()
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str) -> Contact {
        let unknown = || "unknown".to_owned();
        Contact { id: id.into(), marketing_consent: unknown(), sms_consent: unknown(), ..Contact::default() }
    }

    #[test]
    fn no_wins_over_yes_and_yes_over_silence() {
        for (mine, theirs, both) in [
            ("granted", "denied", "denied"),
            ("unknown", "granted", "granted"),
            ("denied", "unknown", "denied"),
            ("unknown", "unknown", "unknown"),
        ] {
            assert_eq!(consent(mine, theirs), both);
        }
    }

    #[test]
    fn what_changed_since_the_merge_stays_when_it_is_undone() {
        let (winner, loser) = (person("a"), Contact { email: Some("b@x".into()), warmness: 70, no_shows: 2, ..person("b") });
        let after = combined(&winner, &loser, Timestamp(1));
        let later = Contact { warmness: 90, ..after.clone() };
        let parted = parted(&later, &winner, &after, Timestamp(2));
        assert_eq!((parted.email, parted.warmness, parted.no_shows), (None, 90, 0));
    }
}
