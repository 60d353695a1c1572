//! A small band. Every note is added to a stereo mix of `f64` frames.

use std::f64::consts::{PI, TAU};

use crate::biquad::{Biquad, BiquadCoefs};
use crate::random::Random;

/// The mix that notes are added to.
pub(super) struct Mix {
    pub rate: f64,
    pub dry: Vec<[f64; 2]>,
    /// Sound sent to the room.
    pub room: Vec<[f64; 2]>,
    random: Random,
}

/// Start, length, gain and position of a note.
#[derive(Clone, Copy)]
pub(super) struct Note {
    pub at_s: f64,
    pub length_s: f64,
    pub gain: f64,
    /// −1 (left) to 1 (right), at constant power.
    pub pan: f64,
    /// Share sent to the room.
    pub send: f64,
}

impl Note {
    /// Creates a note in the centre that sends nothing to the room.
    pub fn at(at_s: f64, length_s: f64, gain: f64) -> Self {
        Self { at_s, length_s, gain, pan: 0.0, send: 0.0 }
    }
}

/// Frequency of a MIDI note, Hz.
pub(super) fn note_hz(midi: f64) -> f64 {
    440.0 * libm::exp2((midi - 69.0) / 12.0)
}

impl Mix {
    pub fn new(sample_rate_hz: u32, frames: usize, seed: u64) -> Self {
        Self {
            rate: f64::from(sample_rate_hz),
            dry: vec![[0.0; 2]; frames],
            room: vec![[0.0; 2]; frames],
            random: Random::new(seed),
        }
    }

    /// A random number in [−1, 1), for the variations between a player's repeats.
    pub fn chance(&mut self) -> f64 {
        self.random.bipolar()
    }

    /// Adds `voice(seconds since the start, noise)` for as long as the note and the song last.
    fn add(&mut self, note: Note, mut voice: impl FnMut(f64, f64) -> f64) {
        let start = libm::round(note.at_s.max(0.0) * self.rate) as usize;
        let length = (note.length_s * self.rate) as usize;
        let angle = (note.pan + 1.0) * PI / 4.0;
        let gains = [note.gain * libm::cos(angle), note.gain * libm::sin(angle)];
        for n in 0..length.min(self.dry.len().saturating_sub(start)) {
            // The last five milliseconds fade, so that no note ends in a click.
            let fade = ((length - n) as f64 / (0.005 * self.rate)).min(1.0);
            let y = fade * voice(n as f64 / self.rate, self.random.bipolar());
            for (c, gain) in gains.into_iter().enumerate() {
                self.dry[start + n][c] += gain * y;
                self.room[start + n][c] += note.send * gain * y;
            }
        }
    }

    pub fn kick(&mut self, at_s: f64, gain: f64) {
        let mut phase = 0.0;
        let rate = self.rate;
        self.add(Note::at(at_s, 0.4, gain), |t, noise| {
            phase += TAU * (47.0 + 150.0 * decay(t, 0.028)) / rate;
            libm::sin(phase) * decay(t, 0.13) + 0.25 * noise * decay(t, 0.002)
        });
    }

    pub fn snare(&mut self, at_s: f64, gain: f64) {
        let mut wires = self.band(1500.0, 11_000.0);
        self.add(Note { send: 0.35, pan: 0.05, ..Note::at(at_s, 0.4, gain) }, |t, noise| {
            let shell = libm::sin(TAU * 188.0 * t) + 0.6 * libm::sin(TAU * 331.0 * t);
            0.6 * shell * decay(t, 0.05) + 1.1 * wires(noise) * decay(t, 0.1)
        });
    }

    /// `ring_s` is 0.03 for a closed hat, 0.15 for an open one, 0.9 for a crash.
    pub fn hat(&mut self, at_s: f64, gain: f64, ring_s: f64) {
        let mut metal = self.band(6000.0, 13_000.0);
        self.add(Note { pan: -0.35, send: 0.1, ..Note::at(at_s, 5.0 * ring_s, gain) }, |t, noise| {
            metal(noise) * decay(t, ring_s)
        });
    }

    /// Returns a filter that passes the sound between two frequencies.
    fn band(&self, low_hz: f64, high_hz: f64) -> impl FnMut(f64) -> f64 + use<> {
        let rate = self.rate as u32;
        let mut high_pass = Biquad::new(BiquadCoefs::high_pass(low_hz, rate));
        let mut low_pass = Biquad::new(BiquadCoefs::low_pass(high_hz, rate));
        move |x| low_pass.next(high_pass.next([x; 2]))[0]
    }

    /// A plucked bass string.
    pub fn bass(&mut self, midi: f64, note: Note) {
        let mut tone = Partials::new(note_hz(midi), self.rate, 10, |h| 1.0 / h);
        let release = release(note.length_s, 0.04);
        self.add(note, |t, _| tone.next(|h| decay(t, 1.2 / h)) * attack(t, 0.006) * release(t));
    }

