//! The HTTP server that answers the page's requests.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Json, Path as Segments, Query, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Router, middleware};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::error::Error;
use crate::report::reference_name;
use crate::request::reference::Reference;
use crate::ui::export::{album_page, plan, plan_album};
use crate::ui::guard::{AccessGuard, guard};
use crate::ui::history::Detail;
use crate::ui::previews::PreviewService;
use crate::ui::requests::{AlbumRequest, ExportRequest, MasterRequest};
use crate::ui::studio::Studio;
use crate::ui::view::{Id, PreviewView, Progress};

/// Largest size of a dropped file, bytes: ten hours of 96 kHz in 24 bits.
const MAX_FILE_BYTES: u64 = 24 << 30;
/// Largest size of a request in JSON, bytes.
const MAX_JSON_BYTES: usize = 64 << 10;
/// Longest name of a file, bytes; it leaves room for the suffixes of masters and reports.
const MAX_NAME_BYTES: usize = 180;
/// Shortest interval between two updates of the page.
const UPDATE_INTERVAL: Duration = Duration::from_millis(60);
/// Bytes per read of a file that is sent.
const PIECE_BYTES: usize = 256 << 10;

/// State shared by all request handlers.
#[derive(Clone)]
pub struct AppState {
    /// Songs, records and masters.
    pub studio: Arc<Studio>,
    /// Previews.
    pub previews: Arc<PreviewService>,
}

/// Returns the routes of all addresses behind an access guard.
pub fn router(state: AppState, access_guard: AccessGuard) -> Router {
    let page = |kind: &'static str, text: &'static str| get(async move || ([(CONTENT_TYPE, kind)], text));
    let script = |text: &'static str| page("text/javascript; charset=utf-8", text);
    let inside = Router::new()
        .route("/page.css", page("text/css; charset=utf-8", include_str!("../../templates/page.css")))
        .route("/ui.css", page("text/css; charset=utf-8", include_str!("../../templates/ui.css")))
        .route("/ui.js", script(include_str!("../../templates/ui.js")))
        .route("/ui-dom.js", script(include_str!("../../templates/ui-dom.js")))
        .route("/ui-drop.js", script(include_str!("../../templates/ui-drop.js")))
        .route("/ui-masters.js", script(include_str!("../../templates/ui-masters.js")))
        .route("/ui-wave.js", script(include_str!("../../templates/ui-wave.js")))
        .route("/player.js", script(include_str!("../../templates/player.js")))
        .route("/events", get(events))
        .route("/songs", put(add_song).layer(DefaultBodyLimit::disable()))
        .route("/references", put(add_reference).layer(DefaultBodyLimit::disable()))
        .route("/songs/{id}", delete(remove_song))
        .route("/references/{id}", delete(remove_reference))
        .route("/songs/{id}/previews", post(preview))
        .route("/songs/{id}/exports", post(export))
        .route("/albums", post(export_album))
        .route("/exports/{id}", delete(cancel_export))
        .route("/exports/{id}/{part}", get(send_export))
        .route("/sounds/{id}", get(send_sound))
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES));
    let token = &access_guard.token;
    Router::new()
        .route(&format!("/{token}/"), page("text/html; charset=utf-8", include_str!("../../templates/ui.html")))
        .nest(&format!("/{token}"), inside)
        .layer(middleware::from_fn_with_state(access_guard.clone(), guard))
        .with_state(state)
}

/// Error response to a request.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Io(crate::io::Error::Interrupted) => StatusCode::CONFLICT,
            Error::Usage(_) | Error::Recipe(_) | Error::Decide { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

fn refusal(status: StatusCode, words: &str) -> Refusal {
    Refusal(status, words.to_owned())
}

fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "there is no such thing here")
}

/// Runs long work outside the threads that answer requests.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "the work has failed"))??)
}

/// Streams the state of the page, now and after every change.
async fn events(State(state): State<AppState>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = state.studio.changes();
    changes.mark_changed();
    let updates = stream::unfold((changes, state.studio), |(mut changes, studio)| async move {
        changes.changed().await.ok()?;
        tokio::time::sleep(UPDATE_INTERVAL).await;
        changes.mark_unchanged();
        let event = Event::default().json_data(studio.view()).unwrap_or_default();
        Some((Ok(event), (changes, studio)))
    });
    Sse::new(updates).keep_alive(KeepAlive::default())
}

/// Name of a dropped file.
#[derive(Deserialize)]
struct FileNameQuery {
    name: String,
}

