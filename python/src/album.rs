//! The steps of an album; what goes from one to the next is bytes.

use std::path::PathBuf;

use goldmaster::error::Error;
use goldmaster::io::spool::Store;
use goldmaster::request::job::AlbumSettings;
use goldmaster::workflows::album::{BalancedSong, DecidedAlbum, MeasuredSong, PreparedSong, Transfer};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::raised;
use crate::watch::{Followed, followed};
use crate::{Settings, master_with, output_at};

/// Settings, networks and references, shared by the steps of many albums.
#[pyclass(frozen)]
pub struct Album(goldmaster::Album);

#[pymethods]
impl Album {
    #[new]
    fn new(
        py: Python,
        settings: Settings,
        album: String,
        album_balance: String,
        reference_from_album: bool,
        format: String,
    ) -> PyResult<Self> {
        let new = || -> Result<_, Error> {
            let of_album = AlbumSettings {
                loudness: word("album", album)?,
                balance: word("album_balance", album_balance)?,
                is_own_reference: reference_from_album,
            };
            let format = word("format", format)?;
            let album = goldmaster::Album { master: master_with(settings)?, settings: of_album, format };
            album.check()?;
            Ok(album)
        };
        new().map(Self).map_err(|error| raised(py, &error))
    }

    fn measure<'py>(
        &self,
        py: Python<'py>,
        input: PathBuf,
        threads: Option<usize>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let work = |observer: &Followed| self.0.measure_observed(&input, observer)?.to_bytes();
        bytes(py, followed(py, threads, on_progress, work))
    }

    fn decide<'py>(
        &self,
        py: Python<'py>,
        songs: Vec<PyBackedBytes>,
        threads: Option<usize>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let work = |observer: &Followed| {
            let songs = songs.iter().map(|song| MeasuredSong::from_bytes(song)).collect::<Result<Vec<_>, _>>()?;
            self.0.decide_observed(&songs, observer)?.to_bytes()
        };
        bytes(py, followed(py, threads, on_progress, work))
    }

    fn prepare<'py>(
        &self,
        py: Python<'py>,
        input: PathBuf,
        song: PyBackedBytes,
        decided: PyBackedBytes,
        threads: Option<usize>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let work = |observer: &Followed| {
            let (song, decided) = (MeasuredSong::from_bytes(&song)?, DecidedAlbum::from_bytes(&decided)?);
            self.0.prepare_observed(&input, &song, &decided, observer)?.to_bytes()
        };
        bytes(py, followed(py, threads, on_progress, work))
    }

    fn balance<'py>(
        &self,
        py: Python<'py>,
        decided: PyBackedBytes,
        songs: Vec<PyBackedBytes>,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let work = |_: &Followed| {
            let store = Store::new()?;
            let mut prepared = Vec::with_capacity(songs.len());
            for song in &songs {
                let mut song = PreparedSong::from_bytes(song)?;
                // The bytes are held by Python already: keep the traces out of memory.
                song.store(&store)?;
                prepared.push(song);
            }
            let balanced = self.0.balance(&DecidedAlbum::from_bytes(&decided)?, prepared)?;
            balanced.iter().map(BalancedSong::to_bytes).collect::<Result<Vec<_>, _>>()
        };
        Ok(followed(py, None, None, work)?.iter().map(|song| PyBytes::new(py, song)).collect())
    }

    #[expect(clippy::too_many_arguments, reason = "one per argument of the Python method")]
    fn master(
        &self,
        py: Python,
        input: PathBuf,
        song: PyBackedBytes,
        output: PathBuf,
        force: bool,
        threads: Option<usize>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let work = |observer: &Followed| {
            let song = BalancedSong::from_bytes(&song)?;
            Ok(self.0.master_to(&input, &song, output_at(output, force)?, observer)?.to_json())
        };
        followed(py, threads, on_progress, work)
    }
}

fn bytes<'py>(py: Python<'py>, made: PyResult<Vec<u8>>) -> PyResult<Bound<'py, PyBytes>> {
    made.map(|bytes| PyBytes::new(py, &bytes))
}

/// Reads one of several words.
fn word<T: DeserializeOwned>(option: &str, text: String) -> Result<T, Error> {
    serde_json::from_value(Value::String(text)).map_err(|cause| Error::Usage(format!("{option}: {cause}")))
}
