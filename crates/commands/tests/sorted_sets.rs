//! Sorted sets on one shard: what is not seen in a transcript.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use tessera_command::{Error, Run};
use tessera_keyspace::Effect;
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Protocol, Reply};

/// An engine with a sorted set at `key` whose elements take several megabytes.
fn with_many_elements(len: usize) -> Engine {
    let mut engine = Engine::new(0);
    for first in (0..len).step_by(1000) {
        let mut words: Vec<Vec<u8>> = vec![b"ZADD".to_vec(), b"key".to_vec()];
        for number in first..len.min(first + 1000) {
            words.push((number / 3).to_string().into_bytes());
            words.push(format!("member:{number:040}").into_bytes());
        }
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        engine.run_words(&words);
    }
    engine
}

/// What a command answers if its reply may be made a piece at a time, each `len_bytes` long or longer; and how many
/// pieces there were.
fn streamed(engine: &mut Engine, line: &str, protocol: Protocol, len_bytes: usize) -> (Vec<u8>, usize) {
    let registry = tessera_command::Registry::new(&tessera_commands::COMMANDS);
    let words = OwnedArgs::from_words(line.split(' '));
    let command = registry.find(&words.as_args()[0]).unwrap();
    let Run::Read(run) = command.run else { panic!("{line} only reads") };
    let mut out = Vec::new();
    let view = engine.shard.view(0, true);
    let result = run(words.as_args(), view, &mut Reply::streamable(&mut out, protocol));
    assert_eq!((result, out.len()), (Err(Error::LongReply), 0), "{line}");
    let begin = command.stream.unwrap();
    let (key, stream) = begin(words.as_args(), view, &mut Reply::new(&mut out, protocol)).unwrap();
    let id = engine.shard.open_stream(0, key, stream);
    let mut pieces = 1;
    while engine.shard.stream_some(id, len_bytes, &mut out) == tessera_keyspace::StreamProgress::More {
        pieces += 1;
    }
    (out, pieces)
}

#[test]
fn long_replies_in_pieces_are_those_in_one() {
    let mut engine = with_many_elements(40_000);
    for line in [
        "ZRANGE key 0 -1",
        "ZRANGE key 5 -5 WITHSCORES",
        "ZREVRANGE key 3 -1 WITHSCORES",
        "ZRANGEBYSCORE key 2 +inf LIMIT 1 39000",
        "ZREVRANGEBYSCORE key +inf -inf WITHSCORES LIMIT 7 -1",
        "ZRANGE key [member:0 + BYLEX",
        "ZREVRANGEBYLEX key + -",
    ] {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            engine.client.protocol = protocol;
            let whole = engine.run_words(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
            let (out, pieces) = streamed(&mut engine, line, protocol, 50_000);
            assert!(pieces > 20, "{line}: {pieces}");
            assert!(out == whole, "{line}");
        }
    }
}

#[test]
fn a_piece_of_a_large_set_is_no_long_reply() {
    let engine = with_many_elements(40_000);
    let registry = tessera_command::Registry::new(&tessera_commands::COMMANDS);
    let words = OwnedArgs::from_words("ZRANGE key 10000 10100".split(' '));
    let Run::Read(run) = registry.find(b"ZRANGE").unwrap().run else { panic!("it only reads") };
    let mut out = Vec::new();
    let reply = &mut Reply::streamable(&mut out, Protocol::Resp2);
    assert_eq!(run(words.as_args(), engine.shard.view(0, true), reply), Ok(()));
    assert!(out.starts_with(b"*101\r\n"));
}

#[test]
fn effects_are_those_that_redis_propagates() {
    let mut engine = Engine::new(0);
    for (line, effect, recorded) in [
        ("ZADD key 1 a 2 b 3 c 4 d 5 e", Effect::Verbatim, None),
        ("ZADD key 1 a", Effect::None, None),
        ("ZADD key XX 1 other", Effect::None, None),
        ("ZINCRBY key 0 a", Effect::None, None),
        ("ZINCRBY key 1 a", Effect::Verbatim, None),
        ("ZADD key INCR 1 a", Effect::Verbatim, None),
        ("ZREM key missing", Effect::None, None),
        ("ZPOPMIN key 0", Effect::None, None),
        ("ZPOPMIN key", Effect::Verbatim, None),
        ("ZMPOP 2 missing key MAX COUNT 2", Effect::Rewritten, Some("ZPOPMAX key 2")),
        ("ZMPOP 1 missing MIN", Effect::None, None),
        ("BZPOPMIN missing key 0", Effect::Rewritten, Some("ZPOPMIN key")),
        ("BZMPOP 0 1 key MIN COUNT 10", Effect::Rewritten, Some("ZPOPMIN key 1")),
        ("BZPOPMAX key 0", Effect::None, None),
        ("EXISTS key", Effect::None, None),
        ("ZUNIONSTORE to 1 missing", Effect::None, None),
    ] {
        engine.run(line);
        assert_eq!(engine.effect, effect, "{line}");
        assert_eq!(engine.recorded(), recorded.into_iter().collect::<Vec<_>>(), "{line}");
    }
}

#[test]
fn nobody_asks_for_more_random_members_than_a_reply_holds() {
    let mut engine = Engine::new(0);
    engine.run("ZADD key 1 a 2 b");
    for count in ["-100000000000", "-9223372036854775807", "-4000000000000000000 WITHSCORES"] {
        let reply = engine.run(&format!("ZRANDMEMBER key {count}"));
        assert_eq!(reply, "-ERR value is out of range");
    }
    assert!(engine.run("ZRANDMEMBER key -1000").starts_with("*1000 "));
}
