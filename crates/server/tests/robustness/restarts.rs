//! Servers that come where another one has just been killed.

use crate::support::{DRIVERS, PROGRAM, Server, answers, can_run, until};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// What the ring of a killed process had open is closed a moment after that process is gone, its port among it.
#[test]
fn a_killed_server_is_started_again_at_once() {
    for driver in DRIVERS.into_iter().filter(|driver| can_run(driver)) {
        for _ in 0..3 {
            let server = Server::start(&["--io-driver", driver, "--shards", "1"]);
            let port = server.port;
            // It has been at its disk, and somebody is connected.
            let mut client = server.client();
            client.ask("SET key value", "+OK\r\n");
            client.ask("SAVE", "+OK\r\n");
            drop(server);
            let directory = tempfile::tempdir().expect("a temporary directory");
            let mut command = Command::new(PROGRAM);
            command.current_dir(&directory).args(["--port", &port.to_string(), "--dir", "."]);
            command.args(["--io-driver", driver, "--shards", "1"]).stdin(Stdio::null()).stdout(Stdio::null());
            let mut child = command.spawn().expect("the server starts");
            let what = format!("the server after a killed one answers ({driver})");
            until(&what, || {
                let ended = child.try_wait().expect("its state");
                assert!(ended.is_none(), "{driver}: {ended:?}");
                TcpStream::connect(("127.0.0.1", port)).is_ok_and(answers)
            });
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
