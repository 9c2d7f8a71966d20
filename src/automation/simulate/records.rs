//! Everything that the simulated clinic knows: one world for each contact, and what leads to it.

use super::late::Late;
use crate::automation::world::World;
use crate::domain::booking::Booking;
use crate::domain::contact::{Contact, Identity, IdentityKind};
use crate::domain::event::{Event, WaitState};
use crate::domain::sms::SmsMessage;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The records in memory. Worlds are in the order of contact ids, so that walking over them is always the same.
#[derive(Clone, Default)]
pub struct Records {
    /// Boxed: what the tree moves about is a pointer.
    people: BTreeMap<String, Box<World>>,
    pub(super) owners: HashMap<Identity, String>,
    /// Wix booking id → our id.
    pub(super) wix_bookings: HashMap<String, String>,
    /// Booking → contact.
    pub(super) booking_owners: HashMap<String, String>,
    /// Every text of the simulation, sent or not, by id.
    pub(super) texts: HashMap<String, SmsMessage>,
    /// Number → ids of the texts to it.
    texts_of_number: HashMap<String, BTreeSet<String>>,
    /// Contact → those whose texts go to that one. Also some whose texts did so once.
    wards: HashMap<String, BTreeSet<String>>,
    /// Dedupe key → id of the text.
    pub(super) text_keys: HashMap<String, String>,
    /// (provider, id at the provider) of messages received.
    pub(super) heard: HashSet<(String, String)>,
    pub(super) suppressed: HashSet<String>,
    pub(super) late: Late,
    /// Tasks that were closed: somebody may open one again.
    pub(super) closed_tasks: HashMap<String, Task>,
    /// What tasks are called elsewhere: the id of a real one → the dedupe key that names the same one here.
    task_keys: HashMap<String, String>,
    /// What texts are called elsewhere: an id of the real outbox → the dedupe key that names the same text here.
    aliases: HashMap<String, String>,
    /// (provider, its message id) → id of the real outbox.
    of_provider: HashMap<(String, String), String>,
}

impl Records {
    pub fn contact_ids(&self) -> Vec<String> {
        self.people.keys().cloned().collect()
    }

    pub fn person(&self, contact_id: &str) -> Option<&World> {
        self.people.get(contact_id).map(Box::as_ref)
    }

    pub(super) fn take_person(&mut self, contact_id: &str) -> Option<World> {
        self.people.remove(contact_id).map(|world| *world)
    }

    /// Adds or replaces a contact with everything that hangs on it, and makes it findable.
    pub fn put(&mut self, world: World) -> Option<String> {
        let contact = world.contact.as_ref()?;
        let id = contact.id.clone();
        // Nearly always all is known: it is looked up before anything is copied.
        if let Some(guardian) = &contact.guardian_contact_id
            && !self.wards.get(guardian).is_some_and(|wards| wards.contains(&id))
        {
            self.wards.entry(guardian.clone()).or_default().insert(id.clone());
        }
        for identity in &world.identities {
            if !self.owners.contains_key(identity) {
                self.owners.insert(identity.clone(), id.clone());
            }
        }
        for booking in &world.bookings {
            if self.booking_owners.get(&booking.id) != Some(&id) {
                self.booking_owners.insert(booking.id.clone(), id.clone());
            }
            if let Some(wix) = &booking.wix_booking_id
                && !self.wix_bookings.contains_key(wix)
            {
                self.wix_bookings.insert(wix.clone(), booking.id.clone());
            }
        }
        self.people.insert(id.clone(), Box::new(world));
        Some(id)
    }

    pub(super) fn put_text(&mut self, text: SmsMessage) {
        if text.direction == "out" && !self.texts.contains_key(&text.id) {
            self.texts_of_number.entry(text.to.clone()).or_default().insert(text.id.clone());
        }
        self.texts.insert(text.id.clone(), text);
    }

    pub fn booking(&self, id: &str) -> Option<&Booking> {
        self.people.get(self.booking_owners.get(id)?)?.find_booking(id)
    }

    /// (booking, contact) of all appointments since a time, in the order of ids.
    pub(super) fn bookings_since(&self, since: Timestamp) -> Vec<(String, String)> {
        let all = self.people.iter().flat_map(|(contact, world)| world.bookings.iter().map(move |b| (b, contact)));
        let mut found: Vec<_> =
            all.filter(|(b, _)| b.appointment_datetime >= since).map(|(b, c)| (b.id.clone(), c.clone())).collect();
        found.sort_unstable();
        found
    }

    /// A text by its id here, or by what the same text is called in the real outbox.
    pub(super) fn text(&self, id: &str) -> Option<&SmsMessage> {
        self.texts.get(id).or_else(|| self.texts.get(self.text_keys.get(self.aliases.get(id)?)?))
    }

    pub(super) fn text_of_provider(&self, provider: &str, id: &str) -> Option<&SmsMessage> {
        self.text(self.of_provider.get(&(provider.to_owned(), id.to_owned()))?)
    }

    /// The newest text to a contact that was made of a template and has left.
    pub fn newest_text(&self, contact_id: &str, template: &str) -> Option<&SmsMessage> {
        let of = |s: &&SmsMessage| s.contact_id.as_deref() == Some(contact_id) && s.template.as_deref() == Some(template);
        self.texts.values().filter(of).filter(|s| s.accepted_at.is_some()).max_by_key(|s| (s.accepted_at, s.id.clone()))
    }

