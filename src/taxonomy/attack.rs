//! MITRE ATT&CK® 19: its tactics and techniques, and the successors of retired ones.
//!
//! In: an id or a slug as an author wrote it, such as `t1505.003` or `initial_access`. Out: facts
//! from `attack.tsv`, parsed once per run. A retired name is distinct from an unknown one, so that
//! a message can name its successors.
//!
//! Absent on purpose: descriptions, and names a target still uses after ATT&CK dropped them;
//! each target keeps its own map. Spelling suggestions are made elsewhere, from [`tactics`]
//! and [`techniques`].
//!
//! Invariant: successors, parents and the tactics of a technique are live themselves.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("attack.tsv");

/// The version of ATT&CK, from the head of the table
pub fn version() -> &'static str {
    let head = TEXT.lines().next().unwrap_or("");
    head.split(':').next().and_then(|head| head.rsplit(' ').next()).unwrap_or("")
}

/// Why an adversary acts: a column of the matrix
#[derive(Debug, PartialEq, Eq)]
pub struct Tactic {
    /// `TA0001`
    pub id: &'static str,
    /// `initial-access`
    pub slug: &'static str,
    /// `Initial Access`
    pub name: &'static str,
}

impl Tactic {
    /// Its page at MITRE
    pub fn url(&self) -> String {
        format!("https://attack.mitre.org/tactics/{}/", self.id)
    }
}

/// How an adversary acts: a technique or sub-technique that is in ATT&CK today
#[derive(Debug, PartialEq, Eq)]
pub struct Technique {
    /// `T1505` or `T1505.003`
    pub id: &'static str,
    /// Its own name, for a sub-technique without the parent's: `Web Shell`
    pub name: &'static str,
    /// The tactics it serves, at least one, in matrix order
    pub tactics: Vec<&'static Tactic>,
}

impl Technique {
    /// Its page at MITRE
    pub fn url(&self) -> String {
        format!("https://attack.mitre.org/techniques/{}/", self.id.replace('.', "/"))
    }

    /// Its name, for a sub-technique after the parent's: `Server Software Component: Web Shell`
    pub fn whole_name(&self) -> String {
        self.parent().map_or_else(
            || self.name.to_owned(),
            |parent| format!("{}: {}", parent.name, self.name),
        )
    }

    /// The parent of a sub-technique; `None` for any other technique
    pub fn parent(&self) -> Option<&'static Technique> {
        let (parent, _) = self.id.split_once('.')?;
        match technique(parent) {
            Found::Live(parent) => Some(parent),
            Found::Dead { .. } | Found::Unknown => None,
        }
    }
}

/// What ATT&CK says about a technique id
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is in ATT&CK today
    Live(&'static Technique),
    /// No longer in ATT&CK: revoked or deprecated
    Dead {
        /// The id in ATT&CK's spelling
        id: &'static str,
        /// The name it last had
        name: &'static str,
        /// Ids of the techniques that replaced it; empty when it has no successor
        successors: Vec<&'static str>,
    },
    /// Not in the table
    Unknown,
}

/// Looks up a technique or sub-technique by id, with `T` or `t`
pub fn technique(id: &str) -> Found {
    match TABLE.techniques.get_key_value(id.to_ascii_uppercase().as_str()) {
        Some((_, Entry::Live(technique))) => Found::Live(technique),
        Some((id, Entry::Dead { name, successors })) => {
            Found::Dead { id, name, successors: successors.clone() }
        }
        None => Found::Unknown,
    }
}

/// All live techniques, ordered by id
pub fn techniques() -> impl Iterator<Item = &'static Technique> {
    TABLE.techniques.values().filter_map(|entry| match entry {
        Entry::Live(technique) => Some(technique),
        Entry::Dead { .. } => None,
    })
}

/// Looks up a tactic by slug, with `-` or `_`, or by id
pub fn tactic(slug_or_id: &str) -> Option<&'static Tactic> {
    let slug = slug_or_id.replace('_', "-");
    tactics().iter().find(|it| it.slug == slug || it.id.eq_ignore_ascii_case(slug_or_id))
}

/// All live tactics, in matrix order
pub fn tactics() -> &'static [Tactic] {
    &TACTICS
}

/// The tactics that replaced a retired one, by its slug, with `-` or `_`
///
/// By slug only: ATT&CK gave the id of `defense-evasion`, `TA0005`, to `stealth`.
pub fn retired_tactic(slug: &str) -> Option<&'static [&'static Tactic]> {
    TABLE.retired_tactics.get(slug.replace('_', "-").as_str()).map(Vec::as_slice)
}

