//! Process starts as Windows' auditing reports them (event 4688), in the fields of Sysmon.
//!
//! In: the slots of an event. Out: the same slots, with the account, its session and the integrity level of
//! the new process. Auditing reports them in parts, as security identifiers, or of the creator first.
//!
//! Source: Microsoft, audit event 4688; well-known security identifiers.

use std::borrow::Cow;

use super::slot::{Slot, Slots};
use crate::taxonomy::Field;

/// The fields that such an event is read from; the first one tells such an event from others
const SOURCES: [&str; 8] = [
    "NewProcessName",
    "TargetUserName",
    "TargetDomainName",
    "SubjectUserName",
    "SubjectDomainName",
    "TargetLogonId",
    "SubjectLogonId",
    "MandatoryLabel",
];

/// Sysmon's words for integrity levels, with the identifiers that auditing writes
const LEVELS: [(&str, &str); 6] = [
    ("Untrusted", "S-1-16-0"),
    ("Low", "S-1-16-4096"),
    ("Medium", "S-1-16-8192"),
    ("Medium Plus", "S-1-16-8448"),
    ("High", "S-1-16-12288"),
    ("System", "S-1-16-16384"),
];

/// Slots of the fields that take part; `None` when the layout does not hold the field
#[derive(Debug, Default)]
pub(super) struct Audited {
    user: Option<usize>,
    session: Option<usize>,
    level: Option<usize>,
    sources: [Option<usize>; SOURCES.len()],
}

impl Audited {
    /// Notes the slot of a field, if the field takes part
    pub(super) fn note(&mut self, field: &Field, slot: usize) {
        let name = field.name();
        match name {
            "User" => self.user = Some(slot),
            "LogonId" => self.session = Some(slot),
            "IntegrityLevel" => self.level = Some(slot),
            _ => {}
        }
        if let Some(at) = SOURCES.iter().position(|known| *known == name) {
            self.sources[at] = Some(slot);
        }
    }

    /// The fields that must be read to fill this field
    pub(super) fn sources(field: &Field) -> &'static [&'static str] {
        if matches!(field.name(), "User" | "LogonId" | "IntegrityLevel") { &SOURCES } else { &[] }
    }

    /// Fills the fields that the event lacks, if it is such an event
    pub(super) fn fill(&self, slots: &mut Slots<'_>) {
        let [start, rest @ ..] = self.sources.map(|slot| {
            let values = slot.map_or(&[][..], |slot| slots[slot].values());
            values.first().map(ToString::to_string)
        });
        if start.is_none() {
            return;
        }
        let [target, target_domain, subject, subject_domain, target_session, session, label] = rest;
        let said = |text: Option<String>| text.filter(|text| !text.is_empty() && text != "-");
        // The account of the new process stands in the `Target` fields where it is another one than that
        // of its creator.
        let other = said(target);
        let as_other = other.is_some();
        let (name, domain) =
            if as_other { (other, target_domain) } else { (said(subject), subject_domain) };
        let whole = name.map(|name| match said(domain) {
            Some(domain) => format!("{domain}\\{name}"),
            None => name,
        });
        let mut set = |slot: Option<usize>, values: Vec<String>, may_replace: &[String]| {
            let Some(slot) = slot.filter(|_| !values.is_empty()) else { return };
            let is_free = match &slots[slot] {
                Slot::Missing => true,
                Slot::One(text) => may_replace.iter().any(|known| *text == known.as_str()),
                Slot::Null | Slot::Many(_) => false,
            };
            if is_free {
                *slots.at(slot) = match <[String; 1]>::try_from(values) {
                    Ok([one]) => Slot::One(Cow::Owned(one)),
                    Err(all) => Slot::Many(all.into_iter().map(Cow::Owned).collect()),
                };
            }
        };
        set(self.user, whole.into_iter().collect(), &[]);
        // An alias has filled the session with that of the creator.
        let session: Vec<String> = session.into_iter().collect();
        let own = if as_other { target_session.into_iter().collect() } else { session.clone() };
        set(self.session, own, &session);
        set(self.level, label.map(levels).unwrap_or_default(), &[]);
    }
}

/// The integrity level as Sysmon and as auditing write it: rules ask for either
fn levels(label: String) -> Vec<String> {
    let known = LEVELS.iter().find(|(_, identifier)| *identifier == label);
    known.map(|(word, _)| (*word).to_owned()).into_iter().chain([label]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::*;

    /// The values of a field of an audited start, with more fields
    fn read(field: &str, more: &str) -> Vec<String> {
        let mut layout = Layout::new(None, None);
        let slot = layout.slot(&Field::named(field).unwrap());
        let start = r#""NewProcessName":"a","SubjectUserName":"h$","SubjectDomainName":"NT""#;
        let line = format!("{{{start}{more}}}");
        let event = layout.read(&line).unwrap();
        event.slot(slot).values().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_account_is_that_of_the_new_process() {
        for (more, wanted) in [
            ("", r"NT\h$"),
            (r#","TargetUserName":"-","TargetDomainName":"-""#, r"NT\h$"),
            (r#","TargetUserName":"anna","TargetDomainName":"C""#, r"C\anna"),
            (r#","User":"x""#, "x"),
        ] {
            assert_eq!(read("User", more), [wanted], "{more}");
        }
        let mut layout = Layout::new(None, None);
        let slot = layout.slot(&Field::named("User").unwrap());
        let other = layout.read(r#"{"SubjectUserName":"h$"}"#).unwrap();
        assert!(other.slot(slot).values().is_empty(), "another event");
    }

    #[test]
    fn the_session_is_that_of_the_new_process() {
        let both = r#","SubjectLogonId":"0x3e7","TargetLogonId":"0x55""#;
        assert_eq!(read("LogonId", both), ["0x3e7"]);
        let as_other = format!(r#"{both},"TargetUserName":"anna""#);
        assert_eq!(read("LogonId", &as_other), ["0x55"]);
        assert_eq!(read("LogonId", &format!(r#"{as_other},"LogonId":"0x1""#)), ["0x1"]);
    }

    #[test]
    fn an_integrity_level_is_told_as_sysmon_and_as_auditing_write_it() {
        assert_eq!(
            read("IntegrityLevel", r#","MandatoryLabel":"S-1-16-12288""#),
            ["High", "S-1-16-12288"]
        );
        assert_eq!(read("IntegrityLevel", r#","MandatoryLabel":"S-1-16-1""#), ["S-1-16-1"]);
        assert_eq!(
            read("IntegrityLevel", r#","MandatoryLabel":"S-1-16-0","IntegrityLevel":"Low""#),
            ["Low"]
        );
        assert!(read("IntegrityLevel", "").is_empty());
    }
}
