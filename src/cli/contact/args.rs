//! Options of `avatar contact`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum ContactCommand {
    /// Print everything that is stored about a contact, as JSON
    Export {
        /// Id, number or a part of the name
        contact: String,
    },
    /// Destroy everything that says who a contact is
    Erase(EraseArgs),
}

#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Id, number or a part of the name
    pub contact: String,
    /// Why; kept with the erasure, so without personal data
    #[arg(long)]
    pub reason: String,
    /// Only say what would be destroyed
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}