    /// One note of a chord, spread by two detuned voices on either side.
    pub fn pad(&mut self, midi: f64, note: Note, brightness: f64) {
        for side in [-1.0, 1.0] {
            let hz = note_hz(midi + 0.07 * side + 0.01 * self.chance());
            let mut tone = Partials::new(hz, self.rate, 14, |h| libm::pow(h, -brightness));
            let release = release(note.length_s, 0.35);
            self.add(Note { pan: 0.9 * side, ..note }, |t, _| tone.next(|_| 1.0) * attack(t, 0.18) * release(t));
        }
    }

    /// A struck string, as of an electric piano.
    pub fn keys(&mut self, midi: f64, note: Note) {
        let mut tone = Partials::new(note_hz(midi), self.rate, 9, |h| libm::pow(h, -1.6));
        let mut bell = Partials::new(7.0 * note_hz(midi), self.rate, 2, |_| 0.1);
        self.add(note, |t, _| (tone.next(|h| decay(t, 0.6 / h)) + bell.next(|_| decay(t, 0.03))) * attack(t, 0.003));
    }

    /// The melody: a reed with a late vibrato, and two echoes.
    pub fn lead(&mut self, midi: f64, note: Note, echo_s: f64) {
        for (echo, gain, pan) in [(0.0, 1.0, 0.0), (1.0, 0.25, -0.6), (2.0, 0.12, 0.6)] {
            let (hz, rate, mut phase) = (note_hz(midi), self.rate, 0.0);
            let harmonics = [(1.0, 1.0), (2.0, 0.4), (3.0, 0.5), (4.0, 0.2), (5.0, 0.3), (7.0, 0.2), (9.0, 0.1)];
            let release = release(note.length_s, 0.06);
            let at_s = note.at_s + echo * echo_s;
            self.add(Note { at_s, pan, gain: gain * note.gain, ..note }, |t, noise| {
                let vibrato = 0.006 * libm::sin(TAU * 5.4 * t) * ((t - 0.2) * 4.0).clamp(0.0, 1.0);
                phase += TAU * hz * (1.0 + vibrato) / rate;
                let audible = harmonics.iter().filter(|(h, _)| h * hz < 0.45 * rate);
                let tone: f64 = audible.map(|(h, a)| a * libm::sin(h * phase)).sum();
                (tone + 0.05 * noise) * attack(t, 0.025) * release(t)
            });
        }
    }
}

/// Harmonics of one note below Nyquist, each a rotating vector.
struct Partials {
    /// Number, amplitude, rotation per sample and vector.
    each: Vec<(f64, f64, [f64; 2], [f64; 2])>,
}

impl Partials {
    fn new(hz: f64, rate: f64, count: usize, amplitude: impl Fn(f64) -> f64) -> Self {
        let each = (1..=count)
            .map(|h| h as f64)
            .take_while(|h| h * hz < 0.45 * rate)
            .map(|h| {
                let turn = TAU * h * hz / rate;
                (h, amplitude(h), [libm::cos(turn), libm::sin(turn)], [1.0, 0.0])
            })
            .collect();
        Self { each }
    }

    /// Returns the next sample; `envelope` gives the gain of every harmonic.
    fn next(&mut self, envelope: impl Fn(f64) -> f64) -> f64 {
        let mut sum = 0.0;
        for (h, amplitude, [c, s], v) in &mut self.each {
            *v = [v[0] * *c - v[1] * *s, v[0] * *s + v[1] * *c];
            sum += *amplitude * envelope(*h) * v[1];
        }
        sum
    }
}

/// Exponential decay that falls to 1/e in `seconds`.
fn decay(t: f64, seconds: f64) -> f64 {
    libm::exp(-t / seconds)
}

fn attack(t: f64, seconds: f64) -> f64 {
    (t / seconds).min(1.0)
}

/// 1 until `seconds` before the end, then a straight line to 0.
fn release(length_s: f64, seconds: f64) -> impl Fn(f64) -> f64 {
    move |t| ((length_s - t) / seconds).clamp(0.0, 1.0)
}

/// The sound of a small room: four combs per channel, each damped (Schroeder 1962, Moorer 1979).
pub(super) fn reverberate(dry: &[[f64; 2]], rate: f64) -> Vec<[f64; 2]> {
    const COMBS_MS: [[f64; 4]; 2] = [[29.7, 37.1, 41.1, 43.7], [31.3, 35.9, 40.3, 45.1]];
    const SECONDS: f64 = 1.1;
    let mut wet = vec![[0.0; 2]; dry.len()];
    for (c, combs) in COMBS_MS.iter().enumerate() {
        for ms in combs {
            let length = ((ms * 1e-3 * rate) as usize).max(1);
            let feedback = libm::pow(10.0, -3.0 * ms * 1e-3 / SECONDS);
            let damping = libm::exp(-TAU * 4500.0 / rate);
            let (mut line, mut low) = (vec![0.0; length], 0.0);
            for (n, (wet, dry)) in wet.iter_mut().zip(dry).enumerate() {
                let delayed = line[n % length];
                low = delayed + damping * (low - delayed);
                line[n % length] = dry[c] + feedback * low;
                wet[c] += 0.25 * delayed;
            }
        }
    }
    wet
}

/// Length in frames, rounded.
pub fn frames(sample_rate_hz: u32, seconds: f64) -> usize {
    libm::round(seconds * f64::from(sample_rate_hz)).max(0.0) as usize
}
