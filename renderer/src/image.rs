//! Limits widening, so that a song does not lose too much when it is played in mono.

use analyzer::loudness::KWeight;
use analyzer::profile::Profile;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::units::{FLOOR_DB, db_from_power, power_from_db};

/// Largest increase of the loss in mono, LU.
pub const MAX_LOSS_GROWTH_LU: f64 = 1.5;
/// Loss in mono beyond which nothing is widened, LU: that of uncorrelated channels, 10·log10(2).
pub const MAX_LOSS_LU: f64 = 3.01;
/// Correlation of left and right in a band at which widening stops: its side is then as strong as its mid.
pub const MIN_CORRELATION: f64 = 0.0;

/// K-weighted mean power of half the sum and half the difference of left and right, in `N` bands.
#[derive(Clone, Debug, PartialEq)]
pub struct Image<const N: usize> {
    /// Half the sum.
    pub mid: [f64; N],
    /// Half the difference.
    pub side: [f64; N],
}

impl Image<SPECTRUM_BANDS> {
    /// Image of a song, in the bands of its spectrum.
    pub fn of_spectrum(profile: &Profile) -> Self {
        let coefs = KWeight::coefs(profile.sample_rate_hz);
        let weight = |band: usize| {
            let gain: f64 = coefs.iter().map(|c| c.gain_at(band_centre_hz(band), profile.sample_rate_hz)).product();
            gain * gain
        };
        let power = |level_db: f64| if level_db > FLOOR_DB { power_from_db(level_db) } else { 0.0 };
        let powers = |levels_db: &[f64]| std::array::from_fn(|band| weight(band) * power(levels_db[band]));
        Self { mid: powers(&profile.spectrum.mid.mean_db), side: powers(&profile.spectrum.side.mean_db) }
    }
}

impl<const N: usize> Image<N> {
    /// Returns the image after gains of mid and side.
    pub fn with_gains(&self, mid_db: &[f64; N], side_db: &[f64; N]) -> Self {
        let scaled = |powers: &[f64; N], gains_db: &[f64; N]| {
            std::array::from_fn(|band| powers[band] * power_from_db(gains_db[band]))
        };
        Self { mid: scaled(&self.mid, mid_db), side: scaled(&self.side, side_db) }
    }

    /// Power lost by summing to mono, LU: 10·log10((L² + R²) / (2·M²)); 0 for silence.
    pub fn mono_loss_lu(&self) -> f64 {
        let [mid, side]: [f64; 2] = [&self.mid, &self.side].map(|powers| powers.iter().sum());
        if mid + side > 0.0 { db_from_power((mid + side) / mid.max(1e-30)) } else { 0.0 }
    }

