//! The network: an ONNX graph and a sidecar that says what its numbers mean, both compiled in.

use ndarray::Array2;
use ort::session::Session;
use ort::value::TensorRef;
use serde::Deserialize;

use crate::error::Error;
use crate::features::Features;
use crate::graph;
use crate::outputs::Outputs;
use crate::registration::Registration;
use crate::target::TargetKind;

const GRAPH: &[u8] = include_bytes!("../weights/decider.onnx");
const SIDECAR: &str = include_str!("../weights/decider.json");

/// Names and checks that the graph itself cannot carry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    /// Hash of the graph's file.
    blake3: String,
    features: Vec<String>,
    outputs: Vec<String>,
    parity: Vec<Parity>,
}

/// What the trainer's own runtime made of an input.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parity {
    source: Vec<f64>,
    target: Vec<f64>,
    registered: Vec<f64>,
    is_norm: bool,
    values: Vec<f64>,
    deviations: Vec<f64>,
}

/// What the network says.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// What is to be done.
    pub values: Outputs,
    /// Standard deviation of each value, as the network believes.
    pub deviations: Outputs,
}

/// The compiled-in network, ready to run.
pub struct Network {
    session: Session,
    parity: Vec<Parity>,
}

impl Network {
    /// Loads and checks the graph.
    ///
    /// # Errors
    /// Graph and sidecar do not belong together, or this program sees other features than the network was trained on.
    pub fn load() -> Result<Self, Error> {
        let sidecar: Sidecar = serde_json::from_str(SIDECAR).map_err(|e| Error::Sidecar(e.to_string()))?;
        if sidecar.outputs != Outputs::names() {
            return Err(Error::Mismatch { what: "outputs of the network" });
        }
        let session = graph::session(GRAPH, &sidecar.blake3, &sidecar.features)?;
        Ok(Self { session, parity: sidecar.parity })
    }

    /// Runs the network once.
    ///
    /// # Errors
    /// The runtime failed, or the answer is not a number.
    pub fn predict(
        &mut self,
        source: &Features,
        target: &Features,
        registration: &Registration,
        kind: TargetKind,
    ) -> Result<Prediction, Error> {
        let Registration { shift_db, distance_db } = registration;
        let registered = [shift_db.as_slice(), &[*distance_db]].concat();
        let is_norm = if kind == TargetKind::Norm { 1.0 } else { 0.0 };
        let run = self.run([source, target, &registered, &[is_norm]]);
        let [values, deviations] = run.map_err(|e| Error::Runtime(e.to_string()))?;
        graph::check_finite("decider", values.iter().chain(&deviations))?;
        Ok(Prediction { values: Outputs::of(&values), deviations: Outputs::of(&deviations) })
    }

    fn run(&mut self, rows: [&[f64]; 4]) -> ort::Result<[[f64; Outputs::COUNT]; 2]> {
        let [source, target, registered, is_norm] =
            rows.map(|row| Array2::from_shape_fn((1, row.len()), |(_, n)| row[n] as f32));
        let outputs = self.session.run(ort::inputs![
            "source" => TensorRef::from_array_view(&source)?,
            "target" => TensorRef::from_array_view(&target)?,
            "registered" => TensorRef::from_array_view(&registered)?,
            "is_norm" => TensorRef::from_array_view(&is_norm)?,
        ])?;
        let read = |name: &str| -> ort::Result<[f64; Outputs::COUNT]> {
            let (_, data) = outputs[name].try_extract_tensor::<f32>()?;
            let wrong = || ort::Error::new(format!("output {name} has {} values, not {}", data.len(), Outputs::COUNT));
            let values: [f32; Outputs::COUNT] = data.try_into().map_err(|_| wrong())?;
            Ok(values.map(f64::from))
        };
        Ok([read("values")?, read("deviations")?])
    }

    /// Largest difference from what the trainer computed for the same inputs, in the outputs' units.
    ///
    /// # Errors
    /// The runtime failed, or the sidecar's vectors are of other lengths.
    pub fn parity_error(&mut self) -> Result<f64, Error> {
        let vector =
            |values: &[f64]| Features::try_from(values).map_err(|_| Error::Mismatch { what: "parity vectors" });
        let mut worst: f64 = 0.0;
        for Parity { source, target, registered, is_norm, values, deviations } in self.parity.clone() {
            let kind = if is_norm { TargetKind::Norm } else { TargetKind::Reference };
            let Some((distance_db, shift_db)) = registered.split_last() else {
                return Err(Error::Mismatch { what: "parity vectors" });
            };
            let shift_db = shift_db.try_into().map_err(|_| Error::Mismatch { what: "parity vectors" })?;
            let registration = Registration { shift_db, distance_db: *distance_db };
            let got = self.predict(&vector(&source)?, &vector(&target)?, &registration, kind)?;
            let pairs =
                got.values.values().into_iter().zip(values).chain(got.deviations.values().into_iter().zip(deviations));
            worst = pairs.map(|(a, b)| (a - b).abs()).fold(worst, f64::max);
        }
        Ok(worst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_runtime_computes_what_the_trainer_did() {
        let mut network = Network::load().expect("the compiled-in network loads");
        assert!(!network.parity.is_empty());
        let worst = network.parity_error().expect("runs");
        assert!(worst < 1e-5, "{worst}");
    }
}
