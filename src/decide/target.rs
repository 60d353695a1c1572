//! The target of a master: reference tracks, a profile of many songs, or a genre.

use std::path::Path;

use analyzer::profile::Profile;
use models::Decider;
use models::amounts::Amounts;
use models::norm::NormProfile;
use models::target::Target;
use rayon::prelude::*;

use crate::decide::genres::Genres;
use crate::decide::reference::ReferenceAssessment;
use crate::error::Error;
use crate::render::provenance::{origin, was_mastered_towards};
use crate::report::warning::{Subject, Warning, WarningKind};
use crate::report::{GenreReport, ReferenceReport};
use crate::request::reference::{Genre, Reference};
use crate::request::settings::{DeciderKind, MasterSettings};
use crate::song::measure_part;
use crate::song::observer::{InterruptOnly, Observer};

/// Everything needed to master towards a target, and to report on it.
pub struct MasteringTarget {
    /// The target in the form that the decider takes.
    pub target: Target,
    /// The genre, if it determined the target; `None` for references, a profile file and the universal profile.
    pub genre: Option<GenreReport>,
    /// Warnings about the references.
    pub warnings: Vec<Warning>,
    /// Report entries of the references.
    pub references: Vec<ReferenceReport>,
}

impl MasteringTarget {
    /// Returns the target for one song, or for all `songs` of a record together: the profile or the references that
    /// `settings` name, otherwise the genre.
    ///
    /// # Errors
    /// Fails if a reference is silent, the profile file is not a profile, or the ONNX runtime fails.
    pub fn towards(
        decider: &mut Decider,
        genres: &mut Genres,
        references: Vec<MeasuredReference>,
        settings: &MasterSettings,
        songs: &[&Profile],
    ) -> Result<Self, Error> {
        if let Some(path) = &settings.profile {
            return Ok(Self::at(decider.target(&read_profile(path)?, songs).map_err(Error::of_target)?));
        }
        if references.is_empty() {
            let (genre, profile) = genres.find(&settings.genre(), decider.norm(), songs).map_err(Error::of_target)?;
            let target = decider.target(&profile, songs).map_err(Error::of_target)?;
            let genre = (settings.genre() != Genre::Universal).then_some(genre);
            return Ok(Self { genre, ..Self::at(target) });
        }
        let (mut warnings, mut records, mut trust) = (Vec::new(), Vec::new(), Amounts::NONE);
        let weights: f64 = references.iter().map(|(_, weight, ..)| weight).sum();
        let reports = references.iter().zip(&settings.references);
        let reports = reports.map(|((_, _, profile, _), reference)| ReferenceReport::of(reference, profile)).collect();
        for (name, weight, profile, noticed) in references {
            let assessment = ReferenceAssessment::of(&profile, songs, decider.norm(), settings.matching);
            trust = trust.plus(&assessment.trust, weight / weights);
            warnings.extend(Warning::of_file(&Subject::Reference(name.clone()), &noticed));
            warnings.extend(assessment.warnings.into_iter().map(|kind| Warning::of_reference(&name, kind)));
            records.push((name, weight, profile));
        }
        let kind = settings.matching.target_kind();
        let target = Target { trust, kind, ..Target::references(&records).map_err(Error::of_target)? };
        let target = settings.character.followed(target);
        Ok(Self { warnings, references: reports, ..Self::at(target) })
    }

    /// Creates a target without genre, warnings and references.
    pub fn at(target: Target) -> Self {
        Self { target, genre: None, warnings: Vec::new(), references: Vec::new() }
    }
}

impl MasteringTarget {
    /// Adapts the target to the song in the file `input`: a master that was already made towards this target is left
    /// unchanged.
    pub fn for_song(mut self, input: &Path, settings: &MasterSettings) -> Self {
        if was_mastered_towards(input, &origin(&self.target, settings.profile.is_none(), settings.character)) {
            self.target.trust = Amounts::NONE;
            self.warnings.push(Warning::of_mix(WarningKind::AlreadyMastered));
        }
        self
    }
}

/// Loads the decider of a kind.
///
/// # Errors
/// The compiled-in network cannot be run.
pub fn load_decider(kind: DeciderKind) -> Result<Decider, Error> {
    match kind {
        DeciderKind::Model => Decider::model(),
        DeciderKind::Rules | DeciderKind::None => Decider::rules(),
    }
    .map_err(Error::Network)
}

/// Name, weight and profile of a reference, and the warnings from reading it.
pub type MeasuredReference = (String, f64, Profile, Vec<crate::io::Warning>);

/// Measures reference tracks in parallel.
pub(crate) fn measure_references(
    references: &[Reference],
    observer: &dyn Observer,
) -> Result<Vec<MeasuredReference>, crate::io::Error> {
    references
        .par_iter()
        .map(|reference| {
            let (profile, warnings) = measure_part(&reference.path, reference.section, &InterruptOnly(observer))?;
            Ok((reference.name(), reference.weight, profile, warnings))
        })
        .collect()
}

/// Reads a profile of many songs from a file.
///
/// # Errors
/// The file cannot be read, or is not a profile.
pub(crate) fn read_profile(path: &Path) -> Result<NormProfile, Error> {
    let norm = NormProfile::from_json(&crate::io::text::read(path)?);
    norm.map_err(|source| Error::ProfileFile { path: path.into(), source })
}
