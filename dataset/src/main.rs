//! Makes the training data of the network: finished songs, un-mastered in random, seeded ways, as feature vectors.
//!
//! `dataset CORPUS_FOLDER OUT.json [VARIANTS]` reads every song named `genre__artist__title.*` in the folder. The
//! output contains features only, no sound.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for a terminal")]

mod moves;
mod unmaster;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use analyzer::analyze::Analyzer;
use analyzer::profile::Profile;
use analyzer::random::Random;
use analyzer::stream::{Frame, Meter};
use analyzer::synth::demo_mix;
use analyzer::texture::texture_names;
use anyhow::{Context, Result, bail};
use goldmaster::io::decode::open;
use goldmaster::song::blocks::each_block;
use models::features::{MID, PLR, SIDE, features, names};
use models::outputs::Outputs;
use models::registration::{Registration, moments};
use models::target::bands_below;
use rayon::prelude::*;
use serde::Serialize;

use crate::unmaster::unmaster;

#[derive(Serialize)]
struct DataSet {
    /// Names of all features, the columns of every row.
    features: Vec<String>,
    /// Names of the features that the decider uses.
    selected: Vec<String>,
    outputs: Vec<String>,
    /// Names of the texture values, which an equaliser does not change: the columns of the `texture` of every row.
    texture: Vec<String>,
    /// Gain per band of moves by which mixes deviate, of one dB each, by kind.
    moves: BTreeMap<&'static str, Vec<Vec<f64>>>,
    /// Gain per band of plain faults, dB, by name.
    faults: BTreeMap<&'static str, Vec<f64>>,
    songs: Vec<SongRow>,
    cases: Vec<CaseRow>,
}

/// A finished song.
#[derive(Serialize)]
struct SongRow {
    file: String,
    genre: String,
    artist: String,
    loudness_lufs: f64,
    /// Spectrum bands under the codec's cutoff.
    known_bands: usize,
    whole: Vec<f64>,
    first_half: Vec<f64>,
    second_half: Vec<f64>,
    /// Textures of the whole and of both halves.
    texture: [Vec<f64>; 3],
}

/// The first half of a song, un-mastered, and the correction for it.
#[derive(Serialize)]
struct CaseRow {
    song: usize,
    features: Vec<f64>,
    texture: Vec<f64>,
    answer: Vec<f64>,
    pairs: Vec<PairRow>,
}