/// Returns a safe file name: the last part of a path, without characters that a file system or a terminal does not
/// accept.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_refused = |c: char| c.is_control() || cfg!(windows) && "<>:\"|?*".contains(c);
    let is_plain = |c: &char| !is_refused(*c);
    let mut plain: String = last.chars().filter(is_plain).collect();
    let (stem_bytes, extension) = match plain.rsplit_once('.') {
        Some((stem, extension)) if (1..=8).contains(&extension.len()) => (stem.len(), format!(".{extension}")),
        _ => (plain.len(), String::new()),
    };
    let mut stem_bytes = stem_bytes.min(MAX_NAME_BYTES);
    while !plain.is_char_boundary(stem_bytes) {
        stem_bytes -= 1;
    }
    plain.truncate(stem_bytes);
    let stem = plain.trim_start_matches('.').trim();
    format!("{}{extension}", if stem.is_empty() { "song" } else { stem })
}

/// A dropped file in a folder of its own, which is removed with this value unless it is kept.
struct ReceivedFile {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl ReceivedFile {
    /// Keeps the file and returns its path.
    fn kept(self) -> PathBuf {
        let _ = self.folder.keep();
        self.path
    }
}

/// Writes a dropped file, piece by piece.
async fn receive_file(state: &AppState, name: &str, headers: &HeaderMap, body: Body) -> Result<ReceivedFile, Refusal> {
    state.studio.check_room()?;
    let too_large =
        || refusal(StatusCode::PAYLOAD_TOO_LARGE, "the file is larger than 24 GiB: name it on the command line");
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > MAX_FILE_BYTES) {
        return Err(too_large());
    }
    let full = |e: std::io::Error| {
        let words = format!("the file cannot be kept ({})", crate::io::plain(&e));
        Refusal(StatusCode::INSUFFICIENT_STORAGE, words)
    };
    let folder = tempfile::Builder::new().tempdir_in(&state.studio.scratch).map_err(full)?;
    let path = folder.path().join(file_name(name));
    let mut file = tokio::fs::File::create(&path).await.map_err(full)?;
    let (mut pieces, mut bytes) = (body.into_data_stream(), 0_u64);
    while let Some(piece) = pieces.next().await {
        let piece: Bytes = piece.map_err(|_| refusal(StatusCode::BAD_REQUEST, "the file did not arrive whole"))?;
        bytes += piece.len() as u64;
        if bytes > MAX_FILE_BYTES {
            return Err(too_large());
        }
        file.write_all(&piece).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    if announced.is_some_and(|announced| announced != bytes) {
        return Err(refusal(StatusCode::BAD_REQUEST, "the file did not arrive whole"));
    }
    Ok(ReceivedFile { folder, path })
}

impl FromRequest<AppState> for ReceivedFile {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refusal> {
        let unnamed = |_| refusal(StatusCode::BAD_REQUEST, "the file has no name");
        let Query(FileNameQuery { name }) = Query::try_from_uri(request.uri()).map_err(unnamed)?;
        let (head, body) = request.into_parts();
        let file = receive_file(state, &name, &head.headers, body).await?;
        // Other files may have arrived in the meantime.
        state.studio.check_room()?;
        Ok(file)
    }
}

type AddedId = Result<Json<Id>, Refusal>;

async fn add_song(State(state): State<AppState>, file: ReceivedFile) -> AddedId {
    Ok(Json(state.studio.add_song(file.kept())?))
}

async fn add_reference(State(state): State<AppState>, file: ReceivedFile) -> AddedId {
    Ok(Json(state.studio.add_reference(Reference::whole(file.kept()))?))
}

async fn remove_song(State(state): State<AppState>, Segments(id): Segments<Id>) {
    let path = state.studio.change(|contents| {
        let path = contents.song(id).map(|song| song.path.clone());
        contents.songs.retain(|song| song.view.id != id);
        path
    });
    state.previews.forget(id);
    path.iter().for_each(|path| state.studio.discard(path));
}

async fn remove_reference(State(state): State<AppState>, Segments(id): Segments<Id>) {
    let path = state.studio.change(|contents| {
        let path = contents.reference(id).map(|entry| entry.reference.path.clone());
        contents.references.retain(|entry| entry.view.id != id);
        path
    });
    path.iter().for_each(|path| state.studio.discard(path));
}

async fn preview(
    State(state): State<AppState>,
    Segments(id): Segments<Id>,
    Json(request): Json<MasterRequest>,
) -> Result<Json<Option<PreviewView>>, Refusal> {
    run_blocking(move || state.previews.preview(&state.studio, id, &request)).await.map(Json)
}

async fn export(
    State(state): State<AppState>,
    Segments(id): Segments<Id>,
    Json(request): Json<ExportRequest>,
) -> Result<Json<Vec<Id>>, Refusal> {
    run_blocking(move || plan(&state.studio, id, &request)).await.map(Json)
}

async fn export_album(
    State(state): State<AppState>,
    Json(request): Json<AlbumRequest>,
) -> Result<Json<Vec<Id>>, Refusal> {
    run_blocking(move || plan_album(&state.studio, &request)).await.map(Json)
}

/// Stops a master that is not ready, or removes a finished one from the list; its file is kept.
async fn cancel_export(State(state): State<AppState>, Segments(id): Segments<Id>) {
    state.studio.change(|contents| {
        if let Some(export) = contents.export(id) {
            export.is_cancelled = true;
        }
        contents.exports.retain(|export| export.view.id != id || export.view.progress == Progress::Working);
    });
}

/// Content security policy of a self-contained page. It has no origin (`sandbox`): files in the folder of masters may
/// come from elsewhere and must not reach this page.
const REPORT_POLICY: &str = "sandbox allow-scripts allow-downloads; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                             base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn send_export(
    State(state): State<AppState>,
    Segments((id, part)): Segments<(Id, String)>,
) -> Result<Response, Refusal> {
    let (master, is_album) = {
        let mut contents = state.studio.contents();
        let ready = contents.export(id).filter(|export| export.view.progress == Progress::Ready);
        let view = &ready.ok_or_else(not_found)?.view;
        (PathBuf::from(&view.path), view.is_album)
    };
    match part.as_str() {
        "page" if is_album => send_page(&album_page(&master)).await,
        _ if is_album => Err(not_found()),
        "master" => send(&master, "application/octet-stream", true).await,
        "report" => send(&Detail::Report.path(&master), "application/json", true).await,
        "recipe" => send(&Detail::Recipe.path(&master), "application/json", true).await,
        "page" => send_page(&Detail::Page.path(&master)).await,
        _ => Err(not_found()),
    }
}

