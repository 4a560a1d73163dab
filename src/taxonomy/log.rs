//! Sigma's log sources without a shared vocabulary, by name.
//!
//! In: `logs.tsv` and `log_fields.tsv`. Out: [`Log`], a name that is cheap to clone, with the known
//! fields of its events. A rule may name a log that is not in the table; then the fields of its
//! events are unknown, only the user can say which events belong to the log, and the name lives as
//! long as the rules that hold it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use super::{Field, FieldType};

/// The tables as written
const LOGS: &str = include_str!("logs.tsv");
const FIELDS: &str = include_str!("log_fields.tsv");

/// A log source of Sigma beyond the kinds of events that have a vocabulary; ordered by name
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Log(Name);

/// A name is held in one way only, so equal logs are equal here
#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    /// Index of the first row of the table with this name
    Row(usize),
    /// A name outside the table
    Other(Arc<str>),
}

struct Row {
    name: &'static str,
    product: Option<&'static str>,
    category: Option<&'static str>,
    service: Option<&'static str>,
    /// Channels and providers of its events, in lower case
    channels: Vec<&'static str>,
    /// Ids of its events; all ids when empty
    ids: Vec<i64>,
    says: &'static str,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| LOGS.lines().filter_map(row).collect());

/// Indices into [`ROWS`] by channel
static CHANNELS: LazyLock<HashMap<&'static str, Vec<usize>>> = LazyLock::new(|| {
    let mut channels: HashMap<_, Vec<_>> = HashMap::new();
    for (at, row) in ROWS.iter().enumerate() {
        row.channels.iter().for_each(|channel| channels.entry(*channel).or_default().push(at));
    }
    channels
});

static TYPES: LazyLock<HashMap<(&'static str, &'static str), FieldType>> = LazyLock::new(|| {
    let lines = FIELDS.lines().filter(|line| !line.starts_with('#'));
    let typed = lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let (log, kind, fields) = (cells.next()?, cells.next()?, cells.next()?);
        let kind = FieldType::named(kind)?;
        Some(fields.split(' ').map(move |field| ((log, field), kind)))
    });
    typed.flatten().collect()
});

fn row(line: &'static str) -> Option<Row> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let [name, product, category, service, channels, ids, says] = *cells else { return None };
    if name.starts_with('#') {
        return None;
    }
    let given = |cell: &'static str| (cell != "-").then_some(cell);
    Some(Row {
        name,
        product: given(product),
        category: given(category),
        service: given(service),
        channels: given(channels).map_or_else(Vec::new, |cell| cell.split(';').collect()),
        ids: given(ids).map_or_else(Vec::new, |cell| {
            cell.split(',').filter_map(|id| id.parse().ok()).collect()
        }),
        says,
    })
}

impl Log {
    /// The log of the table with this name
    pub fn named(name: &str) -> Option<Log> {
        let at = first(name);
        ROWS.get(at).filter(|row| row.name == name).map(|_| Log(Name::Row(at)))
    }

    /// The log of the table that a log source names
    ///
    /// A log source may leave out the product of its category; with another product it is another
    /// log.
    pub fn of(category: Option<&str>, product: Option<&str>, service: Option<&str>) -> Option<Log> {
        let exact =
            |row: &&Row| (row.category, row.product, row.service) == (category, product, service);
        let same =
            |row: &&Row| category.is_some() && (row.category, row.service) == (category, service);
        let same = |row: &&Row| same(row) && (product.is_none() || product == row.product);
        let row = ROWS.iter().find(exact).or_else(|| ROWS.iter().find(same))?;
        Some(row.log())
    }

    /// The log with this name, inside the table or not
    pub fn of_name(name: &str) -> Log {
        Log::named(name).unwrap_or_else(|| Log(Name::Other(name.into())))
    }

    /// Every log of the table, sorted by name
    pub fn all() -> impl Iterator<Item = Log> {
        Log::firsts().map(|(at, _)| Log(Name::Row(at)))
    }

