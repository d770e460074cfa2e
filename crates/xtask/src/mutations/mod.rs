//! `cargo xtask mutations`: whoever listens to the seam of change is taken out, one after the other, and a test has to
//! notice.
//!
//! All faults are put into one copy of the repository, each behind a switch, so that the copy is built once. A test is
//! told by its environment which of them is on, never more than one. At first none is: then every test has to pass.
//! With the fault the test has to come to its end and fail. One that hangs or dies has noticed nothing.
//!
//! The list names the code to the letter. Code that is not there any more, or twice, and tests that are not there any
//! more, are failures: whoever changes the code changes the list. `cargo test -p xtask` looks for the code.

mod list;

use crate::guide::{COPIED, copy_tree, with_other_version};
use cargo_metadata::Message;
use list::LISTS;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, iter, thread};

/// Tells a test which fault is on.
const VARIABLE: &str = "TESSERA_MUTATION";
/// How long a test may take. Those that are there take seconds, but the machine may have more to do.
const TEST_MAX: Duration = Duration::from_secs(300);

/// A fault.
pub(super) struct Mutation {
    /// What it is called.
    pub name: &'static str,
    /// Where it is.
    pub file: &'static str,
    /// Code that the file has once. What is between « and » is the fault's place.
    pub code: &'static str,
    /// What is there instead.
    pub instead: &'static str,
    /// What notices it.
    pub caught_by: Test,
}

/// A test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Test {
    /// The program that it is part of.
    program: Program,
    /// Its path there.
    name: &'static str,
}

/// A program of tests: its crate's folder, and its file in `tests/`; without one it is that of the library.
type Program = (&'static str, Option<&'static str>);

impl Test {
    /// One of a crate's library.
    pub(super) const fn of_library(folder: &'static str, name: &'static str) -> Test {
        Test { program: (folder, None), name }
    }

    /// One of a file in a crate's `tests/`.
    pub(super) const fn of_file(folder: &'static str, file: &'static str, name: &'static str) -> Test {
        Test { program: (folder, Some(file)), name }
    }
}

impl std::fmt::Display for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (folder, file) = self.program;
        write!(
            f,
            "{folder}{}{}::{}",
            if file.is_some() { "/tests/" } else { "" },
            file.unwrap_or(""),
            self.name
        )
    }
}

/// Options of the command.
#[derive(clap::Args)]
pub struct Options {
    /// Only faults whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Runs the command.
///
/// # Errors
/// If the repository cannot be read, or the copy not be written or built.
pub fn run(root: &Path, options: &Options) -> io::Result<ExitCode> {
    let is_wanted = |mutation: &&Mutation| mutation.name.contains(&options.only);
    let mutations: Vec<&Mutation> = all().filter(is_wanted).collect();
    let mut mutated = match mutated_files(root) {
        Ok(mutated) => mutated,
        Err(problems) => return Ok(super::report(&problems)),
    };
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = std::path::absolute(target)?;
    let (copy, logs) = (target.join("mutations"), target.join("mutation-logs"));
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    mutated.insert("Cargo.toml".to_owned(), with_other_version(&manifest, "mutated")?);
    copy_tree(root, &copy, COPIED, &mutated)?;
    fs::create_dir_all(&logs)?;
    let tests: BTreeSet<Test> = mutations.iter().map(|mutation| mutation.caught_by).collect();
    let runner = Runner { programs: build(&copy, &target, &tests)?, copy, logs };
    let began = Instant::now();
    let without = runner.each(&tests.into_iter().map(|test| (None, test)).collect::<Vec<_>>())?;
    let with: Vec<_> = mutations.iter().map(|mutation| (Some(mutation.name), mutation.caught_by)).collect();
    let problems = if without.is_empty() { runner.each(&with)? } else { without };
    if problems.is_empty() {
        println!("{} faults, each noticed, in {} s", mutations.len(), began.elapsed().as_secs());
    }
    Ok(super::report(&problems))
}

/// All faults.
fn all() -> impl Iterator<Item = &'static Mutation> {
    LISTS.iter().copied().flatten()
}

/// The files that have faults in them, as they are with all of them; or what is wrong with the list.
fn mutated_files(root: &Path) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut of_files: BTreeMap<&str, Vec<&Mutation>> = BTreeMap::new();
    all().for_each(|mutation| of_files.entry(mutation.file).or_default().push(mutation));
    let (mut written, mut problems) = (BTreeMap::new(), Vec::new());
    let mut names = BTreeSet::new();
    let doubles = all().filter(|mutation| !names.insert(mutation.name));
    problems.extend(doubles.map(|mutation| format!("two faults are called {}", mutation.name)));
    let mut crates = BTreeSet::new();
    for (file, mutations) in of_files {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        match with_faults(&text, &mutations) {
            Ok(text) => drop(written.insert(file.to_owned(), text)),
            Err(of_file) => problems.extend(of_file.iter().map(|problem| format!("{file}: {problem}"))),
        }
        crates.extend(file.split_once("/src/").map(|(folder, _)| format!("{folder}/src/lib.rs")));
    }
    for library in crates {
        let text = written.remove(&library).or_else(|| fs::read_to_string(root.join(&library)).ok());
        written.insert(library, text.unwrap_or_default() + SWITCH);
    }
    if problems.is_empty() { Ok(written) } else { Err(problems) }
}

