//! `schema.json`: what a cell may hold. Reads the part of JSON Schema that the file uses; the patterns of identifiers,
//! hashes and addresses are checked in words of their own by [`crate::check`].

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::Error;

/// Columns and what their cells may hold.
#[derive(Debug, Clone)]
pub struct Schema {
    columns: Vec<String>,
    properties: Map<String, Value>,
}

impl Schema {
    /// Name of the file.
    pub const FILE: &'static str = "schema.json";

    /// Reads the text of a schema; `path` is for errors.
    ///
    /// # Errors
    /// It does not say which columns there are.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, Error> {
        let wrong = |cause: String| Error::Json { path: path.to_owned(), cause };
        let mut schema: Value = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
        let columns: Vec<String> =
            serde_json::from_value(schema["required"].take()).map_err(|e| wrong(e.to_string()))?;
        let properties: Map<String, Value> =
            serde_json::from_value(schema["properties"].take()).map_err(|e| wrong(e.to_string()))?;
        if properties.len() != columns.len() || !columns.iter().all(|column| properties.contains_key(column)) {
            return Err(wrong("required and properties do not name the same columns".to_owned()));
        }
        Ok(Self { columns, properties })
    }

    /// Names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What a column means.
    pub fn description(&self, column: &str) -> &str {
        self.properties[column]["description"].as_str().unwrap_or_default()
    }

    /// `string`, `integer` or `number`.
    pub fn kind(&self, column: &str) -> &str {
        self.properties[column]["type"].as_str().unwrap_or("string")
    }

    /// What is wrong with a cell, and what it should be.
    pub fn complaint(&self, column: &str, cell: &str) -> Option<(String, String)> {
        let rule = &self.properties[column];
        let wrong = |should: String| {
            let is = if cell.is_empty() { "is empty".to_owned() } else { format!("is {cell:?}") };
            Some((format!("{column} {is}"), format!("write {should}")))
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Some(values) = rule["enum"].as_array()
            && !values.iter().any(|value| value == cell)
        {
            return wrong(format!("one of {}", values.iter().map(text).collect::<Vec<_>>().join(", ")));
        }
        if cell.chars().count() < rule["minLength"].as_u64().unwrap_or(0) as usize {
            return wrong("something".to_owned());
        }
        if cell.trim() != cell || cell.contains(char::is_control) {
            return wrong("it in one line without spaces around it".to_owned());
        }
        let number = match self.kind(column) {
            "integer" => cell.parse::<u32>().ok().map(f64::from),
            "number" => cell.parse::<f64>().ok().filter(|number| number.is_finite()),
            _ => return None,
        };
        let bound = |name: &str| rule[name].as_f64();
        let (least, most, above) = (bound("minimum"), bound("maximum"), bound("exclusiveMinimum"));
        let fits = number.is_some_and(|n| {
            least.is_none_or(|least| n >= least)
                && most.is_none_or(|most| n <= most)
                && above.is_none_or(|above| n > above)
        });
        if fits {
            return None;
        }
        let bounds = [("of at least", least), ("of at most", most), ("above", above)];
        let bounds: Vec<_> = bounds.iter().filter_map(|(words, bound)| bound.map(|b| format!("{words} {b}"))).collect();
        wrong(format!("a {} {}", self.kind(column), bounds.join(" and ")).trim_end().to_owned())
    }
}
