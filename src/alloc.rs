//! Counts what each thread has allocated, so that a script can be stopped before it takes the machine's memory.
//!
//! This is the one file with `unsafe` in it: an allocator cannot be written without. It hands every request on to mimalloc
//! unchanged and only adds and subtracts sizes in thread-local cells, which need no initialisation and no destructor
//! (so they are safe to touch while a thread starts or ends).
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait; nothing else in the package is")]

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

#[global_allocator]
static COUNTED: Counted = Counted;

thread_local! {
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
    static PEAK_BYTES: Cell<i64> = const { Cell::new(0) };
}

/// Bytes that this thread has allocated and not freed. Freeing what another thread allocated counts down, so only the
/// difference between two readings means something; it may be negative.
#[must_use]
pub fn live_bytes() -> i64 {
    LIVE_BYTES.with(Cell::get)
}

/// The highest [`live_bytes`] of this thread since [`reset_peak`].
#[must_use]
pub fn peak_bytes() -> i64 {
    PEAK_BYTES.with(Cell::get)
}

/// Begins a new measurement of the peak on this thread.
pub fn reset_peak() {
    PEAK_BYTES.with(|peak| peak.set(live_bytes()));
}

struct Counted;

/// Never panics and never allocates: it runs inside every allocation.
fn count(change: i64) {
    let live = LIVE_BYTES.try_with(|bytes| {
        let now = bytes.get().wrapping_add(change);
        bytes.set(now);
        now
    });
    if let Ok(live) = live {
        let _ = PEAK_BYTES.try_with(|peak| peak.set(peak.get().max(live)));
    }
}

// SAFETY: each method passes its arguments to `MiMalloc`, which upholds the contract, and returns what it returned.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are passed on.
        unsafe { MiMalloc.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are passed on.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller's promises are passed on.
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: the caller's promises are passed on.
        unsafe { MiMalloc.realloc(pointer, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_counted_while_it_lives() {
        const BUFFER_BYTES: usize = 1 << 20;
        reset_peak();
        let before = live_bytes();
        let mut buffer = Vec::<u8>::with_capacity(BUFFER_BYTES);
        buffer.push(1);
        assert!(live_bytes() - before >= BUFFER_BYTES as i64);
        drop(buffer);
        assert!(live_bytes() - before < BUFFER_BYTES as i64);
        assert!(peak_bytes() - before >= BUFFER_BYTES as i64);
    }
}