/// What the copy of each crate gets.
const SWITCH: &str = r#"
/// Whether this fault is on.
#[allow(dead_code)]
fn is_mutated(name: &str) -> bool {
    static ON: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    ON.get_or_init(|| std::env::var("TESSERA_MUTATION").ok()).as_deref() == Some(name)
}
"#;

/// A file with these faults, each behind its switch.
fn with_faults(text: &str, mutations: &[&Mutation]) -> Result<String, Vec<String>> {
    let (mut places, mut problems) = (Vec::new(), Vec::new());
    for mutation in mutations {
        match place(text, mutation.code) {
            Ok((at, piece)) => places.push((at, piece, mutation)),
            Err(problem) => problems.push(format!("{}: {problem}", mutation.name)),
        }
    }
    places.sort_by_key(|(at, ..)| *at);
    for pair in places.windows(2) {
        if pair[0].0 + pair[0].1.len() > pair[1].0 {
            problems.push(format!("{} and {} are in one place", pair[0].2.name, pair[1].2.name));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (mut changed, mut from) = (String::new(), 0);
    for (at, piece, Mutation { name, instead, .. }) in places {
        let switched = format!("if crate::is_mutated({name:?}) {{ {instead} }} else {{ {piece} }}");
        changed.extend([&text[from..at], &switched]);
        from = at + piece.len();
    }
    Ok(changed + &text[from..])
}

/// Where in `text` the marked piece of `code` is, and the piece.
fn place<'c>(text: &str, code: &'c str) -> Result<(usize, &'c str), String> {
    let parts = code.split_once('«').and_then(|(before, rest)| Some((before, rest.split_once('»')?)));
    let Some((before, (piece, after))) = parts else { return Err("no place is marked".to_owned()) };
    let whole = [before, piece, after].concat();
    match text.match_indices(&whole).map(|(at, _)| at).collect::<Vec<_>>()[..] {
        [at] => Ok((at + before.len(), piece)),
        [] => Err(format!("there is no such code any more:\n{whole}")),
        _ => Err(format!("there is such code more than once:\n{whole}")),
    }
}

/// Builds the tests of the libraries. Their programs, by the crate's folder.
fn build(copy: &Path, target: &Path, tests: &BTreeSet<Test>) -> io::Result<BTreeMap<Program, PathBuf>> {
    let wanted: BTreeSet<Program> = tests.iter().map(|test| test.program).collect();
    let folders: BTreeSet<&str> = wanted.iter().map(|(folder, _)| *folder).collect();
    let packages = folders.iter().flat_map(|folder| ["--package".to_owned(), format!("tessera-{folder}")]);
    let files: BTreeSet<&str> = wanted.iter().filter_map(|(_, file)| *file).collect();
    let files = files.iter().flat_map(|file| ["--test", file]);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--quiet", "--no-run", "--lib", "--message-format", "json-render-diagnostics"])
        .args(packages)
        .args(files)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut programs = BTreeMap::new();
    if let Some(messages) = cargo.stdout.take() {
        for message in Message::parse_stream(BufReader::new(messages)) {
            // A test in a file has the crate's own program built as well, which is none.
            if let Message::CompilerArtifact(artifact) = message?
                && artifact.profile.test
                && let Some(path) = artifact.executable
                && let Some(folder) = artifact.manifest_path.parent().and_then(|folder| folder.file_name())
            {
                let file = artifact.target.is_test().then_some(&*artifact.target.name);
                let program = wanted.iter().find(|program| **program == (folder, file));
                programs.extend(program.map(|program| (*program, path.into_std_path_buf())));
            }
        }
    }
    if !cargo.wait()?.success() || programs.len() < wanted.len() {
        return Err(io::Error::other("the copy with the faults could not be built"));
    }
    Ok(programs)
}

/// What came of a test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// It came to its end, and said that something is not as it should be.
    Failed,
    /// It was ended because it took too long.
    Late,
    /// Its process ended before it did.
    Died,
    /// It was not run: there is no such test.
    Missing,
}

impl Outcome {
    /// By what the test's process wrote, and whether it came to its end in time.
    fn of(log: &str, is_late: bool) -> Outcome {
        let has = |line: &str| log.contains(line);
        match () {
            () if is_late => Outcome::Late,
            () if has("\ntest result: ok. 1 passed; 0 failed;") => Outcome::Passed,
            () if has("\ntest result: FAILED. 0 passed; 1 failed;") => Outcome::Failed,
            () if has("running 0 tests\n") => Outcome::Missing,
            () => Outcome::Died,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Outcome::Passed => "passes",
            Outcome::Failed => "fails",
            Outcome::Late => "takes too long",
            Outcome::Died => "dies before its end",
            Outcome::Missing => "is not there",
        }
    }
}

