//! Selects the ONNX runtime that runs the networks. Both runtimes have the same C interface, so the calling code is the
//! same.

use std::sync::OnceLock;

use crate::error::Error;

static ENVIRONMENT: OnceLock<Result<ort::environment::Environment, String>> = OnceLock::new();

/// Name of the environment variable that holds the path of the native library.
#[cfg(feature = "onnxruntime")]
pub const LIBRARY_VARIABLE: &str = "GOLDMASTER_ONNXRUNTIME";

/// Returns the process-wide environment, which is created at the first call.
pub(crate) fn environment() -> Result<&'static ort::environment::Environment, Error> {
    let made = ENVIRONMENT.get_or_init(|| {
        set_api()?;
        ort::init().build().map_err(|e| e.to_string())
    });
    made.as_ref().map_err(|message| Error::Runtime(message.clone()))
}

/// Selects the pure-Rust runtime.
fn use_tract() -> Result<(), String> {
    if ort::set_api(ort_tract::api()) { Ok(()) } else { Err("another ONNX runtime is already in use".into()) }
}

#[cfg(not(feature = "onnxruntime"))]
fn set_api() -> Result<(), String> {
    use_tract()
}

/// Selects the native runtime if [`LIBRARY_VARIABLE`] names it, and the pure-Rust one otherwise.
#[cfg(feature = "onnxruntime")]
fn set_api() -> Result<(), String> {
    match std::env::var_os(LIBRARY_VARIABLE) {
        Some(path) => use_native(std::path::Path::new(&path)),
        None => use_tract(),
    }
}

#[cfg(feature = "onnxruntime")]
#[allow(unsafe_code, reason = "a C library is loaded by name; its interface is versioned and checked")]
fn use_native(path: &std::path::Path) -> Result<(), String> {
    let failed = |cause: String| format!("{}: {cause}", path.display());
    // SAFETY: loading runs the library's initialisers; the user named this file as ONNX Runtime. It is never unloaded.
    let library = unsafe { libloading::Library::new(path) }.map_err(|e| failed(e.to_string()))?;
    let library = Box::leak(Box::new(library));
    type GetApiBase = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: ONNX Runtime exports OrtGetApiBase with this signature since its first release.
    let api = unsafe {
        let get_base = library.get::<GetApiBase>(b"OrtGetApiBase\0").map_err(|e| failed(e.to_string()))?;
        let api = ((*get_base()).GetApi)(ort::sys::ORT_API_VERSION);
        if api.is_null() {
            return Err(failed(format!("is older than ONNX Runtime 1.{}", ort::sys::ORT_API_VERSION)));
        }
        std::ptr::read(api)
    };
    if ort::set_api(api) { Ok(()) } else { Err(failed("another ONNX runtime is already in use".into())) }
}
