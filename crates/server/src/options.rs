//! The command line: `tessera-server [tessera.conf] [--option value ...] [-]`.
//!
//! Values are dealt to options as Redis does: an option takes all words up to the next one that starts with `--`, the
//! word right after the option belongs to it even if it starts so, and `"--port 6379"` may be one word. Names, help and
//! completion come from the table of parameters.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use clap_complete::Shell;
use tessera_config::{Config, Group, Kind, PARAMETERS, Parameter, Reading};
use tessera_resp::words::split_words;

use crate::config_file;

/// The name of the program.
const NAME: &str = "tessera-server";
/// The identifier of the file argument.
const FILE: &str = "file";

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// To run the server.
    Run(Box<Options>),
    /// To print this to standard output and exit with status 0.
    Print(Vec<u8>),
}

/// How to run the server.
#[derive(Debug)]
pub struct Options {
    /// The configuration: the file, then standard input, then the options, over the defaults.
    pub config: Config,
    /// The configuration file, as an absolute path: what CONFIG REWRITE writes and INFO names. `None` without one.
    pub config_file: Option<PathBuf>,
    /// Parameters that were stated and have no effect here, for the log.
    pub without_effect: Vec<&'static str>,
}

/// One option with its values.
#[derive(Debug, PartialEq, Eq)]
struct Setting {
    name: Vec<u8>,
    values: Vec<Vec<u8>>,
}

/// A command line taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    file: Option<OsString>,
    reads_stdin: bool,
    settings: Vec<Setting>,
    /// Words before the first option that are not the file.
    strays: Vec<OsString>,
}

/// Reads the command line, without the program's name, and every file it names. `stdin` is read when `-` asks for it.
///
/// # Errors
///
/// A message for standard error; the exit status is 1 then.
pub fn read(arguments: &[OsString], stdin: &mut dyn Read) -> Result<Request, String> {
    if let Some(first) = arguments.first()
        && is_request_to_print(first.as_bytes())
    {
        return print(arguments);
    }
    let parts = take_apart(arguments);
    let mut reading = Reading::default();
    let config_file = match &parts.file {
        Some(path) => Some(std::path::absolute(path).map_err(|error| error.to_string())?),
        None => None,
    };
    let mut include = |path: &[u8]| config_file::find_included(path);
    if let Some(path) = &config_file {
        reading.file(&path.display().to_string(), &config_file::read(path)?, &mut include);
    }
    if parts.reads_stdin {
        let text = config_file::read_bounded(stdin)
            .map_err(|error| format!("Can't read standard input: {error}"))?;
        reading.file("standard input", &text, &mut include);
    }
    for stray in &parts.strays {
        let reason = "an option starts with --, as in --port 6379, and only the first word can be a file";
        reading.refuse_option(stray.as_bytes(), reason.to_owned());
    }
    for setting in &parts.settings {
        reading.option(&setting.name, &setting.values);
    }
    let (config, without_effect) = reading.finish().map_err(|refused| refused.to_string())?;
    Ok(Request::Run(Box::new(Options { config, config_file, without_effect })))
}

fn is_request_to_print(word: &[u8]) -> bool {
    matches!(word, b"-v" | b"--version" | b"-h" | b"--help" | b"--completions")
        || word.starts_with(b"--completions=")
}

/// Help, version or completion, which clap writes.
fn print(arguments: &[OsString]) -> Result<Request, String> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::iter::once(&OsString::from(NAME)).chain(arguments));
    match matches {
        Ok(matches) => {
            let mut script = Vec::new();
            if let Some(shell) = matches.get_one::<Shell>("completions") {
                clap_complete::generate(*shell, &mut command, NAME, &mut script);
            }
            Ok(Request::Print(script))
        }
        Err(error) if !error.use_stderr() => Ok(Request::Print(error.render().to_string().into())),
        Err(error) => Err(error.render().to_string()),
    }
}

