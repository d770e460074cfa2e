//! Whether io_uring can be used here, found out by using it.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use io_uring::types::Fd;
use io_uring::{Probe, cqueue, opcode};

use crate::executor;
use crate::uring::{BufferRing, GROUP, Mode, Ring, RingWait};

/// The switch by which an administrator forbids io_uring: 0 allows it, 1 allows it to one group, 2 forbids
/// it.
const DISABLED: &str = "/proc/sys/kernel/io_uring_disabled";

/// What glommio demands of `RLIMIT_MEMLOCK`.
const MEMLOCK_MIN_BYTES: u64 = 512 * 1024;

/// The operations that the driver uses, by the names in the manual.
const OPERATIONS: [(&str, u8); 6] = [
    ("ACCEPT", opcode::AcceptMulti::CODE),
    ("RECV", opcode::RecvMulti::CODE),
    ("SEND", opcode::Send::CODE),
    ("POLL_ADD", opcode::PollAdd::CODE),
    ("ASYNC_CANCEL", opcode::AsyncCancel2::CODE),
    ("CLOSE", opcode::Close::CODE),
];

/// Why io_uring cannot be used. Each prints as one sentence: what is missing and what to do about it.
#[derive(Debug)]
pub enum Missing {
    /// The kernel has no io_uring.
    NotInKernel,
    /// The administrator has switched it off for this user; the value of `kernel.io_uring_disabled`.
    SwitchedOff(u32),
    /// A security filter forbids it.
    Forbidden,
    /// `RLIMIT_MEMLOCK` is too low: what it is, if known.
    LockedMemory(Option<u64>),
    /// The process or the system has no descriptors left.
    Descriptors,
    /// The kernel lacks an operation that the driver needs.
    Operation(&'static str),
    /// The kernel cannot pick receive buffers from a ring (before Linux 5.19).
    BufferRing(io::Error),
    /// The kernel cannot receive again and again from one request (before Linux 6.0).
    MultishotReceive,
    /// The executor of glommio, which has rings of its own, does not start.
    Executor(io::Error),
    /// Set-up failed for a reason of its own.
    Other(io::Error),
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old = "use Linux 6.1 or later, or run with the epoll driver";
        match self {
            Missing::NotInKernel => write!(formatter, "this kernel has no io_uring; {old}"),
            Missing::SwitchedOff(value) => write!(
                formatter,
                "io_uring is switched off by kernel.io_uring_disabled = {value}; set it to 0 with sysctl, or run \
                 with the epoll driver"
            ),
            Missing::Forbidden => write!(
                formatter,
                "io_uring is forbidden to this process, most likely by the seccomp profile of its container; allow \
                 io_uring_setup, io_uring_enter and io_uring_register there, or run with the epoll driver"
            ),
            Missing::LockedMemory(limit) => {
                write!(formatter, "the limit of locked memory is too low for io_uring")?;
                if let Some(limit) = limit {
                    write!(formatter, " ({limit} bytes)")?;
                }
                write!(
                    formatter,
                    "; raise it well above {} KiB (ulimit -l, LimitMEMLOCK= in systemd, --ulimit memlock in Docker), \
                     or run with the epoll driver",
                    MEMLOCK_MIN_BYTES / 1024
                )
            }
            Missing::Descriptors => write!(
                formatter,
                "no file descriptor is left for io_uring; raise the limit of open files (ulimit -n)"
            ),
            Missing::Operation(name) => {
                write!(formatter, "the io_uring of this kernel lacks {name}; {old}")
            }
            Missing::BufferRing(error) => write!(
                formatter,
                "the io_uring of this kernel cannot take receive buffers from a ring ({error}); {old}"
            ),
            Missing::MultishotReceive => {
                write!(formatter, "the io_uring of this kernel lacks multishot receives; {old}")
            }
            Missing::Executor(error) => write!(formatter, "{error}; run with the epoll driver"),
            Missing::Other(error) => {
                write!(formatter, "io_uring cannot be set up ({error}); run with the epoll driver")
            }
        }
    }
}

impl std::error::Error for Missing {}

/// Tries everything that the ring driver and glommio need, on a ring that is thrown away.
///
/// # Errors
/// The first thing that is missing.
pub fn probe() -> Result<Mode, Missing> {
    // Any thread may be the one to ask, so the ring gets one of its own.
    let trial = std::thread::Builder::new().name("uring-probe".to_owned()).spawn(try_ring);
    match trial.map(std::thread::JoinHandle::join) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Missing::Other(io::Error::other("the trial panicked"))),
        Err(error) => Err(Missing::Other(error)),
    }
}

