//! Reads a configuration by the JSON schema of its type: what fits is kept, the rest becomes problems.
//!
//! The schema that is published is the schema that judges, so documentation and behaviour cannot part.

use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use toml::de::{DeTable, DeValue};

use super::format;
use super::problem::{Problem, closest, position};

/// A type that is read from a file or from an editor's settings.
pub(super) trait Document: DeserializeOwned + JsonSchema + Default {
    /// What to say of a key that is unknown here but means something, if this is one.
    fn misplaced(key: &str) -> Option<&'static str>;
}

/// The JSON schema of a type, without references.
pub(super) fn schema<T: JsonSchema>() -> Value {
    let no_null_defaults = RecursiveTransform(|schema: &mut Schema| {
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
    });
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(no_null_defaults);
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// Reads a TOML file. A syntax error leaves the defaults and one problem without a key.
pub(super) fn toml<T: Document>(file: &str, text: &str) -> (T, Vec<Problem>) {
    let mut reader = Reader::new(file, Some(text), T::misplaced);
    match DeTable::parse(text) {
        Ok(table) => reader.read(&node_of_table(0, table.get_ref())),
        Err(error) => {
            let message = error.message().replace('\n', "; ");
            reader.report(error.span().map_or(0, |span| span.start), "", message);
            (T::default(), reader.problems)
        }
    }
}

/// Reads an editor's settings. A `null` is a setting that is not set.
pub(super) fn json<T: Document>(file: &str, value: &Value) -> (T, Vec<Problem>) {
    Reader::new(file, None, T::misplaced).read(&node_of_json(value))
}

/// A value and the byte offset it starts at; for the value of a key, that of the key.
struct Node<'a> {
    at: usize,
    data: Data<'a>,
}

enum Data<'a> {
    Table(Vec<(&'a str, Node<'a>)>),
    Array(Vec<Node<'a>>),
    Leaf(Value),
    /// A day without quotes, as it is written.
    Day(String),
    /// What neither JSON nor any of our keys has, by its name.
    Foreign(&'static str),
}

struct Reader<'a> {
    file: &'a str,
    text: Option<&'a str>,
    misplaced: fn(&str) -> Option<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn new(
        file: &'a str,
        text: Option<&'a str>,
        misplaced: fn(&str) -> Option<&'static str>,
    ) -> Reader<'a> {
        Reader {
            file,
            text,
            misplaced,
            problems: Vec::new(),
        }
    }

    fn read<T: Document>(mut self, root: &Node<'_>) -> (T, Vec<Problem>) {
        let fitting = self
            .fit("", &schema::<T>(), root)
            .unwrap_or_else(|| json!({}));
        let read = serde_json::from_value(fitting).unwrap_or_else(|error| {
            debug_assert!(false, "what fits the schema does not fit the type: {error}");
            self.report(0, "", "cannot be read".to_owned());
            T::default()
        });
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        (read, self.problems)
    }

    fn report(&mut self, at: usize, key: &str, message: String) {
        let (line, column) = self.text.map_or((0, 0), |text| position(text, at));
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            column,
            key: key.to_owned(),
            message,
        });
    }

    /// What of `node` fits `schema`.
    fn fit(&mut self, key: &str, schema: &Value, node: &Node<'_>) -> Option<Value> {
        let fitting = match &node.data {
            Data::Table(entries) if accepts(schema, "object") => {
                self.fit_table(key, schema, node.at, entries)?
            }
            Data::Array(items) if accepts(schema, "array") => {
                let known = items.len();
                let item = &schema["items"];
                let fitting: Vec<Value> = (items.iter().enumerate())
                    .filter_map(|(at, node)| self.fit(&format!("{key}[{at}]"), item, node))
                    .collect();
                // A list without its wrong item would mean something else.
                (fitting.len() == known).then_some(Value::Array(fitting))?
            }
            Data::Leaf(value) if accepts(schema, type_of(value)) => value.clone(),
            Data::Day(day) if schema["format"].as_str() == Some(format::DATE) => {
                Value::from(day.as_str())
            }
            other => {
                self.report(
                    node.at,
                    key,
                    format!("{}, not {}", expected(schema), name_of(other)),
                );
                return None;
            }
        };
        match violation(schema, &fitting) {
            Some(message) => {
                self.report(node.at, key, message);
                None
            }
            None => Some(fitting),
        }
    }

    fn fit_table(
        &mut self,
        key: &str,
        schema: &Value,
        at: usize,
        entries: &[(&str, Node<'_>)],
    ) -> Option<Value> {
        let mut fitting = Map::new();
        for (name, node) in entries {
            if matches!(node.data, Data::Leaf(Value::Null)) {
                continue;
            }
            let inner = joined(key, name);
            let known = schema["properties"].get(name).or_else(|| {
                let any = schema
                    .get("additionalProperties")
                    .filter(|any| any.is_object());
                any.filter(|_| {
                    names(&schema["propertyNames"]).is_none_or(|names| names.contains(name))
                })
            });
            match known {
                Some(known) => {
                    if let Some(value) = self.fit(&inner, known, node) {
                        fitting.insert((*name).to_owned(), value);
                    }
                }
                None if wanted(schema).is_none() => {
                    if let Some(value) = self.fit(&inner, &Value::Bool(true), node) {
                        fitting.insert((*name).to_owned(), value);
                    }
                }
                None => {
                    let message = match (self.misplaced)(&inner) {
                        Some(message) => message.to_owned(),
                        None => unknown(name, schema),
                    };
                    self.report(node.at, &inner, message);
                }
            }
        }
        for missing in strings(&schema["required"]) {
            if !entries.iter().any(|(name, _)| *name == missing) {
                self.report(at, key, format!("needs the key {missing}"));
                return None;
            }
        }
        let both = strings(&schema["not"]["required"]);
        if !both.is_empty() && both.iter().all(|name| fitting.contains_key(*name)) {
            self.report(
                at,
                key,
                format!("give one of {}, not both", both.join(" and ")),
            );
            fitting.retain(|name, _| !both.contains(&name.as_str()));
        }
        Some(Value::Object(fitting))
    }
}

/// The one type that the schema wants; `None` if it accepts anything.
fn wanted(schema: &Value) -> Option<&str> {
    schema["type"]
        .as_str()
        .or_else(|| names(schema).map(|_| "string"))
}

fn accepts(schema: &Value, kind: &str) -> bool {
    wanted(schema).is_none_or(|wanted| wanted == kind)
}

/// What is wrong with a value of the right type.
fn violation(schema: &Value, value: &Value) -> Option<String> {
    let choices = names(schema).filter(|_| value.is_string());
    if let Some(choices) = choices.filter(|choices| !choices.iter().any(|choice| value == choice)) {
        return Some(format!(
            "unknown value; valid values: {}",
            choices.join(", ")
        ));
    }
    let number = value.as_i64();
    for (bound, word) in [("minimum", "least"), ("maximum", "most")] {
        if let (Some(number), Some(limit)) = (number, schema[bound].as_i64()) {
            let outside = if bound == "minimum" {
                number < limit
            } else {
                number > limit
            };
            if outside {
                return Some(format!("must be at {word} {limit}"));
            }
        }
    }
    if let (Some(text), Some(longest)) = (value.as_str(), schema["maxLength"].as_u64())
        && text.chars().count() as u64 > longest
    {
        return Some(format!("must be at most {longest} characters long"));
    }
    format::check(schema["format"].as_str().unwrap_or(""), value).err()
}

/// What the schema wants, as the start of a message.
fn expected(schema: &Value) -> String {
    let what = match (schema["format"].as_str(), wanted(schema)) {
        (Some(format::DOLLARS), _) => "an amount in quotes, such as \"$0.50\"",
        (Some(format::DATE), _) => "a day, such as 2027-03-01",
        (_, Some("object")) => "a table",
        (_, Some("array")) => "a list",
        (_, Some("string")) => "a text in quotes",
        (_, Some("integer")) => "a whole number",
        (_, Some("boolean")) => "true or false",
        _ => "another type",
    };
    format!("must be {what}")
}

fn unknown(name: &str, schema: &Value) -> String {
    let mut valid: Vec<&str> = names(&schema["propertyNames"]).unwrap_or_default();
    valid.extend(
        schema["properties"]
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str),
    );
    let meant =
        closest(name, &valid).map_or(String::new(), |near| format!("; did you mean {near}?"));
    let list = valid.join(", ");
    format!(
        "unknown key{meant}{} valid keys: {list}",
        if meant.is_empty() { ";" } else { "" }
    )
}

