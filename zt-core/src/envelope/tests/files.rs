//! Sealed files: round trips of every length, and everything that somebody may do to them.

use super::*;

/// The bytes of a segment when sealed.
const SEGMENT: usize = (1 << 16) + 16;

fn opener_of(sealed: &[u8]) -> Result<Opener> {
    let header = FileHeader::read(sealed)?;
    let found = header.found(&binding())?;
    let dek = unwrap(&KEK, &found.key.wrapped).ok_or(SealError::WrongKey { row: 0 })?;
    let held = Held::new(&found, &dek, None, &names(COLUMNS))?;
    Ok(Opener::new(names(COLUMNS), vec![held], View::default()))
}

fn open_file(sealed: &[u8]) -> Result<Vec<u8>> {
    let plain = opener_of(sealed)?.unseal_bytes("model.onnx", sealed)?;
    Ok(plain.to_vec())
}

fn bytes(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn seal_file(length: usize) -> Vec<u8> {
    let sealer = sealer(COLUMNS);
    sealer.seal_bytes("model.onnx", &bytes(length)).unwrap()
}

fn says(sealed: &[u8]) -> String {
    let why = open_file(sealed).unwrap_err();
    assert_eq!(why.code(), Code::SealIntegrity, "{why}");
    why.message().to_owned()
}

/// Where the segments begin.
fn segments_of(sealed: &[u8]) -> usize {
    let mut rest = sealed;
    FileHeader::read(&mut rest).unwrap();
    sealed.len() - rest.len()
}

#[test]
fn files_of_every_length_come_back() {
    let lengths = [
        0,
        1,
        15,
        65_535,
        65_536,
        65_537,
        131_072,
        40 * 65_536,
        40 * 65_536 + 5,
    ];
    for length in lengths {
        let sealed = seal_file(length);
        assert!(open_file(&sealed).unwrap() == bytes(length), "{length}");
        let segments = length.div_ceil(65_536).max(1);
        assert_eq!(sealed.len() - segments_of(&sealed), length + 16 * segments);
    }
}

/// Gives few bytes at a time, as a pipe does.
struct Trickle<'a>(&'a [u8], usize);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 % 977 + 1;
        let (part, rest) = self.0.split_at(self.1.min(to.len()).min(self.0.len()));
        to[..part.len()].copy_from_slice(part);
        self.0 = rest;
        Ok(part.len())
    }
}

#[test]
fn a_stream_may_come_in_small_parts() {
    let (plain, mut sealed) = (bytes(200_000), Vec::new());
    let sealer = sealer(COLUMNS);
    let length = sealer
        .seal_stream("model.onnx", Trickle(&plain, 0), &mut sealed)
        .unwrap();
    assert_eq!(length, 200_000);
    let opener = opener_of(&sealed).unwrap();
    let (mut from, mut opened) = (Trickle(&sealed, 0), Vec::new());
    let header = FileHeader::read(&mut from).unwrap();
    let length = opener
        .unseal_stream("model.onnx", &header, from, &mut opened)
        .unwrap();
    assert!(length == 200_000 && opened == plain);
}

#[test]
fn two_seals_of_one_file_never_look_the_same() {
    let sealer = sealer(COLUMNS);
    let seal = || sealer.seal_bytes("a", &bytes(100)).unwrap();
    let (one, other) = (seal(), seal());
    let at = segments_of(&one);
    assert!(one[at..] != other[at..]);
}

#[test]
fn every_changed_bit_of_a_file_is_found() {
    let sealed = seal_file(40);
    let opener = opener_of(&sealed).unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            let why = opener.unseal_bytes("model.onnx", &changed).unwrap_err();
            assert_eq!(why.code(), Code::SealIntegrity, "byte {at}: {why}");
            assert!(open_file(&changed).is_err());
        }
    }
}

