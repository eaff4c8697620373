//! Ctrl-C and SIGTERM: a campaign ends with what it has.

use super::Exit;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What signals have asked for.
pub(crate) struct Stop {
    /// Set by either signal. A second one ends the process at once.
    pub requested: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Stop {
    /// The exit code of an interrupted command, once it has been interrupted.
    pub fn exit(&self) -> Option<Exit> {
        let terminated = self.terminated.load(Ordering::Relaxed);
        self.requested.load(Ordering::Relaxed).then_some(Exit(if terminated { 143 } else { 130 }))
    }
}

/// The process's signals, watched from the first call on.
pub(crate) fn signals() -> &'static Stop {
    static STOP: OnceLock<Stop> = OnceLock::new();
    STOP.get_or_init(|| {
        let stop = Stop { requested: Arc::default(), terminated: Arc::default() };
        for (signal, code) in [(SIGINT, 130), (SIGTERM, 143)] {
            // Where a handler cannot be set a signal ends the process as usual: the partial report is lost, no more.
            let _ = flag::register_conditional_shutdown(signal, code, Arc::clone(&stop.requested));
            let _ = flag::register(signal, Arc::clone(&stop.requested));
        }
        let _ = flag::register(SIGTERM, Arc::clone(&stop.terminated));
        stop
    })
}
