//! The processing steps of the mastering chain: typed actions, with a sentence and a reason for each.

use std::fmt::{Display, Formatter, Result};

use analyzer::crossover::{BANDS, CROSSOVER_HZ};
use analyzer::spectrum_bands::{SPECTRUM_BANDS, band_centre_hz};
use renderer::params::Curve;
use renderer::recipe::Recipe;
use renderer::stages::dynamic_eq::BellParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Smallest equaliser move that is mentioned, dB.
const AUDIBLE_DB: f64 = 0.5;
/// Smallest slope that is mentioned: the share of a level difference that a compressor removes or an expander adds.
const AUDIBLE_SLOPE: f64 = 0.05;
/// Maximum number of moves of a curve that are mentioned, the largest.
const MAX_NAMED_MOVES: usize = 3;
/// Two moves that are mentioned are further apart than this, in spectrum bands: an octave.
const MIN_BANDS_APART: usize = 4;
/// A bell at or above this frequency, and no narrower than the following Q, is a de-esser.
const DE_ESSER_FROM_HZ: f64 = 3000.0;
/// Highest Q of a de-esser.
const DE_ESSER_UP_TO_Q: f64 = 3.0;
/// Largest gain reduction that counts as no limiting, dB.
const NO_LIMITING_DB: f64 = 0.05;
/// Only hits count as limited if the gain reduction that is exceeded 5 % of the time is below this, dB.
const HARDLY_ANY_LIMITING_DB: f64 = 0.1;

/// A processing step of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum Action {
    /// Cuts silence and noise at the ends.
    Trim {
        /// Length cut from the head, s.
        head_s: f64,
        /// Length cut from the tail, s.
        tail_s: f64,
    },
    /// Fades the head in.
    FadeIn {
        /// Length, s.
        length_s: f64,
    },
    /// Fades the tail out.
    FadeOut {
        /// Length, s.
        length_s: f64,
    },
    /// Removes rumble below the music.
    HighPass {
        /// Corner frequency, Hz.
        hz: f64,
    },
    /// Moves the balance of left and right.
    Balance {
        /// Gain of left over right, dB.
        left_over_right_db: f64,
    },
    /// Equalises the mid.
    Tone {
        /// The largest moves, from low to high.
        moves: Vec<Move>,
    },
    /// Equalises the side against the mid.
    Width {
        /// The largest moves, from low to high.
        moves: Vec<Move>,
    },
    /// Cuts a part of the spectrum while it sticks out.
    DynamicCuts {
        /// One cut for each part of the spectrum.
        cuts: Vec<DynamicCut>,
    },
    /// Compresses or expands bands.
    BandDynamics {
        /// One entry for each band, from low to high.
        bands: Vec<BandRatio>,
    },
    /// Compresses the whole song.
    Glue {
        /// Input over output level above the threshold.
        ratio: f64,
    },
    /// Saturates.
    Saturation {
        /// Gain into the curve, dB.
        drive_db: f64,
    },
    /// Clips peaks softly.
    SoftClipping {
        /// Gain into the curve, dB.
        drive_db: f64,
    },
    /// Changes the level of the side per band.
    SideLevels {
        /// Gains, from low to high, dB.
        gains_db: [f64; BANDS],
    },
    /// Sums the bass to mono.
    MonoBass {
        /// Frequency below which the bass is mono, Hz.
        below_hz: f64,
    },
    /// Leaves tone, dynamics and width as they are.
    NoChange,
    /// Brings the song to its loudness.
    Level {
        /// Gain in front of the limiter, dB.
        gain_db: f64,
        /// Gain reduction of the limiter that is exceeded for 5 % of the time, dB.
        limiting_db: f64,
        /// Its largest gain reduction, dB.
        peak_limiting_db: f64,
    },
    /// Encodes the master with a lossy codec; all measurements are made after decoding it again.
    Encode {
        /// The codec.
        codec: String,
        /// Its bit rate, kbit/s.
        bitrate_kbps: u32,
        /// Sample rate of the file, Hz.
        sample_rate_hz: u32,
        /// Sample rate of the mix if it differs, Hz.
        resampled_from_hz: Option<u32>,
        /// Additional distance of the limiter from the ceiling, dB, since the codec raises peaks.
        room_db: f64,
    },
    /// Corrects the equaliser after a test render.
    FineTuning {
        /// Mean distance from the decision before, dB.
        miss_before_db: f64,
        /// Mean distance from the decision after, dB.
        miss_after_db: f64,
        /// Largest change of a curve, dB.
        largest_db: f64,
    },
}