/// Why so many nodes could not be started on io_uring: what happened, and where locked memory is short what to do about
/// it. One node may have found enough of it, and the user's limit is for all.
pub fn explain_start(error: &io::Error, nodes: usize) -> String {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock).current;
    let is_short = error.raw_os_error() == Some(libc::ENOMEM)
        || error.to_string().contains(&format!("(os error {})", libc::ENOMEM));
    match limit.filter(|_| is_short) {
        Some(limit) => format!(
            "the limit of locked memory ({limit} bytes) is too low for io_uring with {nodes} shards; raise it (ulimit \
                -l, \
             LimitMEMLOCK= in systemd, --ulimit memlock in Docker), start fewer shards, or run with the epoll driver"
        ),
        None => error.to_string(),
    }
}

fn try_ring() -> Result<Mode, Missing> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock).current;
    if let Some(limit) = limit.filter(|limit| *limit < MEMLOCK_MIN_BYTES) {
        return Err(Missing::LockedMemory(Some(limit)));
    }
    let mut ring = Ring::new(8, Mode::DeferTaskrun).map_err(|error| explain_setup(error, limit))?;
    check_operations(&ring)?;
    let mut buffers = BufferRing::register(ring.inner(), 4, 64).map_err(Missing::BufferRing)?;
    let outcome = try_multishot_receive(&mut ring).map_err(Missing::Other);
    buffers.unregister(ring.inner());
    if ring.in_flight() > 0 {
        buffers.leak();
    }
    if !outcome? {
        return Err(Missing::MultishotReceive);
    }
    executor::try_glommio().map_err(Missing::Executor)?;
    Ok(ring.mode())
}

fn explain_setup(error: io::Error, memlock: Option<u64>) -> Missing {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => Missing::NotInKernel,
        Some(libc::EPERM | libc::EACCES) => {
            let switch = fs::read_to_string(DISABLED).ok().and_then(|text| text.trim().parse().ok());
            match switch {
                Some(value) if value > 0 => Missing::SwitchedOff(value),
                _ => Missing::Forbidden,
            }
        }
        Some(libc::ENOMEM) => Missing::LockedMemory(memlock),
        Some(libc::EMFILE | libc::ENFILE) => Missing::Descriptors,
        _ => Missing::Other(error),
    }
}

fn check_operations(ring: &Ring) -> Result<(), Missing> {
    let mut probe = Probe::new();
    ring.inner().submitter().register_probe(&mut probe).map_err(|_| Missing::Operation("REGISTER_PROBE"))?;
    match OPERATIONS.iter().find(|(_, code)| !probe.is_supported(*code)) {
        Some((name, _)) => Err(Missing::Operation(name)),
        None => Ok(()),
    }
}

/// No probe tells of multishot receives, so one is made: two messages over a socket pair must both
/// arrive by the one request.
fn try_multishot_receive(ring: &mut Ring) -> io::Result<bool> {
    let (receiver, mut sender) = UnixStream::pair()?;
    let entry = opcode::RecvMulti::new(Fd(receiver.as_raw_fd()), GROUP);
    // SAFETY: points to no memory; the buffers of the group are leaked if this stays in flight.
    unsafe { ring.push(entry.build().user_data(1)) };
    let mut works = true;
    let mut reaped = Vec::new();
    for _ in 0..2 {
        sender.write_all(b"?")?;
        ring.enter(RingWait::AtMost(Duration::from_secs(1)))?;
        reaped.clear();
        ring.reap(&mut reaped);
        works &= matches!(reaped.as_slice(), [one] if one.result() == 1 && cqueue::more(one.flags()));
        if !works {
            break;
        }
    }
    drop(sender);
    while ring.in_flight() > 0 {
        let before = reaped.len();
        ring.enter(RingWait::AtMost(Duration::from_secs(1)))?;
        ring.reap(&mut reaped);
        if reaped.len() == before {
            break;
        }
    }
    Ok(works)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_a_failed_setup_are_told_apart() {
        let explain = |errno| explain_setup(io::Error::from_raw_os_error(errno), Some(65536));
        assert!(matches!(explain(libc::ENOSYS), Missing::NotInKernel));
        assert!(matches!(explain(libc::ENOMEM), Missing::LockedMemory(Some(65536))));
        assert!(matches!(explain(libc::EMFILE), Missing::Descriptors));
        assert!(matches!(explain(libc::EIO), Missing::Other(_)));
        assert!(matches!(explain(libc::EPERM), Missing::Forbidden | Missing::SwitchedOff(_)));
    }
}
