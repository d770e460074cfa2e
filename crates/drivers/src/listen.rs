//! Opening the listeners: every address once per node, and one unix socket for all.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// What to listen on.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// Addresses as Redis's `bind` takes them: IPv4, IPv6, host names, `*` and `::*` for all, and `-` in
    /// front of those that may be missing on this machine.
    pub bind: Vec<String>,
    /// TCP port. 0 lets the system choose one, the same for all addresses and nodes.
    pub port: u16,
    /// Connections that may wait to be accepted, per listener (`tcp-backlog`).
    pub backlog: u32,
    /// Seconds of silence after which a connection is probed (`tcp-keepalive`); 0 is never.
    pub keepalive_seconds: u32,
    /// Where to put the unix socket, if anywhere.
    pub unix_path: Option<PathBuf>,
    /// Its permissions; `None` or 0 leaves them to the umask.
    pub unix_permissions: Option<u32>,
    /// How many nodes will accept. At least 1.
    pub nodes: usize,
}

/// One listening socket of one node, for the driver of that node.
#[derive(Debug)]
pub struct Listener {
    descriptor: Arc<OwnedFd>,
    is_tcp: bool,
}

impl Listener {
    /// Whether it is for TCP, and so among those that are replaced while the server runs.
    pub(crate) fn is_tcp(&self) -> bool {
        self.is_tcp
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Where the driver of a node finds listeners that are to take the place of those it has for TCP. It looks at each
/// turn; the node must be woken for that.
#[derive(Clone, Debug, Default)]
pub struct ListenerNews(Arc<News>);

#[derive(Debug, Default)]
struct News {
    is_there: AtomicBool,
    listeners: Mutex<Vec<Listener>>,
}

impl ListenerNews {
    /// The new listeners, if there are any news. Costs a load of shared memory if there are none.
    pub(crate) fn take(&self) -> Option<Vec<Listener>> {
        if !self.0.is_there.load(Ordering::Relaxed) {
            return None;
        }
        let mut listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.is_there.store(false, Ordering::Relaxed);
        Some(std::mem::take(&mut *listeners))
    }

    fn put(&self, news: Vec<Listener>) {
        let mut listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        *listeners = news;
        self.0.is_there.store(true, Ordering::Relaxed);
    }
}

/// All listeners of a server.
#[derive(Debug)]
pub struct Listeners {
    /// One list per node, in the order of the nodes. The unix socket is in the first node's.
    pub nodes: Vec<Vec<Listener>>,
    /// The TCP addresses that are listened on.
    pub addresses: Vec<SocketAddr>,
    /// Addresses that were skipped, each in the sentence that Redis logs for it.
    pub warnings: Vec<String>,
    /// Where each node's driver learns of other TCP listeners, in the order of the nodes.
    pub news: Vec<ListenerNews>,
    /// What the server keeps for the time after the start.
    pub control: ListenControl,
}

/// Changes settings of the listeners while they are in use. Removes the unix socket's file when
/// dropped.
#[derive(Debug)]
pub struct ListenControl {
    tcp: Vec<Weak<OwnedFd>>,
    unix: Option<UnixFile>,
    news: Vec<ListenerNews>,
}

/// TCP listeners that have been opened.
#[derive(Debug)]
struct OpenedTcp {
    nodes: Vec<Vec<Listener>>,
    addresses: Vec<SocketAddr>,
    warnings: Vec<String>,
    descriptors: Vec<Weak<OwnedFd>>,
}

/// Why the server cannot listen. The text names the address and the cause.
#[derive(Debug)]
pub struct ListenError {
    message: String,
    /// What the system said, where it was the system.
    pub source: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// A step of opening a listener that failed.
struct Failure {
    step: &'static str,
    error: io::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.error.to_string();
        // The system's words without the number that Rust adds, as Redis prints them.
        let text = text.split(" (os error").next().unwrap_or(&text);
        let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(text);
        if self.step.is_empty() {
            formatter.write_str(text)
        } else {
            write!(formatter, "{}: {text}", self.step)
        }
    }
}

fn at(step: &'static str) -> impl Fn(Errno) -> Failure {
    move |errno| Failure { step, error: errno.into() }
}

/// Opens everything that `options` name.
///
/// # Errors
/// The first address that cannot be had and may not be skipped; nothing stays open then. A port that
/// any other process listens on is refused, also if that process would share it.
pub fn listen(options: &ListenOptions) -> Result<Listeners, ListenError> {
    let OpenedTcp { mut nodes, addresses, warnings, descriptors } = open_all_tcp(options)?;
    let news: Vec<_> = nodes.iter().map(|_| ListenerNews::default()).collect();
    let mut control = ListenControl { tcp: descriptors, unix: None, news: news.clone() };
    if let Some(path) = &options.unix_path {
        let (socket, file) = open_unix(path, options).map_err(|failure| ListenError {
            message: format!("Failed opening Unix socket {}: {failure}", path.display()),
            source: failure.error,
        })?;
        control.unix = Some(file);
        nodes[0].push(Listener { descriptor: Arc::new(socket), is_tcp: false });
    }
    Ok(Listeners { nodes, addresses, warnings, news, control })
}

/// Opens the addresses that `options` name: all or none.
fn open_all_tcp(options: &ListenOptions) -> Result<OpenedTcp, ListenError> {
    let nodes = options.nodes.max(1);
    let mut opened_tcp = OpenedTcp {
        nodes: (0..nodes).map(|_| Vec::new()).collect(),
        addresses: Vec::new(),
        warnings: Vec::new(),
        descriptors: Vec::new(),
    };
    let mut port = options.port;
    for name in &options.bind {
        let (name, optional) = match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let opened = resolve(name, port).and_then(|address| open_tcp(address, options, nodes));
        let (address, sockets) = match opened {
            Ok(opened) => opened,
            Err(failure) => {
                let message =
                    format!("Could not create server TCP listening socket {name}:{port}: {failure}");
                if may_be_skipped(&failure.error, optional) {
                    opened_tcp.warnings.push(message);
                    continue;
                }
                return Err(ListenError { message, source: failure.error });
            }
        };
        port = address.port();
        opened_tcp.addresses.push(address);
        for (node, socket) in opened_tcp.nodes.iter_mut().zip(sockets) {
            let descriptor = Arc::new(socket);
            opened_tcp.descriptors.push(Arc::downgrade(&descriptor));
            node.push(Listener { descriptor, is_tcp: true });
        }
    }
    Ok(opened_tcp)
}

/// Redis goes on without an address that is marked optional and not there, and without a protocol
/// that the system does not have.
fn may_be_skipped(error: &io::Error, optional: bool) -> bool {
    let Some(errno) = Errno::from_io_error(error) else { return false };
    (optional && errno == Errno::ADDRNOTAVAIL)
        || [Errno::NOPROTOOPT, Errno::PROTONOSUPPORT, Errno::SOCKTNOSUPPORT, Errno::PFNOSUPPORT]
            .contains(&errno)
        || errno == Errno::AFNOSUPPORT
}

fn resolve(name: &str, port: u16) -> Result<SocketAddr, Failure> {
    let ipv6 = name.contains(':');
    match name {
        "*" => return Ok((Ipv4Addr::UNSPECIFIED, port).into()),
        "::*" => return Ok((Ipv6Addr::UNSPECIFIED, port).into()),
        _ => {}
    }
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok((ip, port).into());
    }
    // Also what an IPv6 address with a scope goes through.
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "Name or service not known");
    (name, port)
        .to_socket_addrs()
        .and_then(|mut found| found.find(|address| address.is_ipv6() == ipv6).ok_or_else(unknown))
        .map_err(|error| Failure { step: "", error })
}

