//! Members of staff: added, changed, invited.

use super::passwords::{PASSWORD_CHARACTERS_MIN, Passwords, refuse_weak};
use super::{StaffError, checked_name, normal_email};
use crate::automation::audit;
use crate::automation::sign_in::one_time;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::domain::ids::new_id;
use crate::domain::staff::Role;
use crate::domain::time::Timestamp;
use crate::store::staff::{self, CodePurpose, NewUser, Proofs, User};
use crate::store::{Store, StoreError, Tx};

/// Members of staff of one clinic, also those of earlier times.
pub const USERS_MAX: i64 = 2_000;

/// Adds a member of staff at the machine itself and answers with their id. Without a password they cannot sign in yet.
pub async fn add_user(
    store: &Store,
    clock: &SharedClock,
    email: &str,
    name: &str,
    role: Role,
    password: Option<&str>,
) -> Result<String, StaffError> {
    let mut user = new_user(clock, email, name, role)?;
    if let Some(password) = password {
        refuse_weak(password, PASSWORD_CHARACTERS_MIN, &[&user.email, &user.name])?;
        let turn = Passwords::default().turn().ok_or(StaffError::Busy)?;
        user.password_hash = Some(turn.hash(password).await?);
    }
    let (id, now) = (user.id.clone(), clock.now());
    write(store, move |tx| insert(tx, Who::from("cli"), &user, now)).await?;
    Ok(id)
}

/// Adds a member of staff and answers with the code with which they choose their password.
pub async fn invite(
    store: &Store,
    clock: &SharedClock,
    who: Who,
    email: &str,
    name: &str,
    role: Role,
) -> Result<(User, String), StaffError> {
    let (user, now) = (new_user(clock, email, name, role)?, clock.now());
    write(store, move |tx| {
        if staff::list_users(tx, USERS_MAX)?.len() as i64 >= USERS_MAX {
            return Err(StaffError::TooMany);
        }
        staff::insert_user(tx, &user, now)?;
        let code = one_time::issue(tx, &user.id, CodePurpose::Invitation, now)?;
        let added = staff::find_user(tx, &user.id)?.ok_or(StaffError::Nobody)?;
        note_added(tx, who, &user, now)?;
        Ok((added, code))
    })
    .await
}

/// Takes somebody's password (and second factor, if asked) away, ends their sessions, and answers with the code with which they
/// choose a new one.
pub async fn invite_again(
    store: &Store,
    clock: &SharedClock,
    who: Who,
    id: &str,
    reset_mfa: bool,
) -> Result<(User, String), StaffError> {
    let (id, now) = (id.to_owned(), clock.now());
    write(store, move |tx| {
        let mut user = staff::lock_user(tx, &id)?.ok_or(StaffError::Nobody)?;
        user.password_hash = None;
        update(tx, &user, now)?;
        staff::delete_sessions_of(tx, &id, None)?;
        if reset_mfa {
            staff::put_proofs(tx, &Proofs { user_id: id.clone(), ..Proofs::default() })?;
            staff::replace_recovery_codes(tx, &id, &[])?;
        }
        let code = one_time::issue(tx, &id, CodePurpose::Invitation, now)?;
        let user = staff::find_user(tx, &id)?.ok_or(StaffError::Nobody)?;
        let entry = Entry::new(who, action::USER_INVITED).of("user", &id).with_flag("mfa_reset", reset_mfa);
        audit::note(tx, &entry, now)?;
        Ok((user, code))
    })
    .await
}

/// A code that signs somebody in once, without a password. For a demo, where nothing is real.
pub async fn link_for(store: &Store, clock: &SharedClock, email: &str, name: &str, role: Role) -> Result<String, StaffError> {
    let (new, now) = (new_user(clock, email, name, role)?, clock.now());
    write(store, move |tx| {
        let id = if let Some(user) = staff::find_user_by_email(tx, &new.email)? {
            user.id
        } else {
            insert(tx, Who::from("cli"), &new, now)?;
            new.id
        };
        Ok(one_time::issue(tx, &id, CodePurpose::Link, now)?)
    })
    .await
}

/// What is to be different; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    pub name: Option<String>,
    pub role: Option<Role>,
    pub active: Option<bool>,
}

/// Changes a member of staff whose version is `version`. Whoever may not come in any more is signed out everywhere.
pub async fn change_user(
    store: &Store,
    clock: &SharedClock,
    who: Who,
    id: &str,
    version: i64,
    change: UserChange,
) -> Result<User, StaffError> {
    let name = change.name.as_deref().map(checked_name).transpose()?;
    let (id, now) = (id.to_owned(), clock.now());
    write(store, move |tx| {
        let admins = staff::count_active_admins(tx)?;
        let before = staff::lock_user(tx, &id)?.ok_or(StaffError::Nobody)?;
        if before.version != version {
            return Err(StaffError::Changed(Box::new(before)));
        }
        let mut after = before.clone();
        after.name = name.unwrap_or(after.name);
        after.role = change.role.unwrap_or(after.role);
        after.active = change.active.unwrap_or(after.active);
        let is_admin = |user: &User| user.active && user.role == Role::Admin;
        if is_admin(&before) && !is_admin(&after) && admins <= 1 {
            return Err(StaffError::LastAdmin);
        }
        update(tx, &after, now)?;
        if !after.active {
            staff::delete_sessions_of(tx, &id, None)?;
            staff::delete_codes_of(tx, &id)?;
        }
        note_changed(tx, who, (&before, &after), now)?;
        staff::find_user(tx, &id)?.ok_or(StaffError::Nobody)
    })
    .await
}

fn note_changed(tx: &mut Tx<'_>, who: Who, (before, after): (&User, &User), now: Timestamp) -> Result<(), StoreError> {
    let entry = Entry::new(who, action::USER_CHANGED)
        .of("user", &after.id)
        .with_word("role_before", before.role.as_str())
        .with_word("role", after.role.as_str())
        .with_flag("active", after.active)
        .with_flag("renamed", before.name != after.name);
    audit::note(tx, &entry, now)
}

/// Writes a user that was read in this transaction.
pub(in crate::automation) fn update(tx: &mut Tx<'_>, user: &User, now: Timestamp) -> Result<(), StaffError> {
    if staff::update_user(tx, user, now)? {
        return Ok(());
    }
    let current = staff::find_user(tx, &user.id)?.ok_or(StaffError::Nobody)?;
    Err(StaffError::Changed(Box::new(current)))
}

fn new_user(clock: &SharedClock, email: &str, name: &str, role: Role) -> Result<NewUser, StaffError> {
    let (email, name) = (normal_email(email)?, checked_name(name)?);
    Ok(NewUser { id: new_id(clock.now()), email, name, role, password_hash: None })
}

fn insert(tx: &mut Tx<'_>, who: Who, user: &NewUser, now: Timestamp) -> Result<(), StaffError> {
    staff::insert_user(tx, user, now)?;
    Ok(note_added(tx, who, user, now)?)
}

fn note_added(tx: &mut Tx<'_>, who: Who, user: &NewUser, now: Timestamp) -> Result<(), StoreError> {
    let entry = Entry::new(who, action::USER_ADDED).of("user", &user.id).with_word("role", user.role.as_str());
    audit::note(tx, &entry, now)
}

/// The address is what can be there twice.
async fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, StaffError> + Send + 'static,
) -> Result<T, StaffError> {
    match store.write(work).await {
        Err(StaffError::Store(StoreError::Duplicate { .. })) => Err(StaffError::DuplicateEmail),
        other => other,
    }
}
