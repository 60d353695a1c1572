//! Opens compressed files with symphonia: finds container, track, codec, and the frames that are music.

use std::io::Seek as _;
use std::path::Path;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as id;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::{MetadataOptions, RawValue};
use symphonia::default::{formats, get_codecs};

use super::catch_panic::catch_panic;
use super::error::{Error, Warning};
use super::regular::open_regular;
use super::sniff::Kind;
use super::window::{Failure, Window};
use super::{flac_head, flac32, limits, matroska, mp4, ogg, ogg_head, opus};

/// Most priming frames at the start of an MP4: no encoder needs more than about a second.
const MAX_PRIMING_FRAMES: u64 = 1 << 16;

/// Error reported in place of a panic in the decoding library.
pub(super) const DECODER_PANICKED: Fault = Fault::DecodeError("it makes no sense");

/// A file that is ready to be decoded.
pub(super) struct Demuxed {
    pub format: Box<dyn FormatReader>,
    pub decoder: Box<dyn AudioDecoder>,
    pub track: Track,
    pub codec: AudioCodecId,
    pub trim: Trim,
    pub warnings: Vec<Warning>,
    /// The first disk error.
    pub failure: Failure,
}

/// Frames before and after the music that are left out: encoder delay and padding.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trim {
    /// Number of frames to leave out at the start.
    pub start_frames: u64,
    /// Position in the decoded frames from which packets are left out.
    pub end_frame: Option<u64>,
    /// Number of frames to leave out at the end, if the stream is as long as stated.
    pub padding_frames: u64,
    /// Number of decoded frames that the stream promises, if this is reliable.
    pub promised_frames: Option<u64>,
}

/// Opens the sound of `window` for decoding.
pub(super) fn open(mut window: Window, kind: Kind, path: &Path) -> Result<Demuxed, Error> {
    let has_tags_before = !window.starts_the_file();
    let failure = window.failure();
    if kind == Kind::IsoMp4 && !mp4::are_possible(window.file()) {
        return Err(damaged(path, "its index claims more than the file holds"));
    }
    let unreadable = |e| Error::reading(path, &e);
    window.rewind().map_err(unreadable)?;
    if kind == Kind::Flac {
        window = flac_head::cleaned(window).map_err(unreadable)?;
    } else if kind == Kind::Ogg {
        window = ogg_head::without_long_comments(window).map_err(unreadable)?;
    }
    let stream = MediaSourceStream::new(Box::new(window), MediaSourceStreamOptions::default());
    let (options, tags) = (FormatOptions::default(), MetadataOptions::default());
    let opened =
        catch_panic(|| probe(kind).probe(&Hint::new(), stream, options, tags)).unwrap_or(Err(DECODER_PANICKED));
    if let Some(error) = failure.get() {
        return Err(Error::reading(path, error));
    }
    let mut format = opened.map_err(|fault| match (kind, fault) {
        (Kind::Riff, Fault::Unsupported(_)) => unsupported(path, "this kind of WAV"),
        (_, fault) => explain(fault, "its header", path),
    })?;
    let (track, params) = choose_track(&*format, path).map_err(|error| match kind {
        // The file has a sound track, but the demuxer does not know its codec.
        Kind::IsoMp4 if open_regular(path).ok().and_then(|mut file| mp4::has_sound(&mut file)) == Some(true) => {
            unsupported(path, "its codec")
        }
        _ => error,
    })?;
    let decoder = make_decoder(&params, kind, path)?;
    let mut warnings = Vec::new();
    let tracks = format.tracks().iter().filter(|t| t.track_type() == Some(TrackType::Audio)).count();
    if tracks > 1 {
        warnings.push(Warning::OtherTracks { count: tracks - 1 });
    }
    let mut trim = match kind {
        Kind::IsoMp4 if !has_tags_before => {
            let rate_hz = decoder.codec_params().sample_rate.or(params.sample_rate).unwrap_or(0);
            let priming = priming_frames(&mut *format);
            // A second file handle: the position of the first belongs to the demuxer.
            let edit = mp4::edit(&mut open_regular(path)?, track.id);
            let is_aac = params.codec == id::CODEC_ID_AAC;
            // The core of HE-AAC is coded at half the sample rate; without the extension, the upper octave would be
            // missing.
            if is_aac && edit.is_some_and(|e| u64::from(e.timescale_hz) == 2 * u64::from(rate_hz)) {
                return Err(unsupported(path, "HE-AAC"));
            }
            if edit.is_some_and(|e| e.is_complex) {
                warnings.push(Warning::EditList);
            }
            mp4_trim(edit, priming, rate_hz)
        }
        Kind::Ogg if track.num_frames.is_none() => {
            let promised_frames = ogg::last_frame(&mut open_regular(path)?, track.id);
            Trim { promised_frames, ..Trim::default() }
        }
        _ => stream_trim(kind, &track),
    };
    if kind == Kind::Matroska {
        let rate_hz = decoder.codec_params().sample_rate.or(params.sample_rate).unwrap_or(opus::SAMPLE_RATE_HZ);
        let padding_ns = matroska::padding_ns(&mut open_regular(path)?).unwrap_or(0);
        let frames = u128::from(padding_ns) * u128::from(rate_hz) + 500_000_000;
        trim.padding_frames = u64::try_from(frames / 1_000_000_000).unwrap_or(0).min(MAX_PRIMING_FRAMES);
    }
    if params.codec == id::CODEC_ID_OPUS && kind != Kind::IsoMp4 {
        trim.start_frames = opus::pre_skip_frames(&params).unwrap_or(0);
    }
    Ok(Demuxed { format, decoder, track, codec: params.codec, trim, warnings, failure })
}

