//! Tempo and onsets, from the levels of the crossover's bands every 10 ms.

use crate::bands::BandHistory;
use crate::blocks::BLOCKS_PER_SECOND;
use crate::crossover::BANDS;
use crate::readings::RhythmReading;

const BLOCKS: f64 = BLOCKS_PER_SECOND as f64;
/// Range of tempi that are reported; slower and faster ones read an octave up or down.
const TEMPO_BPM: [f64; 2] = [60.0, 180.0];
/// Preferred tempo: of two tempi an octave apart, the one nearer to it is more likely meant (Ellis 2007 puts it at
/// 120).
const PREFERRED_BPM: f64 = 115.0;
/// Width of that preference, octaves.
const PREFERENCE_OCTAVES: f64 = 0.9;
/// Smallest confidence with which a pulse is reported.
const MIN_CONFIDENCE: f64 = 0.1;
/// Distance over which rises are measured, 30 ms: a hit takes one or two blocks.
const RISE_BLOCKS: usize = 3;
/// Blocks averaged per band: a narrow band needs longer for a stable level.
const SMOOTH_BLOCKS: [usize; BANDS] = [4, 2, 1, 1];
/// Lower limit of levels relative to the band's mean, as a power ratio: −40 dB.
const FLOOR: f32 = 1e-4;
/// Smallest rise of an onset, relative to the mean rise of the half second around it.
const ONSET_OVER_MEAN: f32 = 3.5;
/// Smallest rise of an onset, the sum over all bands, in natural logarithm of power.
const MIN_ONSET: f32 = 1.5;
/// Onsets within this distance count as one.
const ONSET_GAP_BLOCKS: usize = 6;

/// Share of the strongest band's energy below which a band counts as empty: −50 dB.
const EMPTY: f64 = 1e-5;
/// Blocks on either side over which the median is taken. Power above the median is a hit: it lasts for less than a
/// tenth of a second.
const HIT_BLOCKS: usize = 10;

/// Measures the rhythm of a song.
pub(crate) fn rhythm(history: &BandHistory) -> RhythmReading {
    let rises = rises(history);
    let seconds = rises.len() as f64 / BLOCKS;
    let onsets_per_s = if seconds > 0.0 { onsets(&rises) as f64 / seconds } else { 0.0 };
    let (tempo_bpm, confidence) = tempo(&rises).unwrap_or((0.0, 0.0));
    let has_pulse = confidence >= MIN_CONFIDENCE;
    RhythmReading {
        tempo_bpm: has_pulse.then_some(tempo_bpm),
        confidence,
        onsets_per_s,
        percussive_share: percussive_share(history),
    }
}

/// Share of the energy that rises above the running median of its surroundings, as in the percussive half of
/// FitzGerald's separation ("Harmonic/percussive separation using median filtering", DAFx 2010), but per band instead
/// of per frequency bin. Returns the mean over the bands that are not empty.
fn percussive_share(history: &BandHistory) -> f64 {
    let energy: [f64; BANDS] = history.totals.map(|[mid, side, _]| mid + side);
    let least = energy.into_iter().fold(0.0, f64::max) * EMPTY;
    let share = |band: usize| {
        let powers: Vec<f32> = history.powers.iter().map(|powers| powers[band]).collect();
        let hits: f64 = (0..powers.len())
            .map(|n| {
                let start = n.saturating_sub(HIT_BLOCKS);
                let mut around = [0.0; 2 * HIT_BLOCKS + 1];
                let around = &mut around[..(n + HIT_BLOCKS + 1).min(powers.len()) - start];
                around.copy_from_slice(&powers[start..start + around.len()]);
                let (_, median, _) = around.select_nth_unstable_by(around.len() / 2, f32::total_cmp);
                f64::from((powers[n] - *median).max(0.0))
            })
            .sum();
        let all: f64 = powers.iter().map(|power| f64::from(*power)).sum();
        if all > 0.0 { hits / all } else { 0.0 }
    };
    let bands: Vec<usize> = (0..BANDS).filter(|&band| energy[band] > least).collect();
    bands.iter().map(|&band| share(band)).sum::<f64>() / bands.len().max(1) as f64
}

/// Rise of the logarithmic levels, summed over all bands, block by block.
fn rises(history: &BandHistory) -> Vec<f32> {
    let floors: [f32; BANDS] = std::array::from_fn(|band| {
        let [mid, side, _] = history.totals[band];
        ((mid + side) / history.frames.max(1) as f64) as f32 * FLOOR
    });
    let logs: Vec<[f32; BANDS]> = history
        .powers
        .iter()
        .enumerate()
        .map(|(n, _)| {
            std::array::from_fn(|band| {
                let recent = &history.powers[(n + 1).saturating_sub(SMOOTH_BLOCKS[band])..=n];
                let power = recent.iter().map(|powers| powers[band]).sum::<f32>() / SMOOTH_BLOCKS[band] as f32;
                libm::logf(power.max(floors[band]).max(f32::MIN_POSITIVE))
            })
        })
        .collect();
    let rise = |now: &[f32; BANDS], before: &[f32; BANDS]| -> f32 {
        now.iter().zip(before).map(|(now, before)| (now - before).max(0.0)).sum()
    };
    logs.iter().skip(RISE_BLOCKS).zip(&logs).map(|(now, before)| rise(now, before)).collect()
}

