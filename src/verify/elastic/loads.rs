//! What the loader of Elastic's rules refuses.
//!
//! In: a query, and the types of its fields. Out: what detection-rules says to it when it loads the
//! rule, beside what Kibana and Elasticsearch refuse. Elastic's own rules all pass it, and so does a rule
//! that a team keeps in a repository of theirs.
//!
//! Source: detection-rules' reader of Kibana's language (`lib/kql`, "Unable to perform wildcard on
//! field") and its check of EQL against the schemas of integrations, both run on our output.

use super::fields::{Known, Type};
use crate::query::eql::{self, Eql, FieldType};
use crate::query::kuery::{Kuery, Literal, Values};

/// What the loader says to a query in EQL, as clauses without a period
pub(super) fn eql(query: &Eql, types: &dyn Fn(&str) -> Option<Type>) -> Vec<String> {
    let types = |name: &str| types(name).map(of_type);
    eql::bind(query, &types).into_iter().map(|finding| finding.message).collect()
}

fn of_type(kind: Type) -> FieldType {
    match kind {
        Type::Keyword | Type::Lowercase => FieldType::Keyword,
        Type::Wildcard => FieldType::Wildcard,
        Type::Text => FieldType::Text,
        Type::Long => FieldType::Long,
        Type::Ip => FieldType::Ip,
        Type::Date => FieldType::Date,
        Type::Boolean => FieldType::Boolean,
    }
}

/// What the loader says to a query in Kibana's language, as clauses without a period
pub(super) fn kuery(query: &Kuery, known: &Known) -> Vec<String> {
    match query {
        Kuery::And(parts) | Kuery::Or(parts) => {
            parts.iter().flat_map(|part| kuery(part, known)).collect()
        }
        Kuery::Not(part) => kuery(part, known),
        Kuery::Field(name, values) => {
            let field = name.as_literal().and_then(|name| known.named(name).ok());
            let takes = field.is_none_or(|field| {
                matches!(field.kind, Type::Keyword | Type::Lowercase | Type::Wildcard)
            });
            match takes {
                true => Vec::new(),
                false => wildcards(values).into_iter().map(|value| refused(name, &value)).collect(),
            }
        }
        Kuery::Nested(..) => vec!["nested documents are refused".to_owned()],
        Kuery::Range(..) | Kuery::Anywhere(_) => Vec::new(),
    }
}

fn refused(name: &impl ToString, value: &str) -> String {
    let name = name.to_string();
    format!("Elastic's loader takes no wildcard on {name}, which is no keyword: `{value}`")
}

/// The values with a wildcard among others; one that asks for any value is none
fn wildcards(values: &Values) -> Vec<String> {
    match values {
        Values::One(Literal::Plain(pattern)) => {
            let open = pattern.as_literal().is_none() && !pattern.is_anything();
            open.then(|| pattern.to_string()).into_iter().collect()
        }
        Values::One(Literal::Quoted(_)) => Vec::new(),
        Values::Any(parts) | Values::All(parts) => parts.iter().flat_map(wildcards).collect(),
        Values::Not(part) => wildcards(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::kuery::parse;

    #[test]
    fn a_wildcard_stands_on_keywords_only() {
        let said = |text: &str| kuery(&parse(text).unwrap(), &Known::default());
        for taken in [
            "process.name:a*",
            "process.name.text:*",
            "process.name.text:(\"a\" or b)",
            "url.path:/a*",
        ] {
            assert_eq!(said(taken), [""; 0], "{taken}");
        }
        assert_eq!(
            said("process.name:a and not process.name.text:(b or c*)"),
            ["Elastic's loader takes no wildcard on process.name.text, which is no keyword: `c*`"]
        );
        assert_eq!(said("source.ip:10.* and process.pid:8*").len(), 2);
    }

    #[test]
    fn a_query_of_events_names_fields_that_are_there() {
        let types = |name: &str| Known::default().named(name).ok().map(|field| field.kind);
        let said = |text: &str| eql(&eql::parse(text).unwrap(), &types).len();
        assert_eq!(
            said(r#"process where process.name : "a*" and cidrMatch(source.ip, "::/8")"#),
            0
        );
        assert_eq!(said(r#"process where process.name.text : "a""#), 1);
        assert_eq!(said(r#"process where process.nam : "a" and ?process.nam2 : "b""#), 1);
        assert_eq!(said(r#"process where process.pid : "a" or source.ip in ("::1")"#), 2);
    }
}
