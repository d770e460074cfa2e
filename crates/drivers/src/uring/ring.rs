//! The ring itself: set-up, submission, waiting, completions.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, cqueue, squeue};
use rustix::io::Errno;

/// How the kernel runs the work that completes operations, from best to worst. Older kernels refuse the
/// better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only when the owner asks for completions (Linux 6.1): no interruptions at all.
    DeferTaskrun,
    /// At the owner's next system call, and the kernel may rely on one thread submitting (Linux 6.0).
    CoopTaskrunSingleIssuer,
    /// At the owner's next system call (Linux 5.19).
    CoopTaskrun,
    /// Whenever it likes.
    Plain,
}

impl Mode {
    /// All modes, in the order in which to try them.
    const LADDER: [Mode; 4] =
        [Mode::DeferTaskrun, Mode::CoopTaskrunSingleIssuer, Mode::CoopTaskrun, Mode::Plain];

    fn build(self, entries: u32) -> io::Result<IoUring> {
        let mut builder = IoUring::builder();
        // Multishot operations complete more often than they are submitted.
        builder.setup_cqsize(entries.saturating_mul(4)).setup_clamp().dontfork();
        match self {
            Mode::DeferTaskrun => {
                builder.setup_single_issuer().setup_defer_taskrun();
                builder.setup_submit_all().setup_taskrun_flag();
            }
            Mode::CoopTaskrunSingleIssuer => {
                builder.setup_single_issuer().setup_coop_taskrun();
                builder.setup_submit_all().setup_taskrun_flag();
            }
            Mode::CoopTaskrun => {
                builder.setup_coop_taskrun().setup_submit_all().setup_taskrun_flag();
            }
            Mode::Plain => {}
        }
        builder.build(entries)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Mode::DeferTaskrun => "deferred task work",
            Mode::CoopTaskrunSingleIssuer => "cooperative task work, single issuer",
            Mode::CoopTaskrun => "cooperative task work",
            Mode::Plain => "plain",
        })
    }
}

/// What one system call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RingWait {
    /// Nothing. The call is left out if there is nothing to submit or to fetch either.
    No,
    /// Nothing, but no work at all is left behind: since Linux 6.14 a call that asks for few completions
    /// runs the work of about twenty, and what it leaves raises no signal on an eventfd any more. For
    /// those who will wait for that signal.
    Drain,
    /// A completion, at most this long.
    AtMost(Duration),
}

/// How long nothing is asked of a kernel that is short of memory: whoever asks again at once takes the processor from
/// those who could free some.
const SHORTAGE_REST: Duration = Duration::from_millis(1);

/// What a system call that failed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The wait ended, or the kernel wants completions reaped first.
    None,
    /// The kernel is short of memory for the moment.
    Shortage,
    /// The ring cannot be used any more.
    Fatal,
}

impl Failure {
    fn of(error: &io::Error) -> Failure {
        match Errno::from_io_error(error) {
            Some(Errno::TIME | Errno::INTR | Errno::BUSY) => Failure::None,
            Some(Errno::AGAIN | Errno::NOMEM | Errno::NOBUFS) => Failure::Shortage,
            _ => Failure::Fatal,
        }
    }
}

/// What happened on a ring so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RingCounters {
    /// System calls made to submit and to wait.
    pub(crate) enters: u64,
    /// Of those, the ones between polls, because the submission queue was full.
    pub(crate) early_submits: u64,
    /// Operations submitted.
    pub(crate) submitted: u64,
    /// Completions reaped.
    pub(crate) completed: u64,
    /// System calls that failed because the kernel was short of memory.
    pub(crate) shortages: u64,
    /// Times the completion queue overflowed (nothing was lost: the kernel keeps what does not fit).
    pub(crate) overflows: u64,
}

/// A ring that forgets nothing: what does not fit into the submission queue waits beside it, and what
/// does not fit into the completion queue is fetched later.
pub(crate) struct Ring {
    inner: IoUring,
    mode: Mode,
    /// Operations that found the submission queue full and the kernel unwilling to empty it.
    backlog: VecDeque<squeue::Entry>,
    /// Operations whose final completion has not been reaped.
    in_flight: usize,
    /// The last look at the completion queue found something, so that more may be waiting for the next
    /// system call: the kernel bounds how much it completes per call.
    found: bool,
    counters: RingCounters,
}

