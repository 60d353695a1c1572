//! Measures the noise floor in the pauses of the music.

use crate::blocks::BLOCKS_PER_SECOND;
use crate::loudness_history::{LoudnessHistory, lufs_from_power};
use crate::readings::NoiseFloor;

/// Shortest pause: half a second, in blocks of 10 ms.
const PAUSE_BLOCKS: usize = 50;
/// Grid on which pauses are searched for, in blocks.
const STEP_BLOCKS: usize = 5;
/// Smallest distance of a pause below the loudness of the music.
const UNDER_MUSIC_LU: f64 = 25.0;
/// Loudness below which there is only dither.
const SILENCE_LUFS: f64 = -95.0;
/// Steady noise has at most this standard deviation over its blocks, and this difference between the two halves of a
/// pause. Decaying and fading sounds exceed them.
const STEADY_DB: f64 = 1.5;
const DRIFT_DB: f64 = 0.7;

/// Returns the quietest steady half second that is far below the music, if there is one.
pub(crate) fn noise_floor(history: &LoudnessHistory) -> Option<NoiseFloor> {
    let music_lufs = history.integrated()?;
    let starts = (0..(history.blocks() + 1).saturating_sub(PAUSE_BLOCKS)).step_by(STEP_BLOCKS);
    starts
        .map(|start| (start, lufs_from_power(history.power(start, PAUSE_BLOCKS))))
        .filter(|&(_, lufs)| (SILENCE_LUFS..music_lufs - UNDER_MUSIC_LU).contains(&lufs))
        .filter(|&(start, _)| is_steady(history, start))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(start, lufs)| NoiseFloor { lufs, at_s: start as f64 / BLOCKS_PER_SECOND as f64 })
}

fn is_steady(history: &LoudnessHistory, start: usize) -> bool {
    let half = |n: usize| lufs_from_power(history.power(start + n * PAUSE_BLOCKS / 2, PAUSE_BLOCKS / 2));
    if (half(0) - half(1)).abs() > DRIFT_DB {
        return false;
    }
    let levels = (start..start + PAUSE_BLOCKS).map(|block| lufs_from_power(history.power(block, 1)));
    let (sum, squares) = levels.fold((0.0, 0.0), |(sum, squares), level| (sum + level, squares + level * level));
    let (mean, count) = (sum / PAUSE_BLOCKS as f64, PAUSE_BLOCKS as f64);
    squares / count - mean * mean <= STEADY_DB * STEADY_DB
}

#[cfg(test)]
mod tests {
    use crate::loudness::LoudnessMeter;
    use crate::readings::LoudnessReading;
    use crate::stream::{Frame, Meter};
    use crate::synth::{demo_mix, pink_noise, silence};
    use crate::units::gain_from_db;

    fn reading(frames: &[Frame]) -> LoudnessReading {
        let mut meter = LoudnessMeter::new(44_100);
        meter.push(frames);
        meter.finish()
    }

    /// The demo mix, three seconds without music, the mix again.
    fn with_pause() -> Vec<Frame> {
        [demo_mix(44_100, 6.0), silence(44_100, 3.0), demo_mix(44_100, 6.0)].concat()
    }

    fn mixed(song: &[Frame], noise: &[Frame]) -> Vec<Frame> {
        song.iter().zip(noise).map(|(a, b)| [a[0] + b[0], a[1] + b[1]]).collect()
    }

    #[test]
    fn noise_is_measured_where_the_music_pauses() {
        for level_db in [-58.0, -68.0, -80.0] {
            let noise = pink_noise(44_100, level_db, 15.0, 9);
            let expected = reading(&pink_noise(44_100, -20.0, 15.0, 9)).integrated_lufs.unwrap() + level_db + 20.0;
            let found = reading(&mixed(&with_pause(), &noise)).noise_floor.unwrap();
            assert!((found.lufs - expected).abs() < 1.0, "{found:?}, not {expected}");
            assert!((6.0..9.0).contains(&found.at_s), "{found:?}");
        }
    }

    #[test]
    fn silence_a_fade_and_dense_music_show_no_noise() {
        assert_eq!(reading(&with_pause()).noise_floor, None);
        assert_eq!(reading(&demo_mix(44_100, 12.0)).noise_floor, None);
        let mut faded = pink_noise(44_100, -20.0, 12.0, 4);
        let frames = faded.len() as f64;
        for (n, frame) in faded.iter_mut().enumerate() {
            let gain = gain_from_db(-90.0 * n as f64 / frames) as f32;
            *frame = frame.map(|x| x * gain);
        }
        assert_eq!(reading(&faded).noise_floor, None);
    }
}
