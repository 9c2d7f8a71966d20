//! The commands about who may come in, and about what they did.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make an API key, and print it alone on stdout
    Create {
        #[arg(long)]
        name: String,
        #[arg(long, value_parser = role)]
        role: crate::domain::staff::Role,
        /// What it may be used for, such as tasks:read; everything that the role allows unless given
        #[arg(long = "scope")]
        scopes: Vec<String>,
        /// Ends after so many days; never unless given
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3_660))]
        days: Option<u16>,
    },
    /// List API keys
    List,
    /// End an API key
    Revoke { id: String },
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Add an admin, and print the one-time code with which they choose a password
    Create {
        email: String,
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no row was changed or taken away
    Verify,
    /// List what people did, newest first
    List {
        /// Such as staff:ID, key:NAME or cli
        #[arg(long)]
        actor: Option<String>,
        /// Such as session.signed_in
        #[arg(long)]
        action: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a member of staff
    Add {
        email: String,
        #[arg(long)]
        name: String,
        #[arg(long, value_parser = role)]
        role: crate::domain::staff::Role,
        /// Read the password from stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// Take somebody's password away, and print the one-time code with which they choose a new one
    Invite {
        email: String,
        /// They lost their second factor, too
        #[arg(long)]
        reset_mfa: bool,
    },
}

fn role(text: &str) -> Result<crate::domain::staff::Role, String> {
    crate::domain::staff::Role::parse(text).ok_or_else(|| "it can be: front_desk, ops, manager, admin".to_owned())
}
