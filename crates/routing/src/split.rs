//! A command on keys of several shards as one part per shard.

use crate::slots::{ShardId, SlotTable};
use tessera_command::Command;
use tessera_command::spec::{Begin, Find};
use tessera_resp::Args;
use tessera_resp::args::OwnedArgs;

/// One part of a split command.
#[derive(Debug)]
pub struct Part {
    /// Who runs it.
    pub shard: ShardId,
    /// Its words: the name, what stands before the keys, and this shard's keys with what belongs to them.
    pub words: OwnedArgs,
}

/// A command split by the owners of its keys.
#[derive(Debug)]
pub struct Split {
    /// One part per shard that owns any of the keys.
    pub parts: Vec<Part>,
    /// For each key in the order of the command: the number of the part that has it.
    pub order: Vec<u16>,
}

/// The one shard that owns all keys of `args`, if it is one. Keys that do not follow the first spec count too.
pub fn single_owner(keys: impl IntoIterator<Item = impl AsRef<[u8]>>, table: &SlotTable) -> Option<ShardId> {
    let mut owners = keys.into_iter().map(|key| table.owner_of(key.as_ref()));
    let first = owners.next()?;
    owners.all(|owner| owner == first).then_some(first)
}

/// Where the keys of a splittable command are: the first one's index, and the distance from one to the next.
/// Such a command has one key spec, from an index to the last word.
pub fn key_run(command: &Command) -> Option<(usize, usize)> {
    match command.spec.keys {
        [spec] => match (spec.begin, spec.find) {
            (Begin::Index(first), Find::Range { last: -1, step, limit: 0 }) => Some((first, step)),
            _ => None,
        },
        _ => None,
    }
}

/// Splits `args`, whose keys begin at word `first` and are `step` words apart.
pub fn split(args: Args<'_>, first: usize, step: usize, table: &SlotTable) -> Split {
    let mut part_of_shard = vec![None; usize::from(table.shards())];
    let mut split = Split { parts: Vec::new(), order: Vec::with_capacity((args.len() - first) / step) };
    for at in (first..args.len()).step_by(step) {
        let shard = table.owner_of(&args[at]);
        let part = *part_of_shard[usize::from(shard)].get_or_insert_with(|| {
            let words = OwnedArgs::from_words(args.iter().take(first));
            split.parts.push(Part { shard, words });
            split.parts.len() - 1
        });
        // By index: an iterator would walk there anew for every key.
        let behind = (at + 1..at + step).filter_map(|index| args.get(index));
        [&args[at]].into_iter().chain(behind).for_each(|word| split.parts[part].words.push(word));
        split.order.push(part as u16);
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_belong_to_a_key_go_with_it() {
        let words = OwnedArgs::from_words(["mset", "foo", "1", "bar", "2", "{foo}x", "3"]);
        // foo is in slot 12182, bar in slot 5061.
        let split = split(words.as_args(), 1, 2, &SlotTable::even(2));
        assert_eq!(split.order, [0, 1, 0]);
        assert_eq!((split.parts[0].shard, split.parts[1].shard), (1, 0));
        assert_eq!(split.parts[0].words, OwnedArgs::from_words(["mset", "foo", "1", "{foo}x", "3"]));
        assert_eq!(split.parts[1].words, OwnedArgs::from_words(["mset", "bar", "2"]));
    }

    #[test]
    fn many_keys_are_walked_once() {
        // With a walk to each of them this would not end.
        const KEYS: usize = 500_000;
        let words = (0..KEYS).map(|number| number.to_string());
        let words = OwnedArgs::from_words(["del".to_owned()].into_iter().chain(words));
        let split = split(words.as_args(), 1, 1, &SlotTable::even(5));
        assert_eq!(split.order.len(), KEYS);
        assert_eq!(split.parts.iter().map(|part| part.words.as_args().len() - 1).sum::<usize>(), KEYS);
    }
}