/// Registers only the format that the first bytes indicate: a general search would find MPEG frames in any file.
fn probe(kind: Kind) -> Probe {
    let mut probe = Probe::new();
    match kind {
        Kind::Riff => probe.register_format::<formats::WavReader<'_>>(),
        Kind::Aiff => probe.register_format::<formats::AiffReader<'_>>(),
        Kind::Flac => probe.register_format::<formats::FlacReader<'_>>(),
        Kind::Ogg => probe.register_format::<formats::OggReader<'_>>(),
        Kind::IsoMp4 => probe.register_format::<formats::IsoMp4Reader<'_>>(),
        Kind::Caf => probe.register_format::<formats::CafReader<'_>>(),
        Kind::Matroska => probe.register_format::<formats::MkvReader<'_>>(),
        Kind::Mpeg => probe.register_format::<formats::MpaReader<'_>>(),
        Kind::Adts => probe.register_format::<formats::AdtsReader<'_>>(),
        Kind::Unsupported(_) | Kind::NotAudio(_) => {}
    }
    probe
}

/// Returns the track to decode: the default audio track, or else the first one.
pub(super) fn choose_track(format: &dyn FormatReader, path: &Path) -> Result<(Track, AudioCodecParameters), Error> {
    let track = format.default_track(TrackType::Audio).or_else(|| format.first_track(TrackType::Audio));
    match track.map(|t| (t, &t.codec_params)) {
        Some((track, Some(CodecParameters::Audio(params)))) => Ok((track.clone(), params.clone())),
        _ => Err(Error::NotAudio { path: path.to_owned(), cause: "there is no audio track in it".into() }),
    }
}

