//! A gather that finds the names of further keys in what it was brought: over several shards it comes to the same as on
//! one.

use tessera_command::prelude::*;
use tessera_command::{Run, TextNeed};
use tessera_keyspace::{Event, Shard};
use tessera_resp::args::OwnedArgs;
use tessera_routing::{GatherAsker, Gathering, SlotTable, Step, TransactionId};
use tessera_values::listpack::Element;
use tessera_values::{Hash, hash::FieldExpire};

/// Follows names: the text at the key is letters, each of them names a key whose text names a field of the hash `h`.
/// The reply has all texts in the order in which they were found.
struct Follow;

fn text(found: &Found<'_>) -> Option<Vec<u8>> {
    match found.value? {
        ValueRef::String(string) => Some(string.as_bytes(&mut Digits::new()).to_vec()),
        _ => None,
    }
}

impl Gather for Follow {
    const SPEC: Spec = Spec { name: "follow", ..Spec::BASE };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn needs<'a>(key: &&'a [u8], _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        needs.push(Need { key, db: None, what: What::Value });
        Ok(())
    }

    fn needs_more(_: &&[u8]) -> bool {
        true
    }

    fn text_needs(_: &&[u8], _: Context, found: &[Found<'_>], needs: &mut Vec<TextNeed>) {
        let letters = text(&found[0]).unwrap_or_default();
        if found.len() == 1 {
            needs.extend(letters.iter().map(|letter| TextNeed { key: [*letter].into(), field: None }));
        } else if found.len() == 1 + letters.len() {
            let fields = found[1..].iter().filter_map(text);
            needs.extend(fields.map(|field| TextNeed { key: (*b"h").into(), field: Some(field.into()) }));
        }
    }

    fn decide(
        _: &&[u8],
        _: Context,
        found: &[Found<'_>],
        _: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        reply.array(found.len());
        found.iter().for_each(|found| reply.bulk_or_null(text(found).as_deref()));
        Ok(())
    }
}

static FOLLOW: Command = Command::gather_read::<Follow>();

const STRINGS: &[(&str, &str)] = &[
    ("start", "abcxdeh"),
    ("a", "one"),
    ("b", "two"),
    ("c", "none"),
    ("d", "three"),
    ("e", "12"),
    ("lonely", "a"),
    ("empty", ""),
];

/// Shards that hold the same keys between them, whatever their number.
fn shards(table: &SlotTable) -> Vec<Shard> {
    let mut shards: Vec<Shard> = (0..table.shards()).map(|seed| Shard::new(1, u64::from(seed))).collect();
    for (key, value) in STRINGS {
        let owner = &mut shards[usize::from(table.owner_of(key.as_bytes()))];
        owner.view_mut(0, true).put_string(key.as_bytes(), value.as_bytes(), Expire::Clear, Event::Set);
    }
    let mut hash = Hash::default();
    for (field, value) in [("one", "1"), ("two", "zwei"), ("12", "dozen")] {
        hash.set(field.as_bytes(), value.as_bytes(), FieldExpire::Clear, &Thresholds::default());
    }
    assert_eq!(hash.as_ref().get(b"one", 0), Some(Element::Integer(1)));
    shards[usize::from(table.owner_of(b"h"))].view_mut(0, true).put(b"h", hash, Expire::Clear, Event::Set);
    shards
}

/// Runs the command, its answers coming in an order of chance.
fn gathered(shards_len: u16, key: &str, seed: u64) -> Vec<u8> {
    let table = SlotTable::even(shards_len);
    let mut shards = shards(&table);
    let mut random = fastrand::Rng::with_seed(seed);
    let Run::Gather(steps) = FOLLOW.run else { unreachable!("it is a gather") };
    let words = OwnedArgs::from_words(["FOLLOW", key]);
    let context = Context::of(&shards[0], 0);
    let me = random.u16(..shards_len);
    let asker = GatherAsker { context, protocol: Protocol::Resp2, touch: true, me };
    let id = TransactionId::default();
    let owners = Gathering::owners(&steps, words.as_args(), context, &table).unwrap();
    assert_eq!(owners.len(), usize::from(shards_len), "its keys may be anywhere");
    let (mut gathering, mut step) =
        Gathering::start(&FOLLOW, steps, words.as_args(), asker, (id, None), &table)
            .unwrap_or_else(|error| panic!("{error:?}"));
    let mut out = Vec::new();
    loop {
        match step {
            Step::Done(reply, _) => return reply,
            Step::Send(errands) => out.extend(errands),
            Step::Absent(_) => unreachable!("it moves nothing"),
        }
        let (shard, errand) = out.swap_remove(random.usize(..out.len()));
        let part = errand.ticket.part;
        let answer = errand.run(&mut shards[usize::from(shard)]);
        step = gathering.answer(part, answer, &table, &shards[usize::from(me)]);
    }
}

fn on_one_shard(key: &str) -> Vec<u8> {
    let mut shard = shards(&SlotTable::even(1)).remove(0);
    let Run::Gather(steps) = FOLLOW.run else { unreachable!("it is a gather") };
    let words = OwnedArgs::from_words(["FOLLOW", key]);
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, Protocol::Resp2);
    assert_eq!(steps.run_on_one_shard(words.as_args(), &mut shard, 0, true, &mut reply), Ok(Effect::None));
    out
}

#[test]
fn it_is_the_same_on_any_number_of_shards() {
    for (key, texts) in [
        ("missing", "*1 $-1"),
        ("empty", "*1 $0"),
        ("lonely", "*3 $1 a $3 one $1 1"),
        (
            "start",
            "*13 $7 abcxdeh $3 one $3 two $4 none $-1 $5 three $2 12 $-1 $1 1 $4 zwei $-1 $-1 $5 dozen",
        ),
    ] {
        let expected = on_one_shard(key);
        assert_eq!(String::from_utf8_lossy(&expected).replace("\r\n", " ").trim_end(), texts);
        for shards_len in [1, 2, 3, 7] {
            for seed in 0..10 {
                assert_eq!(gathered(shards_len, key, seed), expected, "{shards_len} shards, {key}");
            }
        }
    }
}
