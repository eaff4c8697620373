//! JSON Schema, as much of draft 7 as the schemas in `tests/schemas` use. A keyword that is not known here is a panic:
//! nothing is passed over.

use serde_json::Value;

/// What is wrong with a document, each with its place.
pub fn problems(document: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, schema, "$", &mut found);
    found
}

fn check(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let keywords = schema.as_object().expect("a schema is an object");
    for (keyword, asked) in keywords {
        match keyword.as_str() {
            "description" | "title" | "$schema" | "$id" | "default" | "definitions" => {}
            "$ref" => check(value, referred(asked, root), root, at, found),
            "type" => {
                let kinds = asked.as_array().cloned().unwrap_or_else(|| vec![asked.clone()]);
                if !kinds.iter().any(|kind| is(value, kind.as_str().expect("a word"))) {
                    found.push(format!("{at} is not {asked}"));
                }
            }
            "enum" => {
                if !asked.as_array().expect("a list").contains(value) {
                    found.push(format!("{at} is {value}, none of {asked}"));
                }
            }
            "required" => {
                for key in asked.as_array().expect("a list").iter().map(|key| key.as_str().expect("a word")) {
                    if value.is_object() && value.get(key).is_none() {
                        found.push(format!("{at} has no {key}"));
                    }
                }
            }
            "properties" => {
                for (key, schema) in asked.as_object().expect("an object") {
                    if let Some(value) = value.get(key) {
                        check(value, schema, root, &format!("{at}.{key}"), found);
                    }
                }
            }
            "additionalProperties" => additional(value, schema, asked, root, at, found),
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(value, asked, root, &format!("{at}[{index}]"), found);
                }
            }
            "minItems" => {
                let least = asked.as_u64().expect("a number");
                if value.as_array().is_some_and(|items| (items.len() as u64) < least) {
                    found.push(format!("{at} has fewer than {least} items"));
                }
            }
            "uniqueItems" => {
                let items = value.as_array().into_iter().flatten().collect::<Vec<_>>();
                let twice = |(index, item): (usize, &&Value)| items[..index].contains(item);
                if asked == true && items.iter().enumerate().any(twice) {
                    found.push(format!("{at} has an item twice"));
                }
            }
            "minimum" | "maximum" => {
                let (number, bound) = (value.as_f64(), asked.as_f64().expect("a number"));
                if number.is_some_and(|n| if keyword == "minimum" { n < bound } else { n > bound }) {
                    found.push(format!("{at} is {value}, beyond the {keyword} {bound}"));
                }
            }
            "anyOf" | "oneOf" => {
                let fits = |schema: &&Value| {
                    let mut inner = Vec::new();
                    check(value, schema, root, at, &mut inner);
                    inner.is_empty()
                };
                let fitting = asked.as_array().expect("a list").iter().filter(fits).count();
                if fitting == 0 || (keyword == "oneOf" && fitting > 1) {
                    found.push(format!("{at} fits {fitting} of {keyword}"));
                }
            }
            "format" => {
                let text = value.as_str().unwrap_or_default();
                match asked.as_str().expect("a word") {
                    "uri" if !text.contains(':') => found.push(format!("{at} is no URI: {text}")),
                    "uri" | "uri-reference" if text.contains([' ', '\\', '<', '>', '"']) => {
                        found.push(format!("{at} is no URI: {text}"));
                    }
                    "uri" | "uri-reference" => {}
                    other => panic!("{at}: the format {other} is not known here"),
                }
            }
            other => panic!("{at}: the keyword {other} is not known here"),
        }
    }
}

fn additional(value: &Value, schema: &Value, asked: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let known = |key: &str| schema.get("properties").is_some_and(|properties| properties.get(key).is_some());
    for (key, value) in value.as_object().into_iter().flatten().filter(|(key, _)| !known(key)) {
        match asked {
            Value::Bool(true) => {}
            Value::Bool(false) => found.push(format!("{at} has an unknown {key}")),
            schema => check(value, schema, root, &format!("{at}.{key}"), found),
        }
    }
}

fn referred<'s>(reference: &Value, root: &'s Value) -> &'s Value {
    let pointer = reference.as_str().and_then(|text| text.strip_prefix('#')).expect("a reference within the schema");
    root.pointer(pointer).expect("the reference leads somewhere")
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    }
}
