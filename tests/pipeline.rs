//! From file to file: the promises of every master, measured on the written file.

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use analyzer::biquad::{Biquad, BiquadCoefs};
use analyzer::stream::Frame;
use analyzer::synth::pink_noise;
use analyzer::units::{db_from_power, gain_from_db};
use common::{
    DEFAULT_DBTP, DEFAULT_LUFS, Folder, MIX, OTHER_MIX, RATE_HZ, SECONDS, Sound, job, louder, mastered, read, with,
};
use goldmaster::io;
use goldmaster::render::promises::Verdict;
use goldmaster::report::warning::WarningKind;
use goldmaster::request::delivery::{DeliveryRequest, LoudnessTarget, WordLength};
use goldmaster::request::reference::{MatchKind, Reference};
use goldmaster::request::settings::{DeciderKind, Percent};
use goldmaster::song::observer::{Observer, Stage};
use goldmaster::workflows::master::master;
use lofty::config::WriteOptions;
use lofty::file::{AudioFile as _, TaggedFileExt as _};
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::tag::{Accessor as _, ItemKey, Tag, TagType};

/// Largest difference between two meters of the same standard on the same samples, the program's and the crate
/// `ebur128`, LU.
const METERS_DIFFER_LU: f64 = 0.02;

fn reference(path: &Path, weight: f64) -> Reference {
    Reference { weight, ..Reference::whole(path.to_owned()) }
}

#[test]
fn a_mix_alone_is_mastered_to_14_lufs_under_1_dbtp_in_every_format() {
    let folder = Folder::new();
    let inputs = [folder.wav("mix.wav", 2, &MIX), folder.flac("mix.flac", &MIX)];
    for (input, output) in inputs.iter().zip(["out.flac", "out.wav"]) {
        let report = mastered(&job(input, &folder.path(output)));
        let sound = read(&folder.path(output));
        sound.assert_keeps(DEFAULT_LUFS, DEFAULT_DBTP);
        assert_eq!((sound.sample_rate_hz, sound.channels, sound.bits), (RATE_HZ, 2, 24), "{output}");
        assert_eq!(sound.frames.len(), MIX.len(), "{output}");
        assert!(report.promises.iter().all(|promise| promise.verdict == Verdict::Kept), "{:?}", report.promises);
    }
}

#[test]
fn what_the_report_says_is_what_is_in_the_file() {
    let folder = Folder::new();
    let output = folder.path("out.wav");
    let report = mastered(&job(&folder.wav("mix.wav", 2, &MIX), &output));
    let sound = read(&output);
    let (before, after) = (report.before.expect("it was measured"), report.after);
    let mix = read(&folder.path("mix.wav"));
    for (reported, found) in
        [(before.integrated_lufs, mix.loudness_lufs()), (after.integrated_lufs, sound.loudness_lufs())]
    {
        let reported = reported.expect("a loudness");
        assert!((reported - found).abs() < METERS_DIFFER_LU, "{reported} and {found} LUFS");
    }
    assert_eq!(after.true_peak_dbtp, sound.true_peak_dbtp());
    assert_eq!(report.output.frames, sound.frames.len() as u64);
}

#[test]
fn a_reference_gives_its_loudness_and_the_ceiling_stays() {
    let folder = Folder::new();
    let input = folder.wav("mix.wav", 2, &MIX);
    let record = louder(&OTHER_MIX, 6.0);
    let records = [folder.wav("record.wav", 2, &record), folder.flac("record.flac", &record)];
    let wanted = read(&records[0]).loudness_lufs();
    for (record, output) in records.iter().zip(["out.wav", "out.flac"]) {
        let job =
            with(job(&input, &folder.path(output)), |settings| settings.references = vec![reference(record, 1.0)]);
        mastered(&job);
        let sound = read(&folder.path(output));
        sound.assert_keeps(wanted, DEFAULT_DBTP);
        assert_eq!(sound.frames.len(), MIX.len());
    }
}

/// Level above 3 kHz relative to the whole, dB.
fn brightness_db(frames: &[Frame]) -> f64 {
    let power = |frames: &[Frame]| frames.as_flattened().iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let mut high_pass = Biquad::new(BiquadCoefs::high_pass(3000.0, RATE_HZ));
    db_from_power(power(&filtered(&mut high_pass, frames)) / power(frames))
}

fn filtered(filter: &mut Biquad, frames: &[Frame]) -> Vec<Frame> {
    frames.iter().map(|frame| filter.next(frame.map(f64::from)).map(|x| x as f32)).collect()
}