fn onsets(rises: &[f32]) -> usize {
    let half = BLOCKS as usize / 4;
    let (mut count, mut last) = (0, None);
    for (n, &rise) in rises.iter().enumerate() {
        let around = &rises[n.saturating_sub(half)..(n + half).min(rises.len())];
        let mean = around.iter().sum::<f32>() / around.len() as f32;
        let is_crest = n > 0 && n + 1 < rises.len() && rise > rises[n - 1] && rise >= rises[n + 1];
        let is_new = last.is_none_or(|last| n - last > ONSET_GAP_BLOCKS);
        if is_crest && is_new && rise > MIN_ONSET.max(ONSET_OVER_MEAN * mean) {
            (count, last) = (count + 1, Some(n));
        }
    }
    count
}

/// Finds the lag at which the rises resemble themselves most; returns it as a tempo in BPM, with its normalised
/// autocorrelation.
fn tempo(rises: &[f32]) -> Option<(f64, f64)> {
    let slowest = (60.0 / TEMPO_BPM[0] * BLOCKS) as usize;
    let fastest = (60.0 / TEMPO_BPM[1] * BLOCKS) as usize;
    // At least eight beats of the slowest tempo.
    if rises.len() < 8 * slowest {
        return None;
    }
    let mean = rises.iter().sum::<f32>() / rises.len() as f32;
    let centred: Vec<f32> = rises.iter().map(|rise| rise - mean).collect();
    let correlation = |lag: usize| -> f64 {
        let products = centred.iter().zip(&centred[lag..]).map(|(a, b)| f64::from(a * b));
        products.sum::<f64>() / (centred.len() - lag) as f64
    };
    let power = correlation(0);
    if power <= 0.0 {
        return None;
    }
    let table: Vec<f64> = (0..=4 * slowest + 4).map(|lag| correlation(lag) / power).collect();
    // A beat also repeats after two and after four beats; a chance resemblance does not.
    let near = |lag: usize| table[lag - 1..=lag + 1].iter().copied().fold(0.0, f64::max);
    let score = |lag: usize| {
        let octaves = libm::log2(60.0 * BLOCKS / lag as f64 / PREFERRED_BPM) / PREFERENCE_OCTAVES;
        (table[lag] + near(2 * lag) + near(4 * lag)) * libm::exp(-0.5 * octaves * octaves)
    };
    let beat = (fastest..=slowest).max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
    // Over four beats, the same error of one block weighs a quarter.
    let far = (4 * beat - 3..=4 * beat + 3).max_by(|&a, &b| table[a].total_cmp(&table[b]))?;
    let lag = (far as f64 + parabola(table[far - 1], table[far], table[far + 1])) / 4.0;
    Some((60.0 * BLOCKS / lag, table[beat].clamp(0.0, 1.0)))
}

/// Position, between −½ and ½, of the crest of a parabola through three points.
fn parabola(before: f64, at: f64, after: f64) -> f64 {
    let bend = before - 2.0 * at + after;
    if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Analyzer;
    use crate::stream::{Frame, Meter};
    use crate::synth::{demo_mix, pink_noise, silence, sine};

    fn reading(frames: &[Frame]) -> RhythmReading {
        let mut analyzer = Analyzer::new(22_050, 2);
        analyzer.push(frames);
        analyzer.finish().rhythm
    }

    #[test]
    fn the_demo_mix_has_a_hundred_beats_per_minute() {
        let got = reading(&demo_mix(22_050, 24.0));
        assert!((got.tempo_bpm.unwrap() - 100.0).abs() < 1.0 && got.confidence > 0.2, "{got:?}");
        assert!((2.0..6.0).contains(&got.onsets_per_s), "{got:?}");
    }

    #[test]
    fn clicks_are_counted_and_timed() {
        for bpm in [75.0, 128.0, 174.0] {
            let mut frames = silence(22_050, 20.0);
            let noise = pink_noise(22_050, -10.0, 0.03, 1);
            let mut beat = 0.1;
            while beat < 19.9 {
                let start = (beat * 22_050.0) as usize;
                frames[start..start + noise.len()].copy_from_slice(&noise);
                beat += 60.0 / bpm;
            }
            let got = reading(&frames);
            let ratio = got.tempo_bpm.unwrap() / bpm;
            assert!([0.5, 1.0, 2.0].iter().any(|octave| (ratio / octave - 1.0).abs() < 0.01), "{got:?}, not {bpm}");
            assert!((got.onsets_per_s - bpm / 60.0).abs() < 0.1, "{got:?}, not {bpm}");
        }
    }

    #[test]
    fn hits_are_percussive_and_a_held_note_is_not() {
        let mut clicks = silence(22_050, 10.0);
        let noise = pink_noise(22_050, -10.0, 0.03, 1);
        for beat in 0..19 {
            clicks[beat * 11_025..][..noise.len()].copy_from_slice(&noise);
        }
        assert!(reading(&clicks).percussive_share > 0.9);
        let note = sine(22_050, 1000.0, -10.0, 10.0);
        assert!(reading(&note).percussive_share < 0.05);
        let both: Vec<Frame> = note.iter().zip(&clicks).map(|(a, b)| [a[0] + b[0], a[1] + b[1]]).collect();
        assert!((0.1..0.9).contains(&reading(&both).percussive_share));
        assert_eq!(reading(&silence(22_050, 2.0)).percussive_share, 0.0);
    }

    #[test]
    fn noise_and_silence_have_no_pulse() {
        for frames in [pink_noise(22_050, -20.0, 20.0, 7), silence(22_050, 20.0), Vec::new()] {
            let got = reading(&frames);
            assert_eq!(got.tempo_bpm, None, "{got:?}");
            assert!(got.onsets_per_s < 1.0, "{got:?}");
        }
    }
}
