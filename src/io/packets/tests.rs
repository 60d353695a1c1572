use symphonia::core::units::{Duration, Timestamp};

use super::super::output_spec::{Format, SampleFormat};
use super::super::testing::{decode, encoded, file, on_grid, page};
use super::*;

/// Creates silent frames of MPEG-1 layer III, at 44.1 or 48 kHz.
fn mp3_frames(count: usize, rate_bits: u8) -> Vec<u8> {
    let mut frame = vec![0; if rate_bits == 0 { 417 } else { 384 }];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90 | rate_bits << 2, 0]);
    frame.repeat(count)
}

/// Creates the frame that states the number of further frames, and how many samples of them are delay and padding.
fn mp3_info(frames: u32, delay: u32, padding: u32) -> Vec<u8> {
    let mut frame = mp3_frames(1, 0);
    frame[36..40].copy_from_slice(b"Info");
    frame[43] = 1;
    frame[44..48].copy_from_slice(&frames.to_be_bytes());
    frame[48..52].copy_from_slice(b"Lavf");
    frame[69..72].copy_from_slice(&(delay << 12 | padding).to_be_bytes()[1..]);
    frame
}

#[test]
fn delay_and_padding_of_mp3_are_left_out() {
    let file = [mp3_info(10, 576, 1_000), mp3_frames(10, 0)].concat();
    let (info, frames, warnings) = decode(&file).expect("an MP3");
    assert_eq!(frames.len(), 11_520 - 576 - 1_000);
    assert_eq!((info.frames_hint, info.lossy), (Some(frames.len() as u64), true));
    assert_eq!(warnings, []);
}

#[test]
fn joined_mp3_files_are_read_to_the_end() {
    let one = [mp3_info(10, 576, 1_000), mp3_frames(10, 0)].concat();
    let (_, frames, warnings) = decode(&one.repeat(2)).expect("an MP3");
    assert_eq!(frames.len(), 23_040 - 576 - 529);
    assert_eq!(warnings, [Warning::Long { extra_frames: 11_520 }]);
}

#[test]
fn an_mp3_that_is_cut_off_says_so() {
    let file = [mp3_info(10, 576, 1_000), mp3_frames(5, 0)].concat();
    let (_, frames, warnings) = decode(&file).expect("an MP3");
    assert_eq!(frames.len(), 5_760 - 576 - 529);
    assert_eq!(warnings, [Warning::Short { missing_frames: 5_760 }]);
}

#[test]
fn a_sample_rate_that_changes_is_an_error() {
    let refused = decode(&[mp3_frames(10, 0), mp3_frames(10, 1)].concat()).expect_err("two rates");
    assert!(matches!(refused, Error::Changes { from: 44_100, to: 48_000, .. }), "{refused}");
}

#[test]
fn damaged_flac_keeps_its_length_and_says_what_is_lost() {
    let frames = on_grid(50_000, 16);
    let mut file = encoded(Format::Flac, SampleFormat::Int16, &frames);
    let middle = file.len() / 2;
    file[middle..middle + 5_000].fill(0);
    let (_, damaged, warnings) = decode(&file).expect("a FLAC");
    assert_eq!(damaged.len(), frames.len());
    let lost = damaged.iter().zip(&frames).filter(|(a, b)| a != b).count() as u64;
    let [Warning::Silenced { frames: reported }] = warnings[..] else { panic!("{warnings:?}") };
    assert!(lost > 0 && lost <= reported && reported < 25_000, "{lost} of {reported}");
    assert_eq!(damaged[40_000..], frames[40_000..]);
}

#[test]
fn flac_that_is_cut_off_says_how_much_is_missing() {
    let frames = on_grid(50_000, 16);
    let file = encoded(Format::Flac, SampleFormat::Int16, &frames);
    let (_, read, warnings) = decode(&file[..file.len() / 2]).expect("a FLAC");
    let missing = (frames.len() - read.len()) as u64;
    assert!(!read.is_empty());
    assert_eq!(warnings, [Warning::Truncated { missing_frames: Some(missing) }]);
}

