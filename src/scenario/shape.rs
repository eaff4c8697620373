//! The shape of a scenario file, as tables: which keys there are, what may stand at each, what is required.
//!
//! The tables ([`super::shapes`]) check files, and the JSON Schema is made from them, so that the two cannot differ.
//! What is known here is the shape of a text (a duration, a share); whether a name exists is not.

mod walk;

pub use walk::check;

/// What may stand at a key.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// A text that is not empty.
    Text,
    /// The name of something, defined here or elsewhere.
    Name,
    /// A condition in the CEL subset; its meaning is checked where its names are known.
    Condition,
    /// `latency.p99 < 300ms`
    Bound,
    Duration,
    /// A duration, fixed or random.
    Distribution,
    Rate,
    Share,
    Integer {
        least: u64,
        most: u64,
    },
    Number {
        least: f64,
        most: f64,
    },
    Boolean,
    Clock,
    Moment,
    Day,
    OneOf(&'static [&'static str]),
    /// A map with these keys.
    Object(&'static Shape),
    /// A map whose first telling key says what it is.
    Kinds(&'static Kinds),
    /// A map from names to values of one shape.
    MapOf(&'static MapOf),
    List(&'static Value),
    /// The documented shorthand of a map, or a list in place of it.
    ByKind(&'static ByKind),
    /// Whatever: checked elsewhere.
    Anything,
}

/// An object of the language.
#[derive(Debug)]
pub struct Shape {
    /// With its article: `a service`.
    pub name: &'static str,
    pub keys: &'static [Key],
    /// What may stand at keys that are not in the table, which are names then.
    pub others: Option<&'static Value>,
    /// Of these keys exactly one must be given; empty: no such rule.
    pub exactly_one: &'static [&'static str],
}

/// A key of an object.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub value: Value,
    pub required: bool,
    /// One sentence, for the schema and for editors.
    pub doc: &'static str,
    /// The default as a file would write it; empty: none.
    pub default: &'static str,
    pub status: Status,
}

/// Whether this version does what the key asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Supported,
    /// Read and checked, but refused: completes "this version of windtunnel does not support … yet".
    Later(&'static str),
}

/// Objects told apart by a key that only one of them has.
#[derive(Debug)]
pub struct Kinds {
    /// With its article: `an action`.
    pub name: &'static str,
    /// The first key of each tells it.
    pub kinds: &'static [&'static Shape],
    /// Scalars that stand for a whole object.
    pub words: &'static [&'static str],
}

/// Named things of one shape.
#[derive(Debug)]
pub struct MapOf {
    /// What is named, without article: `service`.
    pub what: &'static str,
    pub value: Value,
    /// At most so many of them.
    pub most: usize,
    /// Whether a name may be written without a value.
    pub bare: bool,
}

/// What may stand at a key, by the kind of the node.
#[derive(Debug)]
pub struct ByKind {
    pub scalar: Option<Value>,
    pub list: Option<Value>,
    pub map: Option<Value>,
}

pub const fn key(name: &'static str, value: Value, doc: &'static str) -> Key {
    Key { name, value, required: false, doc, default: "", status: Status::Supported }
}

impl Key {
    pub const fn required(mut self) -> Key {
        self.required = true;
        self
    }

    pub const fn default(mut self, default: super::defaults::Default) -> Key {
        self.default = default.text;
        self
    }

    pub const fn or(mut self, default: &'static str) -> Key {
        self.default = default;
        self
    }

    /// `what` completes "this version of windtunnel does not support … yet".
    pub const fn later(mut self, what: &'static str) -> Key {
        self.status = Status::Later(what);
        self
    }
}

impl Shape {
    pub const fn new(name: &'static str, keys: &'static [Key]) -> Shape {
        Shape { name, keys, others: None, exactly_one: &[] }
    }

    pub const fn others(mut self, others: &'static Value) -> Shape {
        self.others = Some(others);
        self
    }

    pub const fn exactly_one(mut self, keys: &'static [&'static str]) -> Shape {
        self.exactly_one = keys;
        self
    }

    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The key that tells this object from others of its [`Kinds`].
    pub fn telling(&self) -> &'static str {
        self.keys.first().map_or("", |key| key.name)
    }
}

/// A whole number within bounds.
pub const fn integer(least: u64, most: u64) -> Value {
    Value::Integer { least, most }
}