/// A move of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    /// Frequency, Hz.
    pub hz: f64,
    /// Gain, dB.
    pub gain_db: f64,
}

/// A part of the spectrum that is cut while it sticks out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DynamicCut {
    /// Frequency, Hz.
    pub hz: f64,
    /// Largest cut, dB.
    pub max_cut_db: f64,
    /// True if it acts on consonants and cymbals.
    pub is_de_esser: bool,
}

/// A band that is compressed or expanded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BandRatio {
    /// Index of the band; 0 is the lowest.
    pub band: usize,
    /// Input over output level; below 1 the band is expanded.
    pub ratio: f64,
}

/// The target of a song, as named in reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Records that the user chose.
    Reference,
    /// The common features of finished records.
    FinishedRecords,
}

impl Display for Model {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.write_str(match self {
            Self::Reference => "your reference",
            Self::FinishedRecords => "finished records",
        })
    }
}

/// Returns the actions of a recipe, in the order of the chain.
pub fn actions(recipe: &Recipe, channels: u8, sample_rate_hz: u32) -> Vec<Action> {
    let mut actions = Vec::new();
    let edges = &recipe.edges;
    if edges.fade_in_s > 0.0 {
        actions.push(Action::FadeIn { length_s: edges.fade_in_s });
    }
    if edges.fade_out_s > 0.0 {
        actions.push(Action::FadeOut { length_s: edges.fade_out_s });
    }
    if recipe.condition.high_pass_hz > 0.0 {
        actions.push(Action::HighPass { hz: recipe.condition.high_pass_hz });
    }
    if recipe.balance.left_over_right_db != 0.0 {
        actions.push(Action::Balance { left_over_right_db: recipe.balance.left_over_right_db });
    }
    let eq = &recipe.match_eq;
    let gain = |curve: &Curve, band: usize| {
        let hz = band_centre_hz(band);
        if hz < f64::from(sample_rate_hz) / 2.0 { eq.gain_db_at(curve, hz) } else { 0.0 }
    };
    let tone = largest_moves(&std::array::from_fn(|band| gain(&eq.mid_db, band)));
    actions.extend((!tone.is_empty()).then_some(Action::Tone { moves: tone }));
    if channels == 2 {
        let width = largest_moves(&std::array::from_fn(|band| gain(&eq.side_db, band) - gain(&eq.mid_db, band)));
        actions.extend((!width.is_empty()).then_some(Action::Width { moves: width }));
    }
    let cuts: Vec<DynamicCut> = recipe.dynamic_eq.bells.iter().filter_map(DynamicCut::of).collect();
    actions.extend((!cuts.is_empty()).then_some(Action::DynamicCuts { cuts }));
    let audible = |ratio: f64| (1.0 - 1.0 / ratio).abs() >= AUDIBLE_SLOPE;
    let bands = recipe.multiband.bands().into_iter().enumerate();
    let bands: Vec<BandRatio> = bands
        .filter(|(_, band)| audible(band.ratio) && band.mix_pct > 0.0)
        .map(|(n, band)| BandRatio { band: n, ratio: band.ratio })
        .collect();
    actions.extend((!bands.is_empty()).then_some(Action::BandDynamics { bands }));
    if recipe.glue.ratio > 1.0 && recipe.glue.mix_pct > 0.0 {
        actions.push(Action::Glue { ratio: recipe.glue.ratio });
    }
    if recipe.saturator.drive_db > 0.0 && recipe.saturator.mix_pct > 0.0 {
        actions.push(Action::Saturation { drive_db: recipe.saturator.drive_db });
    }
    if recipe.clipper.drive_db > 0.0 {
        actions.push(Action::SoftClipping { drive_db: recipe.clipper.drive_db });
    }
    let width = &recipe.width;
    let gains_db = [width.low_db, width.low_mid_db, width.high_mid_db, width.high_db];
    if gains_db.iter().any(|db| db.abs() >= AUDIBLE_DB) {
        actions.push(Action::SideLevels { gains_db });
    }
    if width.mono_below_hz > 0.0 {
        actions.push(Action::MonoBass { below_hz: width.mono_below_hz });
    }
    if actions.is_empty() {
        actions.push(Action::NoChange);
    }
    actions
}

