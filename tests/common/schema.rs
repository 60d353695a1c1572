//! The subset of JSON Schema (draft 2020-12) that the published schemas use. An unknown keyword is an error.

use serde_json::Value;

/// Returns the violations in `value`, each with its position.
pub fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_kind(value: &Value, wanted: &Value) -> bool {
    let is = |wanted: &Value| wanted == kind(value) || (wanted == "number" && kind(value) == "integer");
    wanted.as_array().map_or_else(|| is(wanted), |any| any.iter().any(is))
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(allows) = schema.as_bool() {
        found.extend((!allows).then(|| format!("{at}: nothing is allowed here")));
        return;
    }
    let mut wrong = |is_wrong: bool, what: String| {
        if is_wrong {
            found.push(format!("{at}: {what}"));
        }
    };
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let length = value.as_array().map_or(0, Vec::len) as f64;
        let number = value.as_f64().unwrap_or_default();
        let bound = rule.as_f64().unwrap_or_default();
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => {}
            "type" => wrong(!is_kind(value, rule), format!("{} is not {rule}", kind(value))),
            "enum" => wrong(!rule.as_array().expect("a list").contains(value), format!("{value} is not one of {rule}")),
            "const" => wrong(value != rule, format!("{value} is not {rule}")),
            "minimum" => wrong(value.is_number() && number < bound, format!("{number} is under {bound}")),
            "maximum" => wrong(value.is_number() && number > bound, format!("{number} is over {bound}")),
            "minItems" => wrong(value.is_array() && length < bound, format!("{length} items")),
            "maxItems" => wrong(value.is_array() && length > bound, format!("{length} items")),
            "required" => {
                for name in rule.as_array().expect("a list") {
                    let name = name.as_str().expect("a name");
                    wrong(value.is_object() && value.get(name).is_none(), format!("{name} is missing"));
                }
            }
            "additionalProperties" => {
                for name in value.as_object().into_iter().flat_map(|object| object.keys()) {
                    let is_known = schema["properties"].get(name).is_some();
                    wrong(!is_known && rule == &Value::Bool(false), format!("{name} is unknown"));
                }
            }
            "properties" | "items" | "prefixItems" | "$ref" | "anyOf" | "oneOf" | "allOf" => {}
            unknown => panic!("keyword {unknown} is not known to this test"),
        }
    }
    if let Some(name) = schema["$ref"].as_str() {
        check(root, &root["$defs"][name.trim_start_matches("#/$defs/")], value, at, found);
    }
    let each = |schemas: &Vec<Value>| -> Vec<Vec<String>> {
        schemas.iter().map(|schema| violations_at(root, schema, value, at)).collect()
    };
    for keyword in ["anyOf", "oneOf"] {
        if let Some(each) = schema[keyword].as_array().map(each)
            && !each.iter().any(Vec::is_empty)
        {
            found.extend(each.into_iter().flatten());
        }
    }
    found.extend(schema["allOf"].as_array().map(each).into_iter().flatten().flatten());
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            check(root, schema, value, &format!("{at}/{name}"), found);
        }
    }
    let values = value.as_array().map_or(&[][..], Vec::as_slice);
    let first = schema["prefixItems"].as_array().map_or(&[][..], Vec::as_slice);
    for (n, (schema, value)) in first.iter().zip(values).enumerate() {
        check(root, schema, value, &format!("{at}/{n}"), found);
    }
    if let Some(schema) = schema.get("items") {
        for (n, value) in values.iter().enumerate().skip(first.len()) {
            check(root, schema, value, &format!("{at}/{n}"), found);
        }
    }
}

fn violations_at(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    check(root, schema, value, at, &mut found);
    found
}
