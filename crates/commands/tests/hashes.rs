//! Hashes on one shard. What is here about the expiry of fields (Redis 7.4) and about HGETEX, HSETEX and HGETDEL (8.0)
//! is from their documentation: the server that the transcripts are recorded from has none of it.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use tessera_keyspace::Effect;
use tessera_resp::Protocol;

const NOW_MS: i64 = 1_000_000;

fn engine() -> Engine {
    Engine::new(NOW_MS)
}

/// Runs each line and compares its reply.
fn play(engine: &mut Engine, steps: &[(&str, &str)]) {
    for (line, reply) in steps {
        assert_eq!(engine.run(line), *reply, "{line}");
    }
}

#[test]
fn random_fields_are_bounded_and_no_more_than_there_are() {
    let mut engine = engine();
    play(&mut engine, &[("HSET key a 1 b 2 c 3", ":3")]);
    for (count, len) in [("2", 2), ("3", 3), ("9", 3), ("-9", 9), ("9223372036854775807", 3)] {
        let reply = engine.run(&format!("HRANDFIELD key {count}"));
        assert!(reply.starts_with(&format!("*{len} ")), "{count} {reply}");
    }
    play(
        &mut engine,
        &[
            ("HRANDFIELD key -9223372036854775807", "-ERR value is out of range"),
            ("HRANDFIELD key -4611686018427387903 WITHVALUES", "-ERR value is out of range"),
            ("HRANDFIELD none -9223372036854775807", "*0"),
        ],
    );
    engine.client.protocol = Protocol::Resp3;
    let reply = engine.run("HRANDFIELD key -2 WITHVALUES");
    assert!(reply.starts_with("*2 *2 $1 "), "{reply}");
}

#[test]
fn different_random_fields_are_different_in_any_encoding() {
    for fields in [100, 2000] {
        let mut engine = engine();
        for field in 0..fields {
            engine.run(&format!("HSET key {field} {field}"));
        }
        // Drawn one by one, or chosen from all.
        for count in [1, 20, fields - 1] {
            let reply = engine.run(&format!("HRANDFIELD key {count}"));
            let mut drawn: Vec<&str> =
                reply.split(' ').skip(1).collect::<Vec<_>>().chunks(2).map(|pair| pair[1]).collect();
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), count, "of {fields}");
        }
    }
}

#[test]
fn hincrbyfloat_is_replayed_as_the_sum_with_its_expiry() {
    let mut engine = engine();
    engine.run("HSET key field 1.5");
    engine.run("HINCRBYFLOAT key field 1");
    assert_eq!(engine.effect, Effect::Rewritten);
    assert_eq!(engine.recorded(), ["HSET key field 2.5"]);
    engine.run("HPEXPIRE key 500 FIELDS 1 field");
    engine.recorded();
    engine.run("HINCRBYFLOAT key field 1");
    assert_eq!(engine.recorded(), ["HSET key field 3.5", "HPEXPIREAT key 1000500 FIELDS 1 field"]);
    play(&mut engine, &[("HPTTL key FIELDS 1 field", "*1 :500")]);
}

