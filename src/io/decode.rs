//! Opens any supported file as a stream of frames.

use std::io::Seek;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use analyzer::stream::{Frame, Source};

use super::error::{Error, Warning};
use super::packets::PacketReader;
use super::pcm::{Layout, PcmReader};
use super::regular::open_regular;
use super::riff::{self, Wave};
use super::sniff::{self, Kind};
use super::source_info::{MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ, SourceInfo};
use super::window::Window;
use super::{aiff, caf, mp4};

/// Largest sample value that counts as audio: +60 dBFS, far above any floating-point mix.
const MAX_AUDIO_VALUE: f32 = 1000.0;

/// A file with more than one bad sample in this many is not audio at all.
const MIN_SAMPLES_PER_BAD: u64 = 100;

/// Decodes a file. Memory does not grow with its length.
///
/// A sample that is not a number, infinite or beyond ±1000 (+60 dBFS) is replaced by silence and counted; a file
/// with more than one such sample in a hundred is refused when it ends. Everything else keeps its bits.
pub struct Decoder {
    path: PathBuf,
    info: SourceInfo,
    body: Body,
    warnings: Vec<Warning>,
    frames: u64,
    bad_samples: u64,
    has_ended: bool,
    /// Size and modification time of the file before it was read.
    stamp: Option<Stamp>,
}

/// Size of a file and time of its last modification: a change of either shows that it was written to.
pub(crate) type Stamp = (u64, Option<SystemTime>);

/// Returns the current stamp of the file at `path`, or `None` if there is none.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

enum Body {
    Pcm(PcmReader),
    Packets(Box<PacketReader>),
}

/// Opens a WAV (also RF64, BW64), AIFF, FLAC, Ogg, CAF, MP4, Matroska, MPEG audio or ADTS file, with any supported
/// codec.
///
/// # Errors
/// The file is not a regular file or not audio, is written to while it is read, is neither mono nor stereo, has a
/// sample rate outside the accepted range, or contains no frame that can be decoded.
pub fn open(path: &Path) -> Result<Decoder, Error> {
    let stamp = stamp(path);
    opened(path, stamp).map_err(|error| unless_changed(path, stamp, error))
}

/// Returns the error, or [`Changed`](Error::Changed) if the file was written to while it was read.
fn unless_changed(path: &Path, before: Option<Stamp>, error: Error) -> Error {
    if before.is_some() && stamp(path) != before { Error::Changed { path: path.to_owned() } } else { error }
}

fn opened(path: &Path, stamp: Option<Stamp>) -> Result<Decoder, Error> {
    let file = open_regular(path)?;
    let unreadable = |e: std::io::Error| Error::reading(path, &e);
    let mut window = Window::without_tags(file).map_err(unreadable)?;
    let kind = sniff::kind(&mut window, path).map_err(unreadable)?;
    let layout = match kind {
        Kind::Unsupported(codec) => {
            return Err(Error::UnsupportedCodec { path: path.to_owned(), codec: codec.to_owned() });
        }
        Kind::NotAudio(cause) => return Err(Error::NotAudio { path: path.to_owned(), cause: cause.to_owned() }),
        Kind::Riff if window.starts_the_file() => match riff::read(window.file(), path)? {
            Wave::Pcm(layout) => Some(layout),
            Wave::Other => None,
        },
        Kind::Aiff if window.starts_the_file() => aiff::read(window.file(), path)?,
        Kind::Caf if window.starts_the_file() => caf::read(window.file(), path)?,
        Kind::IsoMp4 if window.starts_the_file() => mp4::read_pcm(window.file(), path)?,
        _ => None,
    };
    let (body, info, warnings) = match layout {
        Some(layout) => {
            let (info, warnings) = (describe(&layout, path)?, layout.all_warnings());
            (Body::Pcm(PcmReader::new(window.into_file(), layout)), info, warnings)
        }
        None => {
            window.rewind().map_err(unreadable)?;
            let (reader, info) = PacketReader::open(window, kind, path)?;
            (Body::Packets(Box::new(reader)), info, Vec::new())
        }
    };
    if !(MIN_SAMPLE_RATE_HZ..=MAX_SAMPLE_RATE_HZ).contains(&info.sample_rate_hz) {
        return Err(Error::SampleRate { path: path.to_owned(), hz: info.sample_rate_hz });
    }
    Ok(Decoder { path: path.to_owned(), info, body, warnings, frames: 0, bad_samples: 0, has_ended: false, stamp })
}

/// True if a file begins like sound of any kind, whether it can be decoded here or not. False if it cannot be read.
pub fn begins_like_sound(path: &Path) -> bool {
    let kind = || sniff::kind(&mut Window::without_tags(open_regular(path).ok()?).ok()?, path).ok();
    kind().is_some_and(|kind| !matches!(kind, Kind::NotAudio(_)))
}

fn describe(layout: &Layout, path: &Path) -> Result<SourceInfo, Error> {
    if layout.frames() == 0 {
        return Err(Error::Empty { path: path.to_owned() });
    }
    let is_lossy = layout.encoding.law_name().is_some();
    Ok(SourceInfo {
        sample_rate_hz: layout.sample_rate_hz,
        channels: layout.channels as u8,
        frames_hint: Some(layout.frames()),
        codec: layout.codec.clone(),
        bit_depth: (!is_lossy).then_some(layout.valid_bits),
        lossy: is_lossy,
    })
}

