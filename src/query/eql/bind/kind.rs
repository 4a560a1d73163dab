//! What fields are mapped as, and what their values are.
//!
//! In: the name of a mapping type. Out: a [`FieldType`], and the kind of value that conditions see.

/// What an index maps a field as, as far as conditions tell types apart
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// `keyword`
    Keyword,
    /// `constant_keyword`
    ConstantKeyword,
    /// `wildcard`
    Wildcard,
    /// `version`
    Version,
    /// `text` and `match_only_text`
    Text,
    /// Whole numbers
    Long,
    /// Other numbers
    Float,
    /// `boolean`
    Boolean,
    /// `ip`
    Ip,
    /// `date` and `date_nanos`
    Date,
    /// `flattened`
    Flattened,
    /// `nested`
    Nested,
    /// Any other type; no condition takes it
    Other,
}

/// What a value is
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Truth,
    Address,
    Date,
}

impl FieldType {
    /// The type with this name in a mapping
    pub fn named(name: &str) -> FieldType {
        match name {
            "keyword" => FieldType::Keyword,
            "constant_keyword" => FieldType::ConstantKeyword,
            "wildcard" => FieldType::Wildcard,
            "version" => FieldType::Version,
            "text" | "match_only_text" => FieldType::Text,
            "long" | "integer" | "short" | "byte" | "unsigned_long" => FieldType::Long,
            "double" | "float" | "half_float" | "scaled_float" => FieldType::Float,
            "boolean" => FieldType::Boolean,
            "ip" => FieldType::Ip,
            "date" | "date_nanos" => FieldType::Date,
            "flattened" => FieldType::Flattened,
            "nested" => FieldType::Nested,
            _ => FieldType::Other,
        }
    }

    /// What its values are in a condition
    ///
    /// # Errors
    /// Why no condition takes it: a clause that follows the name of the field.
    pub(super) fn kind(self) -> Result<Kind, &'static str> {
        match self {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard => Ok(Kind::Text),
            FieldType::Version => Ok(Kind::Text),
            FieldType::Long | FieldType::Float => Ok(Kind::Number),
            FieldType::Boolean => Ok(Kind::Truth),
            FieldType::Ip => Ok(Kind::Address),
            FieldType::Date => Ok(Kind::Date),
            FieldType::Text => Err("is a text field, whose words are stored and not its value"),
            FieldType::Flattened => Err("is flattened, and has no value of its own"),
            FieldType::Nested => Err("is nested, which EQL does not look into"),
            FieldType::Other => Err("has a type that EQL does not take"),
        }
    }
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Truth => "true or false",
            Kind::Address => "an address",
            Kind::Date => "a date",
        }
    }
}