/// Returns the largest moves of a curve, from low to high.
fn largest_moves(curve: &[f64; SPECTRUM_BANDS]) -> Vec<Move> {
    let mut left: Vec<usize> = (0..SPECTRUM_BANDS).filter(|band| curve[*band].abs() >= AUDIBLE_DB).collect();
    let mut chosen = Vec::new();
    while chosen.len() < MAX_NAMED_MOVES
        && let Some(&band) = left.iter().max_by(|a, b| curve[**a].abs().total_cmp(&curve[**b].abs()))
    {
        chosen.push(band);
        left.retain(|other| other.abs_diff(band) > MIN_BANDS_APART);
    }
    chosen.sort_unstable();
    let rounded = |value: f64, per_unit: f64| (value * per_unit).round() / per_unit;
    chosen
        .into_iter()
        .map(|band| Move { hz: rounded(band_centre_hz(band), 1.0), gain_db: rounded(curve[band], 100.0) })
        .collect()
}

impl DynamicCut {
    fn of(bell: &BellParams) -> Option<Self> {
        (bell.max_cut_db > 0.0).then_some(Self {
            hz: bell.frequency_hz,
            max_cut_db: bell.max_cut_db,
            is_de_esser: bell.frequency_hz >= DE_ESSER_FROM_HZ && bell.q <= DE_ESSER_UP_TO_Q,
        })
    }
}

/// Formats a frequency as a person writes it.
pub fn hz_words(hz: f64) -> String {
    if hz >= 1000.0 { format!("{:.1} kHz", hz / 1000.0) } else { format!("{hz:.0} Hz") }
}

/// Describes the frequency range of a band of the crossover.
fn band_words(band: usize) -> String {
    let [low, mid, high] = CROSSOVER_HZ.map(hz_words);
    match band {
        0 => format!("below {low}"),
        1 => format!("from {low} to {mid}"),
        2 => format!("from {mid} to {high}"),
        _ => format!("above {high}"),
    }
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

impl Display for Move {
    fn fmt(&self, f: &mut Formatter) -> Result {
        write!(f, "{:+.1} dB at {}", self.gain_db, hz_words(self.hz))
    }
}

impl Display for DynamicCut {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let what = if self.is_de_esser { "de-esser" } else { "dynamic cut" };
        write!(f, "{what} at {} (up to {:.1} dB)", hz_words(self.hz), self.max_cut_db)
    }
}

impl Display for BandRatio {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let place = band_words(self.band);
        if self.ratio > 1.0 {
            write!(f, "compressed {:.2}:1 {place}", self.ratio)
        } else {
            write!(f, "expanded 1:{:.2} {place}", 1.0 / self.ratio)
        }
    }
}

