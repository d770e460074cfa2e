//! Reporting to a service manager.

use std::ffi::OsStr;

use sd_notify::NotifyState;
use tessera_config::Supervised;

/// The variable by which systemd names the socket it listens on.
const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// The service manager that started this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceManager {
    /// None: `daemonize` decides whether to go into the background.
    None,
    /// systemd.
    Systemd,
}

impl ServiceManager {
    /// Finds the service manager. Logs a warning when one is asked for that is not there, as Redis does.
    pub fn find(supervised: Supervised) -> Self {
        Self::choose(supervised, std::env::var_os(NOTIFY_SOCKET).as_deref())
    }

    fn choose(supervised: Supervised, socket: Option<&OsStr>) -> Self {
        let has_socket = socket.is_some_and(|path| !path.is_empty());
        match supervised {
            Supervised::Systemd | Supervised::Auto if has_socket => Self::Systemd,
            Supervised::Systemd => {
                log::warn!("systemd supervision requested but {NOTIFY_SOCKET} not found");
                Self::None
            }
            Supervised::Auto | Supervised::No => Self::None,
        }
    }

    /// Says that the server accepts connections.
    pub fn ready(self) {
        self.notify(&[NotifyState::Ready, NotifyState::Status("Ready to accept connections")]);
    }

    /// Says that the server is on its way out.
    pub fn stopping(self) {
        self.notify(&[NotifyState::Stopping]);
    }

    fn notify(self, state: &[NotifyState<'_>]) {
        if self == Self::Systemd
            && let Err(error) = sd_notify::notify(state)
        {
            log::warn!("Can't notify systemd: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_manager_is_the_one_asked_for_if_it_is_there() {
        use ServiceManager::{None as Nobody, Systemd};
        let socket = Some(OsStr::new("/run/systemd/notify"));
        for (supervised, socket, expected) in [
            (Supervised::Systemd, socket, Systemd),
            (Supervised::Auto, socket, Systemd),
            (Supervised::No, socket, Nobody),
            (Supervised::Systemd, None, Nobody),
            (Supervised::Auto, None, Nobody),
            (Supervised::Auto, Some(OsStr::new("")), Nobody),
        ] {
            assert_eq!(ServiceManager::choose(supervised, socket), expected, "{supervised:?} {socket:?}");
        }
    }

    #[test]
    fn systemd_hears_of_readiness_and_stopping() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        let status = Command::new(std::env::current_exe().expect("this test's program"))
            .args(["--exact", "supervised::tests::under_systemd", "--ignored"])
            .env(NOTIFY_SOCKET, &path)
            .status()
            .expect("this program starts again");
        assert!(status.success());
        let receive = || {
            let mut buffer = [0; 256];
            let len = socket.recv(&mut buffer).expect("a message");
            String::from_utf8_lossy(&buffer[..len]).into_owned()
        };
        assert_eq!(receive(), "READY=1\nSTATUS=Ready to accept connections\n");
        assert_eq!(receive(), "STOPPING=1\n");
    }

    #[test]
    #[ignore = "runs in a process that the test above starts"]
    fn under_systemd() {
        let manager = ServiceManager::find(Supervised::Auto);
        manager.ready();
        manager.stopping();
    }
}
