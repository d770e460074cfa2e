//! Reading values.

mod distinct;
mod flat;
mod hash;
mod set;
mod sorted_set;
mod ziplist;
mod zipmap;

use super::reader::{RawString, Reader, Stop, bad, unsupported};
use super::{DecodeOptions, module};
use crate::rdb::opcodes::{NODE_PACKED, NODE_PLAIN, ValueType};
use hash::HashBuilder;
use set::SetBuilder;
use sorted_set::SortedSetBuilder;
use tessera_values::list::ListBuilder;
use tessera_values::listpack::{Listpack, Malformed};
use tessera_values::{Collection, StringValue, Thresholds, Trail, Value, ValueRef};
use ziplist::Ziplist;

/// The latest time at which a field may expire, in Unix milliseconds: 48 bits, as in Redis.
pub(super) const FIELD_EXPIRE_MAX_MS: u64 = (1 << 48) - 1;

/// Elements that are looked for together before they are read.
const ELEMENTS_AHEAD: usize = 32;

/// What a value turned out to be.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// A value.
    Value(Value),
    /// A collection without elements, which is no value. Old servers wrote such by mistake.
    Empty,
}

impl<T: Into<Value>> From<Option<T>> for Decoded {
    fn from(value: Option<T>) -> Decoded {
        value.map_or(Decoded::Empty, |value| Decoded::Value(value.into()))
    }
}

/// Reads one value, as far as its bytes are there.
#[derive(Debug)]
pub(crate) struct ValueDecoder {
    value_type: ValueType,
    options: DecodeOptions,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing was read yet.
    Beginning,
    /// So many elements are still to come.
    Elements(u64, Elements),
}

/// A collection to which elements come.
#[derive(Debug)]
enum Elements {
    List(ListBuilder),
    /// Element by element nodes of it come.
    Nodes(ListBuilder),
    Set(SetBuilder),
    SortedSet(SortedSetBuilder),
    Hash(HashBuilder),
    /// Times of fields are so many milliseconds more than is written, less one; `None` if they are as written.
    HashWithTimes(HashBuilder, Option<u64>),
}

impl ValueDecoder {
    /// At the beginning of a value.
    pub fn new(value_type: ValueType, options: DecodeOptions) -> ValueDecoder {
        ValueDecoder { value_type, options, state: State::Beginning }
    }

    /// Goes on reading. Of what it could not read for want of bytes, the reader stands at the beginning.
    pub fn resume(&mut self, reader: &mut Reader<'_>) -> Result<Decoded, Stop> {
        if matches!(self.state, State::Beginning)
            && let Some(decoded) = reader.whole(|reader| self.begin(reader))?
        {
            return Ok(decoded);
        }
        let State::Elements(left, elements) = &mut self.state else { return Ok(Decoded::Empty) };
        // For strings that were compressed.
        let mut rooms = [Vec::new(), Vec::new()];
        let DecodeOptions { thresholds, prefetch, .. } = &self.options;
        let mut looked_for = 0;
        while *left > 0 {
            if looked_for == 0 {
                looked_for = ELEMENTS_AHEAD;
                elements.look_ahead(reader.clone(), self.value_type, *left, *prefetch);
            }
            reader.whole(|reader| elements.read(reader, self.value_type, &mut rooms, thresholds))?;
            *left -= 1;
            looked_for -= 1;
        }
        match std::mem::replace(&mut self.state, State::Beginning) {
            State::Elements(_, elements) => elements.finish(thresholds),
            State::Beginning => Ok(Decoded::Empty),
        }
    }

