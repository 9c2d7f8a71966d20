//! Use cases, one transaction each.
//!
//! `receive` records a delivery · `run` works events through the rules (`load` → `decide` → `commit`) · `send` empties the
//! outbox, `breaker` holds it, `outcome` writes what came of it, `reconcile` asks about what nobody knows, `missing_receipts` about what nobody
//! reported · `timers` and `schedules` turn time into events · `rulesets` puts rule files in force · `simulate` does all of it in memory,
//! for tests (`ruletest`) and for what a draft would have done (`replay`).

pub mod activity;
pub mod alerts;
pub mod audit;
pub mod backups;
pub mod by_hand;
pub mod commit;
pub mod context;
pub mod decide;
pub mod derive;
pub mod dry_run;
pub mod forecast;
pub mod guard;
pub mod inbox;
pub mod load;
pub mod merge;
pub mod missing_receipts;
pub mod next;
pub mod overdue;
pub mod people;
pub mod privacy;
pub mod promises;
pub mod queues;
pub mod quiet;
pub mod recall;
pub mod receive;
pub mod reconcile;
pub mod replay;
pub mod reports;
pub mod retention;
pub mod rulesets;
pub mod ruletest;
pub mod run;
pub mod schedules;
pub mod send;
pub mod sign_in;
pub mod simulate;
pub mod staff;
pub mod staff_work;
pub mod timers;
pub mod waits;
pub mod warmness;
pub mod why;
pub mod why_rule;
pub mod world;

mod apply;
mod breaker;
mod caps;
mod consent;
mod opt_out;
mod outcome;
mod project;
mod replies;
mod skips;
mod timer_diff;
mod withheld;

pub use context::Automation;