/// The matrix of an id or tactic that is not in the one for enterprises, as far as it shows
///
/// The ids of ICS have a range of their own; those of Mobile stand among the others, and the
/// number alone tells them from misspelt ones.
pub fn other_matrix(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let number = |prefix: &str| {
        let (number, _) = name.split_once('.').unwrap_or((&name, ""));
        let digits = number.strip_prefix(prefix).filter(|digits| digits.len() == 4)?;
        digits.parse::<u16>().ok()
    };
    match (number("t"), number("ta")) {
        (Some(800..=999), _) | (_, Some(100..=111)) => Some("for industrial control systems"),
        (Some(1398..=1684), _) | (_, Some(27..=41)) => Some("for mobile devices"),
        _ if ["evasion", "inhibit-response-function", "impair-process-control"]
            .contains(&name.replace('_', "-").as_str()) =>
        {
            Some("for industrial control systems")
        }
        _ => None,
    }
}

/// The rows that refer to tactics, and so are parsed after [`TACTICS`]
#[derive(Debug, Default)]
struct Table {
    retired_tactics: BTreeMap<&'static str, Vec<&'static Tactic>>,
    techniques: BTreeMap<&'static str, Entry>,
}

#[derive(Debug)]
enum Entry {
    Live(Technique),
    Dead { name: &'static str, successors: Vec<&'static str> },
}

static TACTICS: LazyLock<Vec<Tactic>> = LazyLock::new(|| {
    let live = |row: Vec<&'static str>| match row[..] {
        [id, slug, name] if is_tactic(id) => Some(Tactic { id, slug, name }),
        _ => None, // `parse` reads the other rows, or refuses them.
    };
    rows(TEXT).map(|(_, row)| row).filter_map(live).collect()
});

// INVARIANT: the embedded table is well formed. The text is fixed when the crate is built, and
// the test `every_row_of_the_table_is_well_formed` fails on a row that would panic here.
#[expect(clippy::expect_used, reason = "the text is fixed when the crate is built")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| parse(TEXT).expect("the embedded ATT&CK table is well formed"));

/// Parses all rows but those in [`TACTICS`]; the error is the first malformed or repeated line
fn parse(text: &'static str) -> Result<Table, &'static str> {
    let mut table = Table::default();
    for (line, row) in rows(text) {
        let repeated = match row[..] {
            [id, _, _] if is_tactic(id) => false,
            [id, slug, _, successors] if is_tactic(id) => {
                let successors = live_tactics(successors).ok_or(line)?;
                table.retired_tactics.insert(slug, successors).is_some()
            }
            [id, name, tactics] => {
                let tactics = live_tactics(tactics).ok_or(line)?;
                let live = Entry::Live(Technique { id, name, tactics });
                table.techniques.insert(id, live).is_some()
            }
            [id, name, "-", successors] => {
                let dead = Entry::Dead { name, successors: list(successors).collect() };
                table.techniques.insert(id, dead).is_some()
            }
            _ => return Err(line),
        };
        if repeated {
            return Err(line);
        }
    }
    Ok(table)
}

/// The lines that are no comment, each with its columns
fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| (line, line.split('\t').collect()))
}

fn is_tactic(id: &str) -> bool {
    id.starts_with("TA")
}