/// Describes a change of width: "slightly wider around 1.7 kHz (+0.7 dB)".
fn width_words(change: &Move) -> String {
    let how_much = match change.gain_db.abs() {
        db if db < 1.5 => "slightly ",
        db if db < 4.0 => "",
        _ => "much ",
    };
    let which = if change.gain_db > 0.0 { "wider" } else { "narrower" };
    format!("{how_much}{which} around {} ({:+.1} dB)", hz_words(change.hz), change.gain_db)
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::Trim { head_s, tail_s } => {
                write!(f, "Cut {head_s:.2} s from the head and {tail_s:.2} s from the tail")
            }
            Self::FadeIn { length_s } => write!(f, "Fade-in of {length_s:.2} s"),
            Self::FadeOut { length_s } => write!(f, "Fade-out of {length_s:.2} s"),
            Self::HighPass { hz } => write!(f, "High-pass filter at {}", hz_words(*hz)),
            Self::Balance { left_over_right_db } => {
                let side = if *left_over_right_db > 0.0 { "left" } else { "right" };
                write!(f, "Balance moved {:.1} dB to the {side}", left_over_right_db.abs())
            }
            Self::Tone { moves } => write!(f, "Tone: {}", joined(moves.iter().map(Move::to_string))),
            Self::Width { moves } => write!(f, "Width: {}", joined(moves.iter().map(width_words))),
            Self::DynamicCuts { cuts } => {
                write!(f, "Dynamic equaliser: {}", joined(cuts.iter().map(DynamicCut::to_string)))
            }
            Self::BandDynamics { bands } => {
                write!(f, "Multiband dynamics: {}", joined(bands.iter().map(BandRatio::to_string)))
            }
            Self::Glue { ratio } => write!(f, "Glue compressor: {ratio:.2}:1 on the whole mix"),
            Self::Saturation { drive_db } => write!(f, "Saturation: driven by {drive_db:.1} dB"),
            Self::SoftClipping { drive_db } => write!(f, "Soft clipping: loud peaks driven by {drive_db:.1} dB"),
            Self::SideLevels { gains_db: [low, low_mid, high_mid, high] } => write!(
                f,
                "Side level, from the low to the high band: {low:+.1}, {low_mid:+.1}, {high_mid:+.1}, {high:+.1} dB"
            ),
            Self::MonoBass { below_hz } => write!(f, "Bass in mono below {}", hz_words(*below_hz)),
            Self::NoChange => f.write_str("Tone, dynamics and width: no change"),
            Self::Level { gain_db, limiting_db, peak_limiting_db } => {
                write!(f, "Level: {gain_db:+.1} dB. ")?;
                match (*peak_limiting_db, *limiting_db) {
                    (peak, _) if peak < NO_LIMITING_DB => f.write_str("The limiter was not needed"),
                    (peak, most) if most < HARDLY_ANY_LIMITING_DB => {
                        write!(f, "Limiter: hits lowered by up to {peak:.1} dB, for less than 5 % of the time")
                    }
                    (peak, most) => write!(
                        f,
                        "Limiter: loud hits lowered by up to {peak:.1} dB, everything else by less than {most:.1} dB"
                    ),
                }
            }
            Self::Encode { codec, bitrate_kbps, sample_rate_hz, resampled_from_hz, room_db } => {
                write!(f, "{codec} of {bitrate_kbps} kbit/s")?;
                if let Some(from_hz) = resampled_from_hz {
                    let [from, to] = [*from_hz, *sample_rate_hz].map(|hz| hz_words(hz.into()));
                    write!(f, ", resampled from {from} to {to}")?;
                }
                f.write_str("; all figures are those of the decoded file")?;
                if *room_db > 0.0 {
                    write!(f, "; the limiter stays {room_db:.2} dB lower, since the codec raises peaks")?;
                }
                Ok(())
            }
            Self::FineTuning { largest_db, .. } => {
                write!(f, "Fine-tuned the equaliser after a test render (largest change {largest_db:.1} dB)")
            }
        }
    }
}

