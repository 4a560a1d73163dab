//! Signals that ask a long run to end.
//!
//! In: SIGINT, SIGTERM, SIGHUP. Out: the number of the signal in a [`Stop`] flag, which readers of
//! streams check. The first signal ends the run in order; a second signal ends the process at once,
//! as by default.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

#[cfg(unix)]
use signal_hook::consts::SIGHUP;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default, register_usize};

use crate::matcher::Stop;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// Installs the signal handlers; the flag stays zero until a signal comes
///
/// # Errors
/// When the system refuses a handler.
pub(super) fn listen() -> std::io::Result<Stop> {
    let (number, again) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    for signal in SIGNALS {
        register_conditional_default(signal, Arc::clone(&again))?;
        register(signal, Arc::clone(&again))?;
        register_usize(signal, Arc::clone(&number), signal as usize)?;
    }
    Ok(number)
}
