//! Traits of a song that an equaliser does not change: its texture ([`analyzer::texture`]), and the differences of
//! width and crest factor between bands. One-click mastering uses them to predict the sound of finished records of such
//! music; `train/one_click.py` computes the same traits for the training songs.

use analyzer::crossover::{BAND_NAMES, BANDS};
use analyzer::profile::Profile;
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz, band_edge_hz};
use analyzer::texture::{TEXTURE_VALUES, texture_names};

use crate::features::{Features, MID, SIDE, crest, features};
use crate::statistics::median;
use crate::target::{bands_below, is_mono};

/// Number of traits.
const TRAITS: usize = TEXTURE_VALUES + SPECTRUM_BANDS + BANDS;
/// Index of the first relative width.
const RELATIVE_WIDTH: usize = TEXTURE_VALUES;
/// Limits of the width in the networks' input: side over mid, dB.
const WIDTH_DB: [f64; 2] = [-40.0, 10.0];
/// Level of side over mid, on average over the audible bands, below which the side is mostly noise, dB.
pub(crate) const NEARLY_MONO_DB: f64 = -25.0;
/// Bands between 80 Hz and 8 kHz, over which the mean width is taken.
const AUDIBLE_BANDS: std::ops::Range<usize> = 8..35;

/// Names of the traits, in order.
pub fn trait_names() -> Vec<String> {
    let mut names = texture_names();
    names.extend((0..SPECTRUM_BANDS).map(|band| format!("relative_width_{:.0}hz", band_centre_hz(band))));
    names.extend(BAND_NAMES.iter().map(|band| format!("relative_crest_{band}_db")));
    names
}

/// Side over mid in a band of the spectrum, dB.
pub(crate) fn width_db(song: &Features, band: usize) -> f64 {
    (song[SIDE + band] - song[MID + band]).clamp(WIDTH_DB[0], WIDTH_DB[1])
}

/// Returns the mean of the width over the audible bands, dB.
pub(crate) fn mean_width_db(song: &Features) -> f64 {
    AUDIBLE_BANDS.map(|band| width_db(song, band)).sum::<f64>() / AUDIBLE_BANDS.len() as f64
}

/// Returns the traits of a song, or of the median of several, with this texture and these features.
pub(crate) fn traits(texture: &[f64], song: &Features) -> Vec<f64> {
    let (width, crests) = (mean_width_db(song), (0..BANDS).map(|band| song[crest(band)]));
    let crest = crests.clone().sum::<f64>() / BANDS as f64;
    let mut traits = texture.to_vec();
    traits.extend((0..SPECTRUM_BANDS).map(|band| width_db(song, band) - width));
    traits.extend(crests.map(|of_band| of_band - crest));
    traits
}

/// Returns the median of every trait over the songs in which it is known, or the value of `centre` if it is known in
/// none. The range beyond a song's cutoff is unknown, and so is the width of a side that is mostly noise. `None` if
/// nothing is audible.
pub(crate) fn middle(songs: &[&Profile], centre: &[f64]) -> Option<Vec<f64>> {
    let highest_hz = trait_names().iter().map(|name| highest_hz(name)).collect::<Vec<_>>();
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); TRAITS];
    let mut is_heard = false;
    for song in songs.iter().filter(|song| song.texture.values.len() == TEXTURE_VALUES) {
        let Some(vector) = features(song) else { continue };
        is_heard = true;
        let end_hz = band_edge_hz(bands_below(song.spectrum.cutoff_hz));
        let has_side = !is_mono(song) && mean_width_db(&vector) >= NEARLY_MONO_DB;
        let widths = RELATIVE_WIDTH..RELATIVE_WIDTH + SPECTRUM_BANDS;
        for (n, value) in traits(&song.texture.values, &vector).into_iter().enumerate() {
            if highest_hz[n] < end_hz && (has_side || !widths.contains(&n)) {
                columns[n].push(value);
            }
        }
    }
    let middle = columns.iter_mut().zip(centre).map(|(column, centre)| median(column).unwrap_or(*centre));
    is_heard.then(|| middle.collect())
}

/// Returns the highest frequency that a trait is about, according to its name; 0 if it is about the whole.
fn highest_hz(name: &str) -> f64 {
    name.split('_').filter_map(|part| part.strip_suffix("hz")?.parse::<f64>().ok()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use analyzer::stream::Frame;
    use analyzer::synth::demo_mix;

    use super::*;
    use crate::test_song::profile;

    #[test]
    fn names_tell_what_a_trait_is_about() {
        let names = trait_names();
        assert_eq!(names.len(), TRAITS);
        assert_eq!(names[RELATIVE_WIDTH], "relative_width_22hz");
        assert_eq!(names[TRAITS - 1], "relative_crest_high_db");
        assert_eq!(["together_24hz_538hz", "relative_width_17222hz", "none"].map(highest_hz), [538.0, 17_222.0, 0.0]);
    }

    #[test]
    fn what_lies_beyond_the_cutoff_or_in_no_side_is_that_of_the_centre() {
        let centre = vec![1e3; TRAITS];
        let song = demo_mix(44_100, 10.0);
        let mut lossy = profile(&song);
        lossy.spectrum.cutoff_hz = 5000.0;
        let names = trait_names();
        let known = middle(&[&lossy], &centre).expect("it sounds");
        let end_hz = band_edge_hz(bands_below(5000.0));
        assert!((4000.0..=5000.0).contains(&end_hz), "{end_hz}");
        for (name, value) in names.iter().zip(&known) {
            assert_eq!(*value == 1e3, highest_hz(name) >= end_hz, "{name}");
        }
        let mono: Vec<Frame> = song.iter().map(|frame| [frame[0]; 2]).collect();
        let known = middle(&[&profile(&mono)], &centre).expect("it sounds");
        for (name, value) in names.iter().zip(&known) {
            let is_unknown = name.starts_with("relative_width_") || highest_hz(name) > 15_000.0;
            assert!(*value != 1e3 || is_unknown, "{name}");
            assert!(*value == 1e3 || !name.starts_with("relative_width_"), "{name}");
        }
        assert_eq!(middle(&[], &centre), None);
    }

    #[test]
    fn a_gain_of_the_side_changes_no_relative_width() {
        let song = demo_mix(44_100, 10.0);
        let relative_widths = |side_gain: f32| {
            let scaled = song.iter().map(|[left, right]| {
                let (mid, side) = (0.5 * (left + right), 0.5 * side_gain * (left - right));
                [mid + side, mid - side]
            });
            middle(&[&profile(&scaled.collect::<Vec<_>>())], &vec![1e3; TRAITS]).expect("it sounds")
        };
        let [wide, narrow] = [4.0, 2.0].map(relative_widths);
        for n in AUDIBLE_BANDS.map(|band| RELATIVE_WIDTH + band).filter(|n| wide[*n] > -5.0) {
            // Bands with hardly any side are clamped, and shift the mean.
            assert!((wide[n] - narrow[n]).abs() < 1.0, "{n}: {} {}", wide[n], narrow[n]);
        }
    }
}