pub(super) fn make_decoder(
    params: &AudioCodecParameters,
    kind: Kind,
    path: &Path,
) -> Result<Box<dyn AudioDecoder>, Error> {
    if let Some(channels) = &params.channels
        && !(1..=2).contains(&channels.count())
    {
        return Err(Error::Channels { path: path.to_owned(), count: channels.count() as u32 });
    }
    limits::check(params).map_err(|cause| damaged(path, cause))?;
    // The MPEG reader guesses the length from the bit rate, and would trim the sound to that guess.
    let options = AudioDecoderOptions::default().verify(true).gapless(kind != Kind::Mpeg);
    let make = || match params.codec {
        id::CODEC_ID_OPUS => opus::OpusDecoder::new(params).map(|decoder| Box::new(decoder) as Box<dyn AudioDecoder>),
        id::CODEC_ID_FLAC if flac32::is_needed(params) => {
            flac32::Flac32Decoder::new(params).map(|decoder| Box::new(decoder) as Box<dyn AudioDecoder>)
        }
        _ => get_codecs().make_audio_decoder(params, &options),
    };
    let made = catch_panic(make).unwrap_or(Err(DECODER_PANICKED));
    made.map_err(|fault| match fault {
        Fault::Unsupported(_) | Fault::LimitError(_) => match params.codec {
            id::CODEC_ID_AAC => unsupported(path, "this kind of AAC (HE-AAC, perhaps)"),
            codec => unsupported(path, codec_name(codec)),
        },
        fault => explain(fault, "its codec header", path),
    })
}

/// Returns delay and padding of a stream that states them; the demuxers of other formats trim by themselves.
fn stream_trim(kind: Kind, track: &Track) -> Trim {
    let (start_frames, padding_frames) = (u64::from(track.delay.unwrap_or(0)), u64::from(track.padding.unwrap_or(0)));
    match (kind, track.num_frames) {
        // The length is only a guess, except with a LAME tag, which also states delay and padding.
        (Kind::Mpeg, Some(frames)) if track.delay.is_some() => Trim {
            start_frames,
            end_frame: None,
            padding_frames,
            promised_frames: Some(frames + start_frames + padding_frames),
        },
        (Kind::Flac | Kind::Ogg | Kind::Caf, promised_frames) => Trim { promised_frames, ..Trim::default() },
        _ => Trim::default(),
    }
}

fn mp4_trim(edit: Option<mp4::Edit>, priming: Option<u64>, rate_hz: u32) -> Trim {
    let Some(edit) = edit.filter(|e| e.timescale_hz > 0) else {
        return Trim { start_frames: priming.unwrap_or(0), ..Trim::default() };
    };
    let frames = |units: u64| {
        let frames = u128::from(units) * u128::from(rate_hz) / u128::from(edit.timescale_hz);
        u64::try_from(frames).unwrap_or(u64::MAX)
    };
    let start_frames = match frames(edit.start) {
        0 => priming.unwrap_or(0),
        start => start,
    };
    Trim { start_frames, end_frame: edit.end.map(frames), ..Trim::default() }
}

/// Returns the priming that iTunes writes into the tag `iTunSMPB`: the second of its hexadecimal numbers.
fn priming_frames(format: &mut dyn FormatReader) -> Option<u64> {
    let mut metadata = format.metadata();
    let tags = &metadata.skip_to_latest()?.media.tags;
    let tag = tags.iter().find(|tag| tag.raw.key.contains("iTunSMPB"))?;
    let RawValue::String(text) = &tag.raw.value else { return None };
    let frames = u64::from_str_radix(text.split_whitespace().nth(1)?, 16).ok()?;
    (frames <= MAX_PRIMING_FRAMES).then_some(frames)
}

/// Converts an error of the decoding library to one for users.
pub(super) fn explain(fault: Fault, what: &str, path: &Path) -> Error {
    let path = path.to_owned();
    match fault {
        Fault::IoError(e) if is_end(&e) => Error::Damaged { path, cause: format!("it ends within {what}") },
        Fault::IoError(e) => Error::reading(&path, &e),
        Fault::Unsupported(feature) if feature.contains("atom") => {
            Error::Damaged { path, cause: "its index is missing, as in an unfinished download".to_owned() }
        }
        Fault::Unsupported(feature) if feature.contains("no suitable") => {
            Error::NotAudio { path, cause: "no sound was found in it".to_owned() }
        }
        Fault::Unsupported(feature) => unsupported(&path, &format!("a part of it ({})", plain(feature))),
        fault => Error::Damaged { path, cause: cause(&fault) },
    }
}

