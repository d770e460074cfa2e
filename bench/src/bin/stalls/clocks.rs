//! The two clocks that every command is measured with.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// How long something took, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// On the wall: what a client waits, with all that the machine did meanwhile.
    pub wall_ns: u64,
    /// CPU time of this thread: a thread that the kernel set aside spends none.
    pub cpu_ns: u64,
}

/// Measures by both clocks.
#[derive(Debug, Default)]
pub struct Clocks {
    /// CPU time of the readings themselves, taken off every measurement: reading this clock is a system call.
    reading_ns: u64,
}

impl Clocks {
    /// Sets what is taken off every measurement of CPU time from now on.
    pub fn set_reading_ns(&mut self, reading_ns: u64) {
        self.reading_ns = reading_ns;
    }

    /// Runs `work` and says how long it took. The readings of the wall clock are the inner ones.
    #[inline]
    pub fn measure<T>(&self, work: impl FnOnce() -> T) -> (T, Took) {
        let cpu_before_ns = thread_cpu_ns();
        let wall_before = Instant::now();
        let done = work();
        let wall_ns = wall_before.elapsed().as_nanos() as u64;
        let cpu_ns = (thread_cpu_ns() - cpu_before_ns).saturating_sub(self.reading_ns);
        (done, Took { wall_ns, cpu_ns })
    }
}

/// CPU time of this thread so far in nanoseconds.
fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
