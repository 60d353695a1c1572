//! The qualities that a listener compares between mix, target and master: brightness, mids, bass, width, punch, density
//! and loudness; and how much closer to the target the master came.
//!
//! Each quality is defined once, in [`Quality`], and measured in the same way on every sound. Tone is measured at equal
//! loudness, so that a change of level does not affect it.

use std::fmt::{Display, Formatter, Result};

use analyzer::crossover::BANDS;
use analyzer::profile::Profile;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use analyzer::units::{db_from_power, power_from_db};
use models::features::{Features, MID, PLR, SIDE, WIDTH_START, crest, features};
use renderer::recipe::DeliveryParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::promises::Measured;
use crate::report::figures::{SpectrumFigure, over_own_loudness};

/// A quality that a listener compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Integrated loudness (BS.1770), LUFS.
    Loudness,
    /// Level from 4 to 12 kHz over the loudness of the whole, LU.
    Brightness,
    /// Level from 250 Hz to 2 kHz over the loudness of the whole, LU.
    Mids,
    /// Level from 40 to 120 Hz over the loudness of the whole, LU.
    Bass,
    /// Level of the side over the mid, mean of the three bands above 120 Hz, dB.
    Width,
    /// Crest factor while a band sounds (peak exceeded in one of twenty frames of 50 ms, over the mean level), mean of
    /// the four bands, dB.
    Punch,
    /// True peak over integrated loudness (PLR), LU: the smaller, the denser.
    Density,
}

/// All qualities, in the order of a table.
pub const QUALITIES: [Quality; 7] = [
    Quality::Loudness,
    Quality::Brightness,
    Quality::Mids,
    Quality::Bass,
    Quality::Width,
    Quality::Punch,
    Quality::Density,
];

const BRIGHTNESS_HZ: [f64; 2] = [4000.0, 12_000.0];
const MIDS_HZ: [f64; 2] = [250.0, 2000.0];
const BASS_HZ: [f64; 2] = [40.0, 120.0];
/// Lower edges of the octaves whose levels make up the tonal balance, Hz.
const OCTAVES_HZ: [f64; 8] = [40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 5120.0];
/// Lowest width, dB. A side further below the mid counts as absent.
const NARROWEST_DB: f64 = -40.0;
/// Differences smaller than this are not audible, dB or LU.
const AUDIBLE_DB: f64 = 0.5;
/// Smallest change that is mentioned, dB or LU.
const MENTIONED_DB: f64 = 1.0;

impl Quality {
    /// Returns the unit of its values.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Loudness => "LUFS",
            Self::Brightness | Self::Mids | Self::Bass | Self::Density => "LU",
            Self::Width | Self::Punch => "dB",
        }
    }

    /// Describes a change of this quality in words.
    fn change_words(self, change: f64) -> String {
        let by = change.abs();
        let (more, less) = match self {
            Self::Loudness => ("louder", "quieter"),
            Self::Brightness => ("brighter", "darker"),
            Self::Mids => ("more mids", "less mids"),
            Self::Bass => ("more bass", "less bass"),
            Self::Width => ("wider", "narrower"),
            Self::Punch => ("more punch", "less punch"),
            Self::Density => ("more open", "denser"),
        };
        let unit = if self == Self::Loudness { "LU" } else { "dB" };
        format!("{by:.1} {unit} {}", if change > 0.0 { more } else { less })
    }
}

impl Display for Quality {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.pad(match self {
            Self::Loudness => "loudness",
            Self::Brightness => "brightness",
            Self::Mids => "mids",
            Self::Bass => "bass",
            Self::Width => "width",
            Self::Punch => "punch",
            Self::Density => "density",
        })
    }
}

/// Measurements of one sound from which its qualities are computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Integrated loudness, LUFS.
    pub loudness_lufs: Option<f64>,
    /// Levels of mid and side per spectrum band over the loudness, LU; absent if the spectrum is not known.
    pub spectrum_lu: Option<[Vec<f64>; 2]>,
    /// Level of side over mid per band of the crossover, dB; absent for mono.
    pub width_db: Option<[f64; BANDS]>,
    /// Crest factor per band of the crossover, dB.
    pub crest_db: Option<[f64; BANDS]>,
    /// True peak over loudness, LU.
    pub plr_lu: Option<f64>,
}

impl Sound {
    /// Creates a sound of which only loudness and peak-to-loudness ratio are known.
    pub fn of_loudness(loudness_lufs: Option<f64>, plr_lu: Option<f64>) -> Self {
        Self { loudness_lufs, spectrum_lu: None, width_db: None, crest_db: None, plr_lu }
    }

