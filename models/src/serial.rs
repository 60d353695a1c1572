//! Serial forms of what `serde` or JSON lacks: arrays of more than 32 items, and infinity. No number changes on the
//! way.

/// One array.
pub mod array {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer, const N: usize>(array: &[f64; N], serializer: S) -> Result<S::Ok, S::Error> {
        array.as_slice().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[f64; N], D::Error> {
        let list = Vec::deserialize(deserializer)?;
        list.try_into().map_err(|list: Vec<f64>| D::Error::custom(format!("{} numbers, not {N}", list.len())))
    }
}

/// A list of arrays, as one sequence of all their items.
pub mod list_of_arrays {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer, const N: usize>(list: &[[f64; N]], serializer: S) -> Result<S::Ok, S::Error> {
        list.as_flattened().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<Vec<[f64; N]>, D::Error> {
        let items = Vec::deserialize(deserializer)?;
        match items.as_chunks() {
            (arrays, []) => Ok(arrays.to_vec()),
            _ => Err(D::Error::custom(format!("{} numbers, no multiple of {N}", items.len()))),
        }
    }
}

/// A number that may be infinite and is positive then: infinity is null.
pub mod perhaps_infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        number.is_finite().then_some(number).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}
