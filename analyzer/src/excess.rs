//! Moments in which a part of the spectrum sticks out: sibilance, and bass notes that boom.
//!
//! Both are detected in the quarter octaves of every window, compared with the neighbouring bands at that time and with
//! the song as a whole: a bright song is not sibilant, and a bass that carries a song does not boom.

use crate::readings::Excess;
use crate::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use crate::units::{FLOOR_DB, db_from_power};

/// Band powers of one window.
type Powers = [f32; SPECTRUM_BANDS];

/// Smallest number of windows for a detection, 4 s.
const MIN_WINDOWS: usize = 20;
/// Power relative to the loud windows up to which a window is a pause: −40 dB.
const PAUSE: f64 = 1e-4;

/// Bands of consonants, 5.1 to 8.6 kHz, and of the sound on either side: 2.2 to 4.3 and 10.2 to 14.5 kHz.
const HISS: std::ops::Range<usize> = 32..35;
const BODY: std::ops::Range<usize> = 27..31;
const AIR: std::ops::Range<usize> = 36..38;
/// Smallest excess of a burst over that of the song's median window, and smallest excess in all, dB.
const BURST_OVER_MEDIAN_DB: f64 = 6.0;
const BURST_DB: f64 = 4.0;
/// Lowest level of a burst relative to the song's mean power, dB: below it, a burst is hardly audible.
const BURST_LEVEL_DB: f64 = -22.0;
/// Share of the time with bursts that counts as sibilance: less is an accident, more is an instrument.
const BURST_SHARE: std::ops::Range<f64> = 0.03..0.35;

/// Bands of bass notes that may boom: 80 to 226 Hz.
const BASS: std::ops::Range<usize> = 8..14;
/// Distances to the bands on either side that a note is compared with; the nearest may hold a part of the note.
const BESIDE: std::ops::RangeInclusive<usize> = 2..=4;
/// Smallest level of a booming note over the other notes, each at its loudest, dB.
const BOOM_DB: f64 = 11.0;
/// Lowest level of a booming note relative to the song's mean power, dB.
const BOOM_LEVEL_DB: f64 = -6.0;
/// While a note booms, it exceeds the other notes by this, dB, and is within this of its loudest level, dB.
const BOOM_NOW_DB: f64 = 8.0;
const BOOM_WITHIN_DB: f64 = 3.0;
/// Share of the time during which a note booms: a note that sounds for longer carries the song, a shorter one is an
/// accident.
const BOOM_SHARE: std::ops::Range<f64> = 0.04..0.5;
/// Shortest length of a booming note, in windows: half a second.
const BOOM_WINDOWS: usize = 2;

/// Returns sibilance and boom, from the windows of the mid, which start `step_s` seconds apart.
pub(crate) fn excesses<'a>(windows: impl Iterator<Item = &'a Powers>, step_s: f64) -> [Option<Excess>; 2] {
    let all: Vec<&Powers> = windows.collect();
    let totals: Vec<f64> = all.iter().map(|bands| sum(bands, 0..SPECTRUM_BANDS)).collect();
    let pause = PAUSE * percentile(&totals, 0.8);
    let sounding: Vec<usize> = (0..all.len()).filter(|&n| totals[n] > pause).collect();
    if sounding.len() < MIN_WINDOWS {
        return [None, None];
    }
    let song = Song {
        mean_db: db_from_power(sounding.iter().map(|&n| totals[n]).sum::<f64>() / sounding.len() as f64),
        windows: sounding.iter().map(|&n| all[n]).collect(),
        times_s: sounding.iter().map(|&n| n as f64 * step_s).collect(),
    };
    [song.sibilance(), song.boom()]
}

/// The windows of a song that are not pauses.
struct Song<'a> {
    mean_db: f64,
    windows: Vec<&'a Powers>,
    times_s: Vec<f64>,
}