    /// Creates the sound of a song measured from start to end; `None` if it is too quiet to measure.
    pub fn of_profile(profile: &Profile) -> Option<Self> {
        let sound = Self::of_features(&features(profile)?, profile.loudness.integrated_lufs);
        Some(Self { width_db: sound.width_db.filter(|_| profile.channels == 2), plr_lu: profile.plr_lu(), ..sound })
    }

    /// Creates the sound of a target, which is known by its features.
    pub fn of_features(features: &Features, loudness_lufs: Option<f64>) -> Self {
        let bands = |start: usize| features[start..start + SPECTRUM_BANDS].to_vec();
        Self {
            loudness_lufs,
            spectrum_lu: Some(over_own_loudness([bands(MID), bands(SIDE)])),
            width_db: Some(std::array::from_fn(|band| features[WIDTH_START + band])),
            crest_db: Some(std::array::from_fn(|band| features[crest(band)])),
            plr_lu: Some(features[PLR]),
        }
    }

    /// Returns the target at the requested loudness of the master, with a peak-to-loudness ratio no larger than the
    /// ceiling allows.
    pub fn delivered(self, delivery: &DeliveryParams) -> Self {
        let room_lu = delivery.ceiling_dbtp - delivery.loudness_lufs;
        Self {
            loudness_lufs: Some(delivery.loudness_lufs),
            plr_lu: self.plr_lu.map(|plr_lu| plr_lu.min(room_lu)),
            ..self
        }
    }

    /// Creates the sound of a master. `spectrum` is the one per band from its figures, if there is one.
    pub fn of_master(measured: &Measured, spectrum: Option<&SpectrumFigure>, channels: u8) -> Self {
        let loudness_lufs = measured.loudness.integrated_lufs;
        let spectrum_lu = spectrum.filter(|_| loudness_lufs.is_some()).map(SpectrumFigure::over_own_loudness);
        Self {
            loudness_lufs,
            spectrum_lu,
            width_db: (channels == 2).then_some(measured.bands.width_db),
            crest_db: Some(measured.bands.dynamics.map(|band| band.crest_db)),
            plr_lu: loudness_lufs.map(|lufs| measured.true_peak_dbtp - lufs),
        }
    }

    /// Returns the value of a quality.
    pub fn value(&self, quality: Quality) -> Option<f64> {
        let level = |range| self.spectrum_lu.as_ref().map(|spectrum| level_lu(spectrum, range));
        match quality {
            Quality::Loudness => self.loudness_lufs,
            Quality::Brightness => level(BRIGHTNESS_HZ),
            Quality::Mids => level(MIDS_HZ),
            Quality::Bass => level(BASS_HZ),
            Quality::Width => self.width_db.map(|[_, above @ ..]| mean(above.map(|db| db.max(NARROWEST_DB)))),
            Quality::Punch => self.crest_db.map(mean),
            Quality::Density => self.plr_lu,
        }
    }

    /// Returns the mean difference between the octave levels of this mid and of another sound's, at equal loudness, dB.
    fn balance_distance_db(&self, other: &Self) -> Option<f64> {
        let (here, there) = (self.spectrum_lu.as_ref()?, other.spectrum_lu.as_ref()?);
        let level = |[mid, _]: &[Vec<f64>; 2], from_hz: f64| power_lu(mid, [from_hz, 2.0 * from_hz]);
        Some(mean(OCTAVES_HZ.map(|hz| (level(here, hz) - level(there, hz)).abs())))
    }
}

fn mean<const N: usize>(values: [f64; N]) -> f64 {
    values.iter().sum::<f64>() / N as f64
}

/// Returns the power of a frequency range as a level. Bands partly inside count by their share in octaves.
fn power_lu(levels_lu: &[f64], [from_hz, to_hz]: [f64; 2]) -> f64 {
    let half_band = libm::exp2(1.0 / 8.0);
    let power = levels_lu.iter().enumerate().map(|(band, lu)| {
        let [low, high] = [band_centre_hz(band) / half_band, band_centre_hz(band) * half_band];
        let inside = libm::log2(high.min(to_hz) / low.max(from_hz)).max(0.0) * 4.0;
        inside.min(1.0) * power_from_db(*lu)
    });
    db_from_power(power.sum())
}

/// Returns the power of mid and side together, as a level.
fn level_lu([mid, side]: &[Vec<f64>; 2], range: [f64; 2]) -> f64 {
    db_from_power(power_from_db(power_lu(mid, range)) + power_from_db(power_lu(side, range)))
}

/// Comparison of mix, target and master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Qualities {
    /// One row per quality that was measured, in the order of a table.
    pub rows: Vec<QualityRow>,
    /// Distance of the tonal balance from the target's; absent if either is not known.
    pub balance: Option<BalanceDistance>,
}

