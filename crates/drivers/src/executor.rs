//! The thread of a node: where it runs, and what else runs there.
//!
//! On io_uring the node's loop is one task of a glommio executor. It blocks the thread in its own ring
//! as long as it is alone. While background tasks are active (snapshots, log maintenance) it polls its
//! ring without blocking, gives way when the executor asks, and sleeps in the executor, which watches
//! the ring by an eventfd. On epoll the loop is a plain thread and there are no background tasks.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use glommio::io::{PollState, PollableFd};
use glommio::timer::Timer;
use glommio::{
    GlommioError, Latency, LocalExecutor, LocalExecutorBuilder, Placement, Shares, TaskQueueHandle,
};
use rustix::thread::CpuSet;
use tessera_node::Node;
use tessera_node::clock::Clock;
use tessera_node::network::Network;

use crate::alarm::Alarm;
use crate::uring::Sleeper;
use crate::waker::Waker;

/// How long a task may run before glommio asks it to yield. Bounds how long a request waits for a
/// background task that yields when asked, and the other way round.
const PREEMPT_AFTER: Duration = Duration::from_micros(500);

/// An executor may go to sleep with its first task not begun (see [`Alarm`], which there is none of before). A start
/// that has not come so far by then is left behind, and another made.
const START_PATIENCE: Duration = Duration::from_secs(2);
const STARTS_MAX: usize = 10;

/// Memory that glommio registers for disk buffers, per executor and three times over. This is its
/// minimum: it counts against `RLIMIT_MEMLOCK`, which is 8 MiB by default and shared by all threads of
/// a user; what does not fit comes from the allocator.
const IO_MEMORY_LEN_BYTES: usize = 64 * 1024;

/// A node's loop, turn by turn. A closure will do where nobody needs to know when the thread sleeps.
pub trait Turn: 'static {
    /// One turn, with at least one poll of the network. Breaks with the outcome when the node has ended.
    fn turn(&mut self) -> ControlFlow<io::Result<()>>;

    /// The thread is about to sleep outside of the network's poll: the moment to tell the peers that it
    /// must be woken, and then to look for their messages once more. `planned` is what the last poll would
    /// have slept. Answers how long the sleep may take, or `None` if there is something to do after all.
    fn lie_down(&mut self, planned: Duration) -> Option<Duration> {
        Some(planned)
    }

    /// The sleep that [`Turn::lie_down`] agreed to is over.
    fn get_up(&mut self) {}
}

impl<F: FnMut() -> ControlFlow<io::Result<()>> + 'static> Turn for F {
    fn turn(&mut self) -> ControlFlow<io::Result<()>> {
        self()
    }
}

impl<N: Network + 'static, C: Clock + 'static> Turn for Node<N, C> {
    fn turn(&mut self) -> ControlFlow<io::Result<()>> {
        Node::turn(self)
    }

    fn lie_down(&mut self, planned: Duration) -> Option<Duration> {
        self.sleep_later(planned)
    }

    fn get_up(&mut self) {
        Node::get_up(self);
    }
}

/// Where a node runs.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The name of the thread; Linux shows the first 15 bytes.
    pub name: String,
    /// The processor to stay on, if any.
    pub cpu: Option<usize>,
}

/// The processors that this process may use, in ascending order.
///
/// # Errors
/// If the system does not tell.
pub fn allowed_cpus() -> io::Result<Vec<usize>> {
    let set = rustix::thread::sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect())
}

/// One processor for each of `nodes` nodes, of those that this process may use; none for any if there
/// are more nodes than processors, because the scheduler then deals them better.
pub fn seats(nodes: usize) -> Vec<Option<usize>> {
    match allowed_cpus() {
        Ok(cpus) if nodes <= cpus.len() => cpus.into_iter().take(nodes).map(Some).collect(),
        _ => vec![None; nodes],
    }
}

/// Tries whether threads of this process may be kept on processors: some sandboxes forbid that.
///
/// # Errors
/// Why they may not.
pub fn try_pinning() -> io::Result<()> {
    let trial = thread::Builder::new().name("pin-probe".to_owned()).spawn(|| {
        let set = rustix::thread::sched_getaffinity(None)?;
        rustix::thread::sched_setaffinity(None, &set)
    })?;
    let outcome = trial.join().unwrap_or(Err(rustix::io::Errno::PERM));
    outcome.map_err(io::Error::from)
}