/// Sends a self-contained page.
async fn send_page(path: &Path) -> Result<Response, Refusal> {
    let mut response = send(path, "text/html; charset=utf-8", false).await?;
    let policy = HeaderName::from_static("content-security-policy");
    response.headers_mut().insert(policy, HeaderValue::from_static(REPORT_POLICY));
    Ok(response)
}

async fn send_sound(State(state): State<AppState>, Segments(id): Segments<Id>) -> Result<Response, Refusal> {
    send(&state.studio.sound_path(id), "audio/wav", false).await
}

/// Sends a file piece by piece, as a download or for display.
async fn send(path: &Path, kind: &'static str, is_kept: bool) -> Result<Response, Refusal> {
    let file = tokio::fs::File::open(path).await.map_err(|_| not_found())?;
    let bytes = file.metadata().await.map_err(|_| not_found())?.len();
    let pieces = stream::unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some((Ok(Bytes::from(piece)), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, bytes.into());
    if is_kept && let Ok(value) = HeaderValue::from_str(&attachment(&reference_name(path))) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Returns the header with the name under which a browser saves a file (RFC 6266).
fn attachment(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    format!("attachment; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_dropped_file_leads_nowhere_else() {
        let names = [
            ("My song.wav", "My song.wav"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Music\mix.flac", "mix.flac"),
            ("..", "song"),
            ("", "song"),
            (".hidden.wav", "hidden.wav"),
            ("a\u{1b}[31m\n.wav", "a[31m.wav"),
            ("Überlänge – naïve.mp3", "Überlänge – naïve.mp3"),
            ("a \"quoted\" & <b>.wav", if cfg!(windows) { "a quoted & b.wav" } else { "a \"quoted\" & <b>.wav" }),
        ];
        for (name, expected) in names {
            let made = file_name(name);
            assert!(!made.contains(['/', '\\', '\0']) && made != ".." && made != ".", "{made}");
            assert_eq!(made, expected);
        }
        assert!(file_name(&format!("{}.wav", "ä".repeat(500))).len() <= MAX_NAME_BYTES + 9);
    }

    #[test]
    fn a_download_keeps_its_name() {
        assert_eq!(attachment("é \"x\".wav"), "attachment; filename*=UTF-8''%C3%A9%20%22x%22.wav");
    }
}