/// One quality of mix, target and master.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityRow {
    /// The quality.
    pub quality: Quality,
    /// Value of the mix; null if it was not measured.
    pub mix: Option<f64>,
    /// Value of the target; null if there is none.
    pub target: Option<f64>,
    /// Value of the master, measured on the written file.
    pub master: Option<f64>,
    /// Share of the difference between mix and target that is gone, %; negative if the difference has grown. Null if
    /// there was no audible difference, or no target.
    pub closer_pct: Option<f64>,
}

/// Mean difference from the octave levels of the target between 40 Hz and 10 kHz, at equal loudness, dB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceDistance {
    /// Distance of the mix.
    pub mix_db: f64,
    /// Distance of the master.
    pub master_db: f64,
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Qualities {
    /// Compares mix, target and master.
    pub fn new(mix: Option<&Sound>, target: Option<&Sound>, master: &Sound) -> Self {
        let row = |quality: Quality| {
            let value = |sound: Option<&Sound>| sound.and_then(|sound| sound.value(quality)).map(tenths);
            QualityRow::new(quality, value(mix), value(target), value(Some(master)))
        };
        let balance = mix.zip(target).and_then(|(mix, target)| {
            let distance = |sound: &Sound| sound.balance_distance_db(target).map(tenths);
            Some(BalanceDistance { mix_db: distance(mix)?, master_db: distance(master)? })
        });
        // Mono has no width, so there is nothing to compare.
        let is_known = |row: &QualityRow| row.mix.is_some() || row.master.is_some();
        Self { rows: QUALITIES.map(row).into_iter().filter(is_known).collect(), balance }
    }

    /// Describes the largest changes in one phrase: "4.1 dB brighter, 2.0 dB wider and 9.3 LU louder". Returns `None`
    /// if the mix was not measured.
    pub fn change_words(&self) -> Option<String> {
        let changes: Vec<(Quality, f64)> =
            self.rows.iter().filter_map(|row| Some((row.quality, row.master? - row.mix?))).collect();
        if changes.is_empty() {
            return None;
        }
        let is_named = |(quality, change): &&(Quality, f64)| {
            // Density follows from loudness, and the mids from the bands around them.
            !matches!(quality, Quality::Density | Quality::Mids) && change.abs() >= MENTIONED_DB
        };
        let mut named: Vec<_> = changes.iter().filter(is_named).collect();
        // Loudness comes last: it is the least important part of mastering.
        named.sort_by_key(|(quality, _)| *quality == Quality::Loudness);
        let words: Vec<String> = named.iter().map(|(quality, change)| quality.change_words(*change)).collect();
        Some(match words.as_slice() {
            [] => "hardly changed".to_owned(),
            [one] => one.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        })
    }

    /// Describes the distance of the tonal balance from the target, before and after.
    pub fn balance_words(&self) -> Option<String> {
        let BalanceDistance { mix_db, master_db } = self.balance?;
        Some(format!("tonal balance {mix_db:.1} dB from the target before, {master_db:.1} dB after"))
    }
}

impl QualityRow {
    fn new(quality: Quality, mix: Option<f64>, target: Option<f64>, master: Option<f64>) -> Self {
        let closer_pct = mix.zip(target).zip(master).and_then(|((mix, target), master)| {
            let (before, after) = ((mix - target).abs(), (master - target).abs());
            (before >= AUDIBLE_DB).then(|| (100.0 * (1.0 - after / before)).round())
        });
        Self { quality, mix, target, master, closer_pct }
    }

    /// Describes in a few words how the master compares with the target.
    pub fn verdict(&self) -> String {
        let Some((target, master)) = self.target.zip(self.master) else { return String::new() };
        let off = (master - target).abs();
        let further = self.mix.map_or(0.0, |mix| off - (mix - target).abs());
        match self.closer_pct {
            _ if off < AUDIBLE_DB => "at the target".to_owned(),
            _ if further >= AUDIBLE_DB => format!("{further:.1} {} further", self.change_unit()),
            Some(pct) if pct >= 0.5 => format!("{pct:.0} % closer"),
            Some(_) => "no closer".to_owned(),
            None => format!("{off:.1} {} off", self.change_unit()),
        }
    }

    /// Returns true if the master is closer to the target than the mix, false if it is further away, and `None` if it
    /// is neither.
    pub fn is_closer(&self) -> Option<bool> {
        let ((mix, target), master) = self.mix.zip(self.target).zip(self.master)?;
        let closer = (mix - target).abs() - (master - target).abs();
        (closer.abs() >= AUDIBLE_DB).then_some(closer > 0.0)
    }

