//! The player of a page: several sounds at the same place and loudness, switched without a gap.

use super::audio::Sound;
use super::plot::{Axis, Plot, clock, number};
use crate::render::series::Series;

/// What the player shows and plays.
pub struct Player {
    /// Each with its waveform.
    pub sounds: Vec<(Sound, String)>,
    /// All that the script knows of them.
    pub json: String,
    /// Name, loudness and gain of each.
    pub played: Vec<[String; 3]>,
    /// Places to start at: their names and where they are in the song.
    pub places: Vec<[String; 2]>,
    /// What plays before anybody chooses.
    pub first: &'static str,
}

impl Player {
    /// Of sounds of which the one called `first` is heard first; `None` where there is none.
    pub fn new(sounds: Vec<Sound>, first: &'static str) -> Option<Self> {
        let leader = sounds.first()?;
        let places = leader.parts.iter().map(|part| [part.name.to_owned(), clock(part.song_s)]).collect();
        // `</script>` cannot stand in what a script element holds.
        let json = serde_json::to_string(&sounds).expect("plain data has a JSON form").replace('<', "\\u003c");
        let lufs = |sound: &Sound| sound.lufs.map_or_else(|| "–".to_owned(), |lufs| number(lufs, 1));
        let played = sounds.iter().map(|sound| [sound.label.clone(), lufs(sound), number(sound.gain_db, 1)]);
        let (json, played) = (json, played.collect());
        let sounds = sounds.into_iter().enumerate().map(|(n, sound)| (waveform(n, &sound), sound));
        Some(Self { sounds: sounds.map(|(wave, sound)| (sound, wave)).collect(), json, played, places, first })
    }

    /// Whether a sound plays before anybody chooses.
    pub fn is_first(&self, sound: &Sound) -> bool {
        sound.id == self.first
    }
}

/// The waveform of sound `n`: shape alone, its level inside its peaks.
fn waveform(n: usize, sound: &Sound) -> String {
    let highest = sound.figures.peaks.values.iter().copied().fold(1e-3, f64::max);
    let mirrored = |series: &Series| series.points().map(|[x, y]| [x, -y, y]).collect::<Vec<[f64; 3]>>();
    let (x, y) = (Axis::time(sound.seconds).bare(), Axis::linear("", [-highest, highest], highest).bare());
    Plot::new(x, y)
        .area(&format!("sound-{n} peaks"), &mirrored(&sound.figures.peaks))
        .area(&format!("sound-{n}"), &mirrored(&sound.figures.rms))
        .svg()
}