#[test]
fn fields_expire_one_by_one_and_the_key_with_the_last() {
    for max_listpack in [true, false] {
        let mut engine = engine();
        if !max_listpack {
            let long = "v".repeat(65);
            engine.run(&format!("HSET key long {long}"));
        }
        play(
            &mut engine,
            &[
                ("HSET key a 1 b 2 c 3", ":3"),
                ("HDEL key long", if max_listpack { ":0" } else { ":1" }),
                ("HPEXPIRE key 100 FIELDS 2 a none", "*2 :1 :-2"),
                ("HPEXPIREAT key 1000200 FIELDS 1 b", "*1 :1"),
                ("HEXPIRE key 2 FIELDS 1 c", "*1 :1"),
                ("OBJECT ENCODING key", if max_listpack { "$10 listpackex" } else { "$9 hashtable" }),
                ("HPTTL key FIELDS 4 a b c none", "*4 :100 :200 :2000 :-2"),
                ("HPEXPIRETIME key FIELDS 3 a b c", "*3 :1000100 :1000200 :1002000"),
                ("HEXPIRETIME key FIELDS 3 a b c", "*3 :1001 :1001 :1002"),
                ("HTTL key FIELDS 3 a b c", "*3 :1 :1 :2"),
            ],
        );
        // A field is there up to its last millisecond.
        engine.set_now_ms(NOW_MS + 100);
        play(&mut engine, &[("HPTTL key FIELDS 1 a", "*1 :0"), ("HLEN key", ":3")]);
        engine.set_now_ms(NOW_MS + 101);
        play(
            &mut engine,
            &[
                ("HLEN key", ":2"),
                ("HGET key a", "$-1"),
                ("HEXISTS key a", ":0"),
                ("HSTRLEN key a", ":0"),
                ("HMGET key a b", "*2 $-1 $1 2"),
                ("HPTTL key FIELDS 1 a", "*1 :-2"),
                ("HRANDFIELD key 1000", if max_listpack { "*2 $1 b $1 c" } else { "*2 $1 c $1 b" }),
                ("HDEL key a", ":0"),
                ("HSETNX key a 7", ":1"),
                ("HTTL key FIELDS 1 a", "*1 :-1"),
                ("HDEL key a", ":1"),
            ]
            .into_iter()
            // The order of a table is its own.
            .filter(|(line, _)| max_listpack || !line.starts_with("HRANDFIELD"))
            .collect::<Vec<_>>(),
        );
        engine.set_now_ms(NOW_MS + 3000);
        play(
            &mut engine,
            &[
                ("KEYS *", "*0"),
                ("SCAN 0", "*2 $1 0 *0"),
                ("TYPE key", "+none"),
                ("EXISTS key", ":0"),
                ("HGETALL key", "*0"),
                ("RANDOMKEY", "$-1"),
                ("SET key string", "+OK"),
            ],
        );
    }
}

#[test]
fn conditions_decide_field_by_field() {
    let mut engine = engine();
    play(
        &mut engine,
        &[
            ("HSET key a 1 b 2 c 3", ":3"),
            ("HPEXPIRE key 1000 NX FIELDS 1 a", "*1 :1"),
            ("HPEXPIRE key 1000 NX FIELDS 2 a b", "*2 :0 :1"),
            ("HPEXPIRE key 1000 XX FIELDS 2 a c", "*2 :1 :0"),
            ("HPEXPIRE key 2000 XX FIELDS 1 b", "*1 :1"),
            ("HPEXPIRE key 1500 GT FIELDS 3 a b c", "*3 :1 :0 :0"),
            ("HPEXPIRE key 1700 LT FIELDS 3 a b c", "*3 :0 :1 :1"),
            ("HPTTL key FIELDS 3 a b c", "*3 :1500 :1700 :1700"),
            ("HPEXPIREAT key 1 NX FIELDS 1 a", "*1 :0"),
            ("HPEXPIREAT key 1 LT FIELDS 2 a a", "*2 :2 :-2"),
            ("HEXPIRE key 0 FIELDS 2 b c", "*2 :2 :2"),
            ("EXISTS key", ":0"),
            ("HPEXPIRE key 5 FIELDS 2 a b", "*2 :-2 :-2"),
            ("HTTL key FIELDS 1 a", "*1 :-2"),
            ("HPERSIST key FIELDS 1 a", "*1 :-2"),
        ],
    );
}

#[test]
fn expiry_is_lost_with_the_value_and_kept_by_what_changes_it() {
    let mut engine = engine();
    play(
        &mut engine,
        &[
            ("HSET key a 1 b 2 c 3 d 4", ":4"),
            ("HPEXPIRE key 1000 FIELDS 4 a b c d", "*4 :1 :1 :1 :1"),
            ("HSET key a 9", ":0"),
            ("HINCRBY key b 1", ":3"),
            ("HINCRBYFLOAT key c 1", "$1 4"),
            ("HPERSIST key FIELDS 3 d a none", "*3 :1 :-1 :-2"),
            ("HPTTL key FIELDS 4 a b c d", "*4 :-1 :1000 :1000 :-1"),
            ("OBJECT ENCODING key", "$10 listpackex"),
            ("COPY key other", ":1"),
            ("RENAME other again", "+OK"),
            ("HPTTL again FIELDS 2 a b", "*2 :-1 :1000"),
        ],
    );
}