/// One listener per node on one address.
///
/// `SO_REUSEPORT` would also share the port with a listener of another process of the same user, and
/// half of the connections would go astray without a word. So the first socket binds without it,
/// which fails if anybody at all is listening, and gets the option only then: the system looks at the
/// option when the next socket binds, not at what it was when this one did.
fn open_tcp(
    address: SocketAddr,
    options: &ListenOptions,
    nodes: usize,
) -> Result<(SocketAddr, Vec<OwnedFd>), Failure> {
    let first = tcp_socket(address, options)?;
    rustix::net::bind(&first, &address).map_err(at("bind"))?;
    let bound = rustix::net::getsockname(&first).and_then(SocketAddr::try_from).map_err(at("getsockname"))?;
    let mut sockets = vec![first];
    if nodes > 1 {
        sockopt::set_socket_reuseport(&sockets[0], true).map_err(at("setsockopt SO_REUSEPORT"))?;
        for _ in 1..nodes {
            let sibling = tcp_socket(address, options)?;
            sockopt::set_socket_reuseport(&sibling, true).map_err(at("setsockopt SO_REUSEPORT"))?;
            rustix::net::bind(&sibling, &bound).map_err(at("bind"))?;
            sockets.push(sibling);
        }
    }
    for socket in &sockets {
        start_listening(socket, options.backlog)?;
    }
    Ok((bound, sockets))
}

/// An unbound socket with the options that the connections accepted from it shall have: on Linux they
/// inherit `TCP_NODELAY` and all of keepalive, so that accepting needs no further system calls.
fn tcp_socket(address: SocketAddr, options: &ListenOptions) -> Result<OwnedFd, Failure> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(at("socket"))?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true).map_err(at("setsockopt"))?;
    }
    sockopt::set_socket_reuseaddr(&socket, true).map_err(at("setsockopt SO_REUSEADDR"))?;
    sockopt::set_tcp_nodelay(&socket, true).map_err(at("setsockopt TCP_NODELAY"))?;
    set_keepalive(&socket, options.keepalive_seconds).map_err(at("setsockopt SO_KEEPALIVE"))?;
    Ok(socket)
}