fn damaged(path: &Path, cause: &str) -> Error {
    Error::Damaged { path: path.to_owned(), cause: cause.to_owned() }
}

pub(super) fn unsupported(path: &Path, codec: &str) -> Error {
    Error::UnsupportedCodec { path: path.to_owned(), codec: codec.to_owned() }
}

/// Returns the message of an error without the name of the format in front.
pub(super) fn cause(fault: &Fault) -> String {
    match fault {
        Fault::DecodeError(text) | Fault::Unsupported(text) | Fault::LimitError(text) => plain(text).to_owned(),
        Fault::IoError(e) if is_end(e) => "it ends too early".to_owned(),
        other => other.to_string(),
    }
}

/// True if the error means that the file, or the frame within it, has ended.
pub(super) fn is_end(error: &std::io::Error) -> bool {
    error.raw_os_error().is_none()
        && matches!(error.kind(), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::Other)
}

fn plain(text: &str) -> &str {
    text.split_once(": ").map_or(text, |(_, rest)| rest)
}

/// Returns the common name of a codec.
pub(super) fn codec_name(codec: AudioCodecId) -> &'static str {
    match codec {
        id::CODEC_ID_FLAC => "FLAC",
        id::CODEC_ID_ALAC => "ALAC",
        id::CODEC_ID_MP1 => "MP1",
        id::CODEC_ID_MP2 => "MP2",
        id::CODEC_ID_MP3 => "MP3",
        id::CODEC_ID_AAC => "AAC",
        id::CODEC_ID_VORBIS => "Vorbis",
        id::CODEC_ID_OPUS => "Opus",
        id::CODEC_ID_SPEEX => "Speex",
        id::CODEC_ID_WAVPACK => "WavPack",
        id::CODEC_ID_AC3 => "Dolby Digital",
        id::CODEC_ID_EAC3 => "Dolby Digital Plus",
        id::CODEC_ID_DCA => "DTS",
        id::CODEC_ID_TRUEHD => "Dolby TrueHD",
        id::CODEC_ID_PCM_ALAW => "A-law",
        id::CODEC_ID_PCM_MULAW => "\u{b5}-law",
        id::CODEC_ID_ADPCM_MS | id::CODEC_ID_ADPCM_IMA_WAV | id::CODEC_ID_ADPCM_IMA_QT => "ADPCM",
        codec if is_pcm(codec) => "PCM",
        _ => "this codec",
    }
}

/// Returns the bits per sample of a lossless codec.
pub(super) fn bit_depth(codec: AudioCodecId, params: &AudioCodecParameters) -> Option<u32> {
    let cookie = params.extra_data.as_deref().unwrap_or_default();
    match codec {
        codec if is_lossy(codec) => None,
        // Apple Lossless states it in its own header, after the block length and a version.
        id::CODEC_ID_ALAC => params.bits_per_sample.or(cookie.get(5).map(|&bits| u32::from(bits))),
        _ => params.bits_per_sample,
    }
}

/// True if decoding does not give back exactly what was encoded.
pub(super) fn is_lossy(codec: AudioCodecId) -> bool {
    let lossless = matches!(codec, id::CODEC_ID_FLAC | id::CODEC_ID_ALAC) || is_pcm(codec);
    !lossless || matches!(codec, id::CODEC_ID_PCM_ALAW | id::CODEC_ID_PCM_MULAW)
}

fn is_pcm(codec: AudioCodecId) -> bool {
    get_codecs().get_audio_decoder(codec).is_some_and(|c| c.codec.info.short_name.starts_with("pcm"))
}
