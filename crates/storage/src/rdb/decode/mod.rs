//! Reading RDB.
//!
//! A file comes in pieces of any length. A collection grows as its elements come, so that a large one is never in
//! memory twice; a string, or the one string that a small collection is, is kept as bytes until it is whole. Memory is
//! taken for bytes that came, not for lengths that were claimed.

mod error;
mod module;
mod reader;
mod stream;
mod value;

pub use error::DecodeError;
pub(crate) use reader::{Reader, Stop};
pub(crate) use value::{Decoded, ValueDecoder};

use super::opcodes::{MAGIC, Opcode, VERSION_READ_MAX, ValueType};
use crate::checksum::Crc64;
use reader::{bad, unsupported};
use stream::StreamSkip;
use tessera_values::{Thresholds, Value};

/// The first version whose files end with a checksum.
const VERSION_WITH_CHECKSUM: u32 = 5;
/// A buffer that has become larger than this is not kept once it is empty, in bytes.
const BUFFER_KEPT_BYTES: usize = 1 << 20;

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct DecodeOptions {
    /// When small collections become large ones.
    pub thresholds: Thresholds,
    /// The checksum at the end is compared (`rdbchecksum`). One that is 0 never is.
    pub verify_checksum: bool,
    /// Streams and values of modules are passed over ([`Item::Unsupported`]), so that what comes behind them can be
    /// looked at.
    pub skip_unsupported: bool,
    /// Has the processor load the cache line at an address, which need not be a valid one. It may do nothing.
    pub prefetch: fn(*const u8),
}

impl Default for DecodeOptions {
    fn default() -> DecodeOptions {
        DecodeOptions {
            thresholds: Thresholds::default(),
            verify_checksum: true,
            skip_unsupported: false,
            prefetch: |_| {},
        }
    }
}

/// What comes next in a file.
#[derive(Debug)]
pub enum Item {
    /// An auxiliary field.
    Auxiliary {
        /// Its name.
        name: Vec<u8>,
        /// What it says.
        value: Vec<u8>,
    },
    /// How many keys the current database has, and how many of them expire: a hint.
    Sizes {
        /// Keys.
        keys: u64,
        /// Those with an expiry.
        volatile: u64,
    },
    /// A key.
    Entry(Box<DecodedEntry>),
    /// A key with a collection that has no elements, which is none. Old servers wrote such by mistake; Redis drops it.
    Empty {
        /// The number of its database.
        db: u64,
        /// The key.
        key: Vec<u8>,
    },
    /// A key with a value that cannot be read, which was passed over.
    Unsupported {
        /// The number of its database.
        db: u64,
        /// The key.
        key: Vec<u8>,
        /// What the value is.
        what: String,
    },
    /// The code of a library of functions.
    Function(Vec<u8>),
    /// What a module keeps besides its values, which was passed over.
    ModuleAuxiliary {
        /// The name of the module's type.
        module: String,
    },
    /// The end, after which no more bytes may come.
    End,
}

/// A key and all that is known of it.
#[derive(Debug, PartialEq)]
pub struct DecodedEntry {
    /// The number of its database.
    pub db: u64,
    /// The key.
    pub key: Vec<u8>,
    /// What it holds. Fields of a hash that have expired are still there.
    pub value: Value,
    /// When it expires, in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
    /// Seconds since its last use.
    pub idle_s: Option<u64>,
    /// How often it was used lately.
    pub frequency: Option<u8>,
}

/// Where in the file the reading is.
#[derive(Debug)]
enum State {
    /// At the beginning.
    Magic,
    /// Between two things.
    Between,
    /// Within a module's data.
    Module(String),
    /// Within a value.
    Value(Vec<u8>, Box<ValueDecoder>),
    /// Within a stream that is passed over.
    Stream(Vec<u8>, Box<StreamSkip>),
    /// Within a module's value that is passed over.
    ModuleValue(Vec<u8>, String),
    /// Before the checksum.
    Checksum,
    /// Behind the end.
    End,
    /// Behind what could not be read.
    Failed(DecodeError),
}

/// What was said of the key that comes next.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    expire_at_ms: Option<i64>,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

/// Reads a file that comes in pieces.
#[derive(Debug)]
pub struct Decoder {
    options: DecodeOptions,
    /// Bytes that came, of which the first `at` have been read.
    buffer: Vec<u8>,
    at: usize,
    /// Where in the file the buffer begins, in bytes.
    buffer_offset_bytes: u64,
    /// Of all bytes up to number `summed` of the buffer.
    checksum: Crc64,
    summed: usize,
    /// What that was before the file's own checksum.
    checksum_at_end: Option<u64>,
    state: State,
    version: u32,
    db: u64,
    facts: Facts,
}

