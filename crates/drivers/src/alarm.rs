//! Ends the sleeps that an executor should not have begun.
//!
//! glommio looks at its preemption timer before it runs a first task. If that has fired already, because the thread was
//! off its processor, nothing is run, and the executor takes it that there is nothing to run and sleeps
//! (`run_task_queues` of glommio-ng 0.12). No timer and no descriptor of the executor's own ends that sleep for
//! certain: once one has fired, the task that would set it anew is among those that are not run. So somebody outside
//! has to.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Waker;
use std::thread::{self, Thread};
use std::time::Duration;
use std::{fmt, io};

/// How long a sleep may take that should not have begun. A thread that wakes so often costs about half a percent of a
/// core.
const PERIOD: Duration = Duration::from_millis(1);

/// One executor, as the thread that wakes them sees it.
struct Watched {
    /// Of a task that lives as long as the executor. Waking any makes an executor look at all.
    waker: Waker,
    /// The executor runs tasks; otherwise one of them has the thread for itself.
    is_shared: AtomicBool,
}

/// The thread that wakes executors. Sleeps while none needs it.
struct Clock {
    watched: Mutex<Vec<Arc<Watched>>>,
    thread: Thread,
}

impl Clock {
    /// The one of this process, which lives as long.
    fn get() -> io::Result<&'static Clock> {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clock) = CLOCK.get() {
            return Ok(clock);
        }
        let run = || {
            loop {
                match CLOCK.get() {
                    Some(clock) if clock.ring() => thread::sleep(PERIOD),
                    _ => thread::park(),
                }
            }
        };
        let thread = thread::Builder::new().name("alarm".to_owned()).spawn(run)?.thread().clone();
        let clock = CLOCK.get_or_init(|| Clock { watched: Mutex::default(), thread });
        Ok(clock)
    }

    /// Wakes those that share their thread. Whether there are any.
    fn ring(&self) -> bool {
        let mut any = false;
        for watched in &*self.watched.lock().unwrap_or_else(PoisonError::into_inner) {
            if watched.is_shared.load(Ordering::Acquire) {
                watched.waker.wake_by_ref();
                any = true;
            }
        }
        any
    }
}

/// An executor's place among those that are woken, until dropped.
pub(crate) struct Alarm {
    clock: &'static Clock,
    watched: Arc<Watched>,
    /// What `watched` was told last.
    is_shared: Cell<bool>,
}

impl Alarm {
    /// Has the executor woken that `waker` belongs to a task of, which must not end before the executor does.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub(crate) fn new(waker: Waker) -> io::Result<Alarm> {
        let clock = Clock::get()?;
        let watched = Arc::new(Watched { waker, is_shared: AtomicBool::new(true) });
        clock.watched.lock().unwrap_or_else(PoisonError::into_inner).push(watched.clone());
        clock.thread.unpark();
        Ok(Alarm { clock, watched, is_shared: Cell::new(true) })
    }

    /// Whether the executor runs tasks from now on, or one of them has the thread for itself.
    #[inline]
    pub(crate) fn set_shared(&self, is_shared: bool) {
        if self.is_shared.replace(is_shared) == is_shared {
            return;
        }
        self.watched.is_shared.store(is_shared, Ordering::Release);
        if is_shared {
            self.clock.thread.unpark();
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut watched = self.clock.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|watched| !Arc::ptr_eq(watched, &self.watched));
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Alarm").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;
    use std::time::Instant;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    impl Count {
        /// Waits until it was woken so many times more.
        fn wait(&self, more: usize) {
            let (start, wanted) = (Instant::now(), self.0.load(Ordering::Acquire) + more);
            while self.0.load(Ordering::Acquire) < wanted {
                assert!(start.elapsed() < Duration::from_secs(60), "nobody rings");
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    #[test]
    fn rings_for_who_shares_a_thread_until_it_goes() {
        let (one, other) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let first = Alarm::new(Waker::from(one.clone())).unwrap();
        one.wait(3);
        let second = Alarm::new(Waker::from(other.clone())).unwrap();
        other.wait(3);
        for _ in 0..3 {
            second.set_shared(false);
            // One round may be under way.
            one.wait(2);
            let before = other.0.load(Ordering::Acquire);
            one.wait(5);
            assert_eq!(other.0.load(Ordering::Acquire), before, "left alone");
            first.set_shared(false);
            second.set_shared(true);
            other.wait(2);
            first.set_shared(true);
        }
        drop(first);
        let before = one.0.load(Ordering::Acquire);
        other.wait(5);
        assert_eq!(one.0.load(Ordering::Acquire), before, "it is gone");
    }
}
