//! Starts a server for the time of a recording or a test.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::connection::{Connection, Endpoint, Received};

/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server with a directory of its own; both end with it.
pub struct Server {
    child: Child,
    address: SocketAddr,
    directory: PathBuf,
}

impl Server {
    /// Starts `program` on a free port of 127.0.0.1 and waits until it answers PING.
    ///
    /// `options` are given as `--name value` after `--port` and `--dir`.
    ///
    /// # Errors
    /// Those of starting; a server that ends or does not answer in time, with the end of what it wrote.
    pub fn start(program: &Path, options: &[(String, String)]) -> io::Result<Self> {
        let port = free_port()?;
        let directory = std::env::temp_dir().join(format!("golden-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let log = std::fs::File::create(directory.join("golden.log"))?;
        let mut command = Command::new(program);
        command.arg("--port").arg(port.to_string()).arg("--dir").arg(&directory);
        for (name, value) in options {
            command.arg(format!("--{name}")).arg(value);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn()?;
        let mut server = Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), directory };
        server.wait()?;
        Ok(server)
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp(self.address)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has by itself.
    ///
    /// # Errors
    /// Those of asking the system.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    fn wait(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failure(&format!("the server ended: {status}")));
            }
            if Connection::open(&self.endpoint()).is_ok_and(|mut connection| answers(&mut connection)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.failure("the server does not answer PING"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn failure(&self, what: &str) -> io::Error {
        let log = std::fs::read_to_string(self.directory.join("golden.log")).unwrap_or_default();
        let tail: Vec<_> = log.lines().rev().take(20).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        io::Error::other(format!("{what}\n{tail}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn answers(connection: &mut Connection) -> bool {
    connection.send(b"PING\r\n").is_ok()
        && matches!(connection.receive(Duration::from_secs(1)), Received::Frame(_))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
