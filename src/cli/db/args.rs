//! Options of `avatar db`.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Apply what is missing
    Migrate,
    /// Show what is applied and what is missing
    Status,
    /// Copy the database while it is in use, and look at the copy
    Backup {
        /// The copy's file; unless given, a new one in `backup.dir`
        path: Option<PathBuf>,
    },
    /// Put a copy in the place of the database; the server is to be stopped
    Restore {
        /// A file that `avatar db backup` has made
        file: PathBuf,
        /// There is a database: keep it beside the new one
        #[arg(long)]
        replace: bool,
    },
    /// Write the file anew, without traces of what was deleted; nobody can write meanwhile
    Vacuum,
}