fn take_apart(arguments: &[OsString]) -> Parts {
    let mut parts = Parts::default();
    // Whether the last option has a value: if not, the next word is one, whatever it looks like.
    let mut has_value = true;
    for (index, argument) in arguments.iter().enumerate() {
        let word = argument.as_bytes();
        let is_last = index + 1 == arguments.len();
        if index == 0 && !word.starts_with(b"-") {
            parts.file = Some(argument.clone());
        } else if word == b"-" && (index == 0 || is_last) {
            parts.reads_stdin = true;
        } else if has_value && word.starts_with(b"--") {
            let (name, values) = split_option(&word[2..]);
            has_value = !values.is_empty();
            let next_is_option =
                arguments.get(index + 1).is_none_or(|next| next.as_bytes().starts_with(b"--"));
            let mut setting = Setting { name, values };
            // Redis takes `--save` without a value for `--save ""`: scripts that build a command line write it.
            if !has_value && next_is_option && setting.name == b"save" {
                setting.values.push(Vec::new());
                has_value = true;
            }
            parts.settings.push(setting);
        } else {
            match parts.settings.last_mut() {
                Some(setting) => setting.values.push(word.to_vec()),
                None => parts.strays.push(argument.clone()),
            }
            has_value = true;
        }
    }
    parts
}

/// The name in lower case, and the values if they are in the same word: `port 6379` or `port=6379`.
fn split_option(option: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    if let Some(equals) = option.iter().position(|byte| *byte == b'=')
        && tessera_config::find(&option[..equals]).is_some()
    {
        return (option[..equals].to_ascii_lowercase(), vec![option[equals + 1..].to_vec()]);
    }
    match split_words(option) {
        Ok(mut words) if !words.is_empty() => {
            let values = words.split_off(1);
            (words.swap_remove(0).to_ascii_lowercase(), values)
        }
        _ => (option.to_ascii_lowercase(), Vec::new()),
    }
}

/// The command line as clap sees it, which writes help and completion. It reads no options: its advice would not fit
/// how Redis deals values to them.
pub fn command() -> Command {
    let command = Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("A Redis-compatible in-memory data store, one thread per core")
        .disable_version_flag(true)
        .after_help(
            "With `-` as the first or the last argument, a configuration is read from standard input too.\n\
             Later settings win: the file, standard input, the options.\n\
             Options of Redis that have no effect here are accepted, too: docs/configuration.md has all.\n\n\
             Examples:\n  \
             tessera-server\n  \
             tessera-server /etc/tessera/tessera.conf --port 7777\n  \
             tessera-server --bind 127.0.0.1 -::1 --shards 4\n  \
             echo 'maxclients 500' | tessera-server -",
        )
        .arg(
            Arg::new(FILE)
                .value_name("tessera.conf")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Configuration file"),
        )
        .arg(
            Arg::new("version")
                .short('v')
                .long("version")
                .action(ArgAction::Version)
                .help("Print the version"),
        )
        .arg(
            Arg::new("completions")
                .long("completions")
                .value_name("shell")
                .value_parser(value_parser!(Shell))
                .help("Print the completion script for a shell"),
        );
    Group::ALL.into_iter().fold(command, |command, group| {
        let of_group = PARAMETERS.iter().filter(|parameter| parameter.group == group);
        command.next_help_heading(group.title()).args(of_group.map(argument))
    })
}

fn argument(parameter: &'static Parameter) -> Arg {
    let default = parameter.default_value().print();
    let default = match default.is_empty() {
        true => String::new(),
        false => format!(" [default: {}]", String::from_utf8_lossy(&default)),
    };
    let argument = Arg::new(parameter.name)
        .long(parameter.name)
        .aliases(parameter.aliases)
        .action(ArgAction::Append)
        .value_name(value_name(parameter.kind))
        .help(format!("{}{default}", parameter.summary()))
        .value_hint(match parameter.kind {
            Kind::Path | Kind::OptionalPath => ValueHint::AnyPath,
            _ => ValueHint::Other,
        });
    let argument = argument.hide(parameter.no_effect.is_some() || parameter.is_hidden);
    let argument = if parameter.takes_many_words() { argument.num_args(1..) } else { argument };
    match parameter.kind {
        Kind::Bool => one_of(argument, &["yes", "no"]),
        Kind::Choice(names) => one_of(argument, names),
        _ => argument.value_parser(OsStringValueParser::new()),
    }
}

