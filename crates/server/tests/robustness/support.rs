//! Servers as processes of their own, and clients that say exactly what they send.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The built server.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tessera-server");
/// The network drivers.
pub const DRIVERS: [&str; 2] = ["uring", "epoll"];
/// How long a server may take for anything. Machines that test are busy.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// A running server with a directory of its own.
pub struct Server {
    child: Child,
    pub port: u16,
    pub directory: TempDir,
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// The system cannot do io_uring: then only the other driver is tested.
pub fn can_run(driver: &str) -> bool {
    driver != "uring" || tessera_drivers::probe::probe().is_ok()
}

impl Server {
    /// Starts a server with these options and waits until it answers.
    pub fn start(options: &[&str]) -> Server {
        Server::start_with(None, options)
    }

    /// The same, from a configuration file with this text, which is in the server's directory.
    pub fn start_from(text: &str, options: &[&str]) -> Server {
        Server::start_with(Some(text), options)
    }

    fn start_with(text: Option<&str>, options: &[&str]) -> Server {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let mut command = Command::new(PROGRAM);
        if let Some(text) = text {
            std::fs::write(directory.path().join("server.conf"), text).expect("a file");
            command.arg("server.conf");
        }
        command.current_dir(&directory).args(["--port", &port.to_string(), "--dir", "."]).args(options);
        let log = std::fs::File::create(directory.path().join("stdout")).expect("a file");
        let child = command.stdin(Stdio::null()).stdout(log).spawn().expect("the server starts");
        let mut server = Server { child, port, directory };
        let deadline = Instant::now() + TIMEOUT;
        while !TcpStream::connect(("127.0.0.1", port)).is_ok_and(answers) {
            let ended = server.child.try_wait().expect("its state");
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}: {}", server.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("stdout")).unwrap_or_default()
    }

    /// A new client.
    pub fn client(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a socket");
        stream.set_write_timeout(Some(TIMEOUT)).expect("a socket");
        Client { stream }
    }

    /// Resident memory in MiB.
    pub fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its state");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a running process");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its exit code, once it has ended by itself.
    pub fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the server does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn answers(mut stream: TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read(&mut [0; 64]).is_ok_and(|len| len > 0)
}

/// A client.
pub struct Client<S> {
    pub stream: S,
}

impl<S: Read + Write> Client<S> {
    /// Sends bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server takes it");
    }

    /// Reads what must come.
    pub fn expect(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let mut got = vec![0; expected.len()];
        let mut len = 0;
        while len < got.len() {
            match self.stream.read(&mut got[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) => panic!("{error} after \"{}\"", got[..len].escape_ascii()),
            }
        }
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(300)].escape_ascii().to_string();
        assert_eq!(shown(&got[..len]), shown(expected));
        assert!(got == expected, "the same beginning, but not the same");
    }

    /// Sends a line and reads what must come.
    pub fn ask(&mut self, line: &str, expected: &str) {
        self.send(format!("{line}\r\n"));
        self.expect(expected);
    }

    /// Sends a line and returns the text that is answered.
    pub fn text(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        let mut head = Vec::new();
        while !head.ends_with(b"\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a reply");
            head.extend(byte);
        }
        let head = String::from_utf8(head).expect("a line");
        let Some(len) = head.strip_prefix('$').and_then(|len| len.trim().parse::<usize>().ok()) else {
            return head.trim().to_owned();
        };
        let mut text = vec![0; len + 2];
        self.stream.read_exact(&mut text).expect("a text");
        text.truncate(len);
        String::from_utf8(text).expect("a text")
    }

    /// Everything that comes until the server closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}: not closed after {} bytes", rest.len()),
        }
        rest
    }
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Lets this process open as many files as it may.
pub fn open_many_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("a limit below the hard one");
}