    /// The names of every log of the table, sorted
    pub fn names() -> impl Iterator<Item = &'static str> {
        Log::firsts().map(|(_, row)| row.name)
    }

    /// The first row of each log of the table, with its index
    fn firsts() -> impl Iterator<Item = (usize, &'static Row)> {
        ROWS.iter().enumerate().filter(|(at, row)| *at == 0 || ROWS[at - 1].name != row.name)
    }

    /// Every category, product and service of the table, with repetitions
    pub fn words() -> impl Iterator<Item = &'static str> {
        ROWS.iter().flat_map(|row| [row.category, row.product, row.service]).flatten()
    }

    /// The categories (0), products (1) or services (2) of the table, with repetitions
    pub(crate) fn words_of(part: usize) -> impl Iterator<Item = &'static str> {
        ROWS.iter().filter_map(move |row| [row.category, row.product, row.service][part])
    }

    /// The category, product and service of each spelling of the log in the table
    pub(crate) fn spellings(&self) -> impl Iterator<Item = [Option<&'static str>; 3]> {
        let rows = ROWS.iter().filter(|row| row.name == self.name());
        rows.map(|row| [row.category, row.product, row.service])
    }

    /// The logs that a channel or provider writes events with this id to; without an id, all of them
    pub(super) fn written_to(channel: &str, id: Option<i64>) -> Option<Vec<Log>> {
        let rows = CHANNELS.get(&*channel.to_ascii_lowercase())?;
        let meant = rows.iter().map(|at| &ROWS[*at]);
        let meant =
            meant.filter(|row| row.ids.is_empty() || id.is_none_or(|id| row.ids.contains(&id)));
        Some(meant.map(Row::log).collect())
    }

    /// Its name
    pub fn name(&self) -> &str {
        match &self.0 {
            Name::Row(at) => ROWS[*at].name,
            Name::Other(name) => name,
        }
    }

    /// Short description; empty for a log outside the table
    pub fn says(&self) -> &'static str {
        self.row().map_or("", |row| row.says)
    }

    /// The product in its row of the table, if any
    pub fn product(&self) -> Option<&'static str> {
        self.row()?.product
    }

    /// Its category, when the category alone names it
    pub fn category_name(&self) -> Option<&'static str> {
        let row = self.row()?;
        row.category.filter(|category| *category == row.name)
    }

    /// The channels and providers that its events carry, in lower case; none when nothing tells
    pub(super) fn channels(&self) -> impl Iterator<Item = &'static str> {
        self.row().into_iter().flat_map(|row| row.channels.iter().copied())
    }

    /// Whether it is a log that events are written to, and not a category or a product of them
    pub fn is_service(&self) -> bool {
        self.row().is_some_and(|row| row.service.is_some())
    }

    /// Whether it is a whole product: no spelling of it has a category or a service
    pub fn is_whole_product(&self) -> bool {
        let Name::Row(at) = &self.0 else { return false };
        let mut spellings = ROWS[*at..].iter().take_while(|row| row.name == ROWS[*at].name);
        spellings.all(|row| row.category.is_none() && row.service.is_none())
    }

    /// Whether the table lists fields of its events
    pub fn has_fields(&self) -> bool {
        TYPES.keys().any(|(log, _)| *log == self.name())
    }

    /// Names of its fields in the table, sorted
    pub fn fields(&self) -> Vec<&'static str> {
        let mut names: Vec<_> =
            TYPES.keys().filter(|(log, _)| *log == self.name()).map(|(_, field)| *field).collect();
        names.sort_unstable();
        names
    }

    /// Type of a field's values; `None` when the table does not list the field for this log
    pub fn field_type(&self, field: &Field) -> Option<FieldType> {
        TYPES.get(&(self.name(), field.name())).copied()
    }

    /// A name outside the table, not kept alive
    #[cfg(test)]
    pub(crate) fn outside(&self) -> Option<std::sync::Weak<str>> {
        if let Name::Other(name) = &self.0 { Some(Arc::downgrade(name)) } else { None }
    }

    fn row(&self) -> Option<&'static Row> {
        match &self.0 {
            Name::Row(at) => ROWS.get(*at),
            Name::Other(_) => None,
        }
    }
}

impl Row {
    fn log(&self) -> Log {
        Log(Name::Row(first(self.name)))
    }
}

/// Index of the first row whose name is not before this one; the table is sorted by name
fn first(name: &str) -> usize {
    ROWS.partition_point(|row| row.name < name)
}

impl PartialOrd for Log {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Log {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Name::Row(one), Name::Row(other)) => one.cmp(other),
            _ => self.name().cmp(other.name()),
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_read() {
        let lines = |table: &str| table.lines().filter(|l| !l.starts_with('#')).count();
        assert_eq!(lines(LOGS), ROWS.len());
        assert!(ROWS.iter().map(|row| row.name).is_sorted());
        let known = |log: &str| Log::named(log).is_some();
        for line in FIELDS.lines().filter(|l| !l.starts_with('#')) {
            let mut cells = line.split('\t');
            assert!(known(cells.next().unwrap()), "{line}");
            assert!(FieldType::named(cells.next().unwrap()).is_some(), "{line}");
        }
    }

    #[test]
    fn a_log_source_is_found_by_its_words() {
        let of = Log::of;
        assert_eq!(of(None, Some("windows"), Some("security")), Log::named("windows/security"));
        assert_eq!(of(Some("image_load"), Some("windows"), None), Log::named("image_load"));
        assert_eq!(of(Some("image_load"), None, None), Log::named("image_load"));
        assert_eq!(of(None, Some("windows"), Some("no_such")), None);
    }

    #[test]
    fn logs_are_one_when_their_names_are() {
        let rows = ROWS.iter().map(|row| row.name);
        let names: Vec<_> = rows.chain(["aaa", "no_such_log", "zzz", "no_such_log"]).collect();
        for (one, other) in names.iter().flat_map(|one| names.iter().map(move |o| (one, o))) {
            let (a, b) = (Log::of_name(one), Log::of_name(other));
            assert_eq!((a == b, a.cmp(&b)), (one == other, one.cmp(other)), "{a} {b}");
        }
    }
}
