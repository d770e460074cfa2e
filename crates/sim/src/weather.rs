//! How unkind the virtual world is.

/// Chances and bounds of one run. Chances are in percent.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// A delivery of bytes is cut at a random place.
    pub cut_receive: u8,
    /// How much one receive delivers at most, in bytes.
    pub receive_max_len_bytes: usize,
    /// What has come in or is done is not told by this poll, but by a later one.
    pub withhold: u8,
    /// The kernel does not get to a pending write at this step.
    pub slow_kernel: u8,
    /// A write takes less than there would be room for, perhaps nothing.
    pub short_write: u8,
    /// A direct reply is written within the call that asks for it, as the epoll driver does.
    pub immediate_remote: u8,
    /// Bytes that wait unread between server and client at most.
    pub window_len_bytes: usize,
    /// A client that could read does not, for up to [`Weather::lazy_steps`] steps.
    pub lazy_reader: u8,
    /// See there.
    pub lazy_steps: u64,
    /// A node gets no turn for up to [`Weather::starve_steps`] steps. In tenths of a percent.
    pub starve: u8,
    /// See there.
    pub starve_steps: u64,
    /// A node's sleep ends without a reason.
    pub spurious: u8,
    /// A reading of the monotonic clock finds it a good while later. In hundredths of a percent.
    pub slow_moment: u8,
}

impl Weather {
    /// Everything is prompt and whole.
    pub fn calm() -> Weather {
        Weather {
            cut_receive: 0,
            receive_max_len_bytes: 16 * 1024,
            withhold: 0,
            slow_kernel: 0,
            short_write: 0,
            immediate_remote: 0,
            window_len_bytes: 1 << 20,
            lazy_reader: 0,
            lazy_steps: 1,
            starve: 0,
            starve_steps: 1,
            spurious: 0,
            slow_moment: 0,
        }
    }

    /// Some weather, each kind of trouble now absent, now rare, now frequent.
    pub fn draw(random: &mut fastrand::Rng) -> Weather {
        let mut chance = |values: [u8; 4]| values[random.usize(..4)];
        Weather {
            cut_receive: chance([0, 10, 50, 90]),
            withhold: chance([0, 10, 40, 80]),
            slow_kernel: chance([0, 20, 60, 90]),
            short_write: chance([0, 5, 30, 70]),
            immediate_remote: chance([0, 0, 50, 100]),
            lazy_reader: chance([0, 0, 10, 40]),
            starve: chance([0, 1, 5, 10]),
            spurious: chance([0, 1, 5, 20]),
            slow_moment: chance([0, 0, 1, 5]),
            receive_max_len_bytes: [50, 500, 16 * 1024, 16 * 1024][random.usize(..4)],
            window_len_bytes: [200, 2_000, 20_000, 200_000][random.usize(..4)],
            lazy_steps: [10, 100, 500, 2000][random.usize(..4)],
            starve_steps: [50, 200, 1000, 5000][random.usize(..4)],
        }
    }
}

/// True with a chance of `percent` in a hundred.
pub fn happens(random: &mut fastrand::Rng, percent: u8) -> bool {
    percent > 0 && random.u8(..100) < percent
}
