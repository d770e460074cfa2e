//! Keys whose time ends between two steps of a command that moves them to another shard.

use tessera_command::prelude::*;
use tessera_command::{Run, gather};
use tessera_keyspace::{Event, Shard};
use tessera_resp::args::OwnedArgs;
use tessera_routing::{GatherAsker, Gathering, SlotTable, Step, TransactionId};

/// Gives the first key's value to the second, as RENAME does.
struct Move;

impl Gather for Move {
    const SPEC: Spec = Spec { name: "move", events: &[Event::RenameTo], ..Spec::BASE };
    type Args<'a> = [&'a [u8]; 2];

    fn parse<'a>(words: &mut Words<'a>) -> Result<[&'a [u8]; 2], Error> {
        Ok([words.word()?, words.word()?])
    }

    fn needs<'a>(keys: &[&'a [u8]; 2], _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        needs.extend(keys.map(|key| Need { key, db: None, what: What::Presence }));
        Ok(())
    }

    fn decide(
        _: &[&[u8]; 2],
        _: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        if !found[0].present {
            return Err(Error::NO_SUCH_KEY);
        }
        changes.push(Change::Move { from: 0, to: 1 });
        reply.ok();
        Ok(())
    }
}

static MOVE: Command = Command::gather::<Move>();

/// Moves `foo` to `bar`, which lies on another shard, and lets the time pass after so many errands. Says what is
/// answered, and what `bar` holds afterwards.
fn moved(errands_before: usize) -> (String, Option<Vec<u8>>) {
    let table = SlotTable::even(2);
    let mut shards = [Shard::new(1, 1), Shard::new(1, 2)];
    let [from, to] = [b"foo", b"bar"].map(|key| usize::from(table.owner_of(key)));
    assert_ne!(from, to);
    shards.iter_mut().for_each(|shard| shard.set_now_ms(1_000));
    shards[from].view_mut(0, true).put_string(b"foo", b"new", Expire::AtMs(2_000), Event::Set);
    shards[to].view_mut(0, true).put_string(b"bar", b"old", Expire::Clear, Event::Set);
    let Run::Gather(steps) = MOVE.run else { unreachable!("it is a gather") };
    let words = OwnedArgs::from_words(["MOVE", "foo", "bar"]);
    let context = gather::Context::of(&shards[0], 0);
    let asker = GatherAsker { context, protocol: Protocol::Resp2, touch: true, me: 0 };
    let id = TransactionId::default();
    let (mut gathering, mut step) =
        Gathering::start(&MOVE, steps, words.as_args(), asker, (id, None), &table)
            .unwrap_or_else(|error| panic!("{error:?}"));
    let (mut out, mut done) = (std::collections::VecDeque::new(), 0);
    let reply = loop {
        match step {
            Step::Done(reply, _) => break reply,
            Step::Send(errands) => out.extend(errands),
            Step::Absent(_) => unreachable!("it is no blocking command"),
        }
        if done == errands_before {
            shards.iter_mut().for_each(|shard| shard.set_now_ms(3_000));
        }
        done += 1;
        let (shard, errand) = out.pop_front().expect("it is not done");
        let part = errand.ticket.part;
        let answer = errand.run(&mut shards[usize::from(shard)]);
        step = gathering.answer(part, answer, &table, &shards[0]);
        assert!(done < 20, "it looks again and again");
    };
    let view = shards[to].view(0, false);
    let held = view.peek(b"bar").map(|entry| match entry.value() {
        ValueRef::String(string) => string.as_bytes(&mut Digits::new()).to_vec(),
        _ => unreachable!("both are strings"),
    });
    (String::from_utf8_lossy(&reply).into_owned(), held)
}

#[test]
fn what_expires_before_it_is_taken_was_not_there() {
    let no_such_key = "-ERR no such key\r\n".to_owned();
    let old = Some(b"old".to_vec());
    // Before either look, between them, and between looking and taking.
    for errands_before in 0..=2 {
        assert_eq!(moved(errands_before), (no_such_key.clone(), old.clone()), "after {errands_before}");
    }
    // What has been taken expires where it is put.
    assert_eq!(moved(3), ("+OK\r\n".to_owned(), None));
    assert_eq!(moved(9), ("+OK\r\n".to_owned(), Some(b"new".to_vec())));
}
