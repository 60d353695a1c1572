//! A short song, mixed badly on purpose.

use crate::biquad::{Biquad, BiquadCoefs};
use crate::loudness::LoudnessMeter;
use crate::stream::{Frame, Meter};
use crate::units::{db_from_gain, gain_from_db};

use super::instruments::{Mix, Note, frames, reverberate};

const BEAT_S: f64 = 0.6;
const BAR_S: f64 = 4.0 * BEAT_S;
/// Position of the second eighth in a beat, as a share of the beat: a slight swing.
const SWING: f64 = 0.545;
/// Integrated loudness of the mix.
const LOUDNESS_LUFS: f64 = -24.0;

/// A chord as MIDI notes: bass, then pad.
type Chord = (f64, [f64; 4]);

/// A minor seventh, F major seventh, C, G: one per bar.
const CHORDS: [Chord; 4] = [
    (33.0, [57.0, 60.0, 64.0, 67.0]),
    (29.0, [57.0, 60.0, 64.0, 65.0]),
    (36.0, [55.0, 60.0, 64.0, 67.0]),
    (31.0, [55.0, 59.0, 62.0, 67.0]),
];

/// The melody of the chorus over four bars: eighth, length in eighths, MIDI note.
const MELODY: [[(f64, f64, f64); 4]; 4] = [
    [(0.0, 3.0, 76.0), (3.0, 1.0, 74.0), (4.0, 2.0, 72.0), (6.0, 2.0, 69.0)],
    [(0.0, 3.0, 72.0), (3.0, 2.0, 69.0), (5.0, 1.0, 72.0), (6.0, 2.0, 74.0)],
    [(0.0, 3.0, 76.0), (3.0, 2.0, 79.0), (5.0, 2.0, 76.0), (7.0, 1.0, 74.0)],
    [(0.0, 2.0, 74.0), (2.0, 1.0, 71.0), (3.0, 3.0, 74.0), (6.0, 2.0, 67.0)],
];

/// Bass rhythm: eighth, length in eighths, semitones over the root.
const BASS: [(f64, f64, f64); 6] =
    [(0.0, 1.4, 0.0), (1.5, 0.5, 0.0), (3.0, 1.0, 12.0), (4.0, 1.4, 0.0), (6.0, 0.9, 7.0), (7.0, 0.9, 12.0)];

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Intro,
    Verse,
    Chorus,
}

/// A song of drums, bass, chords and a melody, mixed boomy, dull, narrow and at −24 LUFS.
///
/// Intro, verse and chorus share the length 2 : 4 : 4. About a second of computing per half minute.
pub fn demo_mix(sample_rate_hz: u32, seconds: f64) -> Vec<Frame> {
    spoil(played(sample_rate_hz, seconds), sample_rate_hz)
}

/// A record by the same band without these faults: the song as it was played, with peaks at −1 dBFS.
pub fn demo_record(sample_rate_hz: u32, seconds: f64) -> Vec<Frame> {
    let played = played(sample_rate_hz, seconds);
    let peak = played.as_flattened().iter().fold(1e-6_f64, |peak, x| peak.max(x.abs()));
    let gain = gain_from_db(-1.0) / peak;
    played.into_iter().map(|frame| frame.map(|x| (gain * x) as f32)).collect()
}

fn played(sample_rate_hz: u32, seconds: f64) -> Vec<[f64; 2]> {
    let frames = frames(sample_rate_hz, seconds);
    let mut mix = Mix::new(sample_rate_hz, frames, 0x601D);
    let bars = libm::ceil(seconds / BAR_S) as usize;
    for bar in 0..bars {
        let section = match (bar * 10) / bars {
            0..2 => Section::Intro,
            2..6 => Section::Verse,
            _ => Section::Chorus,
        };
        let is_last_of_verse = section == Section::Verse && ((bar + 1) * 10) / bars >= 6;
        play_harmony(&mut mix, bar, section);
        play_drums(&mut mix, bar, section, is_last_of_verse);
        play_melody(&mut mix, bar, section);
    }
    let wet = reverberate(&mix.room, mix.rate);
    mix.dry.iter().zip(&wet).map(|(d, w)| [d[0] + w[0], d[1] + w[1]]).collect()
}

/// Start of an eighth, swung.
fn eighth_s(bar: usize, eighth: f64) -> f64 {
    let beat = libm::floor(eighth / 2.0);
    let late = eighth / 2.0 - beat;
    // The offbeat is moved to SWING; the time before and after it is stretched to fit.
    let swung = if late < 0.5 { late * 2.0 * SWING } else { SWING + (late - 0.5) * 2.0 * (1.0 - SWING) };
    bar as f64 * BAR_S + (beat + swung) * BEAT_S
}

