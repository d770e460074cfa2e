//! `cargo xtask docs`: the pages of `docs/` that are generated.

use std::path::Path;
use std::{fs, io};

use tessera_command::{Registry, introspect};

/// The generated pages: where they are, and what must be in them.
fn pages() -> [(&'static str, String); 2] {
    let registry = Registry::new(&tessera_commands::COMMANDS);
    [
        ("docs/commands.md", introspect::render_markdown(&registry)),
        ("docs/configuration.md", tessera_config::render_markdown()),
    ]
}

/// Writes all pages.
///
/// # Errors
/// If a page cannot be written.
pub fn write(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root.join("docs"))?;
    pages().iter().try_for_each(|(path, text)| fs::write(root.join(path), text))
}

/// What is wrong with the pages as they are.
///
/// # Errors
/// If a page is there and cannot be read.
pub fn check(root: &Path) -> io::Result<Vec<String>> {
    let mut stale = Vec::new();
    for (path, text) in pages() {
        let found = match fs::read_to_string(root.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found?),
        };
        if found.as_ref() != Some(&text) {
            stale.push(format!("{path} is not up to date: run `cargo xtask docs`"));
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_fresh_once_written_and_stale_once_changed() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(check(root.path()).unwrap().len(), 2, "both are missing");
        write(root.path()).unwrap();
        assert!(check(root.path()).unwrap().is_empty());
        fs::write(root.path().join("docs/commands.md"), "# Commands\n").unwrap();
        assert_eq!(
            check(root.path()).unwrap(),
            ["docs/commands.md is not up to date: run `cargo xtask docs`"]
        );
    }
}