#[test]
fn a_file_cut_at_any_length_is_found() {
    let sealed = seal_file(40);
    for length in 0..sealed.len() {
        let said = says(&sealed[..length]);
        assert!(
            said.contains("not a sealed file") || said.contains("cut"),
            "{length}: {said}"
        );
    }
    let sealed = seal_file(3 * 65_536 + 9);
    let at = segments_of(&sealed);
    let cut = |length: usize| says(&sealed[..at + length]);
    assert_eq!(
        cut(2 * SEGMENT),
        "the file is cut: its end is missing after segment 2"
    );
    assert_eq!(
        cut(2 * SEGMENT + 3),
        "the file is cut: its end is missing after segment 2"
    );
    assert_eq!(
        cut(2 * SEGMENT + 99),
        "the last segment of the file, 3, does not open: it was cut or changed, or is of another file"
    );
    assert_eq!(
        cut(0),
        "the file is cut: its end is missing after segment 0"
    );
    // Long enough for several threads.
    let sealed = seal_file(19 * 65_536 + 9);
    let at = segments_of(&sealed);
    for left in [0, 3, 15] {
        assert_eq!(
            says(&sealed[..at + 18 * SEGMENT + left]),
            "the file is cut: its end is missing after segment 18"
        );
    }
}

#[test]
fn moved_repeated_and_added_segments_are_found() {
    let sealed = seal_file(3 * 65_536);
    let at = segments_of(&sealed);
    let segment =
        |number: usize| sealed[at + number * SEGMENT..at + (number + 1) * SEGMENT].to_vec();
    let of = |order: &[usize]| {
        let mut file = sealed[..at].to_vec();
        order
            .iter()
            .for_each(|number| file.extend(segment(*number)));
        says(&file)
    };
    assert_eq!(
        of(&[1, 0, 2]),
        "segment 1 of the file is its segment 2: it was moved or repeated"
    );
    assert_eq!(
        of(&[0, 0, 1, 2]),
        "segment 2 of the file is its segment 1: it was moved or repeated"
    );
    assert_eq!(
        of(&[0, 2]),
        "segment 2 of the file is its segment 3: it was moved or repeated"
    );
    assert_eq!(
        of(&[0, 1, 2, 2]),
        "the file ends with segment 3, and more follows: something was added"
    );
    let other = seal_file(3 * 65_536);
    let mut mixed = sealed.clone();
    mixed[at + SEGMENT..].copy_from_slice(&other[segments_of(&other) + SEGMENT..]);
    assert_eq!(
        says(&mixed),
        "segment 2 of the file does not open: it was changed, or is of another file"
    );
    let mut more = sealed.clone();
    more.push(0);
    assert_eq!(
        says(&more),
        "the file ends with segment 3, and more follows: something was added"
    );
}

#[test]
fn another_file_output_or_key_is_named_as_such() {
    let sealed = seal_file(40);
    let opener = opener_of(&sealed).unwrap();
    let why = opener.unseal_bytes("other.onnx", &sealed).unwrap_err();
    assert_eq!(
        why.message(),
        "the file was sealed as `model.onnx`, and is opened as `other.onnx`: another file lies in its place"
    );
    let other = Binding::new("ER-01", "gold.other", SecretRef::new("scores-kek"));
    let there = sealer_for(&other, COLUMNS)
        .seal_bytes("model.onnx", b"x")
        .unwrap();
    assert_eq!(
        says(&there),
        "the file was sealed for table `gold.other`, the tables say `gold.loan_scores`"
    );
    let why = opener
        .unseal_bytes("model.onnx", &seal_file(40))
        .unwrap_err();
    assert_eq!(
        why.message(),
        "the key of the file is not one that this opener holds"
    );
    // A header under the very same data key that another file has.
    let sealer = sealer(COLUMNS);
    let [one, two] = ["model.onnx", "model.two"].map(|name| sealer.seal_bytes(name, b"x").unwrap());
    let at = segments_of(&two);
    let moved = [&one[..segments_of(&one)], &two[at..]].concat();
    assert_eq!(
        says(&moved),
        "the last segment of the file, 1, does not open: it was cut or changed, or is of another file"
    );
    let mut renamed = two.clone();
    let name = two
        .windows(9)
        .position(|window| window == b"model.two")
        .unwrap();
    renamed[name..name + 9].copy_from_slice(b"model.one");
    assert_eq!(
        says(&renamed),
        "the header of the file was changed, or is of another file or key"
    );
}

#[test]
fn what_is_no_sealed_file_or_a_later_one_says_so() {
    for plain in [b"".as_slice(), b"zt1", b"PK\x03\x04 and so on and so on"] {
        assert!(says(plain).starts_with("this is not a sealed file"));
    }
    let mut later = seal_file(0);
    later[2] = b'2';
    assert_eq!(
        says(&later),
        "the file is sealed in a version that this zt does not know"
    );
    let mut sized = seal_file(0);
    sized[8] = 30;
    assert!(says(&sized).starts_with("this is not a sealed file: its segments"));
}

