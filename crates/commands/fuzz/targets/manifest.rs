//! A manifest of any bytes is refused or read; read, it is written the same. The same holds when its checksum is put
//! right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_storage::checksum::crc64;
use tessera_storage::manifest::Manifest;

fuzz_target!(|data: &[u8]| {
    let signed = [data, format!("end {:016x}\n", crc64(data)).as_bytes()].concat();
    for bytes in [data, &signed] {
        if let Ok(manifest) = Manifest::decode(bytes) {
            assert_eq!(manifest.encode(), bytes);
            assert!(manifest.files.iter().all(|file| !file.name.contains('/')));
        }
    }
});