/// The texts that the schema lists, if it lists any.
fn names(schema: &Value) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum") {
        return Some(strings(list));
    }
    let choices = schema.get("oneOf")?.as_array()?;
    Some(
        choices
            .iter()
            .filter_map(|choice| choice["const"].as_str())
            .collect(),
    )
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// `table.name`, with quotes where TOML needs them.
fn joined(table: &str, name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let name = if bare {
        name.to_owned()
    } else {
        format!("{name:?}")
    };
    if table.is_empty() {
        name
    } else {
        format!("{table}.{name}")
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn name_of(data: &Data<'_>) -> &'static str {
    match data {
        Data::Table(_) => "a table",
        Data::Array(_) => "a list",
        Data::Day(_) => "a date",
        Data::Foreign(name) => name,
        Data::Leaf(value) => match type_of(value) {
            "boolean" => "true or false",
            "integer" => "a bare number",
            "number" => "a fraction",
            _ => "a text",
        },
    }
}

fn node_of_table<'a>(at: usize, table: &'a DeTable<'_>) -> Node<'a> {
    let entries = table.iter().map(|(key, value)| {
        (
            key.get_ref().as_ref(),
            node_of(key.span().start, value.get_ref()),
        )
    });
    Node {
        at,
        data: Data::Table(entries.collect()),
    }
}

fn node_of<'a>(at: usize, value: &'a DeValue<'_>) -> Node<'a> {
    let data = match value {
        DeValue::Table(table) => return node_of_table(at, table),
        DeValue::Array(items) => Data::Array(
            items
                .iter()
                .map(|item| node_of(item.span().start, item.get_ref()))
                .collect(),
        ),
        DeValue::String(text) => Data::Leaf(Value::from(text.as_ref())),
        DeValue::Boolean(value) => Data::Leaf(Value::from(*value)),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Data::Leaf(Value::from(number)),
            Err(_) => Data::Foreign("a number beyond 64 bits"),
        },
        DeValue::Float(_) => Data::Foreign("a fraction"),
        DeValue::Datetime(day) => Data::Day(day.to_string()),
    };
    Node { at, data }
}

fn node_of_json(value: &Value) -> Node<'_> {
    let data = match value {
        Value::Object(entries) => Data::Table(
            entries
                .iter()
                .map(|(key, value)| (key.as_str(), node_of_json(value)))
                .collect(),
        ),
        Value::Array(items) => Data::Array(items.iter().map(node_of_json).collect()),
        leaf => Data::Leaf(leaf.clone()),
    };
    Node { at: 0, data }
}
