//! Values that Elastic's pipelines leave out of a document.
//!
//! In: a test and the index field that it looks at. Out: a loss where the test can tell a value that is left
//! out from a missing one. Sensors hardly write an empty text or null in place of no value, so that the
//! loss is a note, except where a rule looks for just such a text.
//!
//! Source: the pipelines of the Sysmon and Windows integrations, and recorded events with the documents
//! made from them.

use crate::backend::{Session, presence};
use crate::ir::{Op, Part, Test};
use crate::manifest::{Direction, LossName};
use crate::mapping::{FieldKind, IndexField, Stream, Words};
use crate::taxonomy::{FOLDERLESS, FieldType};

/// The texts that pipelines take for a missing value; sensors write the last two for no value
const NOTHING: &[&str] = &["", "-", "{00000000-0000-0000-0000-000000000000}"];

/// Why Elastic cannot say what a rule says of such a text
const EMPTY: &str = "Elastic's pipelines drop empty values and `-`, and no index holds null";

/// Notes what a test can see of values that no document has
pub(super) fn note(stream: &Stream, ecs: &IndexField, test: &Test, session: &mut Session<'_>) {
    note_nothing(stream, ecs, test, session);
    note_substitutes(ecs, test, session);
    note_folderless(test, session);
}

/// Notes that a test sees the text that stands for a value which the event does not tell
fn note_substitutes(ecs: &IndexField, test: &Test, session: &mut Session<'_>) {
    let seen = |text: &&String| presence::is_asked(test) || takes(&test.op, text);
    let Some(text) = ecs.substitutes.iter().find(seen) else { return };
    let reason = format!("Elastic holds `{text}` in place of data that a sensor does not record");
    session.lose_rarely(LossName::Gaps, if_missing(test, Direction::Narrower), test.span, &reason);
}

/// Notes that a test looks for the name of a program that is in no file
fn note_folderless(test: &Test, session: &mut Session<'_>) {
    let of_name = test.subject.part == Part::Name && test.subject.field.kind() == FieldType::Path;
    if of_name && FOLDERLESS.iter().any(|name| takes(&test.op, name)) {
        let reason = "Elastic's pipelines give a program without a folder, such as System, no name";
        session.lose_rarely(LossName::Gaps, Direction::Narrower, test.span, reason);
    }
}

/// Notes that a test tells a text for no value from a missing value
fn note_nothing(stream: &Stream, ecs: &IndexField, test: &Test, session: &mut Session<'_>) {
    let direction = if_missing(test, Direction::Wider);
    let of_text = match ecs.kind {
        FieldKind::Keyword
        | FieldKind::Wildcard
        | FieldKind::Flattened
        | FieldKind::Text
        | FieldKind::MatchOnlyText => ecs.words == Words::Own,
        FieldKind::Ip => true,
        FieldKind::Long => presence::is_asked(test),
        FieldKind::Boolean => false,
    };
    // A sensor that has no address writes `-`, and of such a command line `-` is an argument.
    let written = presence::may_be_empty(&stream.events, test)
        || matches!(test.subject.part, Part::Argument(_))
        || stream.events.field_type(&test.subject.field) == Some(FieldType::Address);
    let seen = presence::is_asked(test) || NOTHING.iter().any(|text| takes(&test.op, text));
    if !seen || !of_text || !written {
        return;
    }
    if test.op.is_equality() && session.is_positive() {
        // The rule looks for just the text that no document has.
        session.lose(LossName::Empty, direction, test.span, EMPTY);
    } else {
        session.lose_rarely(LossName::Empty, direction, test.span, EMPTY);
    }
}

/// The direction of a loss that is this one where a test asks for a missing value, else the other
fn if_missing(test: &Test, missing: Direction) -> Direction {
    if test.op == Op::Null { missing } else { missing.flipped() }
}

/// Whether a text may pass a test
fn takes(op: &Op, text: &str) -> bool {
    match op {
        Op::Text(test) => test.may_take(text),
        Op::Regex(all) => all.iter().any(|pattern| pattern.is_found_in(text)),
        Op::Exists
        | Op::Null
        | Op::Segments(_)
        | Op::Networks(_)
        | Op::Public
        | Op::Numbers(_)
        | Op::Same(..) => false,
    }
}
