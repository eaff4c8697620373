//! Ctrl-C and SIGTERM: a campaign ends with what it has.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set when somebody wants the process to end. A second signal ends it at once.
pub(crate) fn requested() -> Arc<AtomicBool> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let stop = STOP.get_or_init(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let handler = move || {
            if seen.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            super::tell("stopping: the seeds that are finished will be reported; once more to stop at once\n");
        };
        // Without a handler a signal ends the process as usual, which loses the partial report and nothing else.
        let _ = ctrlc::set_handler(handler);
        stop
    });
    Arc::clone(stop)
}