impl Song<'_> {
    fn sibilance(&self) -> Option<Excess> {
        let mean = |bands: &Powers, range: std::ops::Range<usize>| sum(bands, range.clone()) / range.len() as f64;
        let excess_db: Vec<f64> = self
            .windows
            .iter()
            .map(|w| db_from_power(mean(w, HISS)) - db_from_power(mean(w, BODY).max(mean(w, AIR))))
            .collect();
        let usual_db = percentile(&excess_db, 0.5);
        let from_db = (usual_db + BURST_OVER_MEDIAN_DB).max(BURST_DB);
        let is_burst = |n: &usize| {
            excess_db[*n] > from_db && db_from_power(sum(self.windows[*n], HISS)) > self.mean_db + BURST_LEVEL_DB
        };
        let bursts: Vec<usize> = (0..self.windows.len()).filter(is_burst).collect();
        let hz = |n: &usize| {
            let centre = HISS.map(|band| f64::from(self.windows[*n][band]) * band_centre_hz(band)).sum::<f64>();
            centre / sum(self.windows[*n], HISS)
        };
        self.found(&bursts, BURST_SHARE, usual_db, |n| [hz(n), excess_db[*n]])
    }

    fn boom(&self) -> Option<Excess> {
        let loud_db: Vec<f64> = (0..SPECTRUM_BANDS)
            .map(|band| percentile(&self.windows.iter().map(|w| f64::from(w[band])).collect::<Vec<_>>(), 0.95))
            .map(db_from_power)
            .collect();
        let beside = |band: usize| BESIDE.flat_map(move |away| [band - away, band + away]);
        let over_db = |band: usize| {
            let others = beside(band).map(|other| crate::units::power_from_db(loud_db[other])).sum::<f64>();
            loud_db[band] - db_from_power(others / beside(band).count() as f64)
        };
        let (band, excess_db) = BASS.map(|band| (band, over_db(band))).max_by(|a, b| a.1.total_cmp(&b.1))?;
        if excess_db < BOOM_DB || loud_db[band] < self.mean_db + BOOM_LEVEL_DB {
            return None;
        }
        let booms = |n: usize| {
            let now = self.windows[n].map(|power| db_from_power(f64::from(power)));
            let others = beside(band).map(|other| now[other]).fold(FLOOR_DB, f64::max);
            now[band] > loud_db[band] - BOOM_WITHIN_DB && now[band] > others + BOOM_NOW_DB
        };
        let now: Vec<bool> = (0..self.windows.len()).map(booms).collect();
        let lasting: Vec<usize> = now
            .chunk_by(|a, b| a == b)
            .fold((0, Vec::new()), |(start, mut found): (usize, Vec<usize>), run| {
                if run[0] && run.len() >= BOOM_WINDOWS {
                    found.extend(start..start + run.len());
                }
                (start + run.len(), found)
            })
            .1;
        self.found(&lasting, BOOM_SHARE, 0.0, |_| [band_centre_hz(band), excess_db])
    }

    /// Returns the excess in the windows `when`, if these are neither too few nor too many. `of` returns its frequency
    /// and level in a window; the result has their means.
    fn found(
        &self,
        when: &[usize],
        shares: std::ops::Range<f64>,
        usual_db: f64,
        of: impl Fn(&usize) -> [f64; 2],
    ) -> Option<Excess> {
        let share = when.len() as f64 / self.windows.len() as f64;
        if !shares.contains(&share) {
            return None;
        }
        let [hz, excess_db] = when.iter().map(of).fold([0.0; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
        let count = when.len() as f64;
        Some(Excess { hz: hz / count, excess_db: excess_db / count, usual_db, share, at_s: self.times_s[when[0]] })
    }
}

fn sum(bands: &Powers, range: std::ops::Range<usize>) -> f64 {
    bands[range].iter().map(|&power| f64::from(power)).sum()
}

/// Returns the value below which this share of the values lies; 0 if there are none.
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len().saturating_sub(1) as f64 + 0.5) as usize;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::biquad::{Biquad, BiquadCoefs};
    use crate::readings::SpectrumReading;
    use crate::spectrum::SpectrumMeter;
    use crate::stream::{Frame, Meter};
    use crate::synth::{demo_mix, pink_noise, sine};

    const RATE: u32 = 44_100;
    const SECOND: usize = RATE as usize;

    fn read(frames: &[Frame]) -> SpectrumReading {
        let mut meter = SpectrumMeter::new(RATE);
        meter.push(frames);
        meter.finish()
    }

    fn add(song: &mut [Frame], from: usize, sound: &[Frame], gain: f32) {
        for (x, s) in song[from..].iter_mut().zip(sound) {
            *x = [x[0] + gain * s[0], x[1] + gain * s[1]];
        }
    }

    /// Noise like an "s": 120 ms between 5 and 9 kHz.
    fn hiss() -> Vec<Frame> {
        let mut filters = [Biquad::new(BiquadCoefs::band_pass(6500.0, 2.0, RATE)); 2];
        let noise = pink_noise(RATE, -12.0, 0.12, 9);
        let hiss = noise.iter().map(|x| filters.iter_mut().fold(x.map(f64::from), |x, filter| filter.next(x)));
        hiss.map(|x| x.map(|x| x as f32)).collect()
    }

    /// A song whose voice hisses with this gain, once in `every` seconds.
    fn voice(gain: f32, every: f64) -> Vec<Frame> {
        let mut song = demo_mix(RATE, 16.0);
        let every = (every * RATE as f64) as usize;
        (1..song.len() / every).for_each(|n| add(&mut song, n * every, &hiss(), gain));
        song
    }

    /// A bass of 0.6 s notes; every sixth is at 110 Hz and louder than the others by `over_db`.
    fn bass(over_db: f64) -> Vec<Frame> {
        let mut song = pink_noise(RATE, -36.0, 18.0, 4);
        for (n, start) in (0..song.len() - SECOND).step_by(SECOND * 3 / 5).enumerate() {
            let hz = [110.0, 65.4, 82.4, 146.8, 73.4, 196.0][n % 6];
            let level = if n % 6 == 0 { -30.0 + over_db } else { -30.0 };
            add(&mut song, start, &sine(RATE, hz, level, 0.6), 1.0);
        }
        song
    }

    #[test]
    fn consonants_that_hiss_are_sibilance_with_a_place_and_a_time() {
        let found = read(&voice(2.0, 1.3)).sibilance.expect("found");
        assert!((5500.0..8000.0).contains(&found.hz), "{found:?}");
        assert!(found.excess_db > found.usual_db + 6.0 && (0.8..1.4).contains(&found.at_s), "{found:?}");
    }

    #[test]
    fn faint_consonants_and_a_hiss_that_never_ends_are_none() {
        assert_eq!(read(&voice(0.02, 1.3)).sibilance, None);
        assert_eq!(read(&voice(2.0, 0.13)).sibilance, None);
        assert_eq!(read(&demo_mix(RATE, 16.0)).sibilance, None);
        assert_eq!(read(&pink_noise(RATE, -20.0, 12.0, 2)).sibilance, None);
    }

    #[test]
    fn a_bass_note_louder_than_the_others_booms() {
        let found = read(&bass(15.0)).boom.expect("found");
        assert!((100.0..123.0).contains(&found.hz) && found.excess_db > 11.0, "{found:?}");
        assert!(found.at_s < 0.3, "{found:?}");
    }

    #[test]
    fn an_even_bass_line_a_drone_and_noise_do_not_boom() {
        assert_eq!(read(&bass(3.0)).boom, None);
        let mut drone = pink_noise(RATE, -36.0, 12.0, 4);
        add(&mut drone, 0, &sine(RATE, 110.0, -15.0, 12.0), 1.0);
        assert_eq!(read(&drone).boom, None);
        assert_eq!(read(&demo_mix(RATE, 16.0)).boom, None);
        assert_eq!(read(&pink_noise(RATE, -20.0, 12.0, 2)).boom, None);
    }
}
