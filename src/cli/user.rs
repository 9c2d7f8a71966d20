//! `avatar user`

use super::args::{AdminCommand, UserCommand};
use super::failure::Failure;
use super::{Context, Exit};
use crate::automation::staff::{self, PASSWORD_BYTES_MAX, add_user};
use crate::domain::audit::Who;
use crate::domain::staff::Role;
use crate::store::staff::{User, find_user_by_email};
use serde_json::json;
use std::io::{IsTerminal, Read};

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.user/1";

pub(super) fn run(context: &Context, command: &UserCommand) -> Exit {
    match command {
        UserCommand::Add { email, name, role, password_stdin } => add(context, email, name, *role, *password_stdin),
        UserCommand::Invite { email, reset_mfa } => invite_again(context, email, *reset_mfa),
    }
}

pub(super) fn run_admin(context: &Context, command: &AdminCommand) -> Exit {
    let AdminCommand::Create { email, name } = command;
    context.on_database(async |parts| {
        let (user, code) = staff::invite(&parts.store, &parts.clock, Who::from("cli"), email, name, Role::Admin).await?;
        tell_code(context, &user, &code);
        Ok(Exit::Done)
    })
}

fn invite_again(context: &Context, email: &str, reset_mfa: bool) -> Exit {
    context.on_database(async |parts| {
        let email = staff::normal_email(email)?;
        let user = parts.store.read(move |conn| find_user_by_email(conn, &email)).await?;
        let user = user.ok_or_else(|| Failure::new("nobody has this email address"))?;
        let (user, code) = staff::invite_again(&parts.store, &parts.clock, Who::from("cli"), &user.id, reset_mfa).await?;
        tell_code(context, &user, &code);
        Ok(Exit::Done)
    })
}

/// The code alone on stdout.
fn tell_code(context: &Context, user: &User, code: &str) {
    if context.output.json {
        let object = json!({ "schema": SCHEMA, "id": user.id, "role": user.role.as_str(), "one_time_code": code });
        context.output.object(&object);
    } else {
        context.output.line(code);
    }
    context.output.hint("shown this once; it signs them in once, within three days, to choose a password");
}

fn add(context: &Context, email: &str, name: &str, role: Role, password_stdin: bool) -> Exit {
    context.on_database(async |parts| {
        let password = if password_stdin { Some(read_password()?) } else { refuse_terminal()? };
        let id = add_user(&parts.store, &parts.clock, email, name, role, password.as_deref()).await?;
        if context.output.json {
            context.output.object(&json!({ "schema": SCHEMA, "id": id, "role": role.as_str() }));
        } else {
            context.output.line(&id);
        }
        context.output.hint(match password {
            Some(_) => "added; they can sign in",
            None => "added; without a password they cannot sign in (--password-stdin)",
        });
        Ok(Exit::Done)
    })
}

/// Somebody at a terminal would wait to be asked for a password.
fn refuse_terminal() -> Result<Option<String>, Failure> {
    if std::io::stdin().is_terminal() {
        let help = "pipe it in: `avatar user add … --password-stdin < password.txt`";
        return Err(Failure::new("passwords are not asked for").with_help(help));
    }
    Ok(None)
}

/// The whole of stdin, without the line break at its end.
fn read_password() -> Result<String, Failure> {
    let mut text = String::new();
    let line_break = 2;
    // One byte more than allowed, so that a longer password is refused and not cut.
    let limit = (PASSWORD_BYTES_MAX + line_break + 1) as u64;
    let read = std::io::stdin().take(limit).read_to_string(&mut text);
    read.map_err(|error| Failure::new(format!("the password cannot be read: {error}")))?;
    Ok(text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t)).to_owned())
}
