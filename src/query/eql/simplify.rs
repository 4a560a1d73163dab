//! The same condition, said shorter.
//!
//! In: a [`Condition`]. Out: one for the same events. What another part of a list already says about
//! the presence of a field is left out (`f != null and f : "a"`), a choice between parts with the same
//! rest says the rest once, and alternatives over one field are one list in the order of the alphabet.
//!
//! A field that an index may not map is left alone: without a mapping it is the constant null, of which
//! a negation says something else.

use super::list::merged;
use super::tree::{Comparison, Condition, FieldName, Value};

/// Whether a field is known to be there, or not to be
type Fact = (FieldName, bool);

impl Condition {
    /// The same condition, said shorter
    pub fn simplified(self) -> Condition {
        under(self, &[])
    }
}

/// The condition where these facts hold
fn under(condition: Condition, facts: &[Fact]) -> Condition {
    if let Some((field, there)) = presence(&condition) {
        let known = facts.iter().find(|(known, _)| *known == field);
        return known.map_or(condition, |(_, known)| truth(*known == there));
    }
    match condition {
        Condition::All(parts) => all(parts, facts),
        Condition::Any(parts) => any(parts, facts),
        Condition::Not(part) => negated(under(*part, facts)),
        Condition::Noted(text, part) => Condition::Noted(text, Box::new(under(*part, facts))),
        Condition::Matches(value, way, mut patterns) => {
            patterns.sort_by_cached_key(|pattern| pattern.to_lowercase());
            Condition::Matches(value, way, patterns)
        }
        leaf @ (Condition::Truth(_) | Condition::Compare(..) | Condition::In { .. }) => leaf,
    }
}

fn negated(part: Condition) -> Condition {
    if let Condition::Truth(Value::Truth(holds)) = part {
        return truth(!holds);
    }
    match presence(&part) {
        Some((field, true)) => Condition::missing(Value::Field(field)),
        Some((field, false)) => Condition::there(Value::Field(field)),
        None => Condition::none(part),
    }
}

fn all(parts: Vec<Condition>, facts: &[Fact]) -> Condition {
    let own: Vec<Fact> = parts.iter().filter_map(presence).collect();
    let within: Vec<Fact> = facts.iter().chain(&own).cloned().collect();
    let simpler = |part: Condition| match presence(&part) {
        Some(_) => under(part, facts),
        None => under(part, &within),
    };
    let parts = Condition::all(parts.into_iter().map(simpler).collect());
    let Condition::All(mut parts) = parts else { return parts };
    let implied: Vec<bool> = parts
        .iter()
        .map(|part| match presence(part) {
            Some((field, there)) => there && parts.iter().any(|other| needs(other, &field)),
            None => is(part, true),
        })
        .collect();
    let mut implied = implied.into_iter();
    parts.retain(|_| implied.next() == Some(false));
    match parts.iter().any(|part| is(part, false)) {
        true => truth(false),
        false if parts.is_empty() => truth(true),
        false => Condition::all(parts),
    }
}

fn any(parts: Vec<Condition>, facts: &[Fact]) -> Condition {
    let parts = parts.into_iter().map(|part| under(part, facts));
    let parts: Vec<Condition> = parts.filter(|part| !is(part, false)).collect();
    match parts.iter().any(|part| is(part, true)) {
        true => truth(true),
        false if parts.is_empty() => truth(false),
        false => Condition::any(merged(with_rest_once(parts))),
    }
}

/// Parts that differ in their first part only become one part with a choice
fn with_rest_once(parts: Vec<Condition>) -> Vec<Condition> {
    let mut groups: Vec<(Vec<Condition>, Vec<Condition>)> = Vec::new();
    for part in parts {
        let mut first = if let Condition::All(parts) = part { parts } else { vec![part] };
        let rest = if first.len() > 1 { first.split_off(1) } else { Vec::new() };
        match groups.iter_mut().find(|(_, known)| !rest.is_empty() && *known == rest) {
            Some((choices, _)) => choices.extend(first),
            None => groups.push((first, rest)),
        }
    }
    let joined = |(choices, rest): (Vec<Condition>, Vec<Condition>)| {
        let choice = Condition::any(merged(choices));
        Condition::all(std::iter::once(choice).chain(rest).collect())
    };
    groups.into_iter().map(joined).collect()
}

fn truth(truth: bool) -> Condition {
    Condition::Truth(Value::Truth(truth))
}

fn is(condition: &Condition, wanted: bool) -> bool {
    *condition == truth(wanted)
}

/// The field whose presence a condition tells, and whether it asks for it
fn presence(condition: &Condition) -> Option<Fact> {
    let Condition::Compare(Value::Field(field), comparison, Value::Null) = condition else {
        return None;
    };
    let there = *comparison == Comparison::NotEqual;
    let tells = there || *comparison == Comparison::Equal;
    (tells && !field.optional).then(|| (field.clone(), there))
}

/// Whether a condition holds only where the field is there
fn needs(condition: &Condition, field: &FieldName) -> bool {
    let is_field = |value: &Value| value.as_field() == Some(field);
    match condition {
        Condition::All(parts) => parts.iter().any(|part| needs(part, field)),
        Condition::Any(parts) => !parts.is_empty() && parts.iter().all(|part| needs(part, field)),
        Condition::Noted(_, part) => needs(part, field),
        Condition::Matches(value, ..) | Condition::In { value, .. } => is_field(value),
        Condition::Truth(Value::Call { arguments, .. }) => arguments.iter().any(is_field),
        Condition::Compare(value, comparison, constant) => {
            is_field(value) && *comparison != Comparison::NotEqual && *constant != Value::Null
        }
        Condition::Not(_) | Condition::Truth(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::query::eql::{Eql, EventQuery, parse};

    fn simplified(text: &str) -> String {
        let Ok(Eql::Event(EventQuery { category, condition })) = parse(text) else {
            panic!("{text}")
        };
        let condition = condition.simplified();
        let text = Eql::Event(EventQuery { category, condition }).to_string();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn presence_is_said_once() {
        let same = |text: &str, short: &str| assert_eq!(simplified(text), short);
        same(r#"any where a != null and a : "x""#, r#"any where a : "x""#);
        same(r#"any where a != null and not a : "x""#, r#"any where a != null and not a : "x""#);
        let (twice, once) =
            ("not (a != null and not cidrMatch(a, \"::/8\"))", "cidrMatch(a, \"::/8\")");
        same(&format!("any where a != null and {twice}"), &format!("any where {once}"));
        same(
            r#"any where b == null and (a : "x" or a : "y" and b == null)"#,
            r#"any where b == null and a : ("x", "y")"#,
        );
        same(
            r#"any where a == null and (a != null or b : "x")"#,
            r#"any where a == null and b : "x""#,
        );
        same("any where not a != null", "any where a == null");
        same(r#"any where a == null and a : "x""#, r#"any where a == null and a : "x""#);
    }

    #[test]
    fn the_same_rest_is_said_once() {
        let long = r#"any where a : "x" and b == null or a : "y" and b == null or a : "z""#;
        let short = r#"any where (a : ("x", "y") and b == null) or a : "z""#;
        assert_eq!(simplified(long), short);
    }

    #[test]
    fn a_field_without_a_mapping_says_what_it_said() {
        for text in [
            r#"any where ?a != null and ?a : "x""#,
            r#"any where not (?a != null and ?a : "x")"#,
            r#"any where ?a == null or not ?a : "x""#,
        ] {
            assert_eq!(simplified(text), text);
        }
    }
}
