//! What nodes say to each other about commands: one [`Batch`] per peer and tick, its buffers used again.

pub use crate::acquire::{
    Acquire, Look, Part, Progress, Replied, Seen, WatchedKey, WatchedNames, When, Work,
};
use crate::effect;
use crate::intents::TransactionId;
use tessera_command::gather::{self, Act, Give, TextNeed, Transfer};
use tessera_command::{Command, Error, Run};
use tessera_keyspace::{Effect, Event, Expire, Shard, WatchStamp};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply, Span};
use tessera_values::{StringRef, StringValue, Value};

/// Where an answer belongs: to which connection of the home, and to which of its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The connection, as its home knows it.
    pub connection: u64,
    /// Counts the connection's commands, wrapping.
    pub sequence: u32,
    /// Which part of the command.
    pub part: u32,
}

/// A command, or one part of it, for the shard that owns its keys.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Where the reply belongs.
    pub ticket: Ticket,
    /// Which command.
    pub command: &'static Command,
    /// The client's database.
    pub db: u16,
    /// What the client speaks.
    pub protocol: Protocol,
    /// Uses of keys are noted.
    pub touch: bool,
    /// It is all of a command, not a part.
    pub whole: bool,
    /// Its client has gone: nobody reads the reply.
    pub unread: bool,
    /// The owner may write the reply to this socket itself.
    pub direct: Option<u64>,
    first_span: usize,
    spans_len: usize,
}

/// A step of a transaction for the owner of its keys.
#[derive(Debug)]
pub struct Errand {
    /// Whose.
    pub transaction: TransactionId,
    /// Where the answer belongs.
    pub ticket: Ticket,
    /// The key's database.
    pub db: u16,
    /// Uses of keys are noted.
    pub touch: bool,
    /// The moment, in Unix milliseconds, at which all happens that this transaction does, whose keys are held: it may
    /// be a while ago.
    pub moment_ms: Option<i64>,
    /// The key.
    pub key: Box<[u8]>,
    /// What to do.
    pub kind: ErrandKind,
}