#[test]
fn effects_of_field_expiry_have_absolute_times_and_only_fields_concerned() {
    let mut engine = engine();
    engine.run("HSET key a 1 b 2 c 3");
    for (line, effect, recorded) in [
        ("HPEXPIRE key 100 FIELDS 2 a none", Effect::Rewritten, "HPEXPIREAT key 1000100 FIELDS 1 a"),
        ("HEXPIRE key 5 NX FIELDS 3 a b c", Effect::Rewritten, "HPEXPIREAT key 1005000 FIELDS 2 b c"),
        ("HEXPIREAT key 2000 FIELDS 1 c", Effect::Rewritten, "HPEXPIREAT key 2000000 FIELDS 1 c"),
        ("HEXPIRE key 5 NX FIELDS 1 a", Effect::None, ""),
        ("HPERSIST key FIELDS 2 c none", Effect::Verbatim, ""),
        ("HPERSIST key FIELDS 1 c", Effect::None, ""),
        ("HPEXPIRE key 0 FIELDS 2 c none", Effect::Rewritten, "HDEL key c"),
        ("HGETEX key FIELDS 1 a", Effect::None, ""),
        ("HGETEX key EX 1 FIELDS 2 a none", Effect::Rewritten, "HPEXPIREAT key 1001000 FIELDS 1 a"),
        ("HGETEX key PERSIST FIELDS 2 a b", Effect::Rewritten, "HPERSIST key FIELDS 2 a b"),
        ("HGETEX key PERSIST FIELDS 2 a b", Effect::None, ""),
        ("HGETEX key PX 0 FIELDS 2 b none", Effect::Rewritten, "HDEL key b"),
        ("HSETEX key FIELDS 1 x 1", Effect::Verbatim, ""),
        ("HSETEX key FNX FIELDS 1 x 1", Effect::None, ""),
        ("HSETEX key FXX EX 1 FIELDS 1 x 2", Effect::Rewritten, "HSETEX key PXAT 1001000 FIELDS 1 x 2"),
        ("HSETEX key KEEPTTL FIELDS 1 x 3", Effect::Verbatim, ""),
        ("HSETEX key PXAT 1 FIELDS 2 x 4 y 5", Effect::Rewritten, "HDEL key x y"),
        ("HGETDEL key FIELDS 3 a none a", Effect::Rewritten, "HDEL key a"),
        ("HGETDEL key FIELDS 1 a", Effect::None, ""),
    ] {
        engine.run(line);
        assert_eq!(engine.effect, effect, "{line}");
        assert_eq!(engine.recorded().join("; "), recorded, "{line}");
    }
    assert_eq!(engine.run("EXISTS key"), ":0");
}

#[test]
fn a_write_tells_replicas_of_the_expired_fields_that_it_meets() {
    let mut engine = engine();
    engine.run("HSET key a 1 b 2 c 3");
    engine.run("HPEXPIRE key 100 FIELDS 1 a");
    engine.recorded();
    engine.set_now_ms(NOW_MS + 101);
    play(&mut engine, &[("HINCRBY key a 5", ":5")]);
    assert_eq!((engine.effect, engine.recorded()), (Effect::Verbatim, vec!["HDEL key a".to_owned()]));
    // A read cannot.
    engine.run("HPEXPIRE key 100 FIELDS 3 a b c");
    engine.recorded();
    engine.set_now_ms(NOW_MS + 202);
    play(&mut engine, &[("HGETALL key", "*0")]);
    assert_eq!(engine.recorded(), ["DEL key"], "what reads met is removed after them");
    engine.run("HSET key a 1 b 2");
    engine.run("HPEXPIRE key 100 FIELDS 1 a");
    engine.recorded();
    engine.set_now_ms(NOW_MS + 400);
    engine.shard.expire_cycle(|| true);
    assert_eq!(engine.recorded(), ["HDEL key a"]);
}