impl Decoder {
    /// At the beginning of a file.
    pub fn new(options: DecodeOptions) -> Decoder {
        Decoder {
            options,
            buffer: Vec::new(),
            at: 0,
            buffer_offset_bytes: 0,
            checksum: Crc64::new(),
            summed: 0,
            checksum_at_end: None,
            state: State::Magic,
            version: 0,
            db: 0,
            facts: Facts::default(),
        }
    }

    /// The version of the file's format; 0 as long as it is not known.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How much of the file has been read, in bytes.
    pub fn offset_bytes(&self) -> u64 {
        self.buffer_offset_bytes + self.at as u64
    }

    /// The checksum of all bytes before the file's own, once that has been read. Only if
    /// [`DecodeOptions::verify_checksum`].
    pub fn checksum(&self) -> Option<u64> {
        self.checksum_at_end.filter(|_| self.options.verify_checksum)
    }

    /// Takes in the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        // What is left is moved only if it is less than what was read, so that each byte is moved few times.
        if self.at > self.buffer.len() / 2 {
            self.sum();
            self.buffer.drain(..self.at);
            self.buffer_offset_bytes += self.at as u64;
            (self.at, self.summed) = (0, 0);
            if self.buffer.is_empty() && self.buffer.capacity() > BUFFER_KEPT_BYTES {
                self.buffer = Vec::new();
            }
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next item, as soon as all its bytes were fed. `None` if more are needed, and behind the end.
    ///
    /// # Errors
    /// If the file is damaged or holds what cannot be read. Nothing more can be read from it then.
    #[expect(clippy::should_implement_trait, reason = "an iterator that has no more may not have more later")]
    pub fn next(&mut self) -> Result<Option<Item>, DecodeError> {
        loop {
            match self.step() {
                Ok((item, state)) => {
                    self.state = state;
                    if item.is_some() {
                        return Ok(item);
                    }
                }
                Err(Stop::More) => return Ok(None),
                Err(Stop::Bad(problem)) => return Err(self.fail(problem)),
                Err(Stop::Unsupported(problem)) => {
                    let error = self.fail(problem);
                    return Err(DecodeError { is_unsupported: true, ..error });
                }
            }
        }
    }

    /// To be called when there are no more bytes to feed.
    ///
    /// # Errors
    /// If the file ends before its end, or has more bytes behind it.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        match &self.state {
            State::Failed(error) => Err(error.clone()),
            State::End if self.at == self.buffer.len() => Ok(()),
            State::End => Err(self.fail("there is more behind the end".to_owned())),
            _ => {
                self.at = self.buffer.len();
                Err(self.fail("the file ends too early".to_owned()))
            }
        }
    }

    fn fail(&mut self, problem: String) -> DecodeError {
        let key = match &mut self.state {
            State::Failed(error) => return error.clone(),
            State::Value(key, _) | State::Stream(key, _) | State::ModuleValue(key, _) => {
                Some(std::mem::take(key))
            }
            _ => None,
        };
        let error = DecodeError { offset_bytes: self.offset_bytes(), key, problem, is_unsupported: false };
        self.state = State::Failed(error.clone());
        self.buffer = Vec::new();
        (self.at, self.summed) = (0, 0);
        error
    }

    /// Reads what comes next: an item, if it is one, and where that leads.
    fn step(&mut self) -> Result<(Option<Item>, State), Stop> {
        let mut reader = Reader::new(&self.buffer, self.at);
        let result = match &mut self.state {
            State::Magic => reader.whole(version).map(|version| {
                self.version = version;
                (None, State::Between)
            }),
            State::Between => reader.whole(|reader| {
                let context = Context {
                    db: &mut self.db,
                    facts: &mut self.facts,
                    options: &self.options,
                    has_checksum: self.version >= VERSION_WITH_CHECKSUM,
                };
                context.read(reader)
            }),
            State::Module(name) => module::skip(&mut reader).map(|()| {
                let module = std::mem::take(name);
                (Some(Item::ModuleAuxiliary { module }), State::Between)
            }),
            State::Value(key, decoder) => decoder.resume(&mut reader).map(|decoded| {
                let facts = std::mem::take(&mut self.facts);
                (Some(facts.entry(self.db, std::mem::take(key), decoded)), State::Between)
            }),
            State::Stream(key, stream) => stream.resume(&mut reader).map(|()| {
                self.facts = Facts::default();
                let (key, what) = (std::mem::take(key), "stream".to_owned());
                (Some(Item::Unsupported { db: self.db, key, what }), State::Between)
            }),
            State::ModuleValue(key, name) => module::skip(&mut reader).map(|()| {
                self.facts = Facts::default();
                let (key, what) = (std::mem::take(key), format!("value of the module type {name}"));
                (Some(Item::Unsupported { db: self.db, key, what }), State::Between)
            }),
            State::Checksum => return self.verify(),
            State::End if self.at < self.buffer.len() => bad("there is more behind the end"),
            State::End => Err(Stop::More),
            State::Failed(error) => bad(error.problem.clone()),
        };
        self.at = reader.at();
        result
    }

    /// Takes in what was read and is not in the checksum yet.
    fn sum(&mut self) {
        if self.options.verify_checksum {
            self.checksum.update(&self.buffer[self.summed..self.at]);
        }
        self.summed = self.at;
    }

    /// Reads the checksum.
    fn verify(&mut self) -> Result<(Option<Item>, State), Stop> {
        let written = Reader::new(&self.buffer, self.at).array().map(u64::from_le_bytes)?;
        self.sum();
        let expected = self.checksum.value();
        self.checksum_at_end = Some(expected);
        if self.options.verify_checksum && written != 0 && written != expected {
            return bad(format!("the checksum is {written:016x}, and that of the file is {expected:016x}"));
        }
        self.at += size_of_val(&written);
        Ok((Some(Item::End), State::End))
    }
}