impl Ring {
    /// A ring whose submission queue has `entries` places, in the best mode that the kernel has, from
    /// `best_mode` down. To be made on the thread that will use it.
    ///
    /// # Errors
    /// What `io_uring_setup` says in the plainest mode.
    pub(crate) fn new(entries: u32, best_mode: Mode) -> io::Result<Self> {
        let mut refused = io::Error::from(io::ErrorKind::Unsupported);
        for mode in Mode::LADDER.into_iter().skip_while(|mode| *mode != best_mode) {
            match mode.build(entries) {
                Ok(inner) => {
                    return Ok(Self {
                        inner,
                        mode,
                        backlog: VecDeque::new(),
                        in_flight: 0,
                        found: false,
                        counters: RingCounters::default(),
                    });
                }
                // The kernel does not know one of the flags.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => refused = error,
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn counters(&self) -> RingCounters {
        self.counters
    }

    /// For registrations.
    pub(crate) fn inner(&self) -> &IoUring {
        &self.inner
    }

    /// Operations whose final completion has not been reaped.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Queues an operation for the next [`Ring::enter`], or submits at once if the queue is full.
    ///
    /// # Safety
    /// Memory that the entry points to must stay valid, and unaliased if the kernel writes to it, until
    /// the final completion of the operation was reaped.
    #[inline]
    pub(crate) unsafe fn push(&mut self, entry: squeue::Entry) {
        self.in_flight += 1;
        // SAFETY: the caller answers for the entry's memory.
        if self.backlog.is_empty() && unsafe { self.inner.submission().push(&entry) }.is_ok() {
            return;
        }
        self.push_when_full(entry);
    }

    #[cold]
    fn push_when_full(&mut self, entry: squeue::Entry) {
        self.backlog.push_back(entry);
        self.counters.early_submits += 1;
        self.counters.enters += 1;
        // What fails here is tried again, and reported, by the next `enter`.
        if let Ok(submitted) = self.inner.submit() {
            self.counters.submitted += submitted as u64;
        }
        self.queue_backlog();
    }

    fn queue_backlog(&mut self) {
        let mut queue = self.inner.submission();
        while let Some(entry) = self.backlog.front() {
            // SAFETY: the caller of `Ring::push` answered for the entry's memory, until it completes.
            if unsafe { queue.push(entry) }.is_err() {
                break;
            }
            self.backlog.pop_front();
        }
    }

    /// Submits everything queued and waits as told. One system call.
    ///
    /// # Errors
    /// Only what leaves the ring unusable.
    pub(crate) fn enter(&mut self, wait: RingWait) -> io::Result<()> {
        let mut wait = wait;
        if !self.backlog.is_empty() {
            self.queue_backlog();
            if !self.backlog.is_empty() {
                wait = RingWait::No;
            }
        }
        let (queued, overflow, pending) = {
            let queue = self.inner.submission();
            (queue.len(), queue.cq_overflow(), queue.taskrun())
        };
        if overflow {
            self.counters.overflows += 1;
        }
        if wait == RingWait::No && queued == 0 && !overflow && !pending && !self.found {
            return Ok(());
        }
        self.counters.enters += 1;
        match self.system_call(queued, wait) {
            Ok(submitted) => {
                self.counters.submitted += submitted as u64;
                Ok(())
            }
            Err(error) => match Failure::of(&error) {
                // What was not submitted stays queued.
                Failure::None => Ok(()),
                Failure::Shortage => {
                    self.counters.shortages += 1;
                    std::thread::sleep(SHORTAGE_REST);
                    Ok(())
                }
                Failure::Fatal => Err(error),
            },
        }
    }

    fn system_call(&self, queued: usize, wait: RingWait) -> io::Result<usize> {
        #[expect(clippy::cast_possible_truncation, reason = "the queue has at most 32768 places")]
        let queued = queued as u32;
        let submitter = self.inner.submitter();
        let (completions, timeout) = match wait {
            RingWait::No => {
                // The crate's own `submit` leaves GETEVENTS out when it waits for nothing, and without it a
                // ring with deferred task work does not complete anything.
                let flags = EnterFlags::GETEVENTS.bits();
                // SAFETY: no argument is passed; the entries queued were answered for in `push`.
                return unsafe { submitter.enter::<libc::sigset_t>(queued, 0, flags, None) };
            }
            RingWait::Drain => (self.inner.params().cq_entries(), Timespec::new()),
            RingWait::AtMost(wait) => (1, Timespec::from(wait)),
        };
        let arguments = SubmitArgs::new().timespec(&timeout);
        let flags = (EnterFlags::GETEVENTS | EnterFlags::EXT_ARG).bits();
        // SAFETY: the argument is of the kind that EXT_ARG announces and outlives the call, as does the time
        // it points to; the entries queued were answered for in `push`.
        unsafe { submitter.enter(queued, completions, flags, Some(&arguments)) }
    }

    /// Everything pushed was given to the kernel, and every completion it had then can be reaped.
    pub(crate) fn is_all_submitted(&mut self) -> bool {
        if !self.backlog.is_empty() {
            return false;
        }
        let queue = self.inner.submission();
        queue.is_empty() && !queue.cq_overflow()
    }

    /// Notes that an operation is over that completes without a completion.
    pub(crate) fn note_silent_completion(&mut self) {
        self.in_flight -= 1;
    }

    /// Moves all completions there are to the end of `reaped`.
    pub(crate) fn reap(&mut self, reaped: &mut Vec<cqueue::Entry>) {
        let before = reaped.len();
        reaped.extend(self.inner.completion());
        let new = &reaped[before..];
        self.found = !new.is_empty();
        self.counters.completed += new.len() as u64;
        self.in_flight -= new.iter().filter(|entry| !cqueue::more(entry.flags())).count();
    }

    /// Has every completion from now on signalled on an eventfd, until switched off.
    ///
    /// # Errors
    /// If the kernel does not register the descriptor.
    pub(crate) fn register_eventfd(&mut self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        self.inner.submitter().register_eventfd(descriptor.as_raw_fd())
    }

    /// Switches the signals of a registered eventfd on and off: a write to memory.
    pub(crate) fn signal_eventfd(&mut self, on: bool) {
        let queue = self.inner.completion();
        if on { queue.enable_eventfd() } else { queue.disable_eventfd() }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Ring")
            .field("mode", &self.mode)
            .field("in_flight", &self.in_flight)
            .field("backlog", &self.backlog.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_passes() {
        for (errno, failure) in [
            (Errno::TIME, Failure::None),
            (Errno::BUSY, Failure::None),
            (Errno::NOMEM, Failure::Shortage),
            (Errno::AGAIN, Failure::Shortage),
            (Errno::BADF, Failure::Fatal),
        ] {
            assert_eq!(Failure::of(&io::Error::from(errno)), failure, "{errno}");
        }
    }
}
