//! Reading the lines of a manifest.

use super::{
    FORMAT_VERSION, MAGIC, MANIFEST_MAX_LEN_BYTES, Manifest, ManifestError, SHARDS_MAX, SLOTS, ShardFile,
    whole,
};
use crate::checksum::crc64;
use std::ops::RangeInclusive;

/// Digits of a checksum.
const CHECKSUM_LEN: usize = 16;
/// The word before the checksum of all.
const END: &str = "end";

/// The manifest that `bytes` are, if each line is as it should be.
pub(super) fn manifest(bytes: &[u8]) -> Result<Manifest, ManifestError> {
    if bytes.len() > MANIFEST_MAX_LEN_BYTES {
        return Err(whole(format!("longer than {MANIFEST_MAX_LEN_BYTES} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| whole("not text"))?;
    // Who wrote it comes before whether it is whole: a later version may have another checksum.
    let mut lines = Lines { rest: text, number: 0 };
    let version: u32 = lines.number(MAGIC)?;
    if version != FORMAT_VERSION {
        return Err(lines.wrong(format!("version {version}, of which nothing is known")));
    }
    let body = body(text)?;
    lines.rest = &body[body.len().min(text.len() - lines.rest.len())..];
    let epoch = lines.number("epoch")?;
    let cut_unix_ms = lines.number("cut-unix-ms")?;
    let shards: u32 = lines.number("shards")?;
    if shards > SHARDS_MAX {
        return Err(lines.wrong(format!("more than {SHARDS_MAX} shards")));
    }
    let files = (0..shards).map(|_| lines.file()).collect::<Result<_, _>>()?;
    if !lines.rest.is_empty() {
        return Err(lines.wrong("lines behind the last file"));
    }
    Ok(Manifest { epoch, cut_unix_ms, files })
}

/// All lines before the last, whose checksum that one has.
fn body(text: &str) -> Result<&str, ManifestError> {
    let lines = text.strip_suffix('\n').ok_or_else(|| whole("the last line is not whole"))?;
    let start = lines.rfind('\n').map_or(0, |at| at + 1);
    let (body, last) = lines.split_at(start);
    let said = last.strip_prefix(END).and_then(|rest| rest.strip_prefix(' ')).and_then(checksum);
    let said = said.ok_or_else(|| whole("the last line is not its end"))?;
    if said != crc64(body.as_bytes()) {
        return Err(whole("damaged: its checksum is another one"));
    }
    Ok(body)
}

fn checksum(text: &str) -> Option<u64> {
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let is_one = text.len() == CHECKSUM_LEN && text.bytes().all(is_digit);
    u64::from_str_radix(text, 16).ok().filter(|_| is_one)
}

fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let is_one = text == "0" || (!text.starts_with(['0', '+', '-']) && !text.is_empty());
    text.parse().ok().filter(|_| is_one)
}

struct Lines<'a> {
    rest: &'a str,
    /// That of the line last read.
    number: usize,
}

impl<'a> Lines<'a> {
    fn wrong(&self, problem: impl Into<String>) -> ManifestError {
        ManifestError { line: Some(self.number), problem: problem.into() }
    }

    /// What is behind `word` in the next line, with the blank between them.
    fn line(&mut self, word: &str) -> Result<&'a str, ManifestError> {
        self.number += 1;
        let found = self.rest.split_once('\n');
        let (line, rest) = found.ok_or_else(|| self.wrong(format!("no line that begins with {word:?}")))?;
        self.rest = rest;
        let facts = line.strip_prefix(word).filter(|facts| facts.is_empty() || facts.starts_with(' '));
        facts.ok_or_else(|| self.wrong(format!("does not begin with {word:?}")))
    }

    /// The only fact of the next line.
    fn fact(&mut self, word: &str) -> Result<&'a str, ManifestError> {
        let facts = self.line(word)?;
        facts.strip_prefix(' ').ok_or_else(|| self.wrong("nothing is said"))
    }

    fn number<N: std::str::FromStr>(&mut self, word: &str) -> Result<N, ManifestError> {
        let fact = self.fact(word)?;
        number(fact).ok_or_else(|| self.wrong("not a number within bounds"))
    }

    fn file(&mut self) -> Result<ShardFile, ManifestError> {
        let name = self.fact("file")?.to_owned();
        let len_bytes = self.number("length")?;
        let crc64 = self.fact("crc64")?;
        let crc64 = checksum(crc64).ok_or_else(|| self.wrong("not a checksum"))?;
        let body = self.fact("body")?;
        let body = body.split_once(' ').and_then(|(offset, len)| Some((number(offset)?, number(len)?)));
        let (body_offset_bytes, body_len_bytes) =
            body.ok_or_else(|| self.wrong("not two numbers within bounds"))?;
        let keys = self.number("keys")?;
        let rdb_version = self.number("rdb-version")?;
        let slots = self.slots()?;
        Ok(ShardFile { name, len_bytes, crc64, body_offset_bytes, body_len_bytes, keys, rdb_version, slots })
    }

    fn slots(&mut self) -> Result<Vec<RangeInclusive<u16>>, ManifestError> {
        let facts = self.line("slots")?;
        let Some(facts) = facts.strip_prefix(' ') else { return Ok(Vec::new()) };
        let ranges: Option<Vec<_>> = facts.split(' ').take(SLOTS).map(range).collect();
        ranges.ok_or_else(|| self.wrong("not a list of slots"))
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    match text.split_once('-') {
        None => number(text).map(|slot| slot..=slot),
        Some((first, last)) => {
            Some(number(first)?..=number(last)?).filter(|range| range.start() < range.end())
        }
    }
}