    /// Reads a value that is one string, or the beginning of one that has elements.
    fn begin(&mut self, reader: &mut Reader<'_>) -> Result<Option<Decoded>, Stop> {
        let thresholds = &self.options.thresholds;
        let setting = thresholds.list_setting();
        match self.value_type {
            ValueType::StreamListpacks | ValueType::StreamListpacks2 | ValueType::StreamListpacks3 => {
                return unsupported("it is a stream, and there are no streams here");
            }
            ValueType::Module2 => {
                let name = module::name(reader.number()?);
                return unsupported(format!(
                    "it is a value of the module type {name}, and there are no modules here"
                ));
            }
            ValueType::ModulePreRelease => {
                return unsupported(
                    "it is a module's value in the format of a release candidate of Redis 4.0",
                );
            }
            ValueType::String => return string(reader.string()?).map(Some),
            ValueType::HashListpackTimes => {
                reader.array::<8>()?;
                return flat::decode(self.value_type, reader.string()?, thresholds).map(Some);
            }
            ValueType::HashZipmap
            | ValueType::ListZiplist
            | ValueType::SetIntset
            | ValueType::SortedSetZiplist
            | ValueType::HashZiplist
            | ValueType::HashListpack
            | ValueType::SortedSetListpack
            | ValueType::SetListpack
            | ValueType::HashListpackTimesPreRelease => {
                return flat::decode(self.value_type, reader.string()?, thresholds).map(Some);
            }
            ValueType::List
            | ValueType::Set
            | ValueType::SortedSet
            | ValueType::Hash
            | ValueType::SortedSet2
            | ValueType::ListQuicklist
            | ValueType::ListQuicklist2
            | ValueType::HashMetadataPreRelease
            | ValueType::HashMetadata => {}
        }
        let earliest_ms = match self.value_type {
            ValueType::HashMetadata => Some(earliest_ms(reader)?),
            _ => None,
        };
        let len = reader.number()?;
        if len == 0 {
            return Ok(Some(Decoded::Empty));
        }
        let elements = match self.value_type {
            ValueType::List => Elements::List(ListBuilder::new(setting)),
            ValueType::Set => Elements::Set(SetBuilder::new(len, thresholds)),
            ValueType::SortedSet | ValueType::SortedSet2 => {
                Elements::SortedSet(SortedSetBuilder::new(len, thresholds))
            }
            ValueType::Hash => Elements::Hash(HashBuilder::new(len, false, thresholds)),
            ValueType::HashMetadata | ValueType::HashMetadataPreRelease => {
                Elements::HashWithTimes(HashBuilder::new(len, true, thresholds), earliest_ms)
            }
            _ => Elements::Nodes(ListBuilder::new(setting)),
        };
        self.state = State::Elements(len, elements);
        Ok(None)
    }
}

impl Elements {
    /// What there is so far, if it is a large collection of named elements.
    fn large(&self) -> Option<ValueRef<'_>> {
        match self {
            Elements::List(_) | Elements::Nodes(_) => None,
            Elements::Set(set) => set.large().map(|set| ValueRef::Set(set.as_ref())),
            Elements::SortedSet(set) => set.large().map(|set| ValueRef::SortedSet(set.as_ref())),
            Elements::Hash(hash) | Elements::HashWithTimes(hash, _) => {
                hash.large().map(|hash| ValueRef::Hash(hash.as_ref()))
            }
        }
    }

    /// Has the processor load what adding the next elements to a large collection needs of its table, so that it waits
    /// for all of them at once. What is wrong with them is found when they are read.
    fn look_ahead(&self, mut reader: Reader<'_>, value_type: ValueType, left: u64, prefetch: fn(*const u8)) {
        let Some(value) = self.large() else { return };
        let mut name = || {
            if matches!(self, Elements::HashWithTimes(..)) {
                reader.number()?;
            }
            let name = reader.string()?;
            match self {
                Elements::SortedSet(_) if value_type == ValueType::SortedSet => {
                    sorted_set::score_of_text(&mut reader)?;
                }
                Elements::SortedSet(_) => drop(reader.array::<8>()?),
                Elements::Hash(_) | Elements::HashWithTimes(..) => drop(reader.string()?),
                Elements::Set(_) | Elements::List(_) | Elements::Nodes(_) => {}
            }
            Ok::<_, Stop>(name)
        };
        let mut trails: [Option<Trail<'_>>; ELEMENTS_AHEAD] = [const { None }; ELEMENTS_AHEAD];
        for (trail, _) in trails.iter_mut().zip(0..left) {
            let Ok(name) = name() else { break };
            if let RawString::Bytes(name) = name {
                *trail = value.trail(name);
            }
        }
        Trail::go(&mut trails, prefetch);
    }

    /// Reads one of them.
    #[inline]
    fn read(
        &mut self,
        reader: &mut Reader<'_>,
        value_type: ValueType,
        [room, other_room]: &mut [Vec<u8>; 2],
        thresholds: &Thresholds,
    ) -> Result<(), Stop> {
        match self {
            Elements::List(list) => {
                let string = reader.string()?;
                list.push(string.element(room)?.as_bytes(&mut Default::default()));
                Ok(())
            }
            Elements::Nodes(list) => read_node(list, reader, value_type),
            Elements::Set(set) => {
                let string = reader.string()?;
                set.add(string.element(room)?, thresholds)
            }
            Elements::SortedSet(set) => {
                let string = reader.string()?;
                let score = match value_type {
                    ValueType::SortedSet => sorted_set::score_of_text(reader)?,
                    _ => f64::from_le_bytes(reader.array()?),
                };
                set.add(string.element(room)?, score, thresholds)
            }
            Elements::Hash(hash) => {
                let (field, value) = (reader.string()?, reader.string()?);
                hash.add(field.element(room)?, value.element(other_room)?, None, thresholds)
            }
            Elements::HashWithTimes(hash, earliest_ms) => {
                let written = reader.number()?;
                let (field, value) = (reader.string()?, reader.string()?);
                let expire_at_ms = field_expire_at_ms(written, *earliest_ms)?;
                hash.add(field.element(room)?, value.element(other_room)?, expire_at_ms, thresholds)
            }
        }
    }

    fn finish(self, thresholds: &Thresholds) -> Result<Decoded, Stop> {
        match self {
            Elements::List(list) | Elements::Nodes(list) => {
                let list = (!list.is_empty()).then(|| list.finish());
                Ok(list.into())
            }
            Elements::Set(set) => set.finish(thresholds).map(|set| Some(set).into()),
            Elements::SortedSet(set) => set.finish(thresholds).map(|set| Some(set).into()),
            Elements::Hash(hash) | Elements::HashWithTimes(hash, _) => {
                hash.finish(thresholds).map(|hash| Some(hash).into())
            }
        }
    }
}

