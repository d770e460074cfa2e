//! `cargo xtask check-layout`: the order of the crates, and what each of them must not know.
//!
//! The design's invariants are absences: no clock in the engine, no file descriptor above the drivers. The compiler
//! keeps some of them, because a crate cannot name what it does not depend on; this keeps the rest.

mod order;
mod source;

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
/// Where unsafe code may be.
const UNSAFE: &[&str] = &["drivers", "bench"];
/// Where else it may be: a crate, and the folder of it.
const UNSAFE_FOLDERS: &[(&str, &str)] = &[("keyspace", "crates/keyspace/src/table/")];

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
        for file in rust_files(&folder.join("src").into_std_path_buf())? {
            let text = fs::read_to_string(&file)?;
            let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            violations.extend(source::check(name, &shown, &text)?);
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
    Ok(violations)
}

/// All Rust files below `folder`, in order.
fn rust_files(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_keeps_its_layout() {
        let violations = super::check(&crate::root().unwrap()).unwrap();
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }
}
