//! The JSON Schema of the language, made from the tables that check files.

use serde_json::{Map, Value as Json, json};

use super::shape::{Kinds, Shape, Status, Value};
use super::shapes::SCENARIO;

/// The schema that `windtunnel schema` prints, for editors.
pub fn json_schema() -> Json {
    let mut schema = Schema { definitions: Map::new() };
    let root = schema.object(&SCENARIO);
    let mut out = Map::new();
    out.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    out.insert("title".into(), json!("A windtunnel scenario"));
    if let Json::Object(root) = root {
        out.extend(root);
    }
    out.insert("$defs".into(), Json::Object(schema.definitions));
    Json::Object(out)
}

struct Schema {
    definitions: Map<String, Json>,
}

impl Schema {
    fn value(&mut self, value: &Value) -> Json {
        let duration = r"^(0|\$\{.*\}|([0-9]+(\.[0-9]+)?\s*(ns|us|ms|s|m|h|d)\s*)+)$";
        match value {
            Value::Anything => json!({}),
            Value::Text | Value::Name => json!({ "type": ["string", "number", "boolean"] }),
            Value::Condition => json!({ "type": "string", "description": "A condition in CEL.", "minLength": 1 }),
            Value::Bound => json!({ "type": "string", "description": "A bound such as latency.p99 < 300ms." }),
            Value::Duration => json!({ "type": ["string", "integer"], "pattern": duration }),
            Value::Distribution => self.defined("random duration", |_| {
                json!({ "anyOf": [
                    { "type": ["string", "integer"] },
                    { "type": "object", "additionalProperties": false, "properties": {
                        "p50": { "type": "string" }, "p99": { "type": "string" }, "mean": { "type": "string" },
                        "between": { "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 },
                        "empirical": { "type": "string" },
                    } },
                ] })
            }),
            Value::Rate => json!({ "type": "string", "pattern": r"^(\$\{.*\}|[0-9]+(\.[0-9]+)?\s*/\s*(s|m|h|d))$" }),
            Value::Share => json!({ "type": ["string", "number"] }),
            Value::Integer { least, most } => {
                json!({ "type": ["integer", "string"], "minimum": least, "maximum": most })
            }
            Value::Number { least, most } => json!({ "type": ["number", "string"], "minimum": least, "maximum": most }),
            Value::Boolean => json!({ "type": ["boolean", "string"] }),
            Value::Clock => json!({ "type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$" }),
            Value::Moment => json!({ "type": "string", "format": "date-time" }),
            Value::Day => json!({ "type": "string", "format": "date" }),
            Value::OneOf(words) => one_of(words),
            Value::Object(shape) => self.shape(shape),
            Value::Kinds(kinds) => self.kinds(kinds),
            Value::MapOf(of) => {
                let mut value = self.value(&of.value);
                if of.bare {
                    value = json!({ "anyOf": [{ "type": "null" }, value] });
                }
                json!({ "type": "object", "additionalProperties": value, "maxProperties": of.most })
            }
            Value::List(item) => json!({ "type": "array", "items": self.value(item) }),
            Value::ByKind(by_kind) => {
                let forms = [&by_kind.scalar, &by_kind.list, &by_kind.map];
                let forms: Vec<Json> = forms.into_iter().flatten().map(|form| self.value(form)).collect();
                json!({ "anyOf": forms })
            }
        }
    }

    /// A reference to a definition, which is made where it is not there yet.
    fn defined(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.definitions.contains_key(name) {
            // The place is taken first: tables refer to one another in circles.
            self.definitions.insert(name.to_owned(), Json::Null);
            let made = make(self);
            self.definitions.insert(name.to_owned(), made);
        }
        json!({ "$ref": format!("#/$defs/{}", name.replace(' ', "%20")) })
    }

    fn shape(&mut self, shape: &'static Shape) -> Json {
        let keys = shape.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(",");
        // Tables of one name and different keys, such as `a call` with its target and without, are two definitions.
        let name = definition_name(shape, &keys);
        self.defined(&name, |schema| schema.object(shape))
    }

    fn kinds(&mut self, kinds: &'static Kinds) -> Json {
        self.defined(bare(kinds.name), |schema| {
            let mut forms: Vec<Json> = kinds.kinds.iter().map(|shape| schema.kind(shape)).collect();
            if !kinds.words.is_empty() {
                forms.push(one_of(kinds.words));
            }
            json!({ "anyOf": forms })
        })
    }

    fn kind(&mut self, shape: &'static Shape) -> Json {
        let mut object = self.object(shape);
        if let Json::Object(object) = &mut object {
            let required = object.entry("required").or_insert_with(|| json!([]));
            if let Json::Array(required) = required {
                required.insert(0, json!(shape.telling()));
            }
        }
        object
    }

    fn object(&mut self, shape: &'static Shape) -> Json {
        let mut properties = Map::new();
        for key in shape.keys {
            let mut property = match self.value(&key.value) {
                Json::Object(property) => property,
                other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
            };
            let status = match key.status {
                Status::Supported => String::new(),
                Status::Later(_) => " Not supported by this version.".to_owned(),
            };
            let default = if key.default.is_empty() { String::new() } else { format!(" Default: {}.", key.default) };
            property.insert("description".into(), json!(format!("{}{default}{status}", key.doc)));
            properties.insert(key.name.to_owned(), Json::Object(property));
        }
        let required: Vec<&str> = shape.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        let others = shape.others.map_or(json!(false), |value| self.value(value));
        let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": others });
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        object
    }
}

/// Words as YAML may read them: `true` and `1` are no strings to an editor.
fn one_of(words: &[&str]) -> Json {
    let mut values: Vec<Json> = words.iter().map(|word| json!(word)).collect();
    for word in words {
        if let Ok(value @ (Json::Bool(_) | Json::Number(_))) = serde_json::from_str::<Json>(word) {
            values.push(value);
        }
    }
    json!({ "enum": values })
}

fn definition_name(shape: &Shape, keys: &str) -> String {
    match shape.keys.first() {
        Some(first) if shape.name == "a stage" || shape.name == "a behaviour without policy" => {
            format!("{} {}", bare(shape.name), first.name)
        }
        _ if keys.is_empty() => format!("{} by name", bare(shape.name)),
        _ => bare(shape.name).to_owned(),
    }
}

fn bare(name: &str) -> &str {
    name.trim_start_matches("an ").trim_start_matches("a ")
}