fn pin_to(cpu: Option<usize>) -> io::Result<()> {
    let Some(cpu) = cpu else { return Ok(()) };
    if cpu >= CpuSet::MAX_CPU {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut set = CpuSet::new();
    set.set(cpu);
    rustix::thread::sched_setaffinity(None, &set)
        .map_err(|errno| io::Error::new(errno.kind(), format!("cannot stay on processor {cpu}: {errno}")))
}

/// A node that was started.
#[derive(Debug)]
pub struct NodeThread {
    thread: JoinHandle<io::Result<()>>,
    started: mpsc::Receiver<()>,
}

impl NodeThread {
    /// Waits until the node has been built. If it could not be, joins it and says why.
    ///
    /// # Errors
    /// What kept the node from starting.
    pub fn wait_started(self) -> io::Result<Self> {
        match self.started.recv() {
            Ok(()) => Ok(self),
            Err(_) => match self.join() {
                Ok(()) => Err(io::Error::other("the node ended before it had started")),
                Err(error) => Err(error),
            },
        }
    }

    /// Waits until the node has ended.
    ///
    /// # Errors
    /// What ended it, or that it panicked.
    pub fn join(self) -> io::Result<()> {
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread of a node panicked")))
    }
}

/// Starts a node on a plain thread. `build` runs there.
///
/// # Errors
/// If there is no thread to be had. What `build` answers shows in [`NodeThread::wait_started`].
pub fn start_plain<B, T>(seat: Seat, build: B) -> io::Result<NodeThread>
where
    B: FnOnce() -> io::Result<T> + Send + 'static,
    T: Turn,
{
    start(seat, move |started| {
        let mut turn = build()?;
        let _ = started.send(());
        loop {
            if let ControlFlow::Break(outcome) = turn.turn() {
                return outcome;
            }
        }
    })
}

/// Starts a node as the main task of a glommio executor. `build` runs there; the [`Core`] it gets goes
/// into the node's ring.
///
/// # Errors
/// If there is no thread to be had. What glommio or `build` answer shows in
/// [`NodeThread::wait_started`].
pub fn start_glommio<B, T>(seat: Seat, build: B) -> io::Result<NodeThread>
where
    B: FnOnce(&Core) -> io::Result<T> + Send + 'static,
    T: Turn,
{
    try_to_start(build, |build| {
        let (sender, begun) = mpsc::channel();
        let node = start(seat.clone(), move |started| run_on_glommio(build, &started, sender))?;
        Ok((node, begun))
    })
}

/// What is to run on an executor, for the first who comes so far.
type Handover<B> = Arc<Mutex<Option<B>>>;

fn take<B>(handover: &Handover<B>) -> Option<B> {
    handover.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Has `attempt` hand `what` over to an executor, again and again until one takes it. Attempts that do not stay behind
/// as threads that sleep.
fn try_to_start<B, N>(
    what: B,
    mut attempt: impl FnMut(Handover<B>) -> io::Result<(N, mpsc::Receiver<()>)>,
) -> io::Result<N> {
    let mut what = Some(what);
    for _ in 0..STARTS_MAX {
        let handover = Arc::new(Mutex::new(what.take()));
        let (made, begun) = attempt(handover.clone())?;
        if begun.recv_timeout(START_PATIENCE) != Err(mpsc::RecvTimeoutError::Timeout) {
            return Ok(made);
        }
        what = take(&handover);
        if what.is_none() {
            // It has begun just now.
            return Ok(made);
        }
    }
    Err(io::Error::other("no executor ever ran its first task"))
}

fn run_on_glommio<B, T>(
    build: Handover<B>,
    started: &mpsc::Sender<()>,
    begun: mpsc::Sender<()>,
) -> io::Result<()>
where
    B: FnOnce(&Core) -> io::Result<T>,
    T: Turn,
{
    make_glommio(PREEMPT_AFTER)?.run(async {
        let Some(build) = take(&build) else { return Ok(()) };
        let _ = begun.send(());
        // This task awaits the node's end, and after it the executor runs no other.
        let alarm = Rc::new(alarm_of_this_task().await?);
        let core = Core { sleeper: Sleeper::new()? };
        let turn = build(&core)?;
        let _ = started.send(());
        // A queue to which latency matters: what completes for it interrupts the others.
        let latency = Latency::Matters(PREEMPT_AFTER);
        let queue = glommio::executor().create_task_queue(Shares::Static(1000), latency, "node");
        let task =
            glommio::spawn_local_into(run(turn, core.sleeper, alarm.clone()), queue).map_err(explain)?;
        task.await
    })
}

/// To be dropped before the task ends.
async fn alarm_of_this_task() -> io::Result<Alarm> {
    poll_fn(|context| Poll::Ready(Alarm::new(context.waker().clone()))).await
}

/// The thread is pinned already, and what glommio starts on its own inherits that.
fn make_glommio(preempt_after: Duration) -> io::Result<LocalExecutor> {
    LocalExecutorBuilder::new(Placement::Unbound)
        .io_memory(IO_MEMORY_LEN_BYTES)
        .preempt_timer(preempt_after)
        .make()
        .map_err(explain)
}

/// Starts and ends an executor, for the probe.
pub(crate) fn try_glommio() -> io::Result<()> {
    let trial = try_to_start((), |nothing| {
        let (sender, begun) = mpsc::channel();
        let body = move || {
            make_glommio(PREEMPT_AFTER)?.run(async {
                let _ = take(&nothing);
                let _ = sender.send(());
            });
            Ok(())
        };
        Ok((thread::Builder::new().name("uring-probe".to_owned()).spawn(body)?, begun))
    })?;
    trial.join().unwrap_or_else(|_| Err(io::Error::other("the trial panicked")))
}

fn start(
    seat: Seat,
    body: impl FnOnce(mpsc::Sender<()>) -> io::Result<()> + Send + 'static,
) -> io::Result<NodeThread> {
    let (sender, started) = mpsc::channel();
    let thread = thread::Builder::new().name(seat.name).spawn(move || {
        pin_to(seat.cpu)?;
        body(sender)
    })?;
    Ok(NodeThread { thread, started })
}

fn explain<T>(error: GlommioError<T>) -> io::Error {
    io::Error::other(format!("the executor failed: {error}"))
}

/// The node's loop within the executor.
async fn run(turn: impl Turn, sleeper: Sleeper, alarm: Rc<Alarm>) -> io::Result<()> {
    let outcome = run_turns(turn, sleeper, &alarm).await;
    // Whoever awaits this does so in the executor.
    alarm.set_shared(true);
    outcome
}

async fn run_turns(mut turn: impl Turn, sleeper: Sleeper, alarm: &Alarm) -> io::Result<()> {
    let mut signals = Signals::new(&sleeper)?;
    loop {
        alarm.set_shared(sleeper.has_background());
        if sleeper.has_background() {
            // Before the turn: what happens after it has looked signals anew.
            sleeper.reset();
        }
        if let ControlFlow::Break(outcome) = turn.turn() {
            return outcome;
        }
        if !sleeper.has_background() {
            continue;
        }
        // The turn may have been the first to begin a task.
        alarm.set_shared(true);
        match sleeper.take_postponed().and_then(|planned| turn.lie_down(planned)) {
            Some(wait) => {
                let outcome = signals.wait(wait, &sleeper).await;
                turn.get_up();
                outcome?;
            }
            None => glommio::yield_if_needed().await,
        }
    }
}

/// What ends a sleep in the executor. Registrations outlive the sleep that made them; one that fires in
/// between ends the next sleep early, which is harmless.
struct Signals {
    ring: (PollableFd<OwnedFd>, PollState),
    waker: Option<(PollableFd<Waker>, PollState)>,
}

impl Signals {
    fn new(sleeper: &Sleeper) -> io::Result<Self> {
        let ring = PollableFd::new(sleeper.duplicate()?).map_err(explain)?;
        let waker = match sleeper.waker() {
            Some(waker) => Some((PollableFd::new(waker).map_err(explain)?, PollState::new())),
            None => None,
        };
        Ok(Self { ring: (ring, PollState::new()), waker })
    }

    /// Sleeps until a signal comes or the time has passed, while other tasks run.
    async fn wait(&mut self, time: Duration, sleeper: &Sleeper) -> io::Result<()> {
        let mut timer = pin!(Timer::new(time));
        poll_fn(|context| {
            if sleeper.is_nudged(context.waker()) {
                return Poll::Ready(Ok(()));
            }
            let (ring, registration) = &mut self.ring;
            if let Poll::Ready(outcome) = ring.poll_readable(context, registration) {
                return Poll::Ready(outcome.map_err(explain));
            }
            if let Some((waker, registration)) = &mut self.waker
                && let Poll::Ready(outcome) = waker.poll_readable(context, registration)
            {
                return Poll::Ready(outcome.map_err(explain));
            }
            timer.as_mut().poll(context).map(|_| Ok(()))
        })
        .await
    }
}

/// What a node on glommio gets from its thread.
#[derive(Debug)]
pub struct Core {
    sleeper: Sleeper,
}

impl Core {
    /// For the node's ring.
    pub fn sleeper(&self) -> Sleeper {
        self.sleeper.clone()
    }

    /// For work beside the node's loop.
    pub fn background(&self) -> Background {
        Background { sleeper: self.sleeper.clone() }
    }
}

/// Runs background work on a node's thread. Stays on that thread.
#[derive(Clone, Debug)]
pub struct Background {
    sleeper: Sleeper,
}

impl Background {
    /// A queue for tasks of one kind. `shares` out of 1000 say how much time they get while the node's
    /// loop, which has 1000, is busy as well.
    pub fn queue(&self, name: &str, shares: usize) -> BackgroundQueue {
        let shares = Shares::Static(shares.clamp(1, 1000));
        let handle = glommio::executor().create_task_queue(shares, Latency::NotImportant, name);
        BackgroundQueue { handle, sleeper: self.sleeper.clone() }
    }

    /// Who must be told that a task has something for the node.
    pub(crate) fn sleeper(&self) -> Sleeper {
        self.sleeper.clone()
    }

    /// How many tasks are active.
    pub fn active(&self) -> usize {
        self.sleeper.background()
    }
}

/// Background tasks of one kind.
#[derive(Clone, Debug)]
pub struct BackgroundQueue {
    handle: TaskQueueHandle,
    sleeper: Sleeper,
}

impl BackgroundQueue {
    /// Starts a task. It counts as active until it ends, and the node's loop sleeps less cheaply as long
    /// as any does, so a task is for a piece of work and not for the life of the server. It must yield
    /// when glommio asks (`glommio::yield_if_needed`); waiting for the disk does. Tasks that are not done
    /// when the node's loop ends are dropped.
    ///
    /// # Errors
    /// If the queue is gone.
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) -> io::Result<()> {
        let active = self.sleeper.enter_background();
        let task = async move {
            work.await;
            drop(active);
        };
        glommio::spawn_local_into(task, self.handle).map_err(explain)?.detach();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_hangs_is_left_behind() {
        let mut attempts = Vec::new();
        let taken = try_to_start("the work", |handover| {
            let (sender, begun) = mpsc::channel();
            attempts.push((handover, sender));
            if attempts.len() == 2 {
                assert_eq!(take(&attempts[1].0), Some("the work"));
                attempts[1].1.send(()).unwrap();
            }
            Ok((attempts.len(), begun))
        });
        assert_eq!(taken.unwrap(), 2);
        // Whoever wakes up late has nothing to do.
        assert_eq!(take(&attempts[0].0), None);
    }

    #[test]
    fn a_start_that_fails_is_not_repeated() {
        let made = try_to_start((), |_| {
            let (_, begun) = mpsc::channel();
            Ok(((), begun))
        });
        assert!(made.is_ok(), "joining tells why");
    }

    /// With a preemption timer so short that it has often fired before the executor looks at it for the first time.
    #[test]
    fn an_executor_is_woken_from_sleeps_that_it_should_not_have_begun() {
        if crate::probe::probe().is_err() {
            return;
        }
        let (sender, through) = mpsc::channel();
        try_to_start(sender, |sender| {
            let (started, begun) = mpsc::channel();
            let body = move || {
                make_glommio(Duration::from_micros(20)).unwrap().run(async {
                    let Some(sender) = take(&sender) else { return };
                    started.send(()).unwrap();
                    let _alarm = alarm_of_this_task().await.unwrap();
                    for _ in 0..3000 {
                        Timer::new(Duration::from_micros(10)).await;
                        glommio::spawn_local(async {}).await;
                    }
                    sender.send(()).unwrap();
                });
            };
            Ok((thread::Builder::new().spawn(body)?, begun))
        })
        .unwrap();
        assert!(through.recv_timeout(Duration::from_secs(60)).is_ok(), "it sleeps with tasks in its queues");
    }

    #[test]
    fn executors_start_and_end() {
        if crate::probe::probe().is_ok() {
            (0..50).for_each(|_| try_glommio().unwrap());
        }
    }
}
