//! `cargo xtask check-layout`: the order of the crates, and what each of them must not know.
//!
//! The design's invariants are absences: no clock in the engine, no file descriptor above the drivers. The compiler
//! keeps some of them, because a crate cannot name what it does not depend on; this keeps the rest: between the rooms
//! of a crate as between crates. It also says what has become too long to be read.

mod circles;
mod order;
mod outline;
mod sizes;
mod source;
mod unsafe_code;
mod walls;
mod width;

use std::path::Path;
use std::{fs, io};

/// The crates from bottom to top: each may depend on those before it only.
const LADDER: [&str; 11] = [
    "resp", "values", "storage", "keyspace", "config", "command", "commands", "routing", "node", "drivers",
    "server",
];
/// The engine: given the same calls, the same seed and the same times, it does the same.
const PURE: &[&str] = &["resp", "values", "storage", "keyspace", "config", "command", "commands", "routing"];
/// The engine and the loop around it: everything that the simulator runs as it is.
const SIMULATED: &[&str] =
    &["resp", "values", "storage", "keyspace", "config", "command", "commands", "routing", "node"];
/// What works on one shard, and would work the same if there were no other.
const ONE_SHARD: &[&str] = &["resp", "values", "storage", "keyspace", "config", "command", "commands"];
/// Crates in which no files use one another in a circle.
const WITHOUT_CIRCLES: &[&str] = &["resp", "routing", "node", "drivers", "server", "golden"];
/// Crates that may have unsafe code. In which files they have it says the architecture.
const UNSAFE: &[&str] = &["drivers", "bench"];
/// Those that may have it in one part.
const UNSAFE_IN_PART: &[&str] = &["keyspace"];

/// Everything that is wrong with the tree at `root`, one sentence each.
///
/// # Errors
/// If it cannot be read.
pub fn check(root: &Path) -> io::Result<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(io::Error::other)?;
    let mut violations = order::check(&metadata.packages);
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().ok_or_else(|| io::Error::other("no folder"))?;
        let name = folder.file_name().unwrap_or_default();
        for (file, text) in texts(&folder.join("src").into_std_path_buf(), &[".rs"])? {
            let shown = folder.join("src").join(file);
            let shown = shown.strip_prefix(root).unwrap_or(&shown);
            violations.extend(source::check(name, shown.as_str(), &text)?);
        }
        let roots = package.targets.iter().filter(|target| target.is_lib() || target.is_bin());
        for target in roots {
            let text = fs::read_to_string(&target.src_path)?;
            let shown = target.src_path.strip_prefix(root).unwrap_or(&target.src_path);
            for attribute in source::attributes(name) {
                if !source::has_attribute(&text, attribute)? {
                    violations.push(format!("{shown} lacks #![{attribute}]"));
                }
            }
        }
    }
    for name in WITHOUT_CIRCLES {
        violations.extend(circles::check(root, &format!("crates/{name}/src/"))?);
    }
    violations.extend(walls::check(root, "crates/node/src/")?);
    violations.extend(check_files(root)?);
    Ok(violations)
}

/// What is wrong with single files, wherever in the tree they are.
fn check_files(root: &Path) -> io::Result<Vec<String>> {
    let mut violations = Vec::new();
    let mut unsafe_files = Vec::new();
    for (shown, text) in texts(root, &[".rs"])? {
        violations.extend(sizes::functions(&shown, &text)?);
        violations.extend(sizes::file(&shown, &text));
        unsafe_files.extend(unsafe_code::first_line(&shown, &text)?.map(|line| (shown.clone(), line)));
    }
    for (shown, text) in texts(root, &[".rs", ".md", ".py", ".sh"])? {
        violations.extend(width::check(&shown, &text));
    }
    violations.extend(width::check(".ci/run", &fs::read_to_string(root.join(".ci/run"))?));
    violations.extend(unsafe_code::check(&fs::read_to_string(root.join(unsafe_code::PAGE))?, &unsafe_files));
    Ok(violations)
}

/// All files below `folder` with such an end of their name: what they are called from there, and their texts.
fn texts(folder: &Path, ends: &[&str]) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(current)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                // What Cargo builds and Git keeps is nobody's text.
                if name != "target" && !name.starts_with('.') {
                    folders.push(entry.path());
                }
            } else if ends.iter().any(|end| name.ends_with(end)) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    let shown = |file: &Path| file.strip_prefix(folder).unwrap_or(file).display().to_string();
    found.iter().map(|file| Ok((shown(file), fs::read_to_string(file)?))).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_keeps_its_layout() {
        let violations = super::check(&crate::root().unwrap()).unwrap();
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }
}
