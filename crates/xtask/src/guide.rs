//! `cargo xtask check-guide`: what `docs/adding-a-command.md` tells is done to the letter, in a copy of the repository.
//!
//! Blocks of code of the page that name a file are what the reader is told to write there. The example is a command
//! that is there already: it is taken out of the copy before. If a file consists of the page's blocks, they make it
//! anew; if it holds more, their lines are added to it. A transcript consists of the page's lines and of replies
//! between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The page.
const PAGE: &str = "docs/adding-a-command.md";
/// What of the repository a copy needs.
pub(super) const COPIED: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "clippy.toml",
    ".cargo",
    "crates",
    "bench",
];

/// Follows the page, and says what does not work out.
///
/// # Errors
/// If the repository cannot be read, or the copy not be written.
pub fn check(root: &Path) -> io::Result<Vec<String>> {
    let page = fs::read_to_string(root.join(PAGE))?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = std::path::absolute(target)?;
    let mut problems = Vec::new();
    let mut written = BTreeMap::new();
    for (path, blocks) in blocks(&page) {
        let there = fs::read_to_string(root.join(&path)).unwrap_or_default();
        match follow(&path, &blocks, &there) {
            Ok(text) => drop(written.insert(path, text)),
            Err(problem) => problems.push(format!("{PAGE}: {path}: {problem}")),
        }
    }
    if written.is_empty() {
        problems.push(format!("{PAGE} has nothing to follow"));
    }
    if !problems.is_empty() {
        return Ok(problems);
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    written.insert("Cargo.toml".to_owned(), with_other_version(&manifest, "guide")?);
    let copy = target.join("guide");
    copy_tree(root, &copy, COPIED, &written)?;
    let arguments = ["test", "--quiet", "--package", "tessera-commands", "--test", "metadata"];
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(cargo).args(arguments).current_dir(&copy).env("CARGO_TARGET_DIR", &target).status()?;
    if !status.success() {
        problems
            .push(format!("{PAGE}: whoever follows it has no success with `cargo {}`", arguments.join(" ")));
    }
    Ok(problems)
}

/// The manifest with a version of its own. Cargo tells packages apart by name and version, not by where they lie: with
/// the same version it would take what it has built of the copy for what it has built of the repository, and the other
/// way round.
pub(super) fn with_other_version(manifest: &str, name: &str) -> io::Result<String> {
    let (before, package) = manifest
        .split_once("[workspace.package]\n")
        .ok_or_else(|| io::Error::other("Cargo.toml has no [workspace.package]"))?;
    let (line, rest) = package
        .split_once('\n')
        .filter(|(line, _)| line.starts_with("version = "))
        .ok_or_else(|| io::Error::other("[workspace.package] does not begin with a version"))?;
    let version = line.trim_end_matches('"');
    Ok(format!("{before}[workspace.package]\n{version}-{name}\"\n{rest}"))
}

/// The page's blocks of code that name a file, by file.
fn blocks(page: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: String =
            lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        if let Some((_, path)) = info.split_once(' ') {
            found.entry(path.to_owned()).or_default().push(block);
        }
    }
    found
}

/// What is in a file when the page has been followed in a repository that lacks the example. `there` is what is in it
/// now.
fn follow(path: &str, blocks: &[String], there: &str) -> Result<String, String> {
    if path.ends_with(".golden") {
        let is_written =
            |line: &&str| line.starts_with('>') || line.starts_with('#') || line.starts_with('@');
        let script: Vec<&str> = there.lines().filter(is_written).collect();
        let told: Vec<&str> = blocks.iter().flat_map(|block| block.lines()).collect();
        return match script == told {
            true => Ok(there.to_owned()),
            false => Err("the transcript has other lines".to_owned()),
        };
    }
    let whole = blocks.join("\n");
    if there == whole {
        return Ok(whole);
    }
    if blocks.len() > 1 {
        return Err("the file is not what the page writes".to_owned());
    }
    let lines: Vec<&str> = whole.lines().collect();
    if let Some(missing) = lines.iter().find(|line| there.lines().filter(|known| known == *line).count() != 1)
    {
        return Err(format!("`{}` is not in the file, or more than once", missing.trim()));
    }
    let without: Vec<&str> = there.lines().filter(|line| !lines.contains(line)).collect();
    let with = lines.iter().try_fold(without, |text, line| insert(text, line))?;
    Ok(with.join("\n") + "\n")
}