impl Decoder {
    /// Returns the properties of the source.
    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// Returns the problems found in the source. The list is complete once the source has been read to its end.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn end(&mut self) -> Result<(), Error> {
        self.has_ended = true;
        if stamp(&self.path) != self.stamp {
            return Err(Error::Changed { path: self.path.clone() });
        }
        if let Body::Packets(reader) = &self.body {
            self.warnings.extend_from_slice(reader.warnings());
        }
        if self.frames == 0 {
            return Err(Error::Empty { path: self.path.clone() });
        }
        if self.bad_samples > 0 {
            self.warnings.push(Warning::Replaced { samples: self.bad_samples });
        }
        if self.bad_samples.saturating_mul(MIN_SAMPLES_PER_BAD) > 2 * self.frames {
            let cause = "many of its samples are not numbers or absurdly large".to_owned();
            return Err(Error::Damaged { path: self.path.clone(), cause });
        }
        Ok(())
    }
}

impl Source for Decoder {
    type Error = Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, Error> {
        if self.has_ended || frames.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.body {
            Body::Pcm(reader) => reader.read(frames, &self.path),
            Body::Packets(reader) => reader.read(frames),
        };
        let count = read.map_err(|error| unless_changed(&self.path, self.stamp, error))?;
        self.frames += count as u64;
        self.bad_samples += replace_bad(&mut frames[..count]);
        if count == 0 {
            self.end()?;
        }
        Ok(count)
    }
}

/// Silences samples that are not audio, and returns their number.
fn replace_bad(frames: &mut [Frame]) -> u64 {
    let mut bad = 0;
    for sample in frames.as_flattened_mut() {
        if sample.is_nan() || sample.abs() > MAX_AUDIO_VALUE {
            *sample = 0.0;
            bad += 1;
        }
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, file, wav, wav_format};
    use super::*;

    fn float_wav(samples: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        wav(&wav_format(3, 1, 48_000, 32), &data)
    }

    #[test]
    fn what_is_no_number_becomes_silence_and_is_counted() {
        let mut samples = vec![0.25; 1_000];
        (samples[10], samples[20], samples[30], samples[40]) = (f32::NAN, f32::INFINITY, -1e30, -999.0);
        let (_, frames, warnings) = decode(&float_wav(&samples)).expect("a WAV");
        assert_eq!((frames[10], frames[20], frames[30]), ([0.0; 2], [0.0; 2], [0.0; 2]));
        assert_eq!((frames[40], frames[50]), ([-999.0; 2], [0.25; 2]));
        assert_eq!(warnings, [Warning::Replaced { samples: 6 }]);
    }

    #[test]
    fn a_file_of_nonsense_is_refused() {
        assert!(matches!(decode(&float_wav(&[f32::NAN; 1_000])), Err(Error::Damaged { .. })));
        assert!(matches!(decode(&float_wav(&[1e30; 1_000])), Err(Error::Damaged { .. })));
    }

    #[test]
    fn other_files_are_named_for_what_they_are() {
        let error = |bytes: &[u8]| decode(bytes).expect_err("no audio").to_string();
        assert!(error(b"").contains("the file is empty"));
        assert!(error(b"<!DOCTYPE html>").contains("web page"));
        assert!(error(b"\x89PNG\r\n\x1a\n").contains("picture"));
        assert!(error(b"ID3\x04\0\0\0\0\0\x02\0\0").contains("tags but no sound"));
        assert!(error(&[0; 5_000]).contains("not an audio file that goldmaster can read"));
        assert!(matches!(decode(b"wvpk and so on"), Err(Error::UnsupportedCodec { .. })));
    }

    #[test]
    fn only_files_on_disk_are_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(open(folder.path()), Err(Error::NotAFile { .. })));
        assert!(matches!(open(&folder.path().join("missing")), Err(Error::NotFound { .. })));
        if cfg!(unix) {
            assert!(matches!(open(Path::new("/dev/zero")), Err(Error::NotAFile { .. })));
        }
    }

    #[test]
    fn tags_before_a_wav_do_not_hide_it() {
        let tagged = [b"ID3\x04\0\0\0\0\0\x02\0\0".to_vec(), float_wav(&[0.5; 100])].concat();
        assert_eq!(decode(&tagged).expect("a WAV").1, [[0.5; 2]; 100]);
    }

    #[test]
    fn a_file_that_is_written_to_while_it_is_read_is_refused() {
        let bytes = float_wav(&[0.5; 1000]);
        let grow = |path: &Path| {
            let mut longer = std::fs::OpenOptions::new().append(true).open(path).expect("ours");
            std::io::Write::write_all(&mut longer, &[0; 100]).expect("space");
        };
        let swap = |path: &Path| {
            std::fs::remove_file(path).expect("ours");
            std::fs::write(path, &bytes[..bytes.len() - 4]).expect("space");
        };
        for change in [&grow as &dyn Fn(&Path), &swap] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("song.wav");
            std::fs::write(&path, &bytes).expect("space");
            let mut decoder = open(&path).expect("a WAV");
            let mut block = [[0.0; 2]; 600];
            assert_eq!(decoder.read(&mut block).expect("as before"), 600);
            change(&path);
            let refused = std::iter::repeat_with(|| decoder.read(&mut block)).find(|read| !matches!(read, Ok(1..)));
            assert!(matches!(refused, Some(Err(Error::Changed { .. }))), "{refused:?}");
        }
    }

    #[test]
    fn after_the_end_there_is_nothing() {
        let file = file(&float_wav(&[0.5; 10]));
        let mut decoder = open(file.path()).expect("a WAV");
        let mut block = [[0.0; 2]; 64];
        assert_eq!(decoder.read(&mut []).expect("readable"), 0);
        assert_eq!(decoder.read(&mut block).expect("readable"), 10);
        assert_eq!(decoder.read(&mut block).expect("readable"), 0);
        assert_eq!(decoder.read(&mut block).expect("readable"), 0);
    }
}