fn start_listening(socket: &OwnedFd, backlog: u32) -> Result<(), Failure> {
    rustix::net::listen(socket, i32::try_from(backlog).unwrap_or(i32::MAX)).map_err(at("listen"))
}

/// As Redis computes them: the first probe after `seconds`, two more after a third of that each.
fn set_keepalive(socket: impl AsFd, seconds: u32) -> rustix::io::Result<()> {
    sockopt::set_socket_keepalive(&socket, seconds > 0)?;
    if seconds > 0 {
        sockopt::set_tcp_keepidle(&socket, Duration::from_secs(seconds.into()))?;
        sockopt::set_tcp_keepintvl(&socket, Duration::from_secs((seconds / 3).max(1).into()))?;
        sockopt::set_tcp_keepcnt(&socket, 3)?;
    }
    Ok(())
}

fn open_unix(path: &Path, options: &ListenOptions) -> Result<(OwnedFd, UnixFile), Failure> {
    let address = SocketAddrUnix::new(path).map_err(at("unix socket path"))?;
    // Left behind by a server that was killed. Whatever else has the name stays, and fails the bind.
    if is_socket(path) {
        let _ = rustix::fs::unlink(path);
    }
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .map_err(at("socket"))?;
    rustix::net::bind(&socket, &address).map_err(at("bind"))?;
    let file = UnixFile::of(path).map_err(at("stat"))?;
    if let Some(permissions) = options.unix_permissions.filter(|permissions| *permissions != 0) {
        rustix::fs::chmod(path, rustix::fs::Mode::from_raw_mode(permissions)).map_err(at("chmod"))?;
    }
    start_listening(&socket, options.backlog)?;
    Ok((socket, file))
}

impl ListenControl {
    /// Listens on what `options` name instead of on the TCP addresses so far, and hands the listeners to the nodes'
    /// drivers. Answers with the addresses and the warnings. The unix socket stays as it is.
    ///
    /// The old listeners end first: nobody can bind `*` beside an address of the same port that is listened on, and a
    /// listener of somebody else must not be taken for one of ours. A listener that is shut down keeps the port that it
    /// was given and lets others have it, too (`SO_REUSEADDR`), so it can listen again if the new ones cannot be had.
    ///
    /// # Errors
    /// The first address that cannot be had. The server then listens where it did before.
    pub fn change_tcp(
        &mut self,
        options: &ListenOptions,
    ) -> Result<(Vec<SocketAddr>, Vec<String>), ListenError> {
        let old: Vec<Arc<OwnedFd>> = self.tcp.iter().filter_map(Weak::upgrade).collect();
        for listener in &old {
            // It listens, so this cannot fail.
            let _ = rustix::net::shutdown(listener, rustix::net::Shutdown::Both);
        }
        let opened = match open_all_tcp(options) {
            Ok(opened) => opened,
            Err(mut error) => {
                for listener in &old {
                    if let Err(failure) = start_listening(listener, options.backlog) {
                        error
                            .message
                            .push_str(&format!(", and no way back to an address before it: {failure}"));
                    }
                }
                return Err(error);
            }
        };
        self.tcp = opened.descriptors;
        for (news, listeners) in self.news.iter().zip(opened.nodes) {
            news.put(listeners);
        }
        Ok((opened.addresses, opened.warnings))
    }

    /// Changes `tcp-keepalive` for connections accepted from now on.
    ///
    /// # Errors
    /// If the system refuses the value.
    pub fn set_keepalive(&self, seconds: u32) -> io::Result<()> {
        for listener in self.tcp.iter().filter_map(Weak::upgrade) {
            set_keepalive(&*listener, seconds)?;
        }
        Ok(())
    }
}

/// The file of a unix socket, removed when dropped unless another server has put its own in the place.
#[derive(Debug)]
struct UnixFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl UnixFile {
    fn of(path: &Path) -> rustix::io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)? })
    }
}

impl Drop for UnixFile {
    fn drop(&mut self) {
        if identity(&self.path) == Ok(self.identity) {
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

fn is_socket(path: &Path) -> bool {
    let file_type = |stat: rustix::fs::Stat| rustix::fs::FileType::from_raw_mode(stat.st_mode);
    rustix::fs::lstat(path).is_ok_and(|stat| file_type(stat) == rustix::fs::FileType::Socket)
}

#[expect(clippy::useless_conversion, reason = "the widths of the fields differ between architectures")]
fn identity(path: &Path) -> rustix::io::Result<(u64, u64)> {
    let stat = rustix::fs::lstat(path)?;
    Ok((stat.st_dev.into(), stat.st_ino.into()))
}