#[test]
fn a_bright_reference_makes_a_brighter_master_than_a_dull_one() {
    /// Smallest difference between the masters. The records differ by 12 dB above 3 kHz; each is followed as far as the
    /// bounds of the equaliser allow.
    const AT_LEAST_DB: f64 = 4.0;
    let folder = Folder::new();
    let input = folder.wav("mix.wav", 2, &MIX);
    for (n, song) in [&*OTHER_MIX, &*MIX].into_iter().enumerate() {
        let [bright, dull] = [6.0, -6.0].map(|shelf_db| {
            let mut shelf = Biquad::new(BiquadCoefs::high_shelf(3000.0, shelf_db, RATE_HZ));
            let record = filtered(&mut shelf, &louder(song, 6.0));
            let record = folder.wav(&format!("record {shelf_db} {n}.wav"), 2, &record);
            let output = folder.path(&format!("out {shelf_db} {n}.wav"));
            mastered(&with(job(&input, &output), |settings| settings.references = vec![reference(&record, 1.0)]));
            brightness_db(&read(&output).frames)
        });
        assert!(bright > dull + AT_LEAST_DB, "{bright} dB against {dull} dB");
    }
}

#[test]
fn two_references_count_by_their_weights() {
    let folder = Folder::new();
    let input = folder.wav("mix.wav", 2, &MIX);
    let quiet = folder.wav("quiet.wav", 2, &louder(&OTHER_MIX, 2.0));
    let loud = folder.wav("loud.wav", 2, &louder(&MIX, 6.0));
    let lufs = [&quiet, &loud].map(|path| read(path).loudness_lufs());
    let output = folder.path("out.wav");
    let references = vec![reference(&quiet, 3.0), reference(&loud, 1.0)];
    let report = mastered(&with(job(&input, &output), |settings| settings.references = references));
    read(&output).assert_keeps(0.75 * lufs[0] + 0.25 * lufs[1], DEFAULT_DBTP);
    assert_eq!(report.decision.expect("it was decided").target, "quiet.wav, loud.wav");
}

#[test]
fn mono_stays_mono() {
    let folder = Folder::new();
    let input = folder.wav("mono.wav", 1, &MIX);
    for output in ["out.wav", "out.flac"] {
        mastered(&job(&input, &folder.path(output)));
        let sound = read(&folder.path(output));
        assert_eq!((sound.channels, sound.frames.len()), (1, MIX.len()), "{output}");
        sound.assert_keeps(DEFAULT_LUFS, DEFAULT_DBTP);
    }
}

#[test]
fn mono_and_two_equal_channels_come_to_one_level() {
    let folder = Folder::new();
    let frames: Vec<Frame> = MIX.iter().map(|[left, _]| [*left; 2]).collect();
    let masters = [1, 2].map(|channels| {
        let input = folder.wav(&format!("{channels}.wav"), channels, &frames);
        let output = folder.path(&format!("{channels}.master.wav"));
        mastered(&job(&input, &output));
        let power: f64 = read(&output).frames.iter().map(|[left, _]| f64::from(left * left)).sum();
        10.0 * (power / frames.len() as f64).log10()
    });
    assert!((masters[0] - masters[1]).abs() < 0.3, "{masters:?} dB");
}

#[test]
fn a_song_on_one_side_stays_there() {
    let folder = Folder::new();
    let frames: Vec<Frame> = MIX.iter().map(|[left, _]| [*left, 0.0]).collect();
    let input = folder.wav("left.wav", 2, &frames);
    let output = folder.path("left.master.wav");
    mastered(&job(&input, &output));
    assert!(read(&output).frames.iter().all(|[_, right]| *right == 0.0));
}

#[test]
fn intensity_0_changes_nothing_but_the_level() {
    /// Half a step of single precision below full scale, for each of two multiplications.
    const ROUNDING: f64 = 1.2e-7;
    let folder = Folder::new();
    let output = folder.path("out.wav");
    // Peaks stay under the ceiling, so that there is nothing to limit.
    let wanted = DeliveryRequest {
        loudness: Some(LoudnessTarget::Lufs(-20.0)),
        word_length: Some(WordLength::Float32),
        ..DeliveryRequest::default()
    };
    let report = mastered(&with(job(&folder.wav("mix.wav", 2, &MIX), &output), |settings| {
        settings.delivery = wanted;
        settings.amounts.intensity = Percent(0.0)
    }));
    assert_eq!(report.peak_limiting_db, 0.0);
    let gain = gain_from_db(report.drive_db);
    let master = read(&output).frames;
    let worst = MIX.as_flattened().iter().zip(master.as_flattened());
    let worst = worst.map(|(mix, master)| (f64::from(*mix) * gain - f64::from(*master)).abs()).fold(0.0, f64::max);
    assert!(worst <= ROUNDING, "{worst}");
}

