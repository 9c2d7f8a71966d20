//! The script host: one hardened Rhai engine for each ruleset, the records and functions that rules see, and the limits.
//!
//! Nothing here reads a clock (but for the abort deadline in [`limits`]), a file or a random source. Run it on threads with a
//! stack of at least [`STACK_BYTES_MIN`]: the nesting limits are chosen for it, and a stack overflow kills the process.

pub mod api;
mod error;
mod host;
pub mod limits;
mod show;
mod view;

pub use error::{FunctionFiles, ScriptError};
pub use host::Host;
pub use show::{for_people, for_trace, shorten};
pub use view::View;
pub(in crate::engine) use view::booking_of;

/// Stack that an evaluating thread needs.
pub const STACK_BYTES_MIN: usize = 8 * 1024 * 1024;