fn one_of(argument: Arg, names: &'static [&'static str]) -> Arg {
    argument.value_parser(PossibleValuesParser::new(names).map(OsString::from)).ignore_case(true)
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "yes|no",
        Kind::Integer { .. } | Kind::ClampedInteger { .. } => "number",
        Kind::MemorySize { .. } => "size",
        Kind::Permissions { .. } => "octal",
        Kind::Choice(_) => "choice",
        Kind::OptionalPath | Kind::Path | Kind::FileName => "path",
        Kind::Secret => "password",
        Kind::Addresses { .. } => "address",
        Kind::CpuList => "cores",
        Kind::OutputBufferLimits => "class size size seconds",
        Kind::Percentiles => "percentile",
        Kind::SavePoints => "seconds changes",
        Kind::ShutdownFlags => "default|save|nosave|now|force",
        Kind::Text | Kind::OptionalText | Kind::TitleTemplate | Kind::Locale => "text",
        Kind::BaseName { what, .. } => what,
        Kind::HostName | Kind::NodeName => "name",
        Kind::EventClasses => "letters",
        Kind::MemoryOrPercent => "size",
        Kind::ReplicaOf => "no one",
        Kind::OomScores => "number number number",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    fn run(arguments: &[&str], stdin: &str) -> Result<Options, String> {
        match read(&words(arguments), &mut stdin.as_bytes())? {
            Request::Run(options) => Ok(*options),
            Request::Print(text) => panic!("printed {}", String::from_utf8_lossy(&text)),
        }
    }

    fn printed(arguments: &[&str]) -> String {
        match read(&words(arguments), &mut "".as_bytes()) {
            Ok(Request::Print(text)) => String::from_utf8(text).expect("help is UTF-8"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn clap_finds_nothing_wrong_with_the_command() {
        command().debug_assert();
    }

    #[test]
    fn values_are_dealt_as_in_redis() {
        type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a [&'a str])]);
        let cases: &[Case<'_>] = &[
            (&["--port", "1"], &[("port", &["1"])]),
            (&["--PORT", "1"], &[("port", &["1"])]),
            (&["--port=1"], &[("port", &["1"])]),
            (&["--port 1", "--hz", "2"], &[("port", &["1"]), ("hz", &["2"])]),
            (
                &["--bind", "127.0.0.1", "-::1", "--port", "1"],
                &[("bind", &["127.0.0.1", "-::1"]), ("port", &["1"])],
            ),
            (&["--port", "--save"], &[("port", &["--save"])]),
            (&["--save", "--port", "1"], &[("save", &[""]), ("port", &["1"])]),
            (&["--port", "1", "--save"], &[("port", &["1"]), ("save", &[""])]),
            (&["--save", ""], &[("save", &[""])]),
            (&["--port"], &[("port", &[])]),
            (&["--slowlog-log-slower-than", "-1"], &[("slowlog-log-slower-than", &["-1"])]),
        ];
        for (arguments, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, values)| Setting {
                    name: name.as_bytes().to_vec(),
                    values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
                })
                .collect();
            assert_eq!(take_apart(&words(arguments)).settings, expected, "{arguments:?}");
        }
    }

    #[test]
    fn file_then_standard_input_then_options() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tessera.conf");
        fs::write(&path, "port 1\nhz 1\ntimeout 1\n").expect("the directory is writable");
        let name = path.to_str().expect("the name is UTF-8");
        let options = run(&[name, "--port", "3", "-"], "port 2\nhz 2\n").expect("all is well-formed");
        let config = options.config;
        assert_eq!((config.port, config.hz, config.timeout_s), (3, 2, 1));
        assert_eq!(options.config_file, Some(path));

        let options = run(&["-", "--port", "3"], "hz 2\n").expect("all is well-formed");
        assert_eq!((options.config.port, options.config.hz, options.config_file), (3, 2, None));
        assert_eq!(run(&[], "hz 2\n").map(|options| options.config), Ok(Config::default()));
    }

    #[test]
    fn options_set_parameters() {
        let arguments = [
            "--bind",
            "127.0.0.1",
            "-::1",
            "--save",
            "",
            "--LogLevel",
            "VERBOSE",
            "--protected-mode",
            "no",
            "--client-output-buffer-limit",
            "normal",
            "1mb",
            "0",
            "0",
            "--client-output-buffer-limit",
            "pubsub 1 2 3",
            "--slowlog-log-slower-than",
            "-1",
            "--proto-max-bulk-len=2mb",
            "--io-driver",
            "epoll",
            "--requirepass",
            "--odd",
        ];
        let config = run(&arguments, "").expect("all is well-formed").config;
        assert_eq!(config.bind, [b"127.0.0.1".to_vec(), b"-::1".to_vec()]);
        assert_eq!(config.log_level, tessera_config::LogLevel::Verbose);
        assert!(!config.protected_mode);
        assert_eq!(config.client_output_buffer_limit.normal.hard_bytes, 1 << 20);
        assert_eq!(config.client_output_buffer_limit.pubsub.hard_bytes, 1);
        assert_eq!(config.slowlog_log_slower_than_us, -1);
        assert_eq!(config.proto_max_bulk_len.0, 2 << 20);
        assert_eq!(config.io_driver, tessera_config::IoDriver::Epoll);
        assert_eq!(config.require_pass.map(|secret| secret.0), Some(b"--odd".to_vec()));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let cases: &[(&[&str], &str)] = &[
            (&["--maxclient", "1"], "Unknown option 'maxclient', did you mean 'maxclients'?"),
            (&["--maxclient"], "Unknown option 'maxclient', did you mean 'maxclients'?"),
            (&["--frobnicate", "1"], "Unknown option 'frobnicate'"),
            (&["-x", "3"], ">>> '-x'\nan option starts with --"),
            (&["--port", "1", "2"], "wrong number of arguments"),
            (&["--port"], "wrong number of arguments"),
            (&["--port", "abc"], "argument couldn't be parsed into an integer"),
            (&["--port", "99999"], "argument must be between 0 and 65535 inclusive"),
            (
                &["--loglevel", "loud"],
                "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
            ),
            (&["--appendonly", "yes"], "this version does not log writes"),
            (&["/nonexistent/tessera.conf"], "can't open config file '/nonexistent/tessera.conf'"),
            (&["--completions", "cobol"], "cobol"),
        ];
        for (arguments, expected) in cases {
            let error = run(arguments, "").map(|options| options.config).unwrap_err();
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
        // All at once, and no advice that does not fit.
        let error =
            run(&["--tls-port", "1", "--prot", "1", "--appendonly", "yes"], "").map(|_| ()).unwrap_err();
        assert_eq!(
            error,
            "*** FATAL CONFIG FILE ERROR ***\nReading the command line\n>>> 'tls-port \"1\"'\nthere is no TLS: the \
                only \
             value is 0\nReading the command line\n>>> 'prot \"1\"'\nUnknown option 'prot', did you mean \
             'port'?\nReading the command line\n>>> 'appendonly \"yes\"'\nthis version does not log writes: the only \
             value is no"
        );
        let error = run(&["-"], "port x\n").map(|options| options.config).unwrap_err();
        assert!(error.contains("'standard input', at line 1"), "{error}");
    }

    #[test]
    fn help_version_and_completion_are_printed() {
        for flag in ["-h", "--help"] {
            let help = printed(&[flag]);
            for parameter in PARAMETERS.iter().filter(|shown| shown.no_effect.is_none() && !shown.is_hidden) {
                assert!(help.contains(&format!("--{}", parameter.name)), "{}", parameter.name);
            }
        }
        for flag in ["-v", "--version"] {
            assert_eq!(printed(&[flag]), format!("{NAME} {}\n", env!("CARGO_PKG_VERSION")));
        }
        for shell in ["bash", "zsh", "fish"] {
            assert!(printed(&["--completions", shell]).contains("maxclients"), "{shell}");
        }
        // Only as the first word, as in Redis: elsewhere they are values or unknown options.
        let config = run(&["--requirepass", "--help"], "").expect("the word is a password").config;
        assert_eq!(config.require_pass.map(|secret| secret.0), Some(b"--help".to_vec()));
    }
}