#[test]
fn hgetex_answers_what_was_there() {
    let mut engine = engine();
    play(
        &mut engine,
        &[
            ("HSET key a 1 b 2 c 3", ":3"),
            ("HGETEX key FIELDS 3 a none b", "*3 $1 1 $-1 $1 2"),
            ("HGETEX key PX 50 FIELDS 1 a", "*1 $1 1"),
            ("HGETEX key FIELDS 1 a", "*1 $1 1"),
            ("HPTTL key FIELDS 1 a", "*1 :50"),
            ("HGETEX key EXAT 2000 FIELDS 2 a b", "*2 $1 1 $1 2"),
            ("HPEXPIRETIME key FIELDS 3 a b c", "*3 :2000000 :2000000 :-1"),
            ("HGETEX key PERSIST FIELDS 1 a", "*1 $1 1"),
            ("HTTL key FIELDS 1 a", "*1 :-1"),
            ("HGETEX key PXAT 1 FIELDS 3 a none a", "*3 $1 1 $-1 $-1"),
            ("HKEYS key", "*2 $1 b $1 c"),
            ("HGETEX key EX 0 FIELDS 2 b c", "*2 $1 2 $1 3"),
            ("EXISTS key", ":0"),
            ("HGETEX none EX 5 FIELDS 2 a b", "*2 $-1 $-1"),
            ("HGETDEL none FIELDS 1 a", "*1 $-1"),
            ("HSET key a 1 b 2", ":2"),
            ("HGETDEL key FIELDS 3 a none a", "*3 $1 1 $-1 $-1"),
            ("HGETDEL key FIELDS 1 b", "*1 $1 2"),
            ("EXISTS key", ":0"),
        ],
    );
}

#[test]
fn hsetex_sets_all_fields_or_none() {
    let mut engine = engine();
    play(
        &mut engine,
        &[
            ("HSETEX key FXX FIELDS 1 a 1", ":0"),
            ("EXISTS key", ":0"),
            ("HSETEX key FNX PX 100 FIELDS 2 a 1 b 2", ":1"),
            ("HPTTL key FIELDS 2 a b", "*2 :100 :100"),
            ("HSETEX key FNX FIELDS 2 b 9 c 3", ":0"),
            ("HSETEX key FXX FIELDS 2 b 9 c 3", ":0"),
            ("HGETALL key", "*4 $1 a $1 1 $1 b $1 2"),
            ("HSETEX key KEEPTTL FXX FIELDS 1 a 5", ":1"),
            ("HSETEX key FXX FIELDS 1 b 6", ":1"),
            ("HPTTL key FIELDS 2 a b", "*2 :100 :-1"),
            ("HSETEX key PX 0 FIELDS 2 a 1 new 2", ":1"),
            ("HGETALL key", "*2 $1 b $1 6"),
            ("HSETEX none PXAT 1 FIELDS 1 a 1", ":1"),
            ("HSETEX none FXX PXAT 1 FIELDS 1 a 1", ":0"),
            ("EXISTS none", ":0"),
            ("HSETEX key EX 1 FIELDS 1 b 7", ":1"),
        ],
    );
    engine.set_now_ms(NOW_MS + 1001);
    play(&mut engine, &[("HSETEX key FXX FIELDS 1 b 8", ":0"), ("HSETEX key FNX FIELDS 1 b 8", ":1")]);
}

