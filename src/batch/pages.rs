//! The HTML pages of a batch: one per song beside its master, and an index of all songs.

use std::path::{Path, PathBuf};

use crate::batch::outcome::{Outcome, Summary};
use crate::batch::plan::{Plan, Shard};
use crate::batch::record::Records;
use crate::error::Error;
use crate::io;
use crate::page::index::{Song, SongStatus, write_index};
use crate::page::is_ours;
use crate::report::album::AlbumReport;
use crate::request::page::{Page, PageAudio};

/// Returns the path of a master's page.
pub fn path(master: &Path) -> PathBuf {
    let mut name = master.as_os_str().to_owned();
    name.push(".html");
    name.into()
}

/// Returns the path of the index page.
pub fn index_path(output: &Path, shard: Option<Shard>) -> PathBuf {
    let name = shard.map_or_else(|| "index".to_owned(), |Shard { number, of }| format!("index.{number}-of-{of}"));
    output.join(name + ".html")
}

/// Describes a page to write. A file that is not a page of this program is replaced only with `force`.
pub fn page(path: PathBuf, audio: PageAudio, force: bool) -> Page {
    Page { force: force || is_ours(&path), path, audio }
}

/// Refuses to replace a file that is not a page of this program.
///
/// # Errors
/// The file exists and is something else.
pub fn check(page: &Page) -> Result<(), Error> {
    Ok(io::encode::check_target(&page.path, page.force)?)
}

/// Writes the index page of all songs.
///
/// # Errors
/// The page cannot be written.
pub(super) fn write(
    plan: &Plan,
    output: &Path,
    force: bool,
    records: &Records,
    outcomes: &[Outcome],
    albums: &[AlbumReport],
) -> Result<(), Error> {
    let song = |(item, outcome): (&crate::batch::plan::Item, &Outcome)| {
        let name = item.output.display().to_string();
        let (status, cause) = match outcome {
            Outcome::Mastered { .. } => (SongStatus::Mastered, None),
            Outcome::Unchanged => (SongStatus::Unchanged, None),
            Outcome::Failed(cause) | Outcome::FailedAgain(cause) => (SongStatus::Failed, Some(cause.as_str())),
            Outcome::Changing(cause) => (SongStatus::Left, Some(cause.as_str())),
            Outcome::Left => (SongStatus::Left, None),
        };
        let report =
            outcome.has_master().then(|| records.read(&item.output)).flatten().and_then(|record| record.report());
        let page = outcome.has_master().then(|| link(&path(&item.output)));
        Song::new(name, page, status, cause, report.as_ref())
    };
    let songs: Vec<Song> = plan.items.iter().zip(outcomes).map(song).collect();
    let Summary { songs: _, mastered, silent, unchanged, failed, failed_again, changing, left } =
        plan.summary(outcomes);
    let (mastered, failed, left) = (mastered + silent, failed + failed_again, changing + left);
    let counts = format!("{mastered} mastered, {unchanged} unchanged, {failed} failed, {left} left");
    write_index(&page(index_path(output, plan.shard), PageAudio::None, force), songs, counts, albums)
}

/// Converts a relative path to a link: characters with a special meaning in links are percent-encoded.
fn link(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_any_name() {
        assert_eq!(link(Path::new("side a/50% #1 é.wav.html")), "side%20a/50%25%20%231%20%C3%A9.wav.html");
    }

    #[test]
    fn no_song_takes_the_place_of_the_index() {
        assert_eq!(path(Path::new("index.wav")), Path::new("index.wav.html"));
        let shard = Shard { number: 2, of: 5 };
        assert_eq!(index_path(Path::new("out"), Some(shard)), Path::new("out/index.2-of-5.html"));
    }
}
