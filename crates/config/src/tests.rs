//! Reading, changing and rewriting whole configurations. Texts and results are those of a real server of version 7.2,
//! except where a parameter is Tessera's own.

mod rewriting;

use proptest::prelude::*;

use self::rewriting::{rewritten, split_at_signature};
use crate::*;

fn get(config: &Config, name: &str) -> String {
    let found = config.get(&[name.as_bytes()]);
    assert_eq!(found.len(), 1, "{name}");
    String::from_utf8_lossy(&found[0].1).into_owned()
}

fn set(config: &Config, pairs: &[(&str, &str)]) -> Result<(Config, Vec<Id>), String> {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    config.set(&pairs, true).map_err(|error| String::from_utf8_lossy(&error.message()).into_owned())
}

fn no_files(_: &[u8]) -> Result<Vec<Included>, String> {
    Err("no files here".to_owned())
}

/// Reading on top of what there is; only the first refusal.
trait Read {
    fn parse_file(&mut self, file: &str, text: &[u8], include: &mut Include<'_>) -> Result<(), FileError>;
    fn parse_option(&mut self, name: &[u8], values: &[Vec<u8>]) -> Result<(), FileError>;
}

impl Read for Config {
    fn parse_file(&mut self, file: &str, text: &[u8], include: &mut Include<'_>) -> Result<(), FileError> {
        let mut reading = Reading::over(self.clone());
        reading.file(file, text, include);
        *self = reading.finish().map_err(|mut refused| refused.errors.swap_remove(0))?.0;
        Ok(())
    }

