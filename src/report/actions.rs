//! What a recipe does, in words.

use analyzer::crossover::{BANDS, CROSSOVER_HZ};
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use renderer::params::Curve;
use renderer::recipe::Recipe;

/// Moves of the equaliser under this are not worth a word, dB.
const AUDIBLE_DB: f64 = 0.5;
/// Share of a level difference that is taken away or added; less is not worth a word.
const AUDIBLE_SLOPE: f64 = 0.05;
/// The largest moves of a curve that are told.
const MOVES: usize = 3;
/// Spectrum bands between two moves that are told apart: an octave.
const APART: usize = 4;

/// What the chain does, one line per stage that does something.
pub fn actions(recipe: &Recipe, channels: u8, sample_rate_hz: u32) -> Vec<String> {
    let mut lines = Vec::new();
    if recipe.condition.high_pass_hz > 0.0 {
        lines.push(format!("Removed what lies below {:.0} Hz", recipe.condition.high_pass_hz));
    }
    let balance = recipe.balance.left_over_right_db;
    if balance != 0.0 {
        let side = if balance > 0.0 { "left" } else { "right" };
        lines.push(format!("Moved the balance {:.1} dB to the {side}", balance.abs()));
    }
    let eq = &recipe.match_eq;
    let gain = |curve: &Curve, band: usize| {
        let hz = band_centre_hz(band);
        if hz < f64::from(sample_rate_hz) / 2.0 { eq.gain_db_at(curve, hz) } else { 0.0 }
    };
    lines.extend(curve_words("Tone", &std::array::from_fn(|band| gain(&eq.mid_db, band))));
    if channels == 2 {
        let width = std::array::from_fn(|band| gain(&eq.side_db, band) - gain(&eq.mid_db, band));
        lines.extend(curve_words("Width (sides against middle)", &width));
    }
    lines.extend(bell_words(recipe));
    lines.extend(dynamics_words(recipe));
    if recipe.glue.ratio > 1.0 && recipe.glue.mix_pct > 0.0 {
        lines.push(format!("Glue: compressed the whole {:.2}:1", recipe.glue.ratio));
    }
    for (name, drive_db) in [
        ("Saturator", if recipe.saturator.mix_pct > 0.0 { recipe.saturator.drive_db } else { 0.0 }),
        ("Clipper", recipe.clipper.drive_db),
    ] {
        if drive_db > 0.0 {
            lines.push(format!("{name}: loud peaks rounded by about {drive_db:.1} dB"));
        }
    }
    let width = &recipe.width;
    let sides = [width.low_db, width.low_mid_db, width.high_mid_db, width.high_db];
    if sides.iter().any(|db| db.abs() >= AUDIBLE_DB) {
        let [low, low_mid, high_mid, high] = sides;
        lines.push(format!("Sides, low to high band: {low:+.1}, {low_mid:+.1}, {high_mid:+.1}, {high:+.1} dB"));
    }
    if recipe.width.mono_below_hz > 0.0 {
        lines.push(format!("Made the bass mono below {:.0} Hz", recipe.width.mono_below_hz));
    }
    if lines.is_empty() {
        lines.push("Tone, dynamics and width left (almost) as they are".to_string());
    }
    lines
}

fn hz_words(hz: f64) -> String {
    if hz >= 1000.0 { format!("{:.1} kHz", hz / 1000.0) } else { format!("{hz:.0} Hz") }
}

/// The largest moves of a curve, low to high.
fn curve_words(name: &str, curve: &[f64; SPECTRUM_BANDS]) -> Option<String> {
    let mut left: Vec<usize> = (0..SPECTRUM_BANDS).filter(|band| curve[*band].abs() >= AUDIBLE_DB).collect();
    let mut chosen = Vec::new();
    while chosen.len() < MOVES
        && let Some(&band) = left.iter().max_by(|a, b| curve[**a].abs().total_cmp(&curve[**b].abs()))
    {
        chosen.push(band);
        left.retain(|other| other.abs_diff(band) > APART);
    }
    chosen.sort_unstable();
    let words: Vec<String> =
        chosen.iter().map(|band| format!("{:+.1} dB at {}", curve[*band], hz_words(band_centre_hz(*band)))).collect();
    (!words.is_empty()).then(|| format!("{name}: {}", words.join(", ")))
}

fn bell_words(recipe: &Recipe) -> Option<String> {
    let bells = recipe.dynamic_eq.bells.iter().filter(|bell| bell.max_cut_db > 0.0);
    let words: Vec<String> =
        bells.map(|bell| format!("{} by up to {:.1} dB", hz_words(bell.frequency_hz), bell.max_cut_db)).collect();
    (!words.is_empty()).then(|| format!("Held down while it sticks out: {}", words.join(", ")))
}

fn dynamics_words(recipe: &Recipe) -> Option<String> {
    let [low, mid, high] = CROSSOVER_HZ.map(hz_words);
    let places: [String; BANDS] =
        [format!("below {low}"), format!("{low} to {mid}"), format!("{mid} to {high}"), format!("above {high}")];
    let words: Vec<String> = recipe
        .multiband
        .bands()
        .iter()
        .zip(places)
        .filter(|(band, _)| (1.0 - 1.0 / band.ratio).abs() >= AUDIBLE_SLOPE && band.mix_pct > 0.0)
        .map(|(band, place)| {
            if band.ratio > 1.0 {
                format!("compressed {:.2}:1 {place}", band.ratio)
            } else {
                format!("expanded 1:{:.2} {place}", 1.0 / band.ratio)
            }
        })
        .collect();
    (!words.is_empty()).then(|| format!("Dynamics: {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_moves_are_told_from_low_to_high() {
        let mut curve = [0.0; SPECTRUM_BANDS];
        (curve[6], curve[7], curve[20], curve[38]) = (2.0, 1.5, -3.25, 0.4);
        assert_eq!(curve_words("Tone", &curve).as_deref(), Some("Tone: +2.0 dB at 62 Hz, -3.2 dB at 698 Hz"));
    }

    #[test]
    fn doing_nothing_is_said() {
        assert_eq!(actions(&Recipe::default(), 2, 44_100), ["Tone, dynamics and width left (almost) as they are"]);
    }
}