struct Runner {
    programs: BTreeMap<Program, PathBuf>,
    copy: PathBuf,
    logs: PathBuf,
}

impl Runner {
    /// Runs tests, each with a fault or without, as many at a time as there are processors. Says what went wrong.
    fn each(&self, runs: &[(Option<&'static str>, Test)]) -> io::Result<Vec<String>> {
        let (left, problems) = (Mutex::new(runs.iter()), Mutex::new(Vec::new()));
        let next = || left.lock().ok()?.next().copied();
        let work = || -> io::Result<()> {
            for (fault, test) in iter::from_fn(next) {
                let began = Instant::now();
                let outcome = self.run(fault, test)?;
                let wanted = if fault.is_some() { Outcome::Failed } else { Outcome::Passed };
                let fault_name = fault.unwrap_or("without any fault");
                let problem = (outcome != wanted).then(|| format!("{fault_name}: {test} {}", outcome.text()));
                let mark = if problem.is_some() { "NOT AS IT SHOULD BE" } else { "ok" };
                let name = fault.unwrap_or(test.name);
                println!("{:>6} ms  {name}: {mark}", began.elapsed().as_millis());
                if let (Some(problem), Ok(mut problems)) = (problem, problems.lock()) {
                    problems.push(problem);
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let ended = workers.into_iter().map(|worker| worker.join());
            ended.into_iter().try_for_each(|ended| ended.unwrap_or_else(|_| Err(io::Error::other("a panic"))))
        })?;
        Ok(problems.into_inner().unwrap_or_default())
    }

    fn run(&self, fault: Option<&str>, test: Test) -> io::Result<Outcome> {
        let log = self.logs.join(format!("{}.log", fault.unwrap_or(test.name)));
        let output = File::create(&log)?;
        let mut command = Command::new(&self.programs[&test.program]);
        command.args(["--exact", test.name]).current_dir(self.copy.join("crates").join(test.program.0));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        command.env("RUST_BACKTRACE", "0").env_remove(VARIABLE);
        if let Some(fault) = fault {
            command.env(VARIABLE, fault);
        }
        let (mut process, began) = (command.spawn()?, Instant::now());
        let mut is_late = false;
        while process.try_wait()?.is_none() {
            if began.elapsed() > TEST_MAX {
                is_late = true;
                process.kill()?;
                process.wait()?;
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Outcome::of(&String::from_utf8_lossy(&fs::read(&log)?), is_late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutation(name: &'static str, code: &'static str) -> Mutation {
        let caught_by = Test::of_library("keyspace", "test");
        Mutation { name, file: "a.rs", code, instead: "b()", caught_by }
    }

    #[test]
    fn faults_are_put_behind_switches() {
        let text = "fn f() {\n    a();\n    c();\n    a();\n}\n";
        let (first, second) = (mutation("last", "c();\n    «a();»"), mutation("middle", "«c();»"));
        let expected = "fn f() {\n    a();\n    if crate::is_mutated(\"middle\") { b() } else { c(); }\n    \
                        if crate::is_mutated(\"last\") { b() } else { a(); }\n}\n";
        assert_eq!(with_faults(text, &[&first, &second]).as_deref(), Ok(expected));
    }

    #[test]
    fn a_list_that_is_out_of_date_is_a_failure() {
        let text = "a();\nc();\na();\n";
        for code in ["«a();»", "«b();»", "c();", "a«();\nc»(", "c«();\n»b"] {
            let both = [mutation("first", "«a();\nc»();"), mutation("second", code)];
            assert!(with_faults(text, &[&both[0], &both[1]]).is_err(), "{code}");
        }
    }

    #[test]
    fn only_a_test_that_ends_and_fails_has_noticed_something() {
        let ends = |result: &str| {
            format!(
                "\nrunning 1 test\ntest a ... x\n\ntest result: {result}; 0 ignored; 0 measured; 9 filtered out\n"
            )
        };
        let passed = ends("ok. 1 passed; 0 failed");
        for (log, is_late, expected) in [
            (passed.clone(), false, Outcome::Passed),
            (passed, true, Outcome::Late),
            (ends("FAILED. 0 passed; 1 failed"), false, Outcome::Failed),
            ("\nrunning 1 test\nthread 'a' has overflowed its stack\n".to_owned(), false, Outcome::Died),
            ("\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed;".to_owned(), false, Outcome::Missing),
        ] {
            assert!(Outcome::of(&log, is_late) == expected, "{log}");
        }
    }

    #[test]
    fn all_faults_have_a_place() {
        let root = crate::root().expect("this is the repository");
        assert_eq!(mutated_files(&root).err(), None);
    }
}
