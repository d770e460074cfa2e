use super::*;

fn random_manifest(random: &mut fastrand::Rng) -> Manifest {
    let shards = random.usize(1..6);
    let mut files: Vec<ShardFile> = (0..shards)
        .map(|shard| {
            let len_bytes = random.u64(..) >> random.u8(..64);
            let body_offset_bytes = random.u64(..=len_bytes);
            ShardFile {
                name: format!("{}-{shard}.rdb", ["dump", "a b", "späť", "..x", "-"][random.usize(..5)]),
                len_bytes,
                crc64: random.u64(..) >> random.u8(..64),
                body_offset_bytes,
                body_len_bytes: random.u64(..=len_bytes - body_offset_bytes),
                keys: random.u64(..) >> random.u8(..64),
                rdb_version: random.u32(..20),
                slots: Vec::new(),
            }
        })
        .collect();
    let mut first = 0;
    while first < SLOTS {
        let last = (first + random.usize(..5000)).min(SLOTS - 1);
        let owner = random.usize(..=shards);
        if let Some(file) = files.get_mut(owner) {
            file.slots.push(first as u16..=last as u16);
        }
        first = last + 1;
    }
    Manifest { epoch: random.u64(..), cut_unix_ms: random.u64(..), files }
}

fn signed(text: &str) -> Vec<u8> {
    format!("{text}end {:016x}\n", crc64(text.as_bytes())).into_bytes()
}

#[test]
fn what_is_written_is_read_again() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..300 {
        let manifest = random_manifest(&mut random);
        let bytes = manifest.encode();
        assert_eq!(Manifest::decode(&bytes).as_ref(), Ok(&manifest));
        // Whatever is cut off or changed is noticed.
        assert!(Manifest::decode(&bytes[..random.usize(..bytes.len())]).is_err());
        let mut damaged = bytes.clone();
        damaged[random.usize(..bytes.len())] ^= 1 << random.u8(..8);
        assert!(Manifest::decode(&damaged).is_err());
    }
}

/// Lines change places, go, come twice or have other facts, and the checksum is right.
#[test]
fn what_is_read_would_be_written_like_that() {
    let mut random = fastrand::Rng::with_seed(2);
    let facts = [
        "0",
        "1",
        "-1",
        "00",
        "18446744073709551615",
        "18446744073709551616",
        "",
        "x",
        "../x",
        "0-16383",
        "5-4",
    ];
    let mut read = 0;
    for _ in 0..5000 {
        let text = random_manifest(&mut random).to_string();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for _ in 0..random.usize(1..3) {
            let (at, other) = (random.usize(..lines.len()), random.usize(..lines.len()));
            match random.u8(..4) {
                0 => lines.swap(at, other),
                1 if lines.len() > 1 => drop(lines.remove(at)),
                2 => lines.insert(at, lines[other].clone()),
                _ => {
                    let word = lines[at].split(' ').next().unwrap_or_default().to_owned();
                    lines[at] = format!("{word} {}", facts[random.usize(..facts.len())]);
                }
            }
        }
        let bytes = signed(&(lines.join("\n") + "\n"));
        if let Ok(manifest) = Manifest::decode(&bytes) {
            assert_eq!(manifest.encode(), bytes);
            read += 1;
        }
    }
    assert!(read > 100, "{read}");
}

#[test]
fn errors_say_what_is_wrong() {
    let file = ShardFile {
        name: "dump-epoch1-shard0.rdb".into(),
        len_bytes: 100,
        crc64: 7,
        body_offset_bytes: 9,
        body_len_bytes: 82,
        keys: 3,
        rdb_version: 10,
        slots: vec![0..=3, 5..=5],
    };
    let manifest = Manifest { epoch: 1, cut_unix_ms: 2, files: vec![file] };
    let text = manifest.to_string();
    assert_eq!(
        text,
        "tessera-snapshot 1\nepoch 1\ncut-unix-ms 2\nshards 1\nfile dump-epoch1-shard0.rdb\nlength 100\n\
         crc64 0000000000000007\nbody 9 82\nkeys 3\nrdb-version 10\nslots 0-3 5\n"
    );
    assert_eq!(Manifest::decode(&signed(&text)), Ok(manifest));
    for (from, to, problem) in [
        ("snapshot 1", "snapshot 2", "manifest, line 1: version 2, of which nothing is known"),
        ("epoch 1", "epoch x", "manifest, line 2: not a number within bounds"),
        ("shards 1", "shards 2", "manifest, line 12: no line that begins with \"file\""),
        ("shards 1", "shards 0", "manifest, line 4: lines behind the last file"),
        ("shards 1", "shards 5000", "manifest, line 4: more than 4096 shards"),
        (
            "file dump",
            "file ../dump",
            "manifest: the file \"../dump-epoch1-shard0.rdb\" has a name that is not one of a file in this directory",
        ),
        (
            "dump-epoch1-shard0.rdb",
            "..",
            "manifest: the file \"..\" has a name that is not one of a file in this directory",
        ),
        ("length 100", "length 90", "manifest: the file \"dump-epoch1-shard0.rdb\" is shorter than its body"),
        (
            "body 9 82",
            "body 9 18446744073709551615",
            "manifest: the file \"dump-epoch1-shard0.rdb\" is shorter than its body",
        ),
        (
            "0-3 5",
            "0-3 3",
            "manifest: the file \"dump-epoch1-shard0.rdb\" has slots that are not in ascending order or beyond the \
                last",
        ),
        (
            "0-3 5",
            "0-16384",
            "manifest: the file \"dump-epoch1-shard0.rdb\" has slots that are not in ascending order or beyond the \
                last",
        ),
        ("0-3 5", "0-3  5", "manifest, line 11: not a list of slots"),
    ] {
        assert!(text.contains(from));
        let error = Manifest::decode(&signed(&text.replace(from, to))).expect_err(to);
        assert_eq!(error.to_string(), problem);
    }
    let unsigned = |bytes: &[u8]| Manifest::decode(bytes).expect_err("unsigned").to_string();
    assert_eq!(unsigned(text.as_bytes()), "manifest: the last line is not its end");
    assert_eq!(
        unsigned(format!("{text}end 0000000000000000\n").as_bytes()),
        "manifest: damaged: its checksum is another one"
    );
    assert_eq!(unsigned(b""), "manifest, line 1: no line that begins with \"tessera-snapshot\"");
    assert_eq!(unsigned(b"tessera-snapshot 1\nepoch 1"), "manifest: the last line is not whole");
    assert_eq!(unsigned(&vec![b' '; MANIFEST_MAX_LEN_BYTES + 1]), "manifest: longer than 4194304 bytes");
}

#[test]
fn a_slot_is_in_one_file() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut manifest = random_manifest(&mut random);
    let mut other = manifest.files[0].clone();
    manifest.files[0].slots = vec![0..=10];
    other.slots = vec![10..=11];
    manifest.files.truncate(1);
    manifest.files.push(other);
    let problem = |manifest: &Manifest| manifest.check().expect_err("wrong").problem;
    assert!(problem(&manifest).ends_with("comes twice"));
    manifest.files[1].name = "other".into();
    assert_eq!(problem(&manifest), "the file \"other\" has slots that another one has, too");
    manifest.files[1].slots = vec![11..=11];
    assert_eq!(manifest.check(), Ok(()));
}
