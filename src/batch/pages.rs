//! The HTML pages of a batch: one per song beside its master, and an index of all songs.

use std::path::{Path, PathBuf};

use crate::batch::outcome::{Outcome, Summary};
use crate::batch::plan::{Plan, Shard};
use crate::batch::record::Records;
use crate::error::Error;
use crate::io;
use crate::page::index::{Song, SongStatus, write_index};
use crate::page::is_goldmaster_page;
use crate::report::album::AlbumReport;
use crate::request::page::{Page, PageAudio};
use crate::request::paths::{MAX_NAME_BYTES, shortened};

/// Returns the path of a master's page: the master's path with `.html` appended. The end of a name that would be too long is
/// replaced by a hash of the whole name, so that no song fails because of its page.
pub fn page_path(master: &Path) -> PathBuf {
    let mut name = shortened(master.file_name().unwrap_or_default(), MAX_NAME_BYTES - ".html".len());
    name.push(".html");
    master.with_file_name(name)
}

/// Returns the path of the index page.
pub fn index_path(output: &Path, shard: Option<Shard>) -> PathBuf {
    let name = shard.map_or_else(|| "index".to_owned(), |Shard { number, of }| format!("index.{number}-of-{of}"));
    output.join(name + ".html")
}

/// Describes a page to write. A file that is not a page of this program is replaced only with `force`.
pub fn new_page(path: PathBuf, audio: PageAudio, force: bool) -> Page {
    Page { force: force || is_goldmaster_page(&path), path, audio }
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
            Outcome::Failed(cause) | Outcome::FailedAgain(cause) => (SongStatus::Failed, Some(cause.sentence.as_str())),
            Outcome::Changing(cause) => (SongStatus::Left, Some(cause.sentence.as_str())),
            Outcome::Left => (SongStatus::Left, None),
        };
        let report =
            outcome.has_master().then(|| records.read(&item.output)).flatten().and_then(|record| record.report());
        let page = outcome.has_master().then(|| link(&page_path(&item.output)));
        Song::new(name, page, status, cause, report.as_ref())
    };
    let songs: Vec<Song> = plan.items.iter().zip(outcomes).map(song).collect();
    let Summary { songs: _, mastered, silent, unchanged, failed, failed_again, changing, left } =
        plan.summary(outcomes);
    let (mastered, failed, left) = (mastered + silent, failed + failed_again, changing + left);
    let counts = format!("{mastered} mastered, {unchanged} unchanged, {failed} failed, {left} left");
    write_index(&new_page(index_path(output, plan.shard), PageAudio::None, force), songs, counts, albums)
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
    fn a_name_of_any_length_has_a_page_of_its_own() {
        let names = ["a", "b"].map(|end| "é".repeat(124) + end + ".wav");
        let pages = names.each_ref().map(|name| page_path(&Path::new("out").join(name)));
        let length = |page: &PathBuf| page.file_name().map(|name| name.len());
        assert!(pages.iter().all(|page| length(page) <= Some(MAX_NAME_BYTES) && page.starts_with("out")), "{pages:?}");
        assert_ne!(pages[0], pages[1]);
    }

    #[test]
    fn no_song_takes_the_place_of_the_index() {
        assert_eq!(page_path(Path::new("index.wav")), Path::new("index.wav.html"));
        let shard = Shard { number: 2, of: 5 };
        assert_eq!(index_path(Path::new("out"), Some(shard)), Path::new("out/index.2-of-5.html"));
    }
}
