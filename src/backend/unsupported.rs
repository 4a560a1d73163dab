//! Refuses the rule parts that targets cannot express yet.
//!
//! In: a rule and a target. Out: a refusal for each part that only the engine can judge: parts of a
//! date, comparisons of two fields other than equality. Afterwards no backend meets such a part.

use super::{Session, Target, compared};
use crate::diagnostic::Cause;
use crate::ir::{Case, CorrelationTest, Op, Part, Relation, Rule, Test};
use crate::taxonomy::{Field, FieldType};

const HELP: &str = "`rulecast scan` and `rulecast test` judge the rule as it is.";

/// Refuses each unsupported part; true when it found any
pub(super) fn refuse(target: Target, rule: &Rule, session: &mut Session<'_>) -> bool {
    let mut refused = false;
    let mut beyond = |cause, span, message: String, label: &str| {
        refused = true;
        session.refuse(cause, span, message, label, HELP);
    };
    let siem = target != Target::Native;
    for signal in &rule.signals {
        for test in signal.tests() {
            if let Some((message, label)) = untold(target, test) {
                beyond(compared(test), test.span, message, label);
            }
        }
    }
    for one in rule.correlations.iter().filter(|_| siem) {
        let what = match &one.test {
            CorrelationTest::Numbers(measure, ..) => format!("the {measure} of a field"),
            CorrelationTest::Origins(_) => "some of several signals".to_owned(),
            CorrelationTest::Together
            | CorrelationTest::InOrder
            | CorrelationTest::Events(_)
            | CorrelationTest::Values(..) => continue,
        };
        let message = format!("{} has no form for a correlation over {what}", target.name());
        beyond(Cause::Correlation, one.span, message, "no exact form");
    }
    refused
}

fn untold(target: Target, test: &Test) -> Option<(String, &'static str)> {
    let field = &test.subject.field;
    if *field == Field::EVERY && (target == Target::Native || test.op.as_text().is_none()) {
        return Some(("a keyword without a field".to_owned(), "looks at the whole event"));
    }
    if let Part::Time(_) = test.subject.part {
        return Some((format!("a part of the date in {field}"), "no exact form"));
    }
    let siem = target != Target::Native;
    match &test.op {
        Op::Same(relation, _, case)
            if (*relation, *case) != (Relation::Equals, Case::Insensitive) =>
        {
            let message = "a field inside another, or equal with its case".to_owned();
            Some((message, "only equality has a form"))
        }
        Op::Text(..) | Op::Regex(_) if siem && field.kind() == FieldType::Number => {
            Some((format!("{field} as text"), "the target holds a number there"))
        }
        Op::Text(..)
        | Op::Regex(_)
        | Op::Segments(_)
        | Op::Networks(_)
        | Op::Public
        | Op::Numbers(_)
        | Op::Exists
        | Op::Null
        | Op::Same(..) => None,
    }
}
