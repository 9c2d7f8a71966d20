//! The async runtime of the program.

use std::future::Future;

/// Rules are evaluated on these threads, and scripts need the stack.
const STACK_BYTES: usize = crate::engine::script::STACK_BYTES_MIN;

/// Runs `work` to its end.
///
/// # Errors
/// When the operating system gives no threads.
pub fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build()?;
    let result = runtime.block_on(work);
    // Blocking threads may wait for a database that is gone: the process does not.
    runtime.shutdown_background();
    Ok(result)
}
