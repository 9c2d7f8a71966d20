//! What one rule may spend: operations, time and memory. Only ever aborts; never changes a result.

use super::error::{OUT_OF_MEMORY, OUT_OF_TIME};
use crate::alloc::live_bytes;
use rhai::{Dynamic, Engine};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Operations of one expression, with the functions it calls.
pub const OPERATIONS_MAX: u64 = 100_000;
/// Time of all expressions of one rule on one event.
pub const RULE_TIME_MS_MAX: u64 = 25;
/// Memory that a rule may hold while it is evaluated.
pub const RULE_BYTES_MAX: i64 = 8 * 1024 * 1024;
/// Time and memory are looked at once in this many operations; a power of two.
const CHECK_EVERY_OPERATIONS: u64 = 16;
/// One look counts at most this much: a thread that the operating system put aside is not to blame, while a script that
/// burns time in native calls is still stopped after a few looks.
const LOOK_MS_MAX: u64 = 5;

struct Meter {
    operations: Cell<u64>,
    operations_before: Cell<u64>,
    last_look: Cell<Option<Instant>>,
    spent: Cell<Duration>,
    bytes_at_start: Cell<i64>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            operations: Cell::new(0),
            operations_before: Cell::new(0),
            last_look: Cell::new(None),
            spent: Cell::new(Duration::ZERO),
            bytes_at_start: Cell::new(0),
        }
    };
}

/// Installs the limits that are not the grammar's.
pub(super) fn install(engine: &mut Engine) {
    engine.set_max_operations(OPERATIONS_MAX);
    engine.on_progress(|operations| METER.with(|meter| meter.on_operation(operations)));
}

/// Begins the account of one rule on this thread.
pub fn begin_rule() {
    METER.with(|meter| {
        meter.operations.set(0);
        meter.operations_before.set(0);
        meter.spent.set(Duration::ZERO);
        meter.bytes_at_start.set(live_bytes());
    });
}

/// Begins one expression: Rhai counts operations from 0 again.
pub(super) fn begin_expression() {
    METER.with(|meter| {
        meter.operations_before.set(meter.operations_before.get() + meter.operations.get());
        meter.operations.set(0);
        meter.last_look.set(None);
    });
}

/// Operations since [`begin_rule`]: the same for the same input.
#[must_use]
pub fn operations() -> u64 {
    METER.with(|meter| meter.operations_before.get() + meter.operations.get())
}

impl Meter {
    fn on_operation(&self, operations: u64) -> Option<Dynamic> {
        self.operations.set(operations);
        if operations & (CHECK_EVERY_OPERATIONS - 1) == 0 { self.look() } else { None }
    }

    fn look(&self) -> Option<Dynamic> {
        let now = Instant::now();
        if let Some(last) = self.last_look.replace(Some(now)) {
            let look = now.duration_since(last).min(Duration::from_millis(LOOK_MS_MAX));
            self.spent.set(self.spent.get() + look);
        }
        if self.spent.get() > Duration::from_millis(RULE_TIME_MS_MAX) {
            return Some(OUT_OF_TIME.into());
        }
        if live_bytes() - self.bytes_at_start.get() > RULE_BYTES_MAX {
            return Some(OUT_OF_MEMORY.into());
        }
        None
    }
}