    fn parse_option(&mut self, name: &[u8], values: &[Vec<u8>]) -> Result<(), FileError> {
        let mut reading = Reading::over(self.clone());
        reading.option(name, values);
        *self = reading.finish().map_err(|mut refused| refused.errors.swap_remove(0))?.0;
        Ok(())
    }
}

fn parse(text: &str) -> Result<Config, FileError> {
    let mut config = Config::default();
    config.parse_file("test.conf", text.as_bytes(), &mut no_files).map(|()| config)
}

/// What CONFIG SET says of a value that it refuses.
fn failed(name: &str, reason: &str) -> String {
    format!("CONFIG SET failed (possibly related to argument '{name}') - {reason}")
}

/// What it says of a name that there is not.
fn unknown(name: &str) -> String {
    format!("Unknown option or number of arguments for CONFIG SET - '{name}'")
}

/// Setting these pairs fails with these errors.
fn check_errors(cases: &[(&[(&str, &str)], String)]) {
    for (pairs, expected) in cases {
        assert_eq!(set(&Config::default(), pairs).err().as_ref(), Some(expected), "{pairs:?}");
    }
}

#[test]
fn set_errors_are_those_of_redis() {
    let levels = "argument(s) must be one of the following: debug, verbose, notice, warning, nothing";
    let cases: &[(&[(&str, &str)], String)] = &[
        (&[("xyz", "1")], unknown("xyz")),
        (&[("a\nb", "1")], unknown("a b")),
        (&[("maxclients", "0")], failed("maxclients", "argument must be between 1 and 4294967295 inclusive")),
        (&[("MaxClients", "0")], failed("maxclients", "argument must be between 1 and 4294967295 inclusive")),
        (
            &[("maxclients", "-1")],
            failed("maxclients", "argument must be between 1 and 4294967295 inclusive"),
        ),
        (&[("maxclients", "abc")], failed("maxclients", "argument couldn't be parsed into an integer")),
        (&[("timeout", "1"), ("timeout", "2")], failed("timeout", "duplicate parameter")),
        (&[("timeout", "5"), ("TIMEOUT", "6")], failed("TIMEOUT", "duplicate parameter")),
        (&[("tcp-backlog", "3")], failed("tcp-backlog", "can't set immutable config")),
        (&[("Daemonize", "yes")], failed("Daemonize", "can't set immutable config")),
        (&[("unixsocketperm", "700")], failed("unixsocketperm", "can't set immutable config")),
        (&[("cluster-enabled", "yes")], failed("cluster-enabled", "can't set immutable config")),
        (&[("dir", "/nonexistent")], failed("dir", "can't set protected config")),
        (&[("xyz", "1"), ("daemonize", "yes")], unknown("xyz")),
        (&[("daemonize", "yes"), ("xyz", "1")], failed("daemonize", "can't set immutable config")),
        (&[("maxclients", "0"), ("xyz", "1")], unknown("xyz")),
        (&[("loglevel", "foo")], failed("loglevel", levels)),
        (&[("latency-tracking", "true")], failed("latency-tracking", "argument must be 'yes' or 'no'")),
        (&[("latency-tracking", "")], failed("latency-tracking", "argument must be 'yes' or 'no'")),
        (&[("appendonly", "maybe")], failed("appendonly", "argument must be 'yes' or 'no'")),
        (&[("save", "1")], failed("save", "Invalid save parameters")),
        (&[("maxmemory", "1x")], failed("maxmemory", "argument must be a memory value")),
        (&[("maxmemory", "-1")], failed("maxmemory", "argument must be a memory value")),
        (&[("maxmemory", "1 ")], failed("maxmemory", "argument must be a memory value")),
        (
            &[("maxmemory-policy", "foo")],
            failed(
                "maxmemory-policy",
                "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, \
                 allkeys-lru, allkeys-lfu, allkeys-random, noeviction",
            ),
        ),
        (
            &[("proto-max-bulk-len", "1")],
            failed(
                "proto-max-bulk-len",
                "argument must be between 1048576 and 9223372036854775807 inclusive",
            ),
        ),
        (&[("port", "65536")], failed("port", "argument must be between 0 and 65535 inclusive")),
        (&[("bind", "\"x")], failed("bind", "Failed to bind to specified addresses.")),
    ];
    check_errors(cases);
}

#[test]
fn set_errors_of_lists_of_words_are_those_of_redis() {
    let percentiles = "Invalid latency-tracking-info-percentiles parameters";
    let limits = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    let class = "Invalid client class specified in buffer limit configuration.";
    let cases: &[(&[(&str, &str)], String)] = &[
        (
            &[("client-output-buffer-limit", "foo")],
            failed("client-output-buffer-limit", "Wrong number of arguments in buffer limit configuration."),
        ),
        (&[("client-output-buffer-limit", "foo 1 2 3")], failed("client-output-buffer-limit", class)),
        (&[("client-output-buffer-limit", "master 1 2 3")], failed("client-output-buffer-limit", class)),
        (&[("client-output-buffer-limit", "normal 1x 2 3")], failed("client-output-buffer-limit", limits)),
        (&[("client-output-buffer-limit", "normal -1 0 0")], failed("client-output-buffer-limit", limits)),
        (
            &[("latency-tracking-info-percentiles", "50 101")],
            failed(
                "latency-tracking-info-percentiles",
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
            ),
        ),
        (
            &[("latency-tracking-info-percentiles", "50  99.90")],
            failed("latency-tracking-info-percentiles", percentiles),
        ),
        (
            &[("latency-tracking-info-percentiles", "nan")],
            failed("latency-tracking-info-percentiles", percentiles),
        ),
        (
            &[("latency-tracking-info-percentiles", " 5")],
            failed("latency-tracking-info-percentiles", percentiles),
        ),
    ];
    check_errors(cases);
}

#[test]
fn integers_are_read_strictly() {
    for text in ["", "007", "+5", "-0", " 5", "5 ", "5.0", "9223372036854775808", "0x10", "-"] {
        let error = set(&Config::default(), &[("timeout", text)]).unwrap_err();
        assert!(error.ends_with("argument couldn't be parsed into an integer"), "{text:?}: {error}");
    }
}

#[test]
fn values_read_back_as_redis_prints_them() {
    let cases = [
        ("proto-max-bulk-len", "2m", "2000000"),
        ("proto-max-bulk-len", "2MB", "2097152"),
        ("proto-max-bulk-len", "1gB", "1073741824"),
        ("proto-max-bulk-len", "1G", "1000000000"),
        ("proto-max-bulk-len", "2000k", "2000000"),
        ("proto-max-bulk-len", "2000Kb", "2048000"),
        ("proto-max-bulk-len", "3000000b", "3000000"),
        // The product wraps.
        ("client-query-buffer-limit", "20000000000gb", "3028092406290448384"),
        ("loglevel", "WARNING", "warning"),
        ("hz", "0", "1"),
        ("hz", "1000", "500"),
        ("maxclients", "4294967295", "4294967295"),
        ("slowlog-log-slower-than", "-1", "-1"),
        ("latency-tracking", "nO", "no"),
        ("requirepass", "a b", "a b"),
        ("save", "", ""),
        ("save", "900 1 300 10", "900 1 300 10"),
        ("maxmemory", "kb", "0"),
        ("latency-tracking-info-percentiles", "", ""),
        ("latency-tracking-info-percentiles", "0.1 100", "0.1 100"),
        ("latency-tracking-info-percentiles", "99.12345678", "99.123457"),
        ("latency-tracking-info-percentiles", "1e1 .5 +5", "10 0.5 5"),
        (
            "client-output-buffer-limit",
            "replica 1mb 2k 3",
            "normal 0 0 0 slave 1048576 2000 3 pubsub 33554432 8388608 60",
        ),
        (
            "client-output-buffer-limit",
            "normal kb 0 +5 pubsub 1 2 3 pubsub 4 5 6",
            "normal 0 0 5 slave 268435456 67108864 60 pubsub 4 5 6",
        ),
        (
            "client-output-buffer-limit",
            "normal 0 0 ",
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        ),
    ];
    for (name, text, expected) in cases {
        let (config, _) = set(&Config::default(), &[(name, text)]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(get(&config, name), expected, "{name} {text:?}");
    }
}

#[test]
fn set_is_all_or_nothing_and_names_what_changed() {
    let before = Config::default();
    assert!(set(&before, &[("maxclients", "5"), ("loglevel", "bad")]).is_err());
    assert_eq!(before, Config::default());

    let (after, changed) = set(&before, &[("maxclients", "5"), ("timeout", "0"), ("loglevel", "debug")])
        .expect("all values fit");
    assert_eq!((after.max_clients, after.log_level), (5, LogLevel::Debug));
    assert_eq!(changed, [Id::MaxClients, Id::LogLevel]);
    assert_eq!(set(&after, &[]), Ok((after.clone(), Vec::new())));
}

#[test]
fn protected_parameters_ask_who_the_client_is() {
    let mut config = Config::default();
    let pairs: &[(&[u8], &[u8])] = &[(b"dir", b"/tmp")];
    for (access, local, remote) in
        [(Access::No, false, false), (Access::Local, true, false), (Access::Yes, true, true)]
    {
        config.enable_protected_configs = access;
        assert_eq!(config.set(pairs, true).is_ok(), local, "{access:?}");
        assert_eq!(config.set(pairs, false).is_ok(), remote, "{access:?}");
    }
}

#[test]
fn what_is_not_built_keeps_its_one_value() {
    let config = Config::default();
    assert_eq!(get(&config, "appendonly"), "no");
    assert_eq!(set(&config, &[("appendonly", "no")]), Ok((config.clone(), Vec::new())));
    let error = set(&config, &[("appendonly", "yes")]).unwrap_err();
    assert!(error.contains("this version"), "{error}");
    assert!(parse("cluster-enabled no").is_ok());
    let error = parse("cluster-enabled yes").unwrap_err();
    assert_eq!(error.reason, "this version has no cluster mode: the only value is no");
}

#[test]
fn get_takes_patterns_and_names_each_parameter_once() {
    let config = Config::default();
    let names = |patterns: &[&str]| -> Vec<String> {
        let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        config
            .get(&patterns)
            .into_iter()
            .map(|(name, _)| String::from_utf8_lossy(&name).into_owned())
            .collect()
    };
    assert_eq!(names(&["PORT", "P*R[TX]", "port"]), ["PORT"]);
    assert_eq!(names(&["M[a-a]XCLIENT?"]), ["maxclients"]);
    assert_eq!(names(&["no such", "*such*"]), [""; 0]);
    assert_eq!(names(&["slowlog*", "timeout"]), ["slowlog-log-slower-than", "slowlog-max-len", "timeout"]);
    let shown = PARAMETERS.iter().filter(|parameter| !parameter.is_hidden);
    assert_eq!(names(&["*"]).len(), shown.flat_map(Parameter::names).count());
    assert_eq!(names(&["watchdog-perio*", "watchdog-period"]), ["watchdog-period"]);
}

#[test]
fn lines_of_save_points_add_up() {
    let points = |text: &str| get(&parse(text).expect("the file is well-formed"), "save");
    assert_eq!(points(""), "3600 1 300 100 60 10000");
    assert_eq!(points("save 900 1\nsave 300 10 60 5"), "900 1 300 10 60 5");
    // Also if they are what holds anyway.
    assert_eq!(points("save 3600 1 300 100 60 10000\nsave 5 5"), "3600 1 300 100 60 10000 5 5");
    assert_eq!(points("save 900 1\nsave \"\"\nsave 300 10"), "300 10");
    assert_eq!(points("save \"\""), "");
}

#[test]
fn files_are_read_as_redis_reads_them() {
    let config = parse(
        "# comment\n\n  port 7000\r\nPORT 7001\nbind 10.0.0.1 ::1\nrequirepass \"a b\\x01\"\n\
         unixsocketperm 0700\nclient-output-buffer-limit normal 1mb 0 0\n\
         client-output-buffer-limit 'pubsub 1 2 3'\nsave \"\"\n\
         latency-tracking-info-percentiles \"50  99\"\nlogfile ''\nserver_cpulist 0-6:2",
    )
    .expect("the file is well-formed");
    assert_eq!(config.port, 7001);
    // The word that INFO has for it.
    assert_eq!(parse("io-driver io_uring").map(|config| config.io_driver), Ok(IoDriver::Uring));
    assert_eq!(config.bind, [b"10.0.0.1".to_vec(), b"::1".to_vec()]);
    assert_eq!(config.require_pass, Some(Secret(b"a b\x01".to_vec())));
    assert_eq!(config.unix_socket_permissions, Permissions(0o700));
    assert_eq!(get(&config, "unixsocketperm"), "700");
    assert_eq!(config.client_output_buffer_limit.normal.hard_bytes, 1 << 20);
    assert_eq!(config.client_output_buffer_limit.pubsub.soft_seconds, 3);
    assert_eq!(config.latency_tracking_info_percentiles, [50.0, 99.0]);
    assert_eq!(config.server_cpu_list.as_ref().map(CpuList::cores), Some(&[0, 2, 4, 6][..]));
}

#[test]
fn file_errors_say_where_and_why() {
    let cases = [
        ("xyz 1", "Unknown option 'xyz'"),
        ("maxclient 1", "Unknown option 'maxclient', did you mean 'maxclients'?"),
        ("port", "wrong number of arguments"),
        ("port 1 2", "wrong number of arguments"),
        ("include a b", "wrong number of arguments"),
        ("port \"1", "Unbalanced quotes in configuration line"),
        ("bind \"127.0.0.1 ::1", "Unbalanced quotes in configuration line"),
        ("bind '\"127.0.0.1'", "Unbalanced quotes in configuration line"),
        ("port 1\0", "NUL byte in configuration line"),
        ("maxclients 0", "argument must be between 1 and 4294967295 inclusive"),
        ("timeout abc", "argument couldn't be parsed into an integer"),
        ("unixsocketperm 9", "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 1000", "argument must be between 0 and 777 inclusive"),
        ("server_cpulist 3-1", "argument must be a list of cores up to 4095, such as 0-7:2,9"),
        ("io-driver kqueue", "argument(s) must be one of the following: auto, uring, io_uring, epoll"),
        ("include x.conf", "no files here"),
    ];
    for (line, reason) in cases {
        let error = parse(&format!("# c\n  {line}  \n")).unwrap_err();
        assert_eq!((error.line_number, error.line.as_str(), error.reason.as_str()), (2, line, reason));
    }
    assert_eq!(
        refusals("port\n").unwrap_err().to_string(),
        "*** FATAL CONFIG FILE ERROR ***\nReading the configuration file 'test.conf', at line 1\n>>> 'port'\nwrong \
         number of arguments"
    );
}

/// Everything that is refused of a file, or what it says without effect.
fn refusals(text: &str) -> Result<Vec<&'static str>, Refused> {
    let mut reading = Reading::default();
    reading.file("test.conf", text.as_bytes(), &mut no_files);
    reading.finish().map(|(_, without_effect)| without_effect)
}

#[test]
fn all_refusals_of_a_file_are_told_at_once() {
    let text = "appendonly yes\nport 1\nmaxclient 5\n\naclfile /etc/users.acl\ntls-port 6380\nreplicaof 10.0.0.1 \
                6379\nrename-command CONFIG \"\"\nloadmodule x.so\nuser default on\nmaxmemory-clients \
                5%\nnotify-keyspace-events KEA\nunixsocket\n";
    let refused = refusals(text).unwrap_err();
    let told: Vec<_> =
        refused.errors.iter().map(|error| (error.line_number, error.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "this version does not log writes: the only value is no"),
            (3, "Unknown option 'maxclient', did you mean 'maxclients'?"),
            (5, "there are no ACL users: the only value is \"\""),
            (6, "there is no TLS: the only value is 0"),
            (7, "there is no replication: the only value is \"\""),
            (8, "'rename-command' is refused: commands cannot be renamed or hidden"),
            (9, "'loadmodule' is refused: there are no modules"),
            (10, "'user' is refused: there are no ACL users: requirepass sets a password for all"),
            (11, "clients are not closed for the memory of them all: the only value is 0"),
            (12, "there are no subscriptions to tell events to: the only value is \"\""),
            (13, "wrong number of arguments"),
        ]
    );
    let many = refusals(&"x 1\n".repeat(1000)).unwrap_err();
    assert_eq!((many.errors.len(), many.are_more), (100, true));
}