/// A case with a reference.
#[derive(Serialize)]
struct PairRow {
    kinship: Kinship,
    /// The reference: the second half of the song itself, or all of another.
    song: usize,
    /// [`Registration`]: shift of mid and side, then the distance.
    registered: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kinship {
    /// Another part of the same song.
    Same,
    /// A record of the same artist, or else of the same genre.
    Kin,
    /// Any record of another artist.
    Any,
}

/// A song in memory.
struct Loaded {
    row: SongRow,
    rate: u32,
    first: Vec<Frame>,
    first_profile: Profile,
    second_profile: Profile,
    whole_profile: Profile,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, out, variants) = match arguments.as_slice() {
        [folder, out] => (folder, out, 24),
        [folder, out, variants] => (folder, out, variants.parse().context("VARIANTS is a number")?),
        _ => bail!("usage: dataset CORPUS_FOLDER OUT.json [VARIANTS]"),
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let songs: Vec<Loaded> = files.par_iter().map(|file| load(file)).collect::<Result<_>>()?;
    let cases: Vec<Vec<CaseRow>> =
        (0..songs.len()).into_par_iter().map(|index| cases(&songs, index, variants)).collect::<Result<_>>()?;
    let songs: Vec<SongRow> = songs.into_iter().map(|song| song.row).collect();
    let data = DataSet {
        features: all_names(),
        selected: names(),
        outputs: Outputs::names(),
        texture: texture_names(),
        moves: moves::moves(),
        faults: moves::faults(),
        songs,
        cases: cases.into_iter().flatten().collect(),
    };
    println!("{} songs, {} cases", data.songs.len(), data.cases.len());
    std::fs::write(out, serde_json::to_string(&data)?)?;
    Ok(())
}

fn load(file: &Path) -> Result<Loaded> {
    let mut decoder = open(file)?;
    let rate = decoder.info().sample_rate_hz;
    let mut frames = Vec::new();
    each_block(&mut decoder, |block| {
        frames.extend_from_slice(block);
        Ok(())
    })?;
    let (first, second) = frames.split_at(frames.len() / 2);
    let [whole_profile, first_profile, second_profile] = [&frames, first, second].map(|part| profile(part, rate));
    let vector = |profile: &Profile| vector(profile).with_context(|| format!("{} is silent", file.display()));
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let mut parts = stem.split("__").map(String::from);
    let row = SongRow {
        genre: parts.next().unwrap_or_default(),
        artist: parts.next().unwrap_or_default(),
        file: file.file_name().unwrap_or_default().to_string_lossy().into(),
        loudness_lufs: whole_profile.loudness.integrated_lufs.unwrap_or(f64::NAN),
        known_bands: bands_below(whole_profile.spectrum.cutoff_hz),
        whole: vector(&whole_profile)?,
        first_half: vector(&first_profile)?,
        second_half: vector(&second_profile)?,
        texture: [&whole_profile, &first_profile, &second_profile].map(texture),
    };
    Ok(Loaded { row, rate, first: first.to_vec(), first_profile, second_profile, whole_profile })
}

/// Makes the cases of one of the songs.
fn cases(songs: &[Loaded], index: usize, variants: u64) -> Result<Vec<CaseRow>> {
    let song = &songs[index];
    let truth = features(&song.first_profile).context("a song is silent")?;
    (0..variants)
        .map(|variant| {
            let seed = index as u64 * 1000 + variant;
            let mut mix = song.first.clone();
            let log_ratios = unmaster(&mut mix, song.rate, &song.first_profile, seed);
            let mix = profile(&mix, song.rate);
            let mix_features = features(&mix).context("a mix is silent")?;
            let undone = |feature: usize| truth[feature] - mix_features[feature];
            let answer = Outputs {
                mid_db: std::array::from_fn(|band| undone(MID + band)),
                side_db: std::array::from_fn(|band| undone(SIDE + band)),
                log_ratio: log_ratios.map(|log_ratio| -log_ratio),
                plr_lu: undone(PLR),
            };
            let answer = answer.values().into_iter().map(rounded).collect();
            let pairs = pairs(songs, index, &mix, &mut Random::new(seed + 500));
            Ok(CaseRow {
                song: index,
                answer,
                features: vector(&mix).context("a mix is silent")?,
                texture: texture(&mix),
                pairs,
            })
        })
        .collect()
}

/// Pairs a mix with another part of its song, two related records and two records of other artists.
fn pairs(songs: &[Loaded], index: usize, mix: &Profile, random: &mut Random) -> Vec<PairRow> {
    use Kinship::{Any, Kin, Same};
    let mut row = |kinship: Kinship| {
        let among = if kinship == Same { vec![index] } else { related(songs, index, kinship) };
        let other = among[(random.uniform() * among.len() as f64) as usize];
        let reference = if kinship == Same { &songs[other].second_profile } else { &songs[other].whole_profile };
        let known = songs[index].row.known_bands.min(songs[other].row.known_bands);
        let (from, to) = (features(mix)?, features(reference)?);
        let start_db = std::array::from_fn(|n| if n % SIDE < known { to[MID + n] - from[MID + n] } else { 0.0 });
        let Registration { shift_db, distance_db, relative_distance: _ } =
            Registration::of(&moments(mix), &moments(reference), &start_db, known)?;
        let registered = shift_db.into_iter().chain([distance_db]).map(rounded).collect();
        Some(PairRow { kinship, song: other, registered })
    };
    [Same, Kin, Kin, Any, Any].into_iter().filter_map(&mut row).collect()
}

/// Returns the other songs of the artist for `Kin`, or those of the genre if there are none; otherwise those of all
/// other artists.
fn related(songs: &[Loaded], index: usize, kinship: Kinship) -> Vec<usize> {
    let own = &songs[index].row;
    let all = |is_one: &dyn Fn(&SongRow) -> bool| -> Vec<usize> {
        (0..songs.len()).filter(|&n| n != index && is_one(&songs[n].row)).collect()
    };
    let of_artist = all(&|song| song.artist == own.artist);
    let of_genre = all(&|song| song.genre == own.genre);
    let of_others = all(&|song| song.artist != own.artist);
    match kinship {
        Kinship::Kin if !of_artist.is_empty() => of_artist,
        Kinship::Kin if !of_genre.is_empty() => of_genre,
        _ => of_others,
    }
}

/// Returns all features of a song; `None` if it is silent.
fn vector(profile: &Profile) -> Option<Vec<f64>> {
    Some(profile.features()?.into_iter().map(|(_, value)| rounded(value)).collect())
}

fn texture(profile: &Profile) -> Vec<f64> {
    profile.texture.values.iter().copied().map(rounded).collect()
}

/// Rounds to thousandths, which is more than the precision of any feature.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Returns the names of the columns, which are the same for every song.
fn all_names() -> Vec<String> {
    let any = profile(&demo_mix(44_100, 1.0), 44_100).features().unwrap_or_default();
    any.into_iter().map(|(name, _)| name).collect()
}

fn profile(frames: &[Frame], rate: u32) -> Profile {
    let mut analyzer = Analyzer::new(rate, 2);
    analyzer.push(frames);
    analyzer.finish()
}
