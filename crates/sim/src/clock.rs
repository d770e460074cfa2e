//! Time that passes when the scheduler says so.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tessera_node::clock::Clock;

/// Where the wall clock starts, in Unix microseconds: 2024-01-01.
pub const START_UNIX_US: i64 = 1_704_067_200_000_000;
/// What a slow moment takes, in nanoseconds: enough for the slow log.
const SLOW_MOMENT_NS: u64 = 15_000_000;

struct State {
    unix_us: Cell<i64>,
    monotonic_ns: Cell<u64>,
    /// The wall clock goes with the monotonic one.
    wall_moves: Cell<bool>,
    slow_moment: Cell<u8>,
    random: RefCell<fastrand::Rng>,
}

/// One clock for all nodes; clones are the same clock.
#[derive(Clone)]
pub struct VirtualClock(Rc<State>);

impl VirtualClock {
    /// A clock at [`START_UNIX_US`]. `wall_moves`: its wall time goes on by itself, not only by
    /// [`VirtualClock::jump`]. `slow_moment`: chance, in hundredths of a percent, that a reading finds it late.
    pub fn new(seed: u64, wall_moves: bool, slow_moment: u8) -> VirtualClock {
        VirtualClock(Rc::new(State {
            unix_us: Cell::new(START_UNIX_US),
            monotonic_ns: Cell::new(1_000_000_000),
            wall_moves: Cell::new(wall_moves),
            slow_moment: Cell::new(slow_moment),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
        }))
    }

    /// Lets time pass.
    pub fn advance(&self, ns: u64) {
        self.0.monotonic_ns.set(self.0.monotonic_ns.get() + ns);
        if self.0.wall_moves.get() {
            self.0.unix_us.set(self.0.unix_us.get() + (ns / 1000) as i64);
        }
    }

    /// Sets the wall clock forward or back.
    pub fn jump(&self, ms: i64) {
        self.0.unix_us.set(self.0.unix_us.get() + ms * 1000);
    }

    /// The monotonic time without reading it.
    pub fn now_ns(&self) -> u64 {
        self.0.monotonic_ns.get()
    }
}

impl Clock for VirtualClock {
    fn unix_us(&self) -> i64 {
        self.0.unix_us.get()
    }

    fn monotonic_ns(&self) -> u64 {
        // Every reading takes a little, so that durations are not all 0.
        let mut random = self.0.random.borrow_mut();
        let slow = random.u32(..10_000) < u32::from(self.0.slow_moment.get());
        self.advance(if slow { SLOW_MOMENT_NS } else { random.u64(20..200) });
        self.now_ns()
    }
}