/// Reads what a file begins with.
fn version(reader: &mut Reader<'_>) -> Result<u32, Stop> {
    let magic: [u8; MAGIC.len()] = reader.array()?;
    if &magic == b"VALKE" {
        return unsupported("it is a file of Valkey 9 or later, whose format is not read");
    }
    if magic != *MAGIC {
        return bad("it does not begin with REDIS as every RDB file does");
    }
    let digits: [u8; 4] = reader.array()?;
    let version = str::from_utf8(&digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
    match version.and_then(|digits| digits.parse().ok()) {
        Some(version @ 1..=VERSION_READ_MAX) => Ok(version),
        Some(version) => {
            unsupported(format!("it is of version {version}, and versions 1 to {VERSION_READ_MAX} are read"))
        }
        None => bad("its version is no number"),
    }
}

/// What is known between two things, and what to read the next with.
struct Context<'a> {
    db: &'a mut u64,
    facts: &'a mut Facts,
    options: &'a DecodeOptions,
    has_checksum: bool,
}

impl Context<'_> {
    /// Reads all of what is no value, and of a key's all up to its value. Changes nothing if it is not all there.
    fn read(self, reader: &mut Reader<'_>) -> Result<(Option<Item>, State), Stop> {
        let number = reader.byte()?;
        let Some(opcode) = Opcode::from_number(number) else {
            let Some(value_type) = ValueType::from_number(number) else {
                return bad(format!("a value of unknown type {number}"));
            };
            let key = reader.string()?.to_vec()?;
            if self.options.skip_unsupported {
                if let Some(stream) = StreamSkip::of(value_type) {
                    return Ok((None, State::Stream(key, Box::new(stream))));
                }
                if value_type == ValueType::Module2 {
                    return Ok((None, State::ModuleValue(key, module::name(reader.number()?))));
                }
            }
            let decoder = ValueDecoder::new(value_type, *self.options);
            return Ok((None, State::Value(key, Box::new(decoder))));
        };
        let item = match opcode {
            Opcode::End if self.has_checksum => return Ok((None, State::Checksum)),
            Opcode::End => return Ok((Some(Item::End), State::End)),
            Opcode::SlotInfo => {
                for _ in 0..3 {
                    reader.number()?;
                }
                None
            }
            Opcode::Function2 => Some(Item::Function(reader.string()?.to_vec()?)),
            Opcode::FunctionPreRelease => {
                return unsupported(
                    "a library of functions in the format of a release candidate of Redis 7.0",
                );
            }
            Opcode::ModuleAuxiliary => {
                return Ok((None, State::Module(module::auxiliary_name(reader)?)));
            }
            Opcode::Auxiliary => {
                let (name, value) = (reader.string()?, reader.string()?);
                Some(Item::Auxiliary { name: name.to_vec()?, value: value.to_vec()? })
            }
            Opcode::ResizeDatabase => {
                Some(Item::Sizes { keys: reader.number()?, volatile: reader.number()? })
            }
            Opcode::SelectDatabase => {
                *self.db = reader.number()?;
                None
            }
            Opcode::Idle => {
                self.facts.idle_s = Some(reader.number()?);
                None
            }
            Opcode::Frequency => {
                self.facts.frequency = Some(reader.byte()?);
                None
            }
            Opcode::ExpireTimeMs => {
                let at_ms = i64::from_le_bytes(reader.array()?);
                // What Redis has for none.
                self.facts.expire_at_ms = Some(at_ms).filter(|at_ms| *at_ms != -1);
                None
            }
            Opcode::ExpireTime => {
                let at_s = i32::from_le_bytes(reader.array()?);
                self.facts.expire_at_ms = Some(i64::from(at_s) * 1000);
                None
            }
        };
        Ok((item, State::Between))
    }
}

impl Facts {
    /// The item that a key and its value are.
    fn entry(self, db: u64, key: Vec<u8>, decoded: Decoded) -> Item {
        let Decoded::Value(value) = decoded else { return Item::Empty { db, key } };
        let Facts { expire_at_ms, idle_s, frequency } = self;
        Item::Entry(Box::new(DecodedEntry { db, key, value, expire_at_ms, idle_s, frequency }))
    }
}