/// Puts a line behind the last one that begins with the same word and does not come after it in the alphabet.
fn insert<'a>(mut text: Vec<&'a str>, line: &'a str) -> Result<Vec<&'a str>, String> {
    fn word(line: &str) -> Option<&str> {
        line.split_inclusive([' ', ':']).find(|word| !word.trim().is_empty())
    }
    fn name(line: &str) -> &str {
        line.rsplit(['<', ' ']).next().unwrap_or(line)
    }
    let alike = |other: &&str| word(other) == word(line) && other.starts_with(' ') == line.starts_with(' ');
    let before = text.iter().rposition(|other| alike(other) && name(other) <= name(line));
    let Some(at) = before.map(|before| before + 1).or_else(|| text.iter().position(alike)) else {
        return Err(format!("there are no lines like `{}`", line.trim()));
    };
    text.insert(at, line);
    Ok(text)
}

/// Brings what is below `tops` in the copy into the state of the repository, but for the files of `written`. What has
/// not changed is left alone, so that cargo need not build it again.
pub(super) fn copy_tree(
    root: &Path,
    copy: &Path,
    tops: &[&str],
    written: &BTreeMap<String, String>,
) -> io::Result<()> {
    let mut wanted = BTreeSet::new();
    for top in tops {
        files_below(root, Path::new(top), &mut wanted)?;
    }
    wanted.extend(written.keys().map(PathBuf::from));
    let mut there = BTreeSet::new();
    for top in tops {
        files_below(copy, Path::new(top), &mut there)?;
    }
    for path in there.difference(&wanted) {
        fs::remove_file(copy.join(path))?;
    }
    for path in &wanted {
        let bytes = match path.to_str().and_then(|path| written.get(path)) {
            Some(text) => text.clone().into_bytes(),
            None => fs::read(root.join(path))?,
        };
        let target = copy.join(path);
        if fs::read(&target).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&target, bytes)?;
    }
    Ok(())
}

/// The regular files at or below a path, relative to `root`.
fn files_below(root: &Path, path: &Path, found: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let kind = match fs::symlink_metadata(root.join(path)) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind.is_file() {
        found.insert(path.to_owned());
    } else if kind.is_dir() && !path.ends_with("target") {
        for entry in fs::read_dir(root.join(path))? {
            files_below(root, &path.join(entry?.file_name()), found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_put_together_by_file() {
        let page = "text\n```rust a.rs\none\n```\n\n```rust\nno file\n```\n```rust a.rs\ntwo\n```\n";
        assert_eq!(
            blocks(page),
            BTreeMap::from([("a.rs".to_owned(), vec!["one\n".to_owned(), "two\n".to_owned()])])
        );
    }

    #[test]
    fn what_is_told_must_be_what_is_there() {
        let two = ["one\n".to_owned(), "two\n".to_owned()];
        assert_eq!(follow("a.rs", &two, "one\n\ntwo\n").as_deref(), Ok("one\n\ntwo\n"));
        assert!(follow("a.rs", &two, "one\n\ntwo, but otherwise\n").is_err());
        let lines = ["mod b;\n    Command::write::<b::B>(),\n".to_owned()];
        let there = "mod a;\nmod b;\nmod c;\nconst X: &[Y] = &[\n    Command::write::<b::B>(),\n    \
            Command::read::<a::A>(),\n];\n";
        let followed = follow("mod.rs", &lines, there).expect("both lines have a place");
        assert_eq!(
            followed,
            "mod a;\nmod b;\nmod c;\nconst X: &[Y] = &[\n    Command::read::<a::A>(),\n    \
                Command::write::<b::B>(),\n];\n"
        );
        assert!(follow("mod.rs", &lines, "mod a;\n").is_err());
        let script = ["# x\n> PING\n".to_owned()];
        assert!(follow("x.golden", &script, "# x\n> PING\n  +PONG\n").is_ok());
        assert!(follow("x.golden", &script, "# x\n> PING\n  +PONG\n> PING\n  +PONG\n").is_err());
    }
}
