//! What a payload is restored as can be dumped and restored again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_storage::checksum::crc64;
use tessera_storage::rdb::{dump, restore};
use tessera_values::Thresholds;

fuzz_target!(|content: &[u8]| {
    let thresholds = Thresholds::default();
    let _ = restore(content, &thresholds);
    let mut payload = [content, &11u16.to_le_bytes()].concat();
    payload.extend_from_slice(&crc64(&payload).to_le_bytes());
    let Ok(value) = restore(&payload, &thresholds) else { return };
    assert!(value.as_ref().elements_len() > 0);
    for compress in [false, true] {
        let dumped = dump(value.as_ref(), compress);
        assert_eq!(restore(&dumped, &thresholds).as_ref(), Ok(&value));
    }
});
