//! `cargo xtask check-links`: what the documentation points to exists.
//!
//! Looked at are links to files, and paths of this repository in code marks such as `crates/node/src/lib.rs`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use regex::Regex;

/// Folders whose Markdown files are looked at, besides those of the top.
const FOLDERS: &[&str] = &["docs", "deploy", "bench", "crates"];
/// A path in code marks is one of this repository if it begins with one of these.
const TOP: &[&str] = &["crates/", "docs/", "deploy/", "bench/", ".ci/", ".cargo/"];

/// What the documentation names and is not there, one sentence each.
///
/// # Errors
/// If the documentation cannot be read.
pub fn check(root: &Path) -> io::Result<Vec<String>> {
    let mut missing = Vec::new();
    for page in markdown_files(root)? {
        let text = fs::read_to_string(&page)?;
        let folder = page.parent().unwrap_or(root);
        let shown = page.strip_prefix(root).unwrap_or(&page).display();
        for (line, target) in targets(&text) {
            let (base, path) = match target {
                Target::Link(path) => (folder, path),
                Target::Path(path) => (root, path),
            };
            if !base.join(&path).exists() {
                missing.push(format!("{shown}:{line}: there is no {path}"));
            }
        }
    }
    Ok(missing)
}

fn markdown_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let is_page = |path: &Path| path.extension().is_some_and(|extension| extension == "md");
    let mut found = Vec::new();
    for entry in fs::read_dir(root)? {
        found.extend(Some(entry?.path()).filter(|path| is_page(path)));
    }
    let mut folders: Vec<_> =
        FOLDERS.iter().map(|name| root.join(name)).filter(|path| path.exists()).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if is_page(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// Relative to the page.
    Link(String),
    /// Relative to the top.
    Path(String),
}

/// The files that a page names, with their lines. Blocks of code are left out.
fn targets(text: &str) -> Vec<(usize, Target)> {
    let link = Regex::new(r"\]\(([^)\s#]+)(?:#[^)]*)?\)").expect("a valid expression");
    let code = Regex::new(r"`([^`\s]+)`").expect("a valid expression");
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let links = link.captures_iter(line).map(|captures| captures[1].to_owned());
        let links = links.filter(|target| !target.contains("://")).map(Target::Link);
        let paths = code.captures_iter(line).map(|captures| captures[1].to_owned());
        let paths = paths.filter(|path| {
            TOP.iter().any(|top| path.starts_with(top)) && !path.contains(['*', '<', '{', 'N', '…'])
        });
        found.extend(links.chain(paths.map(Target::Path)).map(|target| (index + 1, target)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_names_only_what_is_there() {
        let missing = check(&crate::root().unwrap()).unwrap();
        assert!(missing.is_empty(), "{}", missing.join("\n"));
    }

    #[test]
    fn links_and_paths_are_found() {
        let text = "See [a](a.md#part), [b](https://example.org/x) and [c](#here).\n\
                    The file `crates/x/src/lib.rs` and the option `--port`.\n\
                    ```\n[d](d.md) `docs/e.md`\n```\n";
        assert_eq!(
            targets(text),
            [(1, Target::Link("a.md".into())), (2, Target::Path("crates/x/src/lib.rs".into()))]
        );
    }

    #[test]
    fn a_missing_file_is_told_with_its_place() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        fs::write(root.path().join("docs/there.md"), "[up](../README.md)\n").unwrap();
        fs::write(root.path().join("README.md"), "\n[x](docs/there.md) [y](docs/gone.md)\n").unwrap();
        assert_eq!(check(root.path()).unwrap(), ["README.md:2: there is no docs/gone.md"]);
    }

    /// The README's table of the layout has a row for every crate, and no other.
    #[test]
    fn the_readme_tells_of_every_crate() {
        let root = crate::root().unwrap();
        let readme = fs::read_to_string(root.join("README.md")).unwrap();
        let row = Regex::new(r"(?m)^\| `crates/([a-z]+)` \|").unwrap();
        let mut told: Vec<_> = row.captures_iter(&readme).map(|captures| captures[1].to_owned()).collect();
        let mut there: Vec<_> = fs::read_dir(root.join("crates"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("Cargo.toml").exists())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        told.sort();
        there.sort();
        assert_eq!(told, there);
    }

    /// The README's two commands are what the manifest makes of them: a server is what `cargo run` starts.
    #[test]
    fn the_readme_has_its_two_commands() {
        let root = crate::root().unwrap();
        let readme = fs::read_to_string(root.join("README.md")).unwrap();
        for command in ["cargo run --release", "cargo test --workspace"] {
            assert!(readme.contains(&format!("    {command}\n")), "{command}");
        }
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("default-members = [\"crates/server\"]"));
    }
}
