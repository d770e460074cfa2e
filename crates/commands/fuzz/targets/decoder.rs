//! Commands that arrive in pieces are those that arrive at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_resp::{Args, Decoded, Decoder, Limits};

/// What came out: each command's words; the error, if it ended with one; the bytes that were used.
type Outcome = (Vec<Vec<Vec<u8>>>, Option<String>, usize);

/// Decodes `stream` as it arrives up to each of `ends`, which ascend.
fn decode(stream: &[u8], ends: &[usize], limits: &Limits) -> Outcome {
    let (mut decoder, mut at, mut commands) = (Decoder::new(), 0, Vec::new());
    for end in ends {
        loop {
            let input = &stream[at..*end];
            match decoder.decode(input, limits) {
                Ok(Decoded::Incomplete) => {
                    assert!(decoder.needs_len_bytes() > 0);
                    break;
                }
                Ok(Decoded::Command(len)) => {
                    assert!(len > 0 && len <= input.len());
                    let args = Args::new(decoder.words_in(input), decoder.spans());
                    commands.push(args.iter().map(<[u8]>::to_vec).collect());
                    at += len;
                }
                Err(error) => return (commands, Some(error.to_string()), at),
            }
        }
    }
    (commands, None, at)
}

fuzz_target!(|data: &[u8]| {
    let Some((&step, stream)) = data.split_first() else { return };
    let limits = Limits { bulk_max_len_bytes: 512 * 1024 * 1024, unauthenticated: step & 0x80 != 0 };
    let whole = decode(stream, &[stream.len()], &limits);
    // Pieces of a length that changes, and byte by byte.
    let mut ends: Vec<usize> = Vec::new();
    let mut end = 0;
    while end < stream.len() {
        end = (end + 1 + (usize::from(step) * (ends.len() + 1)) % 23).min(stream.len());
        ends.push(end);
    }
    assert_eq!(decode(stream, &ends, &limits), whole);
    assert_eq!(decode(stream, &(0..=stream.len()).collect::<Vec<_>>(), &limits), whole);
});