    /// Returns the part of `wanted_db`, gains of the side over the mid, that mono compatibility allows on top of the
    /// mid's gains `mid_db`.
    ///
    /// Narrowing is never changed. Widening is limited in each band at [`MIN_CORRELATION`]. The rest is reduced in all
    /// bands in proportion, until the loss in mono is within [`MAX_LOSS_LU`] and no more than [`MAX_LOSS_GROWTH_LU`]
    /// over that of this image.
    pub fn allowed_width_db(&self, mid_db: &[f64; N], wanted_db: &[f64; N]) -> [f64; N] {
        let before_lu = self.mono_loss_lu();
        let limit_lu = (before_lu + MAX_LOSS_GROWTH_LU).min(MAX_LOSS_LU.max(before_lu));
        let capped: [f64; N] = std::array::from_fn(|band| {
            if self.side[band] == 0.0 {
                return wanted_db[band];
            }
            // For balanced channels, the correlation is (M² − S²) / (M² + S²).
            let room = self.mid[band] * (1.0 - MIN_CORRELATION) / (1.0 + MIN_CORRELATION);
            wanted_db[band].min(db_from_power(room / self.side[band]).max(0.0))
        });
        let at = |share: f64| capped.map(|db| if db > 0.0 { share * db } else { db });
        let loss_lu = |width_db: &[f64; N]| {
            self.with_gains(mid_db, &std::array::from_fn(|band| mid_db[band] + width_db[band])).mono_loss_lu()
        };
        if loss_lu(&capped) <= limit_lu {
            return capped;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..20 {
            let middle = 0.5 * (low + high);
            if loss_lu(&at(middle)) <= limit_lu { low = middle } else { high = middle }
        }
        at(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::crossover::{BANDS, CROSSOVER_HZ};

    /// Sums the powers into the bands of [`analyzer::crossover`].
    fn by_crossover(image: &Image<SPECTRUM_BANDS>) -> Image<BANDS> {
        let mut sums = Image { mid: [0.0; BANDS], side: [0.0; BANDS] };
        for n in 0..SPECTRUM_BANDS {
            let band = CROSSOVER_HZ.iter().filter(|hz| band_centre_hz(n) >= **hz).count();
            sums.mid[band] += image.mid[n];
            sums.side[band] += image.side[n];
        }
        sums
    }
    use analyzer::analyze::Analyzer;
    use analyzer::stream::{Frame, Meter, left_right};
    use analyzer::synth::{pink_noise, silence};

    use crate::stage::Stage;
    use crate::stages::width::{Width, WidthParams};

    const FLAT: [f64; BANDS] = [0.0; BANDS];

    fn profile(frames: &[Frame]) -> Profile {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(frames);
        analyzer.finish()
    }

    /// Noise whose side is `width_db` over its mid.
    fn noise(width_db: f64) -> Vec<Frame> {
        let gain = analyzer::units::gain_from_db(width_db) as f32;
        pink_noise(44_100, -20.0, 10.0, 6).into_iter().map(|[m, s]| left_right([m, gain * s])).collect()
    }

    fn widened(frames: &[Frame], [low_db, low_mid_db, high_mid_db, high_db]: [f64; BANDS]) -> Vec<Frame> {
        let mut frames = frames.to_vec();
        let params = WidthParams { low_db, low_mid_db, high_mid_db, high_db, mono_below_hz: 0.0 };
        if let Some(mut width) = Width::new(&params, 44_100) {
            width.process(&mut frames);
        }
        frames
    }

    #[test]
    fn loss_in_mono_is_what_the_meter_reads() {
        for width_db in [-20.0, -8.0, -3.0, 0.0, 4.0] {
            let profile = profile(&noise(width_db));
            let image = Image::of_spectrum(&profile);
            let measured_lu = profile.stereo.mono_loss_lu;
            assert!((image.mono_loss_lu() - measured_lu).abs() < 0.1, "{} {measured_lu}", image.mono_loss_lu());
            assert!((by_crossover(&image).mono_loss_lu() - image.mono_loss_lu()).abs() < 1e-9);
        }
    }

    #[test]
    fn widened_noise_loses_no_more_than_is_allowed() {
        for width_db in [-30.0, -12.0, -7.0, -4.0, -1.0, 3.0] {
            let song = noise(width_db);
            let before = profile(&song);
            let allowed = by_crossover(&Image::of_spectrum(&before)).allowed_width_db(&FLAT, &[6.0; BANDS]);
            let after = profile(&widened(&song, allowed)).stereo;
            let loss_lu = after.mono_loss_lu;
            assert!(loss_lu < before.stereo.mono_loss_lu + MAX_LOSS_GROWTH_LU + 0.1, "{width_db}: {loss_lu} LU");
            assert!(loss_lu < MAX_LOSS_LU.max(before.stereo.mono_loss_lu) + 0.1, "{width_db}: {loss_lu} LU");
            let least = before.stereo.correlation.map(|c| c.min(MIN_CORRELATION) - 0.05);
            assert!(after.correlation.iter().zip(least).all(|(c, least)| *c > least), "{width_db}: {after:?}");
            if width_db < -12.0 {
                assert_eq!(allowed, [6.0; BANDS], "there is room");
            }
            // The allowed widening is used up: one of the bounds is reached, or everything was allowed.
            let is_at_a_bound = loss_lu > before.stereo.mono_loss_lu.max(0.0) + MAX_LOSS_GROWTH_LU - 0.2
                || loss_lu > MAX_LOSS_LU - 0.2
                || after.correlation.iter().any(|c| *c < MIN_CORRELATION + 0.1);
            assert!(is_at_a_bound || allowed == [6.0; BANDS], "{width_db}: {allowed:?} {after:?}");
        }
    }

    #[test]
    fn narrowing_is_not_touched_and_widening_is_taken_back_in_proportion() {
        let image = Image { mid: [1.0, 1.0, 1.0, 0.0], side: [0.4, 0.4, 0.4, 0.0] };
        let wanted = [-6.0, 3.9, 3.0, 2.0];
        assert_eq!(image.allowed_width_db(&FLAT, &wanted), wanted, "narrow bass makes room");
        let image = Image { mid: [1.0; BANDS], side: [0.15; BANDS] };
        let allowed = image.allowed_width_db(&FLAT, &[-1.0, 8.0, 7.0, 8.0]);
        assert!((allowed[1] / allowed[2] - 8.0 / 7.0).abs() < 1e-9 && allowed[1] < 8.0 && allowed[0] == -1.0);
        let side: f64 = allowed.iter().map(|db| 0.15 / 4.0 * libm::pow(10.0, db / 10.0)).sum();
        let growth_lu = 10.0 * libm::log10((1.0 + side) / 1.15);
        assert!((growth_lu - MAX_LOSS_GROWTH_LU).abs() < 1e-4, "{growth_lu}");
    }

    #[test]
    fn equaliser_that_lifts_a_wide_band_leaves_nothing_to_widen() {
        let image = Image { mid: [1.0; BANDS], side: [0.1, 0.1, 0.1, 0.9] };
        let wanted = [0.0, 4.0, 4.0, 0.0];
        assert_eq!(image.allowed_width_db(&FLAT, &wanted), wanted);
        assert_eq!(image.allowed_width_db(&[0.0, 0.0, 0.0, 18.0], &wanted), FLAT);
    }

    #[test]
    fn mono_and_silence_have_nothing_to_lose() {
        for frames in [silence(44_100, 1.0), noise(-200.0)] {
            let image = Image::of_spectrum(&profile(&frames));
            assert!(image.mono_loss_lu() < 1e-6);
            assert_eq!(image.allowed_width_db(&[0.0; SPECTRUM_BANDS], &[3.0; SPECTRUM_BANDS]), [3.0; SPECTRUM_BANDS]);
        }
    }
}