#[test]
fn every_amount_turns_off_what_it_is_for() {
    let folder = Folder::new();
    folder.wav("mix.wav", 2, &MIX);
    let wide: Vec<Frame> = OTHER_MIX.iter().map(|[l, r]| [1.5 * l - 0.5 * r, 1.5 * r - 0.5 * l]).collect();
    folder.wav("record.wav", 2, &wide);
    let recipe = |amount: &str| {
        let arguments = ["mix.wav", "--reference", "record.wav", "-o", "out.wav", "--force", "--json", amount, "0"];
        folder.goldmaster(&arguments).succeeded().json()["recipe"].take()
    };
    let is_flat = |curve: &serde_json::Value| curve.as_array().expect("a curve").iter().all(|db| *db == 0.0);
    let tone = recipe("--tone");
    assert!(is_flat(&tone["match_eq"]["mid_db"]) && !is_flat(&tone["match_eq"]["side_db"]));
    let width = recipe("--width");
    assert!(!is_flat(&width["match_eq"]["mid_db"]));
    // A side that is almost silent is lifted less than the mid, or not at all.
    let [mid, side] = ["mid_db", "side_db"].map(|curve| width["match_eq"][curve].as_array().expect("a curve").clone());
    let gain = |value: &serde_json::Value| value.as_f64().expect("a gain");
    let mut pairs = mid.iter().zip(&side).map(|(mid, side)| (gain(mid), gain(side)));
    assert!(pairs.all(|(mid, side)| mid == side || (0.0..=mid).contains(&side)), "{mid:?} {side:?}");
    let dynamics = recipe("--dynamics");
    assert!(["low", "low_mid", "high_mid", "high"].iter().all(|band| dynamics["multiband"][band]["ratio"] == 1.0));
    let nothing = recipe("--intensity");
    assert!(is_flat(&nothing["match_eq"]["mid_db"]) && is_flat(&nothing["match_eq"]["side_db"]));
}

/// Interrupts a run, as Ctrl-C does, once it has begun this stage.
struct InterruptIn {
    stage: Stage,
    has_begun: AtomicBool,
}

impl Observer for InterruptIn {
    fn stage(&self, stage: Stage, _: Option<u64>) {
        self.has_begun.fetch_or(stage == self.stage, Ordering::Relaxed);
    }

    fn advance(&self, _: u64) -> Result<(), io::Error> {
        if self.has_begun.load(Ordering::Relaxed) { Err(io::Error::Interrupted) } else { Ok(()) }
    }
}

#[test]
fn an_interrupted_run_leaves_everything_as_it_was() {
    /// 128 + SIGINT, as in shells.
    const INTERRUPTED: u8 = 130;
    let folder = Folder::new();
    let mut job = job(&folder.wav("mix.wav", 2, &MIX), &folder.file("out.wav", b"an earlier master"));
    job.output.force = true;
    let before = folder.contents();
    for stage in [Stage::Reading, Stage::Rendering, Stage::Limiting] {
        let observer = InterruptIn { stage, has_begun: AtomicBool::new(false) };
        let error = master(&job, &observer).expect_err("it was interrupted");
        assert_eq!(error.exit_code(), INTERRUPTED, "{stage:?}: {error}");
        assert!(folder.contents() == before, "{stage:?}");
    }
}

#[test]
fn the_rules_decide_when_they_are_asked() {
    let folder = Folder::new();
    let output = folder.path("out.wav");
    let report = mastered(&with(job(&folder.wav("mix.wav", 2, &MIX), &output), |settings| {
        settings.decider = DeciderKind::Rules
    }));
    assert_eq!(report.decision.expect("it was decided").decider, DeciderKind::Rules);
    read(&output).assert_keeps(DEFAULT_LUFS, DEFAULT_DBTP);
}