    /// Real texts that receipts and replies of the log are about, so that they find their likes here.
    pub fn know_real_texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t SmsMessage>) {
        for text in texts {
            if let Some(key) = &text.dedupe_key {
                self.aliases.insert(text.id.clone(), key.clone());
            }
            if let (Some(provider), Some(id)) = (&text.provider, &text.provider_message_id) {
                self.of_provider.insert((provider.clone(), id.clone()), text.id.clone());
            }
        }
    }

    /// Real tasks that the log is about, so that they find their likes here.
    pub fn know_real_tasks<'t>(&mut self, tasks: impl IntoIterator<Item = &'t Task>) {
        self.task_keys.extend(tasks.into_iter().filter_map(|t| Some((t.id.clone(), t.dedupe_key.clone()?))));
    }

    pub(super) fn closed_task(&self, id: &str) -> Option<&Task> {
        self.closed_tasks.get(id)
    }

    /// Which of these tasks a real one is here.
    pub(super) fn find_like<'t>(&self, real_id: &str, mut tasks: impl Iterator<Item = &'t Task>) -> Option<&'t Task> {
        let key = self.task_keys.get(real_id)?;
        tasks.find(|t| t.status.is_open() && t.dedupe_key.as_ref() == Some(key))
    }

    pub(super) fn has_heard(&self, provider: &str, id: &str) -> bool {
        !self.heard.is_empty() && self.heard.contains(&(provider.to_owned(), id.to_owned()))
    }

    pub(super) fn person_mut(&mut self, contact_id: &str) -> Option<&mut World> {
        self.people.get_mut(contact_id).map(Box::as_mut)
    }

    /// Changes those whose texts go to the number, but for the one who speaks: that one's world is at work.
    pub(super) fn change_contacts_at(&mut self, phone: &str, speaker: Option<&Contact>, change: impl Fn(&mut Contact)) {
        let owner = Identity { kind: IdentityKind::Phone, value: phone.to_owned() };
        let Some(owner) = self.owners.get(&owner).cloned().or_else(|| speaker.map(|c| c.id.clone())) else { return };
        let wards = self.wards.get(&owner).into_iter().flatten().cloned();
        for id in wards.chain(std::iter::once(owner.clone())).collect::<BTreeSet<String>>() {
            let contact = self.people.get_mut(&id).and_then(|world| world.contact.as_mut());
            let is_meant = |c: &&mut Contact| c.id == owner || c.guardian_contact_id.as_ref() == Some(&owner);
            if let Some(contact) = contact.filter(is_meant) {
                change(contact);
            }
        }
    }

    /// Texts that went to a number since then, newest first.
    pub(super) fn texts_to(&self, phone: &str, since: Timestamp) -> Vec<SmsMessage> {
        let ids = self.texts_of_number.get(phone).into_iter().flatten();
        let went = ids.filter_map(|id| self.texts.get(id)).filter(|s| s.accepted_at.is_some_and(|at| at >= since));
        let mut found: Vec<SmsMessage> = went.cloned().collect();
        found.sort_unstable_by(|a, b| (b.accepted_at, &b.id).cmp(&(a.accepted_at, &a.id)));
        found
    }

    pub(super) fn settle_the_past(&mut self, contact_id: &str, now: Timestamp) {
        let timers = self.people.get_mut(contact_id).into_iter().flat_map(|w| &mut w.timers);
        for timer in timers.filter(|t| t.due_at < now) {
            "fired".clone_into(&mut timer.state);
        }
    }

    /// When a rule's timers of anybody are due, soonest first.
    pub fn pending_of_rule(&self, rule_id: &str) -> Vec<Timestamp> {
        let timers = self.people.values().flat_map(|w| &w.timers);
        let mut due: Vec<_> = timers.filter(|t| super::world::is_pending(t) && t.rule_id == rule_id).map(|t| t.due_at).collect();
        due.sort_unstable();
        due
    }

    /// The timer of this contact that is due first becomes fired; the event that it is.
    pub(super) fn take_due_timer(&mut self, contact_id: &str, ruleset: &crate::engine::Ruleset, now: Timestamp) -> Option<Event> {
        let world = self.people.get_mut(contact_id)?;
        let order = |rule: &str| ruleset.by_id.get(rule).copied().unwrap_or(usize::MAX);
        let due = world.timers.iter_mut().filter(|t| super::world::is_pending(t) && t.due_at <= now);
        let timer = due.min_by(|a, b| {
            (a.due_at, order(&a.rule_id), a.trigger, &a.subject_id).cmp(&(b.due_at, order(&b.rule_id), b.trigger, &b.subject_id))
        })?;
        "fired".clone_into(&mut timer.state);
        let event = super::fold::timer_event(timer, world.contact.as_ref(), now);
        timer.updated_at = now;
        Some(event)
    }

    /// The run of this contact whose wait ends first is due; the event that it is.
    pub(super) fn take_due_wait(&mut self, contact_id: &str, now: Timestamp) -> Option<Event> {
        let world = self.people.get_mut(contact_id)?;
        let due = world.waiting.iter_mut().filter(|w| w.state == WaitState::Waiting && w.due_at <= now);
        let run = due.min_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)))?;
        run.state = WaitState::Due;
        Some(super::fold::wait_event(run, world.contact.as_ref(), now))
    }

    /// What waits goes on by these rules: in memory there are no others.
    pub(super) fn wait_under(&mut self, contact_id: &str, revision: i64) {
        let waiting = self.people.get_mut(contact_id).into_iter().flat_map(|w| &mut w.waiting);
        waiting.for_each(|run| run.revision = revision);
    }
}