#[test]
fn names_that_cannot_be_told_are_refused() {
    let sealer = sealer(COLUMNS);
    let long = "x".repeat(1025);
    for name in ["", "a\nb", long.as_str()] {
        let why = sealer.seal_bytes(name, b"x").unwrap_err();
        assert_eq!(why.code(), Code::InvalidArgument);
    }
    assert!(sealer.seal_bytes(&"x".repeat(1024), b"x").is_ok());
}

#[test]
fn nothing_of_a_segment_that_is_not_whole_is_written() {
    let mut sealed = seal_file(2 * 65_536);
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    let mut rest = sealed.as_slice();
    let header = FileHeader::read(&mut rest).unwrap();
    let mut written = Vec::new();
    let opener = opener_of(&sealed).unwrap();
    assert!(
        opener
            .unseal_stream("model.onnx", &header, rest, &mut written)
            .is_err()
    );
    assert!(written == bytes(65_536));
}

#[test]
fn a_right_to_a_part_opens_no_file() {
    let sealed = seal_file(10);
    let mut masks = Masks::default();
    masks.cover("salary", Mask::Null);
    let some = Columns::AllBut(BTreeSet::from(["salary".to_owned()]));
    let views = [
        View {
            columns: some,
            ..View::default()
        },
        View {
            masks,
            ..View::default()
        },
        View {
            max_rows: Some(5),
            ..View::default()
        },
    ];
    for view in views {
        let found = FileHeader::read(sealed.as_slice())
            .unwrap()
            .found(&binding())
            .unwrap();
        let dek = unwrap(&KEK, &found.key.wrapped).unwrap();
        let held = Held::new(&found, &dek, None, &names(COLUMNS)).unwrap();
        let opener = Opener::new(names(COLUMNS), vec![held], view);
        let why = opener.unseal_bytes("model.onnx", &sealed).unwrap_err();
        assert_eq!(why.code(), Code::ObligationUnmet);
    }
}

#[test]
fn a_file_on_the_disk_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    std::fs::write(at("model.onnx"), bytes(200_001)).unwrap();
    let sealer = sealer(COLUMNS);
    let sealed = sealer.seal_file(None, at("model.onnx"), at("model.zt"), false);
    assert_eq!(sealed.unwrap(), 200_001);
    let header = FileHeader::of_file(at("model.zt")).unwrap();
    assert_eq!(header.name(), "model.onnx");
    assert!(header.bytes().len() <= FileHeader::MOST_BYTES);
    let mut sealed = std::fs::read(at("model.zt")).unwrap();
    let opener = opener_of(&sealed).unwrap();
    let name = Some("model.onnx");
    let opened = opener.unseal_file(name, at("model.zt"), at("copy"), false);
    assert_eq!(opened.unwrap(), 200_001);
    assert!(std::fs::read(at("copy")).unwrap() == bytes(200_001));

    *sealed.last_mut().unwrap() ^= 1;
    std::fs::write(at("model.zt"), sealed).unwrap();
    for (to, replaces) in [("other", false), ("copy", true)] {
        let why = opener.unseal_file(name, at("model.zt"), at(to), replaces);
        assert_eq!(why.unwrap_err().code(), Code::SealIntegrity);
    }
    assert_eq!(names(), 3);
    assert!(std::fs::read(at("copy")).unwrap() == bytes(200_001));
    let why = opener.unseal_file(None, at("model.zt"), at("model.onnx"), false);
    assert_eq!(why.unwrap_err().code(), Code::InvalidArgument);
    let why = sealer.seal_file(None, at("gone"), at("gone.zt"), false);
    assert_eq!(why.unwrap_err().code(), Code::NotFound);
    assert_eq!(names(), 3);
}

#[test]
fn the_longest_header_is_as_long_as_it_says() {
    let key_text = "k".repeat(key_text::MOST_BYTES_2);
    let files = stream::FilesKey::new(&DataKey::generate().unwrap(), &binding()).unwrap();
    let name = "n".repeat(1024);
    let longest = FileHeader::with_salt(&key_text, &name, &files, [0; 32]).unwrap();
    assert_eq!(longest.bytes().len(), FileHeader::MOST_BYTES);
    let read = FileHeader::read(longest.bytes().as_slice()).unwrap();
    assert_eq!(read, longest);
}
