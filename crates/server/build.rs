//! Tells the server which commit and which compiler it was built with.

use std::process::Command;

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}

fn main() {
    // Without git, or outside a checkout, the commit is unknown.
    let commit = output_of("git", &["rev-parse", "--short=8", "HEAD"]).unwrap_or_else(|| "00000000".into());
    let is_dirty = output_of("git", &["status", "--porcelain", "--untracked-files=no"])
        .is_some_and(|text| !text.is_empty());
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = output_of(&compiler, &["--version"]).unwrap_or_default();
    let version = version.split(' ').nth(1).unwrap_or("unknown").to_owned();
    println!("cargo::rustc-env=TESSERA_COMMIT={commit}");
    println!("cargo::rustc-env=TESSERA_DIRTY={}", u8::from(is_dirty));
    println!("cargo::rustc-env=TESSERA_RUSTC={version}");
    println!("cargo::rerun-if-changed=../../.git/HEAD");
    println!("cargo::rerun-if-changed=../../.git/refs/heads");
}