#[test]
fn errors_come_in_the_documented_order() {
    let mut engine = engine();
    const NO_FIELDS: &str = "-ERR Mandatory argument FIELDS is missing or not at the right position";
    const MISMATCH: &str = "-ERR The `numfields` parameter must match the number of arguments";
    const NOT_ABOVE_ZERO: &str = "-ERR Parameter `numFields` should be greater than 0";
    const NOT_POSITIVE: &str = "-ERR Number of fields must be a positive integer";
    const NEGATIVE: &str = "-ERR invalid expire time, must be >= 0";
    const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
    const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    const ONE_CONDITION: &str = "-ERR Only one of FXX or FNX arguments can be specified";
    const ONE_EXPIRATION: &str = "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
    play(
        &mut engine,
        &[
            ("SET string value", "+OK"),
            ("HSET key a 1", ":1"),
            ("HEXPIRE string abc FIELDS 5 a", WRONG_TYPE),
            ("HTTL string FIELDS 0 a", WRONG_TYPE),
            ("HPERSIST string FIELDS 1 a", WRONG_TYPE),
            ("HGETEX string FIELDS 1 a", WRONG_TYPE),
            ("HGETDEL string FIELDS 1 a", WRONG_TYPE),
            ("HSETEX string FIELDS 1 a 1", WRONG_TYPE),
            ("HEXPIRE key 10 FIELDS 1", "-ERR wrong number of arguments for 'hexpire' command"),
            ("HEXPIRE key abc FIELDS 0 a", NOT_AN_INTEGER),
            ("HEXPIRE key -1 FIELDS 1 a", NEGATIVE),
            ("HEXPIRE key 70368744178 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
            ("HEXPIREAT key 70368744178 FIELDS 1 a", "-ERR invalid expire time in 'hexpireat' command"),
            ("HPEXPIRE key 70368744177663 FIELDS 1 a", "-ERR invalid expire time in 'hpexpire' command"),
            ("HPEXPIREAT key 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command"),
            ("HEXPIRE key 10 FIELD 1 a", NO_FIELDS),
            ("HEXPIRE key 10 NX XX FIELDS 1 a", NO_FIELDS),
            ("HEXPIRE key 10 FIELDS abc a", NOT_ABOVE_ZERO),
            ("HEXPIRE key 10 FIELDS 0 a", NOT_ABOVE_ZERO),
            ("HEXPIRE key 10 FIELDS 2 a", MISMATCH),
            ("HEXPIRE key 10 NX FIELDS 1 a b", MISMATCH),
            ("HTTL key FIELD 1 a", NO_FIELDS),
            ("HTTL key FIELDS 2 a", MISMATCH),
            ("HPERSIST key FIELDS 0 a", NOT_POSITIVE),
            ("HGETDEL key FIELDS", "-ERR wrong number of arguments for 'hgetdel' command"),
            ("HGETDEL key XFIELDX 1 a", NO_FIELDS),
            ("HGETDEL key FIELDS b a", NOT_POSITIVE),
            ("HGETDEL key FIELDS 2 a", MISMATCH),
            ("HGETEX key PXAT 1 1", NO_FIELDS),
            ("HGETEX key PERSIST 1 FIELDS 1 a", NO_FIELDS),
            ("HGETEX key EX 100 PERSIST FIELDS 1 a", NO_FIELDS),
            ("HGETEX key KEEPTTL FIELDS 1 a", NO_FIELDS),
            ("HGETEX key FIELDS 9223372036854775808 a", NOT_POSITIVE),
            ("HGETEX key EX bla FIELDS 1 a", NOT_AN_INTEGER),
            ("HGETEX key PX -1 FIELDS 1 a", NEGATIVE),
            ("HGETEX key EXAT 99999999999 FIELDS 1 a", "-ERR invalid expire time in 'hgetex' command"),
            ("HSETEX key fields 2 a", "-ERR wrong number of arguments for 'hsetex' command"),
            ("HSETEX key fields 2 a b", "-ERR wrong number of arguments for 'hsetex' command"),
            ("HSETEX key fields 1 a b unknown", "-ERR wrong number of arguments for 'hsetex' command"),
            ("HSETEX key nx fields 1 a b", "-ERR unknown argument: nx"),
            ("HSETEX key fxx fnx EX 100 fields 1 a b", ONE_CONDITION),
            ("HSETEX key EX 100 EX 100 fields 1 a b", ONE_EXPIRATION),
            ("HSETEX key KEEPTTL EX x fields 1 a b", ONE_EXPIRATION),
            ("HSETEX key EX 100 KEEPTTL fields 1 a b", ONE_EXPIRATION),
            ("HSETEX key ex fields 1 a b", NOT_AN_INTEGER),
            ("HSETEX key EXAT 281474976710656 1 a b", "-ERR invalid expire time in 'hsetex' command"),
            ("HSETEX key EXAT -1 1 a b", NEGATIVE),
            ("HSETEX key fields x a b", "-ERR invalid number of fields"),
            ("HSETEX key fields 0 a b", "-ERR invalid number of fields"),
            ("HGETALL key", "*2 $1 a $1 1"),
            ("HTTL key FIELDS 1 a", "*1 :-1"),
        ],
    );
}

/// Fields with values and times, in an order of their own.
fn content(engine: &mut Engine, key: &str) -> Vec<(String, String, String)> {
    let names = engine.run(&format!("HKEYS {key}"));
    let names: Vec<&str> = names.split(' ').skip(2).step_by(2).collect();
    let mut content: Vec<_> = names
        .into_iter()
        .map(|field| {
            let value = engine.run(&format!("HGET {key} {field}"));
            let at_ms = engine.run(&format!("HPEXPIRETIME {key} FIELDS 1 {field}"));
            (field.to_owned(), value, at_ms)
        })
        .collect();
    content.sort_unstable();
    content
}

fn random_command(random: &mut fastrand::Rng, now_ms: i64) -> String {
    let (key, field, other) = (random.u8(..3), random.u8(..8), random.u8(..8));
    let ms = random.i64(-20..120).max(0);
    let at_ms = now_ms + random.i64(-20..120);
    let condition = ["", "", "NX ", "XX ", "GT ", "LT "][random.usize(..6)];
    let if_present = ["", "FNX ", "FXX "][random.usize(..3)];
    match random.u8(..18) {
        0..3 => format!("HSET {key} {field} {ms} {other} 1"),
        3..5 => format!("HPEXPIRE {key} {ms} {condition}FIELDS 2 {field} {other}"),
        5 => format!("HPEXPIREAT {key} {at_ms} {condition}FIELDS 1 {field}"),
        6 => format!("HPERSIST {key} FIELDS 2 {field} {other}"),
        7 => format!("HGETEX {key} PX {ms} FIELDS 2 {field} {other}"),
        8 => format!("HGETEX {key} PERSIST FIELDS 1 {field}"),
        9 => format!("HSETEX {key} {if_present}PX {ms} FIELDS 2 {field} 1 {other} 2"),
        10 => format!("HSETEX {key} {if_present}KEEPTTL FIELDS 1 {field} {ms}"),
        11 => format!("HGETDEL {key} FIELDS 1 {field}"),
        12 => format!("HDEL {key} {field}"),
        13 => format!("HINCRBY {key} {field} 1"),
        14 => format!("HINCRBYFLOAT {key} {field} 1.5"),
        15 => format!("HSETNX {key} {field} 1"),
        16 => format!("COPY {key} {} REPLACE", random.u8(..3)),
        _ => format!("RENAME {key} {}", random.u8(..3)),
    }
}

/// A replica's clock may be behind: it must not need to know what time it is.
#[test]
fn what_is_replayed_needs_no_clock() {
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        // With a long value it is a table, without a listpack.
        let last = if seed % 2 == 0 { "x".repeat(65) } else { "9".into() };
        let (mut primary, mut replica) = (engine(), engine());
        let mut now_ms = NOW_MS;
        for _ in 0..600 {
            now_ms += random.i64(0..10);
            primary.set_now_ms(now_ms);
            let mut line = random_command(&mut random, now_ms);
            if random.u8(..20) == 0 {
                line = format!("HSET {} last {last}", random.u8(..3));
            }
            let reply = primary.run(&line);
            let (effect, mut replayed) = (primary.effect, primary.recorded());
            if effect == Effect::Verbatim {
                replayed.push(line.clone());
            }
            assert!(effect == Effect::None || !reply.starts_with('-'), "{line} {reply}");
            primary.shard.expire_cycle(|| true);
            replayed.extend(primary.recorded());
            for line in &replayed {
                let reply = replica.run(line);
                assert!(!reply.starts_with('-'), "{line} {reply}");
            }
            for key in ["0", "1", "2"] {
                let expected = content(&mut primary, key);
                assert_eq!(content(&mut replica, key), expected, "seed {seed}, {line}: {replayed:?}");
                assert_eq!(
                    replica.run(&format!("EXISTS {key}")),
                    format!(":{}", u8::from(!expected.is_empty()))
                );
            }
        }
    }
}