    fn change_unit(&self) -> &'static str {
        if self.quality == Quality::Loudness { "LU" } else { self.quality.unit() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(tilt_lu: f64, lufs: f64) -> Sound {
        let mid: Vec<f64> = (0..SPECTRUM_BANDS).map(|band| -10.0 + tilt_lu * (band as f64 - 20.0) / 4.0).collect();
        let side = mid.iter().map(|lu| lu - 15.0).collect();
        Sound {
            loudness_lufs: Some(lufs),
            spectrum_lu: Some([mid, side]),
            width_db: Some([-30.0, -15.0, -15.0, -60.0]),
            crest_db: Some([8.0, 10.0, 12.0, 14.0]),
            plr_lu: Some(12.0),
        }
    }

    #[test]
    fn a_flat_spectrum_has_the_power_of_its_octaves() {
        // Ten quarter octaves of −10 LU each are 40 to 226 Hz; 80 to 160 Hz are four of them.
        assert!((power_lu(&[-10.0; SPECTRUM_BANDS], [80.0, 160.0]) - (-10.0 + 6.0206)).abs() < 1e-3);
        // Half a band counts half.
        let edge = 80.0 * 2f64.powf(1.0 / 8.0);
        assert!((power_lu(&[-10.0; SPECTRUM_BANDS], [80.0, edge]) - (-10.0 - 3.0103)).abs() < 1e-3);
    }

    #[test]
    fn a_loud_master_is_as_dense_as_its_loudness_asks() {
        let density = |loudness_lufs: f64, master_plr_lu: f64| {
            let delivery = DeliveryParams { loudness_lufs, ceiling_dbtp: -1.0, ..DeliveryParams::default() };
            let master = Sound { plr_lu: Some(master_plr_lu), ..sound(0.0, loudness_lufs) };
            let target = sound(0.0, -14.0).delivered(&delivery);
            let qualities = Qualities::new(Some(&sound(0.0, -20.0)), Some(&target), &master);
            let row = *qualities.rows.iter().find(|row| row.quality == Quality::Density).expect("it is there");
            (row.target, row.verdict())
        };
        assert_eq!(density(-8.0, 7.0), (Some(7.0), "at the target".to_owned()));
        assert_eq!(density(-20.0, 12.0), (Some(12.0), "at the target".to_owned()));
    }

    #[test]
    fn a_dark_mix_that_is_made_brighter_came_closer() {
        let qualities = Qualities::new(Some(&sound(-3.0, -20.0)), Some(&sound(-1.0, -14.0)), &sound(-1.5, -14.0));
        let row = |quality| *qualities.rows.iter().find(|row| row.quality == quality).expect("it is there");
        let bright = row(Quality::Brightness);
        assert!((70.0..80.0).contains(&bright.closer_pct.expect("a target")), "{bright:?}");
        assert_eq!(row(Quality::Loudness).verdict(), "at the target");
        assert_eq!(row(Quality::Punch).closer_pct, None, "there was no difference");
        assert_eq!(row(Quality::Width).mix, Some(tenths((-15.0 - 15.0 - 40.0_f64) / 3.0)));
        let BalanceDistance { mix_db, master_db } = qualities.balance.expect("a target");
        assert!(mix_db > 3.0 * master_db, "{mix_db} {master_db}");
        let words = qualities.change_words().expect("a mix");
        assert!(
            words.contains("brighter") && words.contains("less bass") && words.ends_with("and 6.0 LU louder"),
            "{words}"
        );
    }

    #[test]
    fn the_mean_of_records_is_compared_at_the_loudness_of_one() {
        let record = |sign: f64| -> Features {
            std::array::from_fn(|n| if n < SIDE { -20.0 + sign * if n % 8 < 4 { 6.0 } else { -6.0 } } else { -60.0 })
        };
        let (one, other) = (record(1.0), record(-1.0));
        let mean = std::array::from_fn(|n| 0.5 * (one[n] + other[n]));
        // A mix of the shape of the mean, at its own loudness.
        let mix = std::array::from_fn(|n| if n < SIDE { -17.0 } else { -60.0 });
        let [mix, mean] = [mix, mean].map(|features| Sound::of_features(&features, Some(-14.0)));
        assert!(mix.balance_distance_db(&mean).is_some_and(|db| db < 0.01), "{mix:?} {mean:?}");
    }

    #[test]
    fn what_was_not_measured_is_not_compared() {
        let unknown = Sound { spectrum_lu: None, width_db: None, plr_lu: None, ..sound(0.0, -14.0) };
        let qualities = Qualities::new(None, None, &unknown);
        assert_eq!((qualities.balance, qualities.change_words()), (None, None));
        assert!(qualities.rows.iter().all(|row| row.mix.is_none() && row.closer_pct.is_none()));
    }
}