#[test]
fn title_artist_and_cover_are_carried_over_but_not_the_old_loudness() {
    let folder = Folder::new();
    let input = folder.flac("mix.flac", &MIX);
    let mut tag = Tag::new(TagType::VorbisComments);
    tag.set_title("Nachtflug für Übermüdete".to_owned());
    tag.set_artist("Nobody & the Others".to_owned());
    tag.insert_text(ItemKey::Isrc, "DEXX12600001".to_owned());
    tag.insert_text(ItemKey::ReplayGainTrackGain, "+6.00 dB".to_owned());
    let cover = b"\x89PNG\r\n\x1a\nnot much of a picture".to_vec();
    tag.push_picture(
        Picture::unchecked(cover.clone()).pic_type(PictureType::CoverFront).mime_type(MimeType::Png).build(),
    );
    let mut file = lofty::read_from_path(&input).expect("a FLAC");
    file.insert_tag(tag);
    file.save_to_path(&input, WriteOptions::default()).expect("space");
    for output in ["out.flac", "out.wav"] {
        let report = mastered(&job(&input, &folder.path(output)));
        // The mix ends in the middle of a bar.
        let others = report.warnings.iter().filter(|warning| !matches!(warning.kind, WarningKind::CutOff { .. }));
        assert_eq!(others.count(), 0, "{output}: {:?}", report.warnings);
        let file = lofty::read_from_path(folder.path(output)).expect("readable");
        let tag = file.primary_tag().or(file.first_tag()).expect("tags");
        assert_eq!(tag.title().as_deref(), Some("Nachtflug für Übermüdete"), "{output}");
        assert_eq!(tag.artist().as_deref(), Some("Nobody & the Others"), "{output}");
        assert_eq!(tag.get_string(ItemKey::Isrc), Some("DEXX12600001"), "{output}");
        assert_eq!(tag.get_string(ItemKey::ReplayGainTrackGain), None, "{output}");
        assert_eq!(tag.pictures().first().map(Picture::data), Some(&cover[..]), "{output}");
        read(&folder.path(output)).assert_keeps(DEFAULT_LUFS, DEFAULT_DBTP);
    }
}

/// Returns the best match of two signals over all lags up to [`REACH`]: the delay of `b` in frames, and the correlation
/// there.
fn best_fit(a: &[f64], b: &[f64]) -> (isize, f64) {
    /// Largest lag that is searched, in frames: a larger delay would be a fault that every other test shows.
    const REACH: usize = 200;
    let inside = REACH..a.len() - REACH;
    let power = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>();
    let scale = (power(&a[inside.clone()]) * power(&b[inside.clone()])).sqrt();
    let at = |lag: isize| {
        let start = inside.start.checked_add_signed(lag).expect("inside");
        let products = a[inside.clone()].iter().zip(&b[start..]).map(|(x, y)| x * y);
        products.sum::<f64>() / scale
    };
    let reach = REACH as isize;
    let fits = (-reach..=reach).map(|lag| (lag, at(lag)));
    fits.max_by(|x, y| x.1.abs().total_cmp(&y.1.abs())).expect("there are lags")
}

/// Returns one channel above 2 kHz, where equalisers and crossovers hardly change the phase.
fn highs(sound: &Sound, channel: usize) -> Vec<f64> {
    let mut filter = Biquad::new(BiquadCoefs::high_pass(2000.0, sound.sample_rate_hz));
    sound.frames.iter().map(|frame| filter.next(frame.map(f64::from))[channel]).collect()
}

#[test]
fn time_polarity_and_channel_order_are_kept() {
    /// Largest lag, in frames: a minimum-phase equaliser may delay what it lifts by a part of a frame.
    const LAG_FRAMES: isize = 1;
    /// Smallest correlation that is left after equaliser, dynamics and limiter, and largest one with the other channel,
    /// whose noise is independent.
    const ALIKE: f64 = 0.8;
    const UNLIKE: f64 = 0.3;
    let folder = Folder::new();
    // Noise has a single clear match, and its channels are independent. The right one is quieter.
    let mix: Vec<Frame> = pink_noise(RATE_HZ, -30.0, SECONDS, 9).into_iter().map(|[l, r]| [l, 0.9 * r]).collect();
    let input = folder.wav("mix.wav", 2, &mix);
    let record = folder.wav("record.wav", 2, &louder(&MIX, 6.0));
    let output = folder.path("out.wav");
    mastered(&with(job(&input, &output), |settings| {
        settings.references = vec![reference(&record, 1.0)];
        // A gentle equaliser, because a steep one turns the phase.
        settings.matching = MatchKind::Cautious;
    }));
    let (mix, master) = (read(&input), read(&output));
    for channel in 0..2 {
        let (lag, likeness) = best_fit(&highs(&mix, channel), &highs(&master, channel));
        assert!(lag.abs() <= LAG_FRAMES && likeness > ALIKE, "channel {channel}: {likeness} at {lag} frames");
        let (_, likeness) = best_fit(&highs(&mix, channel), &highs(&master, 1 - channel));
        assert!(likeness.abs() < UNLIKE, "channel {channel} is heard in the other: {likeness}");
    }
}