/// The tactics of a cell; `None` when one of them is not live
fn live_tactics(cell: &'static str) -> Option<Vec<&'static Tactic>> {
    list(cell).map(tactic).collect()
}

fn list(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(',').filter(|item| *item != "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(id: &str) -> &'static Technique {
        match technique(id) {
            Found::Live(technique) => technique,
            other @ (Found::Dead { .. } | Found::Unknown) => panic!("{id} is {other:?}"),
        }
    }

    fn slugs<'a>(tactics: impl IntoIterator<Item = &'a &'static Tactic>) -> Vec<&'static str> {
        tactics.into_iter().map(|tactic| tactic.slug).collect()
    }

    #[test]
    fn every_row_of_the_table_is_well_formed() {
        assert_eq!(parse(TEXT).err(), None);
    }

    #[test]
    fn a_row_of_another_shape_is_refused() {
        let row = "T1505\tServer Software Component";
        assert_eq!(parse(row).err(), Some(row));
    }

    #[test]
    fn a_row_with_an_unknown_tactic_is_refused() {
        let row = "T1505\tServer Software Component\tpersistance";
        assert_eq!(parse(row).err(), Some(row));
    }

    #[test]
    fn a_repeated_id_is_refused() {
        let rows = "T1505\tServer Software Component\tpersistence\nT1505\tAgain\t-\t-";
        assert_eq!(parse(rows).err(), Some("T1505\tAgain\t-\t-"));
    }

    #[test]
    fn technique_rows_are_ordered_by_id() {
        let ids = rows(TEXT).map(|(_, row)| row[0]).filter(|id| !is_tactic(id));
        assert!(ids.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn every_id_is_a_t_and_four_digits_and_perhaps_three_more() {
        let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        for id in TABLE.techniques.keys() {
            let (top, sub) = id.split_once('.').unwrap_or((id, "000"));
            assert!(
                top.strip_prefix('T').is_some_and(|it| digits(it, 4)) && digits(sub, 3),
                "{id}"
            );
        }
    }

    #[test]
    fn there_are_697_live_techniques_and_161_dead_ids() {
        assert_eq!(techniques().count(), 697);
        assert_eq!(TABLE.techniques.len(), 697 + 161);
    }

    #[test]
    fn there_are_15_tactics_in_matrix_order() {
        assert_eq!(tactics().len(), 15);
        assert_eq!(tactics()[0].slug, "reconnaissance");
        assert_eq!(tactics()[14].slug, "impact");
    }

    #[test]
    fn every_live_technique_serves_a_tactic() {
        assert!(techniques().all(|technique| !technique.tactics.is_empty()));
    }

    #[test]
    fn tactics_of_a_technique_are_in_matrix_order() {
        let place = |tactic: &Tactic| tactics().iter().position(|it| it == tactic);
        assert!(techniques().all(|it| it.tactics.is_sorted_by_key(|tactic| place(tactic))));
    }

    #[test]
    fn every_sub_technique_has_a_live_parent() {
        let mut subs = techniques().filter(|technique| technique.id.contains('.'));
        assert!(subs.all(|technique| technique.parent().is_some()));
    }

    #[test]
    fn every_successor_is_live() {
        for id in TABLE.techniques.keys() {
            if let Found::Dead { successors, .. } = technique(id) {
                successors.iter().for_each(|successor| assert_eq!(live(successor).id, *successor));
            }
        }
    }

    #[test]
    fn t1505_003_is_web_shell_and_serves_persistence() {
        let web_shell = live("T1505.003");
        assert_eq!(web_shell.name, "Web Shell");
        assert_eq!(slugs(&web_shell.tactics), ["persistence"]);
    }

    #[test]
    fn the_parent_of_t1505_003_is_server_software_component() {
        let parent = live("T1505.003").parent().unwrap();
        assert_eq!((parent.id, parent.name), ("T1505", "Server Software Component"));
        assert_eq!(parent.parent(), None);
    }

    #[test]
    fn a_technique_is_found_with_a_small_t() {
        assert_eq!(technique("t1505.003"), technique("T1505.003"));
    }

    #[test]
    fn a_sub_technique_is_a_folder_in_its_url() {
        assert_eq!(live("T1505.003").url(), "https://attack.mitre.org/techniques/T1505/003/");
        assert_eq!(live("T1505").url(), "https://attack.mitre.org/techniques/T1505/");
    }

    #[test]
    fn a_revoked_id_names_its_successor() {
        let successors = vec!["T1505.003"];
        assert_eq!(technique("t1100"), Found::Dead { id: "T1100", name: "Web Shell", successors });
    }

    #[test]
    fn a_deprecated_id_has_no_successor() {
        let successors = vec![];
        assert_eq!(technique("T1064"), Found::Dead { id: "T1064", name: "Scripting", successors });
    }

    #[test]
    fn an_id_that_never_was_is_unknown() {
        for id in ["T9999", "T1505.999", "T1505.3", "1505", "TA0003", ""] {
            assert_eq!(technique(id), Found::Unknown, "{id}");
        }
    }

    #[test]
    fn a_tactic_is_found_by_slug_and_by_id() {
        for name in ["initial-access", "initial_access", "TA0001", "ta0001"] {
            assert_eq!(tactic(name).unwrap().name, "Initial Access", "{name}");
        }
    }

    #[test]
    fn a_tactic_has_a_page() {
        let url = tactic("persistence").unwrap().url();
        assert_eq!(url, "https://attack.mitre.org/tactics/TA0003/");
    }

    #[test]
    fn defense_evasion_is_retired_with_two_successors() {
        assert_eq!(tactic("defense-evasion"), None);
        let successors = retired_tactic("defense_evasion").unwrap();
        assert_eq!(slugs(successors), ["stealth", "defense-impairment"]);
    }

    #[test]
    fn ta0005_is_stealth_now() {
        assert_eq!(tactic("TA0005").unwrap().slug, "stealth");
    }

    #[test]
    fn a_live_tactic_is_not_retired() {
        assert_eq!(retired_tactic("persistence"), None);
    }
}
