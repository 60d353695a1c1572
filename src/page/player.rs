//! The player of a page: several sounds at the same position and loudness, switched without a gap.

use super::audio::Sound;
use super::plot::{Axis, Plot, clock, number};
use crate::render::series::Series;

/// Content of the player.
pub struct Player {
    /// The sounds, each with its waveform.
    pub sounds: Vec<(Sound, String)>,
    /// Data of the sounds for the script, as JSON.
    pub json: String,
    /// Name, loudness and gain of each sound.
    pub played: Vec<[String; 3]>,
    /// Places to start at: name, and position in the song.
    pub places: Vec<[String; 2]>,
    /// Id of the sound that plays first.
    pub first: &'static str,
}

impl Player {
    /// Creates a player of which the sound called `first` plays first; `None` if there are no sounds.
    pub fn new(sounds: Vec<Sound>, first: &'static str) -> Option<Self> {
        let leader = sounds.first()?;
        let places = leader.parts.iter().map(|part| [part.name.to_owned(), clock(part.song_s)]).collect();
        // `</script>` must not occur inside a script element.
        let json = serde_json::to_string(&sounds).expect("plain data has a JSON form").replace('<', "\\u003c");
        let lufs = |sound: &Sound| sound.lufs.map_or_else(|| "–".to_owned(), |lufs| number(lufs, 1));
        let played = sounds.iter().map(|sound| [sound.label.clone(), lufs(sound), number(sound.gain_db, 1)]);
        let (json, played) = (json, played.collect());
        let sounds = sounds.into_iter().enumerate().map(|(n, sound)| (waveform(n, &sound), sound));
        Some(Self { sounds: sounds.map(|(wave, sound)| (sound, wave)).collect(), json, played, places, first })
    }

    /// Returns true for the sound that plays first.
    pub fn is_first(&self, sound: &Sound) -> bool {
        sound.id == self.first
    }
}

/// Returns the waveform of sound `n`, without axes: its RMS level inside its peaks.
fn waveform(n: usize, sound: &Sound) -> String {
    let highest = sound.figures.peaks.values.iter().copied().fold(1e-3, f64::max);
    let mirrored = |series: &Series| series.points().map(|[x, y]| [x, -y, y]).collect::<Vec<[f64; 3]>>();
    let (x, y) = (Axis::time(sound.seconds).bare(), Axis::linear("", [-highest, highest], highest).bare());
    Plot::new(x, y)
        .area(&format!("sound-{n} peaks"), &mirrored(&sound.figures.peaks))
        .area(&format!("sound-{n}"), &mirrored(&sound.figures.rms))
        .svg()
}