/// See [`Errand`].
#[derive(Debug)]
pub enum ErrandKind {
    /// Hold these keys until [`ErrandKind::Commit`] or [`ErrandKind::Release`]; the errand's own key means nothing.
    Acquire(Box<Acquire>),
    /// Let go of the keys, which older transactions want, and hold them again in turn. What was to be done by
    /// [`ErrandKind::Commit`] still is.
    Yield,
    /// Do what was to be done when this comes, send the replies, and let go of all keys.
    Commit,
    /// Tell what is at these keys, which are held; the errand's own key means nothing.
    Look(Vec<Look>),
    /// Tell these texts; the errand's own key means nothing.
    FindTexts {
        /// Where they are.
        needs: Vec<TextNeed>,
    },
    /// Make the key hold this, and tell it so.
    Put(Value, Expire, Event),
    /// Remove the key.
    Remove,
    /// Remove the key and send what it held, which gets another name.
    Take,
    /// Take an element out of what it holds and send it.
    TakeElement(Box<[u8]>, &'static Transfer),
    /// Add an element to what it holds, or send it back.
    GiveElement(Vec<u8>, Give),
    /// Run this, whose keys are held; the errand's own key means nothing.
    Run(Part),
    /// Do a blocking command without waiting, if one of these of its keys has something; they are held, and the
    /// errand's own key means nothing.
    TryKeys(Box<TryKeys>),
    /// Let go of all keys that are held, or wanted. There is no answer.
    Release,
    /// A client watches these keys no more; the errand's own key means nothing. There is no answer.
    Unwatch(WatchedNames),
    /// Do the rest of the command and send the reply.
    Act {
        /// What there is to know besides the key.
        what: Box<[u8]>,
        /// The rest of the command.
        act: Act,
        /// What the client speaks.
        protocol: Protocol,
    },
}

/// See [`ErrandKind::TryKeys`].
#[derive(Debug)]
pub struct TryKeys {
    /// Which command.
    pub command: &'static Command,
    /// All its words.
    pub words: OwnedArgs,
    /// The keys.
    pub keys: Vec<Box<[u8]>>,
    /// What the client speaks.
    pub protocol: Protocol,
}

impl TryKeys {
    /// The reply, if one of the keys held something.
    fn run(&self, shard: &mut Shard, db: u16, touch: bool) -> Option<Result<Vec<u8>, Error>> {
        let TryKeys { command, words, keys, protocol } = self;
        let Run::Blocking(steps) = command.run else { return None };
        let mut out = Vec::new();
        let keys: Vec<&[u8]> = keys.iter().map(|key| &**key).collect();
        let (mut view, mut reply) = (shard.view_mut(db, touch), Reply::new(&mut out, *protocol));
        match steps.try_keys(words.as_args(), &keys, &mut view, &mut reply) {
            Ok(effect) => {
                let effect = effect?;
                if effect != Effect::None {
                    shard.effects_mut().note(db, effect, words.as_args());
                    shard.note_dirty();
                }
                Some(Ok(out))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// What an errand found.
#[derive(Debug, Default)]
pub struct Answer {
    /// How far the shard is with what it was to hold, if it was.
    pub progress: Option<Progress>,
    /// What was seen at each key.
    pub seen: Vec<Seen>,
    /// A key that is watched is not as it was: nothing was done.
    pub is_changed: bool,
    /// How the keys are that are watched from now on, in their order.
    pub stamps: Vec<WatchStamp>,
    /// What parts answered.
    pub replies: Vec<Replied>,
    /// What was taken, and its expiry in Unix milliseconds.
    pub taken: Option<(Value, Option<i64>)>,
    /// The texts, those that are missing included.
    pub texts: Vec<Option<StringValue>>,
    /// The element that was taken, or could not be given.
    pub element: Option<Vec<u8>>,
    /// What the client is told by [`ErrandKind::Act`] or [`ErrandKind::TryKeys`]; `None` if that found the key changed,
    /// or nothing at the keys.
    pub reply: Option<Result<Vec<u8>, Error>>,
}

impl Errand {
    /// It is to be waited for before a moment at which nothing is under way. While keys are to be let go of, their
    /// owner knows that something is.
    pub fn is_request(&self) -> bool {
        !matches!(self.kind, ErrandKind::Release | ErrandKind::Unwatch(_))
    }

    /// Does it, and records what that came down to on the shard.
    pub fn run(self, shard: &mut Shard) -> Answer {
        let Errand { db, touch, key, kind, .. } = self;
        match kind {
            ErrandKind::Look(looks) => look_at(&looks, shard, touch),
            ErrandKind::Acquire(acquire) => match acquire.work {
                Work::Look(looks) => {
                    Answer { progress: Some(Progress::Held), ..look_at(&looks, shard, touch) }
                }
                // Whoever runs commands, or knows of clients, sees to it.
                Work::Run(_) | Work::Watch(_) => Answer::default(),
            },
            ErrandKind::FindTexts { needs } => {
                let find = |need| gather::find_text(shard, db, touch, need).map(StringRef::to_string_value);
                Answer { texts: needs.iter().map(find).collect(), ..Answer::default() }
            }
            ErrandKind::Put(value, expire, event) => {
                shard.view_mut(db, touch).put(&key, value, expire, event);
                effect::record_put(shard, db, &key);
                shard.note_dirty();
                Answer::default()
            }
            ErrandKind::Remove => {
                if shard.view_mut(db, touch).delete(&key) {
                    effect::record_removed(shard, db, &key);
                    shard.note_dirty();
                }
                Answer::default()
            }
            ErrandKind::TakeElement(what, transfer) => {
                let element = (transfer.take)(&mut shard.view_mut(db, touch), &key, &what);
                if let Some(element) = &element {
                    effect::record_element(shard, db, &key, element, transfer.taken);
                    shard.note_dirty();
                }
                Answer { element, ..Answer::default() }
            }
            ErrandKind::GiveElement(element, give) => {
                if (give.run)(&mut shard.view_mut(db, touch), &key, &element).is_err() {
                    return Answer { element: Some(element), ..Answer::default() };
                }
                effect::record_element(shard, db, &key, &element, give.given);
                shard.note_dirty();
                Answer::default()
            }
            ErrandKind::Act { what, act, protocol } => act_on(shard, (db, touch), &key, &what, act, protocol),
            ErrandKind::Take => {
                let taken = shard.view_mut(db, touch).remove(&key, Event::RenameFrom);
                if taken.is_some() {
                    effect::record_removed(shard, db, &key);
                    shard.note_dirty();
                }
                Answer { taken, ..Answer::default() }
            }
            ErrandKind::TryKeys(tried) => Answer { reply: tried.run(shard, db, touch), ..Answer::default() },
            // Whoever has the intents, or runs commands, sees to it.
            ErrandKind::Yield
            | ErrandKind::Commit
            | ErrandKind::Release
            | ErrandKind::Run(..)
            | ErrandKind::Unwatch(_) => Answer::default(),
        }
    }
}

/// Does the rest of a command at a key of this database; whether uses are noted.
fn act_on(
    shard: &mut Shard,
    (db, touch): (u16, bool),
    key: &[u8],
    what: &[u8],
    act: Act,
    protocol: Protocol,
) -> Answer {
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, protocol);
    // It records by itself what it changes.
    let acted = act(&mut shard.view_mut(db, touch), key, what, &mut reply).transpose();
    if matches!(acted, Some(Ok(Effect::Verbatim | Effect::Rewritten))) {
        shard.note_dirty();
    }
    Answer { reply: acted.map(|result| result.map(|_| out)), ..Answer::default() }
}

/// Looks at some keys.
pub fn look_at(looks: &[Look], shard: &mut Shard, touch: bool) -> Answer {
    Answer { seen: looks.iter().map(|look| look.look(shard, touch)).collect(), ..Answer::default() }
}

/// A command that took long, told to its home, which knows the client's name and address.
#[derive(Clone, Debug)]
pub struct Slow {
    /// Which client's.
    pub connection: u64,
    /// Which command.
    pub command: &'static Command,
    /// How long it ran, in nanoseconds.
    pub duration_ns: u64,
    /// Its words.
    pub words: OwnedArgs,
}

/// All that one node tells another at the end of a tick: calls on the way out, replies on the way back. The words
/// of all calls share one buffer, and so do all replies.
#[derive(Debug, Default)]
pub struct Batch {
    words: Vec<u8>,
    spans: Vec<Span>,
    calls: Vec<Call>,
    /// How many of them have been run.
    done_calls: usize,
    replies: Vec<u8>,
    /// Where each reply ends in `replies`.
    reply_ends: Vec<(Ticket, usize)>,
    /// Steps of gathering commands.
    pub errands: Vec<Errand>,
    /// Their answers.
    pub answers: Vec<(Ticket, Answer)>,
    /// Transactions of the receiver's clients that hold here what older ones want. Behind the answers: they say that it
    /// is held.
    pub wounds: Vec<Ticket>,
    /// Commands that took long.
    pub slow: Vec<Slow>,
}

/// Larger buffers are not kept for the next tick, in bytes.
const KEEP_MAX_LEN_BYTES: usize = 64 * 1024;

impl Batch {
    /// Nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.reply_ends.is_empty()
            && self.errands.is_empty()
            && self.answers.is_empty()
            && self.wounds.is_empty()
            && self.slow.is_empty()
    }

    /// Adds all that another has, none of whose calls have been run.
    pub fn append(&mut self, mut other: Batch) {
        let (words_len, spans_len, replies_len) = (self.words.len(), self.spans.len(), self.replies.len());
        self.words.append(&mut other.words);
        let spans = other.spans.iter().map(|span| Span { start: span.start + words_len, ..*span });
        self.spans.extend(spans);
        let calls = other.calls.iter().map(|call| Call { first_span: call.first_span + spans_len, ..*call });
        self.calls.extend(calls);
        self.replies.append(&mut other.replies);
        self.reply_ends.extend(other.reply_ends.iter().map(|(ticket, end)| (*ticket, end + replies_len)));
        self.errands.append(&mut other.errands);
        self.answers.append(&mut other.answers);
        self.wounds.append(&mut other.wounds);
        self.slow.append(&mut other.slow);
    }

    /// How many of its calls have been run, from the first on.
    pub fn done_calls(&self) -> usize {
        self.done_calls
    }

    /// Notes how many of its calls have been run.
    pub fn set_done_calls(&mut self, done_calls: usize) {
        self.done_calls = done_calls;
    }

    /// Calls in it, and errands that are requests.
    pub fn requests_len(&self) -> usize {
        self.calls_len() + self.errands.iter().filter(|errand| errand.is_request()).count()
    }

    /// Calls in it.
    pub fn calls_len(&self) -> usize {
        self.calls.len()
    }

    /// Bytes of words in it.
    pub fn words_len_bytes(&self) -> usize {
        self.words.len()
    }

    /// Bytes of replies in it.
    pub fn replies_len_bytes(&self) -> usize {
        self.replies.len()
    }

    /// Forgets everything, keeps room of ordinary size.
    pub fn clear(&mut self) {
        self.words.clear();
        self.words.shrink_to(KEEP_MAX_LEN_BYTES);
        self.spans.clear();
        self.spans.shrink_to(KEEP_MAX_LEN_BYTES / size_of::<Span>());
        self.calls.clear();
        self.done_calls = 0;
        self.replies.clear();
        self.replies.shrink_to(KEEP_MAX_LEN_BYTES);
        self.reply_ends.clear();
        self.errands.clear();
        self.answers.clear();
        self.wounds.clear();
        self.slow.clear();
    }

    /// Adds a call and returns its index. The words are copied.
    #[inline]
    pub fn push_call(
        &mut self,
        ticket: Ticket,
        command: &'static Command,
        args: Args<'_>,
        db: u16,
        protocol: Protocol,
        touch: bool,
    ) -> usize {
        let first_span = self.spans.len();
        self.words.reserve(args.total_len_bytes());
        for word in args.iter() {
            self.spans.push(Span { start: self.words.len(), len: word.len() });
            self.words.extend_from_slice(word);
        }
        let spans_len = args.len();
        self.calls.push(Call {
            ticket,
            command,
            db,
            protocol,
            touch,
            whole: true,
            unread: false,
            direct: None,
            first_span,
            spans_len,
        });
        self.calls.len() - 1
    }

    /// Adds a part of a command, as [`Batch::push_call`] does.
    pub fn push_part(
        &mut self,
        ticket: Ticket,
        command: &'static Command,
        args: Args<'_>,
        db: u16,
        protocol: Protocol,
        touch: bool,
    ) {
        let index = self.push_call(ticket, command, args, db, protocol, touch);
        self.calls[index].whole = false;
    }

    /// Lets the owner write the reply of a call to this socket itself.
    pub fn set_direct(&mut self, call: usize, socket: u64) {
        self.calls[call].direct = Some(socket);
    }

    /// The call at `index` and its words.
    #[inline]
    pub fn call(&self, index: usize) -> Option<(Call, Args<'_>)> {
        let call = *self.calls.get(index)?;
        let spans = &self.spans[call.first_span..][..call.spans_len];
        Some((call, Args::new(&self.words, spans)))
    }

    /// Notes that a connection has gone: nobody reads the replies to those of its calls that have not been run.
    pub fn forget_calls(&mut self, connection: u64) {
        let left = self.calls.get_mut(self.done_calls..).unwrap_or_default();
        for call in left.iter_mut().filter(|call| call.ticket.connection == connection) {
            call.unread = true;
        }
    }

    /// Adds a reply, written by `write`.
    #[inline]
    pub fn push_reply<R>(&mut self, ticket: Ticket, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let result = write(&mut self.replies);
        self.reply_ends.push((ticket, self.replies.len()));
        result
    }

    /// Takes the last reply back.
    pub fn pop_reply(&mut self) -> Vec<u8> {
        self.reply_ends.pop();
        let end = self.reply_ends.last().map_or(0, |(_, end)| *end);
        self.replies.split_off(end)
    }

    /// All replies in order.
    pub fn replies(&self) -> impl Iterator<Item = (Ticket, &[u8])> {
        let mut start = 0;
        self.reply_ends.iter().map(move |(ticket, end)| {
            let reply = &self.replies[start..*end];
            start = *end;
            (*ticket, reply)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_command::{KeyFlags, KeySpec, Spec, Words, Write};
    use tessera_keyspace::{ViewMut, WrongType};
    use tessera_values::ValueRef;

    struct Nothing;

    impl Write for Nothing {
        const SPEC: Spec = Spec {
            name: "nothing",
            keys: &[KeySpec::at(1, KeyFlags::RW)],
            events: &[Event::Set],
            ..Spec::BASE
        };
        type Args<'a> = ();

        fn parse<'a>(_: &mut Words<'a>) -> Result<(), Error> {
            Ok(())
        }

        fn execute((): &(), _: &mut ViewMut<'_>, _: &mut Reply<'_>) -> Result<Effect, Error> {
            Ok(Effect::None)
        }
    }

    static NOTHING: Command = Command::write::<Nothing>();

    fn batch(numbers: [u32; 2]) -> Batch {
        let mut batch = Batch::default();
        for sequence in numbers {
            let ticket = Ticket { connection: 1, sequence, part: 0 };
            let words = OwnedArgs::from_words(["nothing".to_owned(), sequence.to_string()]);
            batch.push_call(ticket, &NOTHING, words.as_args(), 0, Protocol::Resp2, true);
            batch.push_reply(ticket, |out| out.extend(sequence.to_string().bytes()));
        }
        batch
    }

    #[test]
    fn batches_are_appended_with_their_words_and_replies() {
        let mut all = batch([1, 20]);
        all.append(batch([300, 4]));
        all.append(Batch::default());
        let words = |index| all.call(index).map(|(call, args)| (call.ticket.sequence, args[1].to_vec()));
        let expected = [(1, b"1".to_vec()), (20, b"20".to_vec()), (300, b"300".to_vec()), (4, b"4".to_vec())];
        assert_eq!((0..5).map_while(words).collect::<Vec<_>>(), expected);
        let replies = all.replies().map(|(ticket, reply)| (ticket.sequence, reply.to_vec()));
        assert_eq!(replies.collect::<Vec<_>>(), expected);
    }

    /// Takes all that the key holds.
    fn take_text(db: &mut ViewMut<'_>, key: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        let (value, _) = db.remove(key, Event::LPop)?;
        match value.as_ref() {
            ValueRef::String(text) => Some(text.as_bytes(&mut tessera_values::Digits::new()).to_vec()),
            _ => None,
        }
    }

    fn give_text(db: &mut ViewMut<'_>, key: &[u8], element: &[u8]) -> Result<(), WrongType> {
        if element.is_empty() {
            return Err(WrongType);
        }
        db.put_string(key, element, Expire::Clear, Event::RPush);
        Ok(())
    }

    fn act(db: &mut ViewMut<'_>, key: &[u8], _: &[u8], _: &mut Reply<'_>) -> Result<Option<Effect>, Error> {
        Ok(db.delete(key).then_some(Effect::Rewritten))
    }

    fn effect<'a>(key: &'a [u8], element: &'a [u8]) -> Vec<&'a [u8]> {
        vec![b"LREM", key, element]
    }

    static TRANSFER: Transfer = Transfer {
        take: take_text,
        taken: effect,
        give: Give { run: give_text, given: effect },
        give_back: Give { run: give_text, given: effect },
        tells_target_first: false,
        reply: |_, _| {},
    };

    #[test]
    fn errands_that_change_something_are_counted_as_changes() {
        let text = || Value::String(StringValue::new(b"text"));
        let act = || ErrandKind::Act { what: Box::default(), act, protocol: Protocol::Resp2 };
        let element = |element: &[u8]| ErrandKind::GiveElement(element.to_vec(), TRANSFER.give);
        let cases: [(&str, ErrandKind, u64); 12] = [
            ("key", ErrandKind::Remove, 1),
            ("none", ErrandKind::Remove, 0),
            ("key", ErrandKind::Take, 1),
            ("none", ErrandKind::Take, 0),
            ("key", ErrandKind::TakeElement(Box::default(), &TRANSFER), 1),
            ("none", ErrandKind::TakeElement(Box::default(), &TRANSFER), 0),
            ("key", element(b"element"), 1),
            ("key", element(b""), 0),
            ("key", act(), 1),
            ("none", act(), 0),
            ("none", ErrandKind::Put(text(), Expire::Clear, Event::Set), 1),
            ("key", ErrandKind::FindTexts { needs: Vec::new() }, 0),
        ];
        for (key, kind, changes) in cases {
            let mut shard = Shard::new(1, 1);
            shard.view_mut(0, true).put(b"key", text(), Expire::Clear, Event::Set);
            shard.effects_mut().set_recording(true);
            let ticket = Ticket { connection: 1, sequence: 1, part: 0 };
            let what = format!("{key}: {kind:?}");
            let records_itself = matches!(kind, ErrandKind::Act { .. });
            let transaction = TransactionId::default();
            let key = key.as_bytes().into();
            let errand = Errand { transaction, ticket, db: 0, touch: true, moment_ms: None, key, kind };
            let _ = errand.run(&mut shard);
            assert_eq!(shard.stats().dirty, changes, "{what}");
            if !records_itself {
                assert_eq!(shard.effects_mut().take().len() as u64, changes, "{what}");
            }
        }
    }
}
