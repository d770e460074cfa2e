//! Going into the background.

use std::io;

use fork::{Fork, daemon};

/// Continues in a new process without a terminal, in its own session, with `/dev/null` as its standard streams; the
/// calling process exits with status 0.
///
/// Call this before the first thread starts: only the calling thread exists in the new process. The working directory
/// stays.
///
/// # Errors
///
/// When the system has no room for a process. Nothing has happened then.
pub fn detach() -> io::Result<()> {
    match daemon(true, false)? {
        Fork::Child => Ok(()),
        // `daemon` ends the parent itself.
        Fork::Parent(_) => std::process::exit(0),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    /// The file that the process in the background writes.
    const REPORT: &str = "TESSERA_TEST_REPORT";

    #[test]
    fn the_caller_exits_and_another_process_goes_on() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let report = dir.path().join("report");
        let mut child = Command::new(std::env::current_exe().expect("this test's program"))
            .args(["--exact", "daemon::tests::in_the_background", "--ignored", "--test-threads=1"])
            .env(REPORT, &report)
            .spawn()
            .expect("this program starts again");
        let id = child.id();
        assert!(child.wait().expect("the child ends").success());

        // The report is renamed into place whole. A minute is far more than it takes.
        for _ in 0..6000 {
            if report.exists() {
                break;
            }
            sleep(Duration::from_millis(10));
        }
        let text = fs::read_to_string(&report).expect("the background process reports");
        let (pid, stat) = text.split_once('\n').expect("two lines");
        assert_ne!(pid, id.to_string());
        // Fields 5 to 7 of /proc/pid/stat after the name: the session is not the process's old one, and no terminal.
        let fields: Vec<_> = stat.rsplit_once(") ").expect("a name in brackets").1.split(' ').collect();
        assert_ne!(fields[3], id.to_string());
        assert_eq!(fields[4], "0");
    }

    #[test]
    #[ignore = "runs in a process that the test above starts"]
    fn in_the_background() {
        let Some(report) = std::env::var_os(REPORT) else { return };
        detach().expect("there is room for a process");
        let stat = fs::read_to_string("/proc/self/stat").expect("/proc is mounted");
        let part = std::path::PathBuf::from(&report).with_extension("part");
        fs::write(&part, format!("{}\n{stat}", std::process::id())).expect("the directory is writable");
        fs::rename(&part, &report).expect("the directory is writable");
        std::process::exit(0);
    }
}
