//! A server that is killed and started again on the same directory.

use super::client::{Client, Reply};
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a start may take, loading included.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts `program` on the data in `directory` and waits until it serves.
    ///
    /// # Errors
    /// If it does not, with the end of what it wrote.
    pub fn start(program: &Path, directory: &Path, options: &[String]) -> io::Result<Server> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = directory.join("kill.log");
        let file = File::create(&log)?;
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--save", "", "--dir"])
            .arg(directory)
            .args(options)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        let mut server = Server { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), log };
        let until = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = server.child.try_wait()? {
                return Err(server.failure(&format!("the server ended: {status}")));
            }
            let reply = Client::open(server.address).and_then(|mut client| client.call(&["PING"]));
            if reply.is_ok_and(|reply| reply == Reply::Simple("PONG".into())) {
                return Ok(server);
            }
            if Instant::now() > until {
                return Err(server.failure("the server does not serve"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn failure(&self, what: &str) -> io::Error {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        io::Error::other(format!("{what}\n{}", lines[lines.len().saturating_sub(20)..].join("\n")))
    }

    /// Ends it as a loss of power would, but for what the system has already taken over.
    ///
    /// # Errors
    /// It had ended before by itself.
    pub fn kill(&mut self) -> io::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return Err(self.failure(&format!("the server had ended: {status}")));
        }
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