impl Action {
    /// Returns the reason for the action. `model` is the target that the song was compared with; `None` means that a
    /// recipe was replayed. Returns `None` if the action speaks for itself.
    pub fn reason(&self, model: Option<Model>) -> Option<String> {
        let Some(model) = model else { return Some("As the recipe says.".to_owned()) };
        Some(match self {
            Self::Trim { .. } | Self::FadeIn { .. } | Self::FadeOut { .. } => "You asked for it.".to_owned(),
            Self::HighPass { .. } => "Nothing musical lies there, but it takes headroom from the bass.".to_owned(),
            Self::Balance { .. } => format!("The mix leans to one side, compared with {model}."),
            Self::Tone { .. } => format!("The tonal balance of the mix differs from that of {model}."),
            Self::Width { .. } | Self::SideLevels { .. } => {
                format!("The stereo width of the mix differs from that of {model}. The sum to mono is protected.")
            }
            Self::MonoBass { .. } => "Bass in mono is steadier on loudspeakers and on vinyl.".to_owned(),
            Self::DynamicCuts { .. } => "A resonance, harsh S sounds or a bass note stick out now and then.".to_owned(),
            Self::BandDynamics { .. } => {
                format!("Loud and quiet moments of these bands lie further apart, or closer together, than in {model}.")
            }
            Self::Glue { .. } => format!("Holds the mix together and makes it denser, towards {model}."),
            Self::Saturation { .. } | Self::SoftClipping { .. } => {
                "Makes room for the loudness, so that the limiter has less to do.".to_owned()
            }
            Self::FineTuning { miss_before_db, miss_after_db, .. } => format!(
                "Compressors and the limiter change what an equaliser does: {miss_before_db:.1} dB off before, \
                 {miss_after_db:.1} dB after."
            ),
            Self::NoChange | Self::Level { .. } | Self::Encode { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_moves_are_named_from_low_to_high() {
        let mut curve = [0.0; SPECTRUM_BANDS];
        (curve[6], curve[7], curve[20], curve[38]) = (2.0, 1.5, -3.25, 0.4);
        let tone = Action::Tone { moves: largest_moves(&curve) };
        assert_eq!(tone.to_string(), "Tone: +2.0 dB at 62 Hz, -3.2 dB at 698 Hz");
    }

    #[test]
    fn a_neutral_recipe_changes_nothing_and_says_so() {
        assert_eq!(actions(&Recipe::default(), 2, 44_100), [Action::NoChange]);
        assert_eq!(Action::NoChange.to_string(), "Tone, dynamics and width: no change");
    }

    #[test]
    fn the_limiter_is_described_by_what_is_heard_of_it() {
        let level =
            |limiting_db, peak_limiting_db| Action::Level { gain_db: 9.3, limiting_db, peak_limiting_db }.to_string();
        assert_eq!(
            level(3.0, 8.3),
            "Level: +9.3 dB. Limiter: loud hits lowered by up to 8.3 dB, everything else by less than 3.0 dB"
        );
        assert_eq!(
            level(0.0, 2.0),
            "Level: +9.3 dB. Limiter: hits lowered by up to 2.0 dB, for less than 5 % of the time"
        );
        assert_eq!(level(0.0, 0.0), "Level: +9.3 dB. The limiter was not needed");
    }

    #[test]
    fn a_lossy_file_says_what_it_is_and_what_its_codec_costs() {
        let encode = |resampled_from_hz, room_db| {
            let (codec, bitrate_kbps, sample_rate_hz) = ("Opus".to_owned(), 160, 48_000);
            Action::Encode { codec, bitrate_kbps, sample_rate_hz, resampled_from_hz, room_db }.to_string()
        };
        assert_eq!(encode(None, 0.0), "Opus of 160 kbit/s; all figures are those of the decoded file");
        assert_eq!(
            encode(Some(44_100), 0.84),
            "Opus of 160 kbit/s, resampled from 44.1 kHz to 48.0 kHz; all figures are those of the decoded file; the limiter stays \
             0.84 dB lower, since the codec raises peaks"
        );
    }

    #[test]
    fn a_wide_bell_in_the_treble_is_a_de_esser() {
        let mut recipe = Recipe::default();
        recipe.dynamic_eq.bells[0] =
            BellParams { frequency_hz: 6800.0, q: 1.5, max_cut_db: 4.0, ..BellParams::default() };
        recipe.dynamic_eq.bells[1] =
            BellParams { frequency_hz: 110.0, q: 4.0, max_cut_db: 3.0, ..BellParams::default() };
        let sentences: Vec<String> = actions(&recipe, 2, 44_100).iter().map(Action::to_string).collect();
        assert_eq!(
            sentences,
            ["Dynamic equaliser: de-esser at 6.8 kHz (up to 4.0 dB), dynamic cut at 110 Hz (up to 3.0 dB)"]
        );
    }
}
