//! A page in the browser for mastering: a local server and its state.

mod export;
mod guard;
mod history;
mod measuring;
mod previews;
mod requests;
mod server;
mod studio;
mod view;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use self::export::export_all;
use self::guard::AccessGuard;
use self::measuring::measure_all;
use self::previews::PreviewService;
use self::server::{AppState, router};
use self::studio::Studio;
use crate::batch::exclude::Exclusions;
use crate::batch::inputs::mixes;
use crate::error::Error;
use crate::io;
use crate::io::claim::TemporaryFolder;
use crate::request::reference::Reference;
use crate::terminal::progress_bar::interrupts;

/// Interval at which the program checks whether it has to end.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Longest time that running requests may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Options with which the page is opened.
#[derive(Clone, Debug, Default)]
pub struct UiOptions {
    /// Mixes, or folders of mixes.
    pub inputs: Vec<PathBuf>,
    /// Records to sound like.
    pub references: Vec<Reference>,
    /// Folder for the masters.
    pub folder: PathBuf,
    /// Port; 0 for any free one.
    pub port: u16,
}

/// Serves the page until Ctrl-C and passes its address to `ready`. The page can be reached from this machine only.
///
/// # Errors
/// If an input cannot be found, the port is taken, or the network cannot be run.
pub fn serve(options: &UiOptions, ready: impl FnOnce(&str) -> Result<(), Error>) -> Result<(), Error> {
    let found = if options.inputs.is_empty() {
        Vec::new()
    } else {
        mixes(&options.inputs, &options.folder, Exclusions::default())?.found
    };
    let named = found.iter().map(|song| &song.path).chain(options.references.iter().map(|reference| &reference.path));
    for path in named {
        if let Err(error) = path.metadata() {
            return Err(Error::Usage(format!("{}: cannot be read ({})", path.display(), io::plain(&error))));
        }
    }
    let scratch = TemporaryFolder::new()?;
    let cannot_serve = |e: std::io::Error| Error::Usage(format!("the page cannot be served ({})", io::plain(&e)));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(cannot_serve)?;
    listener.set_nonblocking(true).map_err(cannot_serve)?;
    let port = listener.local_addr().map_err(cannot_serve)?.port();
    let access_guard =
        AccessGuard::new(port).map_err(|e| Error::Usage(format!("the page cannot be kept private ({e})")))?;
    let previews = Arc::new(PreviewService::new()?);
    let studio = Arc::new(Studio::new(scratch.path().to_owned(), options.folder.clone()));
    for song in found {
        match song.problem {
            Some(problem) => return Err(Error::Folder(problem)),
            None => studio.add_song(song.path).map(drop)?,
        }
    }
    options.references.iter().try_for_each(|reference| studio.add_reference(reference.clone()).map(drop))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(cannot_serve)?;
    std::thread::scope(|scope| {
        // Even if this thread panics, the other threads must end.
        let _close_on_drop = CloseOnDrop(&studio);
        scope.spawn(|| measure_all(&studio, &previews));
        scope.spawn(|| export_all(&studio));
        let url = access_guard.url();
        let state = AppState { studio: studio.clone(), previews: previews.clone() };
        ready(&url).and_then(|()| {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).map_err(cannot_serve)?;
                let ended = async {
                    while interrupts() == 0 {
                        tokio::time::sleep(POLL_INTERVAL).await;
                    }
                };
                tokio::select! {
                    served = axum::serve(listener, router(state, access_guard)) => served.map_err(cannot_serve),
                    () = ended => Ok(()),
                }
            })
        })
    })?;
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    Ok(())
}

/// Ends the work when it is dropped.
struct CloseOnDrop<'a>(&'a Studio);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