#[test]
fn a_gap_that_only_an_absurd_rate_makes_short_is_not_filled() {
    let file = file(&encoded(Format::Flac, SampleFormat::Int16, &on_grid(5_000, 16)));
    let window = Window::without_tags(std::fs::File::open(file.path()).expect("readable")).expect("readable");
    let (mut reader, _) = PacketReader::open(window, Kind::Flac, file.path()).expect("sound");
    reader.source.trim.promised_frames = None;
    reader.sample_rate_hz = 768_000;
    for (gap, filled) in [(1_000, 1_000), (MAX_GAP_FRAMES + 1, 0)] {
        reader.next_position = Some(0);
        let before = reader.block.len();
        reader.fill_gap(&Packet::new(0, Timestamp::new(gap as i64), Duration::new(4_096), Vec::new()));
        assert_eq!((reader.block.len() - before) as u64, filled, "{gap}");
    }
}

#[test]
fn a_disk_that_fails_is_not_the_end_of_the_file() {
    let flac = encoded(Format::Flac, SampleFormat::Int16, &on_grid(50_000, 16));
    let mp3 = [mp3_info(90, 576, 1_000), mp3_frames(90, 0)].concat();
    for (kind, bytes) in [(Kind::Flac, flac), (Kind::Mpeg, mp3)] {
        let file = file(&bytes);
        let path = file.path();
        let window = Window::without_tags(std::fs::File::open(path).expect("readable")).expect("readable");
        let failure = window.failure();
        let (mut reader, _) = PacketReader::open(window, kind, path).expect("sound");
        failure.set(std::io::Error::from_raw_os_error(5)).expect("no error before");
        let mut frames = vec![[0.0; 2]; 100_000];
        let failed = std::iter::repeat_with(|| reader.read(&mut frames)).find(|read| !matches!(read, Ok(1..)));
        assert!(matches!(failed, Some(Err(Error::Unreadable { .. }))), "{kind:?}: {failed:?}");
    }
}

#[test]
fn a_wrong_checksum_is_noticed() {
    let mut file = encoded(Format::Flac, SampleFormat::Int24, &on_grid(5_000, 24));
    // The last byte of STREAMINFO, which is also the last byte of the MD5 checksum.
    file[41] ^= 1;
    assert_eq!(decode(&file).expect("a FLAC").2, [Warning::Checksum]);
}

/// Creates an Ogg FLAC of a single block (xiph.org, *Ogg FLAC mapping*).
fn ogg_flac(frames: &[Frame], serial: u32) -> Vec<u8> {
    let flac = encoded(Format::Flac, SampleFormat::Int16, frames);
    let mut at = 4;
    while flac[at] & 0x80 == 0 {
        at += 4 + u32::from_be_bytes([0, flac[at + 1], flac[at + 2], flac[at + 3]]) as usize;
    }
    let sound = at + 4 + u32::from_be_bytes([0, flac[at + 1], flac[at + 2], flac[at + 3]]) as usize;
    let first = [b"\x7fFLAC\x01\0\0\x01", &flac[..42]].concat();
    let comment = [0x84, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    let pages = [
        page(serial, 0, 2, 0, &first),
        page(serial, 1, 0, 0, &comment),
        page(serial, 2, 4, frames.len() as u64, &flac[sound..]),
    ];
    pages.concat()
}

#[test]
fn chained_ogg_streams_are_both_read() {
    let frames = on_grid(3_000, 16);
    let (one, two) = (ogg_flac(&frames[..1_000], 1), ogg_flac(&frames[1_000..], 2));
    assert_eq!(decode(&one).expect("Ogg FLAC").1, frames[..1_000]);
    let (info, both, warnings) = decode(&[one, two].concat()).expect("chained Ogg FLAC");
    assert_eq!((info.codec.as_str(), both == frames, warnings), ("FLAC", true, vec![]));
}

#[test]
fn no_prefix_and_no_flipped_byte_of_a_file_is_a_panic() {
    let file = encoded(Format::Flac, SampleFormat::Int16, &on_grid(2_000, 16));
    let ogg = ogg_flac(&on_grid(1_000, 16), 1);
    let mp3 = [mp3_info(3, 576, 1_000), mp3_frames(3, 0)].concat();
    for whole in [file, ogg, mp3] {
        for at in (0..whole.len()).step_by(37) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x55;
            let _ = (decode(&whole[..at]), decode(&flipped));
        }
    }
}
