//! A profile as one row of named numbers that do not depend on its level.

use crate::crossover::BAND_NAMES;
use crate::profile::Profile;
use crate::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};

/// Lower limit of levels relative to the loudness, LU: below it there is only noise.
const FLOOR_LU: f64 = -70.0;
/// Lower limit of the width, dB: anything narrower sounds mono.
const NARROWEST_DB: f64 = -40.0;

impl Profile {
    /// Returns every scalar that describes the sound rather than its level, with its name; `None` if nothing is audible
    /// (silence, a constant, less than 0.4 s). The names and their order are the same for every song. A mono song is
    /// described as it sounds from two loudspeakers, like its spectrum.
    pub fn features(&self) -> Option<Vec<(String, f64)>> {
        if self.is_inaudible() {
            return None;
        }
        let loudness = self.loudness.integrated_lufs?;
        let over_loudness = |level: f64| (level - loudness).max(FLOOR_LU);
        let mut features = Vec::new();
        for (channel, spectrum) in [("mid", &self.spectrum.mid), ("side", &self.spectrum.side)] {
            let columns: [(&str, &dyn Fn(usize) -> f64); 3] = [
                ("mean_lu", &|band| over_loudness(spectrum.mean_db[band])),
                ("loud_over_mean_db", &|band| spectrum.loud_db[band] - spectrum.mean_db[band]),
                ("range_db", &|band| over_loudness(spectrum.p90_db[band]) - over_loudness(spectrum.p10_db[band])),
            ];
            for (column, value) in columns {
                let name = |band| format!("{channel}_{:.0}hz_{column}", band_centre_hz(band));
                features.extend((0..SPECTRUM_BANDS).map(|band| (name(band), value(band))));
            }
        }
        features.extend(self.single_features(loudness).map(|(name, value)| (name.to_string(), value)));
        for (band, band_name) in BAND_NAMES.iter().enumerate() {
            features.extend(self.band_features(band).map(|(name, value)| (format!("{band_name}_{name}"), value)));
        }
        Some(features)
    }

    fn single_features(&self, integrated: f64) -> [(&'static str, f64); 15] {
        let [psr_p10, psr_p50, psr_p95] = self.dynamics.psr_p10_p50_p95_lu;
        let octaves = |hz: f64| libm::log2(hz.max(20.0) / 20.0);
        [
            ("plr_lu", self.peak.true_peak_dbtp - integrated),
            ("psr_p10_lu", psr_p10),
            ("psr_p50_lu", psr_p50),
            ("psr_p95_lu", psr_p95),
            ("loudness_range_lu", self.loudness.range_lu),
            ("momentary_over_integrated_lu", self.loudness.max_momentary_lufs.map_or(0.0, |lufs| lufs - integrated)),
            ("tilt_db_per_octave", self.spectrum.tilt_db_per_octave),
            ("centroid_octaves", octaves(self.spectrum.centroid_hz)),
            ("rolloff_octaves", octaves(self.spectrum.rolloff_hz)),
            ("cutoff_octaves", octaves(self.spectrum.cutoff_hz)),
            ("balance_db", self.stereo.balance_db.abs()),
            ("mono_loss_lu", self.stereo.mono_loss_lu),
            ("onsets_per_s", self.rhythm.onsets_per_s),
            ("pulse_confidence", self.rhythm.confidence),
            ("percussive_share", self.rhythm.percussive_share),
        ]
    }

    fn band_features(&self, band: usize) -> [(&'static str, f64); 7] {
        let dynamics = &self.dynamics.bands[band];
        [
            ("crest_db", dynamics.crest_db),
            ("spread_10ms_db", dynamics.spread_10ms_db),
            ("spread_100ms_db", dynamics.spread_100ms_db),
            ("spread_1s_db", dynamics.spread_1s_db),
            ("flatness_db", self.spectrum.flatness_db[band]),
            ("width_db", self.stereo.width_db[band].max(NARROWEST_DB)),
            ("correlation", self.stereo.correlation[band]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::analyze::Analyzer;
    use crate::stream::{Frame, Meter};
    use crate::synth::{demo_mix, pink_noise, silence};

    fn features(frames: &[Frame]) -> Option<Vec<(String, f64)>> {
        let mut analyzer = Analyzer::new(44_100, 2);
        analyzer.push(frames);
        analyzer.finish().features()
    }

    #[test]
    fn names_are_unique_and_the_same_for_every_song() {
        let names =
            |frames: &[Frame]| -> Vec<String> { features(frames).unwrap().into_iter().map(|(name, _)| name).collect() };
        let song = names(&demo_mix(44_100, 5.0));
        assert_eq!(song, names(&pink_noise(44_100, -20.0, 1.0, 1)));
        let unique: std::collections::BTreeSet<&String> = song.iter().collect();
        assert_eq!(unique.len(), song.len());
    }

    #[test]
    fn level_changes_no_feature() {
        let song = demo_mix(44_100, 6.0);
        let louder: Vec<Frame> = song.iter().map(|frame| frame.map(|x| 2.0 * x)).collect();
        for ((name, a), (_, b)) in features(&song).unwrap().into_iter().zip(features(&louder).unwrap()) {
            assert!((a - b).abs() < 0.01, "{name}: {a} and {b}");
        }
    }

    #[test]
    fn a_mono_file_is_described_as_the_two_equal_channels_it_sounds_like() {
        let mono: Vec<Frame> = demo_mix(44_100, 6.0).into_iter().map(|[l, _]| [l, l]).collect();
        let mut analyzer = Analyzer::new(44_100, 1);
        analyzer.push(&mono);
        for ((name, a), (_, b)) in analyzer.finish().features().unwrap().into_iter().zip(features(&mono).unwrap()) {
            // Short-term loudness is kept in single precision.
            assert!((a - b).abs() < 1e-5, "{name}: {a} and {b}");
        }
    }

    #[test]
    fn silence_has_no_features() {
        assert_eq!(features(&silence(44_100, 2.0)), None);
    }
}
