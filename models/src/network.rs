//! The network: an ONNX graph and a sidecar that describes its inputs and outputs, both compiled in.

use ort::session::Session;
use serde::Deserialize;

use crate::error::Error;
use crate::features::Features;
use crate::graph;
use crate::outputs::Outputs;
use crate::registration::Registration;

const GRAPH: &[u8] = include_bytes!("../weights/decider.onnx");
const SIDECAR: &str = include_str!("../weights/decider.json");

/// Names, hash and parity cases that the graph itself cannot hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    /// Hash of the graph's file.
    blake3: String,
    features: Vec<String>,
    outputs: Vec<String>,
    parity: Vec<Parity>,
}

/// An input, and the output that the trainer computed for it in double precision.
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

/// The network's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The wanted moves.
    pub values: Outputs,
    /// Standard deviation of each value, as estimated by the network.
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
    /// If graph and sidecar do not belong together, or this program uses other features than the network was trained
    /// on.
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
    /// If the runtime fails, or the answer is not a number.
    pub fn predict(
        &mut self,
        source: &Features,
        target: &Features,
        registration: &Registration,
    ) -> Result<Prediction, Error> {
        // The network was not trained with the relative distance.
        let Registration { shift_db, distance_db, relative_distance: _ } = registration;
        let [values, deviations] =
            self.run([source, target, &[shift_db.as_slice(), &[*distance_db]].concat(), &[0.0]])?;
        Ok(Prediction { values: Outputs::of(&values), deviations: Outputs::of(&deviations) })
    }

    /// Runs the graph. The last row is 1 if the target is the norm; decisions always pass 0.
    fn run(&mut self, [source, target, registered, is_norm]: [&[f64]; 4]) -> Result<[Vec<f64>; 2], Error> {
        let inputs = [("source", source), ("target", target), ("registered", registered), ("is_norm", is_norm)];
        let outputs = ["values", "deviations"].map(|name| (name, Outputs::COUNT));
        graph::run(&mut self.session, "decider", inputs, outputs)
    }

    /// Returns the largest difference from the trainer's values for the same inputs, in the outputs' units.
    ///
    /// # Errors
    /// If the runtime fails, or the sidecar's vectors are of other lengths.
    pub fn parity_error(&mut self) -> Result<f64, Error> {
        let mut worst: f64 = 0.0;
        for Parity { source, target, registered, is_norm, values, deviations } in self.parity.clone() {
            let is_norm = if is_norm { 1.0 } else { 0.0 };
            let [found, spread] = self.run([&source, &target, &registered, &[is_norm]])?;
            worst = worst.max(graph::largest_difference(&[&values, &deviations], &[&found, &spread])?);
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