fn string(raw: RawString<'_>) -> Result<Decoded, Stop> {
    let string = match raw {
        RawString::Bytes(bytes) => StringValue::new(bytes),
        RawString::Integer(integer) => StringValue::integer(integer),
        RawString::Compressed { .. } => {
            let bytes = raw.to_vec()?;
            match tessera_values::string::canonical_integer(&bytes) {
                Some(integer) => StringValue::integer(integer),
                None => StringValue::Fixed(bytes.into_boxed_slice()),
            }
        }
    };
    Ok(Decoded::Value(string.into()))
}

fn earliest_ms(reader: &mut Reader<'_>) -> Result<u64, Stop> {
    let earliest_ms = u64::from_le_bytes(reader.array()?);
    // One more stands for no time at all.
    if earliest_ms > FIELD_EXPIRE_MAX_MS + 1 {
        return bad(format!("no field can expire at {earliest_ms} ms"));
    }
    Ok(earliest_ms)
}

/// When a field expires, of what is written of it.
fn field_expire_at_ms(written: u64, earliest_ms: Option<u64>) -> Result<Option<i64>, Stop> {
    if written == 0 {
        return Ok(None);
    }
    let at_ms = match earliest_ms {
        Some(earliest_ms) => earliest_ms.saturating_add(written - 1),
        None => written,
    };
    if at_ms > FIELD_EXPIRE_MAX_MS {
        return bad(format!("no field can expire at {at_ms} ms"));
    }
    Ok(Some(at_ms.cast_signed()).filter(|at_ms| *at_ms != 0))
}

/// Reads a node of a quicklist.
fn read_node(list: &mut ListBuilder, reader: &mut Reader<'_>, value_type: ValueType) -> Result<(), Stop> {
    let container = match value_type {
        ValueType::ListQuicklist2 => reader.number()?,
        _ => NODE_PACKED,
    };
    if container != NODE_PLAIN && container != NODE_PACKED {
        return bad(format!("a node of a list is in the unknown form {container}"));
    }
    let bytes = reader.string()?.to_vec()?;
    if bytes.is_empty() {
        return bad("a node of a list is empty");
    }
    if container == NODE_PLAIN {
        list.push_plain(bytes.into_boxed_slice());
        return Ok(());
    }
    let listpack = match value_type {
        ValueType::ListQuicklist2 => Listpack::from_bytes(bytes),
        _ => Ziplist::new(&bytes).and_then(Ziplist::to_listpack),
    };
    list.push_listpack(listpack.or_else(malformed)?);
    Ok(())
}

/// What is wrong with a string that holds a collection.
fn malformed<T>(Malformed { offset_bytes, problem }: Malformed) -> Result<T, Stop> {
    bad(format!("{problem} (at its byte {offset_bytes})"))
}