fn play_harmony(mix: &mut Mix, bar: usize, section: Section) {
    let start = bar as f64 * BAR_S;
    let (root, chord) = CHORDS[bar % CHORDS.len()];
    let (pad_gain, brightness) = match section {
        Section::Intro => (0.055, 1.35),
        Section::Verse => (0.06, 1.3),
        Section::Chorus => (0.09, 1.1),
    };
    for midi in chord {
        let note = Note { send: 0.3, ..Note::at(start, BAR_S + 0.25, pad_gain) };
        mix.pad(midi, note, brightness);
    }
    if section == Section::Intro {
        return;
    }
    let bass_gain = if section == Section::Chorus { 0.42 } else { 0.34 };
    for (eighth, length, interval) in BASS {
        let gain = bass_gain * (1.0 + 0.08 * mix.chance());
        mix.bass(root + interval, Note::at(eighth_s(bar, eighth), length * BEAT_S / 2.0, gain));
    }
    for eighth in 0..8 {
        let midi = chord[[0, 2, 1, 3, 2, 1, 3, 2][eighth]] + 12.0;
        let pan = if eighth % 2 == 0 { -0.55 } else { 0.55 };
        let gain = if section == Section::Chorus { 0.12 } else { 0.09 };
        let gain = gain * (1.0 + 0.15 * mix.chance());
        mix.keys(midi, Note { pan, send: 0.25, ..Note::at(eighth_s(bar, eighth as f64), 0.9, gain) });
    }
}

fn play_drums(mix: &mut Mix, bar: usize, section: Section, with_fill: bool) {
    let is_chorus = section == Section::Chorus;
    if is_chorus && bar % 4 == 2 {
        mix.hat(eighth_s(bar, 0.0), 0.55, 0.9);
    }
    for eighth in 0..8 {
        let at_s = eighth_s(bar, f64::from(eighth)) + 0.002 * mix.chance();
        let accent = if eighth % 2 == 0 { 1.0 } else { 0.6 };
        let gain = accent * (1.0 + 0.12 * mix.chance()) * if is_chorus { 0.5 } else { 0.34 };
        mix.hat(at_s, gain, if is_chorus && eighth == 7 { 0.15 } else { 0.03 });
    }
    if section == Section::Intro {
        return;
    }
    let kicks: &[f64] = if is_chorus { &[0.0, 3.0, 4.0, 6.5] } else { &[0.0, 3.0, 5.0] };
    for &eighth in kicks {
        let gain = if is_chorus { 0.85 } else { 0.7 };
        mix.kick(eighth_s(bar, eighth), gain);
    }
    for eighth in [2.0, 6.0] {
        let gain = (if is_chorus { 0.6 } else { 0.42 }) * (1.0 + 0.05 * mix.chance());
        mix.snare(eighth_s(bar, eighth), gain);
    }
    // A ghost note, and a fill into the chorus.
    mix.snare(eighth_s(bar, 3.5), 0.08);
    if with_fill {
        for (n, eighth) in [6.5, 7.0, 7.5].into_iter().enumerate() {
            mix.snare(eighth_s(bar, eighth), 0.25 + 0.1 * n as f64);
        }
    }
}

fn play_melody(mix: &mut Mix, bar: usize, section: Section) {
    let gain = match section {
        Section::Intro => return,
        Section::Verse if bar % 2 == 1 => 0.1,
        Section::Verse => return,
        Section::Chorus => 0.17,
    };
    for (eighth, length, midi) in MELODY[bar % MELODY.len()] {
        let note = Note { send: 0.3, ..Note::at(eighth_s(bar, eighth), length * BEAT_S / 2.0 * 0.95, gain) };
        mix.lead(midi, note, 0.75 * BEAT_S);
    }
}

/// Adds the faults of the mix: 100 to 200 Hz too strong, no highs, hardly any width, and too quiet.
fn spoil(played: Vec<[f64; 2]>, sample_rate_hz: u32) -> Vec<Frame> {
    let mut boom = Biquad::new(BiquadCoefs::bell(140.0, 7.0, 0.9, sample_rate_hz));
    let shelf_hz = 4000.0_f64.min(0.3 * f64::from(sample_rate_hz));
    let mut dull = Biquad::new(BiquadCoefs::high_shelf(shelf_hz, -9.0, sample_rate_hz));
    let width = 0.3;
    let fade_frames = 0.02 * f64::from(sample_rate_hz);
    let length = played.len();
    let mut song: Vec<Frame> = played
        .into_iter()
        .enumerate()
        .map(|(n, frame)| {
            let [l, r] = dull.next(boom.next(frame));
            let (mid, side) = (0.25 * (l + r), 0.25 * width * (l - r));
            let fade = ((length - n) as f64 / fade_frames).min(1.0);
            [(fade * (mid + side)) as f32, (fade * (mid - side)) as f32]
        })
        .collect();
    let mut meter = LoudnessMeter::new(sample_rate_hz);
    meter.push(&song);
    let peak = song.as_flattened().iter().fold(1e-6_f32, |peak, x| peak.max(x.abs()));
    let gain_db = match meter.finish().integrated_lufs {
        Some(lufs) => LOUDNESS_LUFS - lufs,
        // Too short for a loudness.
        None => -12.0 - db_from_gain(f64::from(peak)),
    };
    let gain = gain_from_db(gain_db);
    song.iter_mut().flatten().for_each(|x| *x = (f64::from(*x) * gain) as f32);
    song
}