#[test]
fn what_has_no_effect_is_named_once() {
    let text = "io-threads 4\nappendonly no\nIO-threads 8\nslave-priority 5\nport 1\nreplicaof no one\naclfile \"\"\n";
    assert_eq!(refusals(text), Ok(vec!["io-threads", "slave-priority"]));
    let config = parse(text).expect("the file is well-formed");
    assert_eq!((get(&config, "io-threads").as_str(), get(&config, "replica-priority").as_str()), ("8", "5"));
    let (head, _) = split_at_signature(&rewritten("io-threads 4\nslave-priority 3\n# x\n", &config));
    assert_eq!(head, "io-threads 8\nreplica-priority 5\n# x\n\n");
}

/// Every name that a server of version 7.2 tells for `CONFIG GET *`, with the value it has there if nothing is said.
const PARAMETERS_OF_7_2: &str = include_str!("../tests/parameters-7.2.txt");

#[test]
fn all_parameters_of_7_2_are_known_with_their_defaults() {
    // What is otherwise here, and why.
    let differs = [
        // Where no one is told of anybody's listening, the whole network is not let in.
        "bind",
        // A value that would say what is not so.
        "crash-log-enabled",
        "crash-memcheck-enabled",
        "disable-thp",
        "dynamic-hz",
        "jemalloc-bg-thread",
        "set-proc-title",
        // Built otherwise: see the decisions.
        "activedefrag",
        "lazyfree-lazy-eviction",
        "lazyfree-lazy-expire",
        "lazyfree-lazy-server-del",
        "lazyfree-lazy-user-del",
        // Known once the server runs.
        "dir",
        "pidfile",
    ];
    let config = Config::default();
    let mut text = String::new();
    for line in PARAMETERS_OF_7_2.lines().filter(|line| !line.starts_with('#')) {
        let (name, default) = line.split_once('\t').expect("a name and a value");
        if !differs.contains(&name) {
            assert_eq!(get(&config, name), default, "{name}");
        }
        text.push_str(&format!("{name} \"{default}\"\n"));
    }
    assert_eq!(refusals(&text).map(|_| ()), Ok(()));
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

#[test]
fn options_of_the_command_line_apply_like_lines() {
    let mut config = Config::default();
    assert_eq!(config.parse_option(b"bind", &words("127.0.0.1 -::1")), Ok(()));
    assert_eq!(config.parse_option(b"PORT", &words("7000")), Ok(()));
    assert_eq!((config.bind.len(), config.port), (2, 7000));
    let error = config.parse_option(b"port", &words("21103 bar")).unwrap_err();
    assert_eq!(error.line, "port \"21103\" \"bar\"");
    assert_eq!(error.reason, "wrong number of arguments");
    let mut reason = |addresses: &str| config.parse_option(b"bind", &words(addresses)).unwrap_err().reason;
    assert_eq!(reason("127.0.0.1  ::2"), "Failed to bind to specified addresses.");
    assert_eq!(reason("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), "Too many bind addresses specified.");
    assert!(config.parse_option(b"prot", &words("1")).unwrap_err().reason.contains("did you mean 'port'"));
}

#[test]
fn includes_are_read_in_place_and_bounded() {
    let mut config = Config::default();
    let mut include = |path: &[u8]| {
        assert_eq!(path, b"b*.conf");
        let file = |name: &str, text: &str| Included { name: name.to_owned(), text: text.into() };
        Ok(vec![file("b1.conf", "hz 20\nport 1"), file("b2.conf", "hz 30")])
    };
    config.parse_file("a.conf", b"hz 5\ninclude b*.conf\nport 2", &mut include).expect("all are well-formed");
    assert_eq!((config.hz, config.port), (30, 2));

    let own_text = b"include a.conf";
    let mut itself = |_: &[u8]| Ok(vec![Included { name: "a.conf".to_owned(), text: own_text.to_vec() }]);
    let error = config.parse_file("a.conf", own_text, &mut itself).unwrap_err();
    assert!(error.reason.contains("levels deep"), "{error}");

    let mut calls = 0;
    let mut wide = |_: &[u8]| {
        calls += 1;
        Ok(vec![Included { name: "w".to_owned(), text: Vec::new() }; 300])
    };
    let error = config.parse_file("a.conf", &b"include w\n".repeat(10), &mut wide).unwrap_err();
    assert!(error.reason.contains("files are included"), "{error}");
    assert_eq!(calls, 4);

    let mut nested_error =
        |_: &[u8]| Ok(vec![Included { name: "b.conf".to_owned(), text: b"\nport x".to_vec() }]);
    let error = config.parse_file("a.conf", b"include b.conf", &mut nested_error).unwrap_err();
    assert_eq!((error.file.as_str(), error.line_number), ("b.conf", 2));
}
