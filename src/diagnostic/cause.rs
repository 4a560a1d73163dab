//! What a refusal is about, for programs that count refusals.
//!
//! In: the name of a field, a log source, a setting. Out: a [`Cause`], which is equal for equal
//! refusals of different rules. The message of the finding says the same in words, with the names
//! of the rule; nobody reads a cause out of a message.

use std::fmt;

/// What a target cannot say of a rule
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The target has no place for the field with this name
    Field(String),
    /// The target has no form for a comparison of this field
    Operator {
        /// The comparison, as Sigma's modifiers call it
        operator: &'static str,
        /// The name of the field
        field: String,
    },
    /// The target has no word for a value of this field
    Value {
        /// The value
        value: String,
        /// The name of the field
        field: String,
    },
    /// The target has no form for keywords
    Keywords,
    /// The target has no place for the events with this name
    LogSource(String),
    /// The loss of this name is denied
    Loss(&'static str),
    /// The target has no form for the correlation
    Correlation,
    /// The target has no form for the new terms
    NewTerms,
    /// A window does not fit the schedule
    Schedule,
    /// The setting of this name cannot be taken
    Setting(String),
    /// The file would be too long or could not be read, or another rule writes it
    File,
}

impl Cause {
    /// Its kind, the same word for every name
    pub fn kind(&self) -> &'static str {
        match self {
            Cause::Field(_) => "field",
            Cause::Operator { .. } => "operator",
            Cause::Value { .. } => "value",
            Cause::Keywords => "keywords",
            Cause::LogSource(_) => "log_source",
            Cause::Loss(_) => "loss",
            Cause::Correlation => "correlation",
            Cause::NewTerms => "new_terms",
            Cause::Schedule => "schedule",
            Cause::Setting(_) => "setting",
            Cause::File => "file",
        }
    }

    /// The field, operator, value, log source, loss or setting
    pub fn name(&self) -> Option<&str> {
        match self {
            Cause::Field(name) | Cause::LogSource(name) | Cause::Setting(name) => Some(name),
            Cause::Operator { operator: name, .. } | Cause::Loss(name) => Some(name),
            Cause::Value { value, .. } => Some(value),
            Cause::Keywords
            | Cause::Correlation
            | Cause::NewTerms
            | Cause::Schedule
            | Cause::File => None,
        }
    }

    /// The field that is missing or compared
    pub fn field(&self) -> Option<&str> {
        match self {
            Cause::Field(field) | Cause::Operator { field, .. } | Cause::Value { field, .. } => {
                Some(field)
            }
            Cause::Keywords
            | Cause::LogSource(_)
            | Cause::Loss(_)
            | Cause::Correlation
            | Cause::NewTerms
            | Cause::Schedule
            | Cause::Setting(_)
            | Cause::File => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Field(name) => write!(f, "no field {name}"),
            Cause::Operator { operator, field } => write!(f, "operator {operator} on {field}"),
            Cause::Value { value, field } => write!(f, "no value {value} of {field}"),
            Cause::Keywords => f.write_str("keywords"),
            Cause::LogSource(name) => write!(f, "no log source {name}"),
            Cause::Loss(name) => write!(f, "loss {name}"),
            Cause::Correlation => f.write_str("correlation"),
            Cause::NewTerms => f.write_str("new terms"),
            Cause::Schedule => f.write_str("schedule"),
            Cause::Setting(name) => write!(f, "setting {name}"),
            Cause::File => f.write_str("file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_a_kind_for_programs_and_words_for_people() {
        let operator = Cause::Operator { operator: "re", field: "CommandLine".to_owned() };
        let of = |cause: &Cause| {
            let own = |part: Option<&str>| part.map(ToOwned::to_owned);
            (cause.kind(), own(cause.name()), own(cause.field()), cause.to_string())
        };
        let (kind, name, field, words) = of(&operator);
        assert_eq!((kind, name.as_deref()), ("operator", Some("re")));
        assert_eq!(field.as_deref(), Some("CommandLine"));
        assert_eq!(words, "operator re on CommandLine");
        let (kind, name, field, words) = of(&Cause::Schedule);
        assert_eq!((kind, name, field, words.as_str()), ("schedule", None, None, "schedule"));
    }
}
