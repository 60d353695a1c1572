//! Compiled-in ONNX graphs, each with a sidecar that describes its inputs and outputs (the pure-Rust runtime cannot
//! read ONNX metadata).

use ndarray::Array2;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionOutputs};
use ort::value::TensorRef;

use crate::backend::environment;
use crate::error::Error;
use crate::features::names;

/// Rows of numbers with the network's names for them.
pub(crate) type Rows<'a, const N: usize> = [(&'static str, &'a [f64]); N];

/// Runs a network once. `inputs` are its rows by name, `outputs` the names and lengths of the rows to read.
///
/// # Errors
/// If the runtime fails, an output has another length, or an input or output is not finite. (Graphs that bound their
/// inputs would give a plausible answer for NaN.)
pub(crate) fn run<const I: usize, const O: usize>(
    session: &mut Session,
    network: &'static str,
    inputs: Rows<'_, I>,
    outputs: [(&'static str, usize); O],
) -> Result<[Vec<f64>; O], Error> {
    let failed = |e: ort::Error| Error::Runtime(e.to_string());
    let mut rows = Vec::with_capacity(I);
    for (name, values) in inputs {
        check_finite(network, values)?;
        rows.push((name, Array2::from_shape_fn((1, values.len()), |(_, n)| values[n] as f32)));
    }
    let tensors: Result<Vec<_>, _> =
        rows.iter().map(|(name, row)| TensorRef::from_array_view(row).map(|tensor| (*name, tensor))).collect();
    let answer = session.run(tensors.map_err(failed)?).map_err(failed)?;
    let mut read = Vec::with_capacity(O);
    for (name, count) in outputs {
        let values = values_of(&answer, name, count).map_err(failed)?;
        check_finite(network, &values)?;
        read.push(values);
    }
    read.try_into().map_err(|_| Error::Mismatch { what: "outputs of a network" })
}

fn values_of(answer: &SessionOutputs, name: &str, count: usize) -> ort::Result<Vec<f64>> {
    let (_, data) = answer[name].try_extract_tensor::<f32>()?;
    let wrong = || ort::Error::new(format!("output {name} has {} values, not {count}", data.len()));
    if data.len() == count { Ok(data.iter().copied().map(f64::from).collect()) } else { Err(wrong()) }
}

/// Returns the largest difference between the trainer's values and a network's answers.
///
/// # Errors
/// If they are not equally long.
pub(crate) fn largest_difference(trained: &[&[f64]], answered: &[&[f64]]) -> Result<f64, Error> {
    let is_alike = trained.len() == answered.len() && trained.iter().zip(answered).all(|(a, b)| a.len() == b.len());
    if !is_alike {
        return Err(Error::Mismatch { what: "parity vectors" });
    }
    let pairs = trained.iter().flat_map(|row| row.iter()).zip(answered.iter().flat_map(|row| row.iter()));
    Ok(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
}

/// Returns an error if a number is not finite.
fn check_finite<'a>(network: &'static str, values: impl IntoIterator<Item = &'a f64>) -> Result<(), Error> {
    if values.into_iter().all(|value| value.is_finite()) { Ok(()) } else { Err(Error::NotFinite { network }) }
}

/// Creates a session for a graph whose file has the hash `blake3` and that was trained on `features`.
///
/// # Errors
/// If graph and sidecar do not belong together, or this program uses other features.
pub(crate) fn session(graph: &[u8], blake3: &str, features: &[String]) -> Result<Session, Error> {
    if features != names() {
        return Err(Error::Mismatch { what: "features of the network" });
    }
    own_session(graph, blake3)
}

/// Creates a session for a graph whose file has the hash `blake3`; the caller checks the features that it was trained
/// on.
///
/// # Errors
/// If graph and sidecar do not belong together.
pub(crate) fn own_session(graph: &[u8], blake3: &str) -> Result<Session, Error> {
    if blake3::hash(graph).to_hex().as_str() != blake3 {
        return Err(Error::Mismatch { what: "hash of the network" });
    }
    Session::builder(environment()?)
        .map_err(|e| Error::Runtime(e.to_string()))?
        .with_optimization_level(GraphOptimizationLevel::Disable)
        .map_err(|e| Error::Runtime(e.to_string()))?
        .commit_from_memory(graph)
        .map_err(|e| Error::Runtime(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_number_is_an_error() {
        assert!(check_finite("decider", &[0.0, -3.5]).is_ok());
        for wrong in [f64::NAN, f64::INFINITY] {
            let error = check_finite("decider", &[0.0, wrong]).expect_err("it is no number");
            assert!(error.to_string().contains("decider"), "{error}");
        }
    }
}
