//! Fields that can hold an empty text, which targets take for a missing value.
//!
//! In: a test, and the kind of its events. Out: whether its value can be an empty text. Each target
//! names the loss `empty` for such a test if it tells an empty text, null and a missing field apart.
//! Sensors hardly write the first two in place of leaving the field out, so that the loss is a note,
//! except where it changes what the rule says of a missing field, or of the only text that it looks for.

use crate::ir::{Op, Part, Test};
use crate::taxonomy::{EventKind, Field, FieldType};

/// Whether a test asks if there is a value: of any type, an empty one is there and a missing one is not
pub(super) fn is_asked(test: &Test) -> bool {
    matches!(test.op, Op::Exists | Op::Null)
}

/// Whether the part of the field that a test looks at can be an empty text
pub(super) fn may_be_empty(events: &EventKind, test: &Test) -> bool {
    let field = &test.subject.field;
    let of_text = match test.subject.part {
        Part::Whole | Part::Name | Part::Extension => *field != Field::EVERY,
        Part::Argument(_) | Part::Key | Part::Time(_) => false,
    };
    is_asked(test) || of_text && events.field_type(field).unwrap_or(FieldType::Any).may_be_empty()
}
