//! Rows of Sentinel and Defender.
//!
//! In: a row as JSON. Out: the event that it is. The steps and expressions of the mapping are executed as
//! Kusto executes them, so a field that a query computes is read from the same columns.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::civil::DateTime;
use serde_json::{Map, Value as Json};

use super::Told;
use super::held::{Held, Met};
use super::part::{Place, fields, is_read};
use super::returned::Returned;
use crate::mapping::{Column, Kind, Mappings, Rows as Selected, Table};
use crate::matcher::systems::Systems;
use crate::query::kusto::execute::RowQuery;
use crate::query::kusto::{Expression, Item, Let, Pipeline, Platform, Query, Schema, Step};
use crate::taxonomy::{EventKind, Field, Log, Product};

/// Keys that name the table of a row
const NAMES: [&str; 3] = ["$table", "TableName", "Type"];

/// Keys that tell the time of a row; Sentinel adds the time of arrival to a row that has its own
const TIMES: [&str; 2] = ["Timestamp", "TimeGenerated"];

/// What the portal writes behind the name of a column with times
const ZONE: &str = " [UTC]";

/// The tables of all mappings
pub(super) struct Tables {
    readers: BTreeMap<String, Vec<Reader>>,
    /// The columns of each table
    columns: BTreeMap<String, HashSet<String>>,
}

/// Reads the rows of a table that are events of one log source
struct Reader {
    kind: EventKind,
    log: Option<Log>,
    product: Option<Product>,
    query: RowQuery,
    met: Met,
    /// Whether a test selects its rows, which tells them from those of other tables
    is_tested: bool,
    places: Vec<Place>,
    /// The number of texts in which keywords are searched
    keywords: usize,
    /// The field that tells such rows by its words
    with: Option<Field>,
}

impl Tables {
    /// The tables of these mappings, with the fields that are asked for, or with all
    pub(super) fn of(mappings: &Mappings, asked: Option<&HashSet<Field>>) -> Tables {
        let schema = mappings.schema();
        let mut tables = Tables { readers: BTreeMap::new(), columns: BTreeMap::new() };
        for table in mappings.all_tables() {
            let platforms = &table.platforms;
            let all = platforms.iter().flat_map(|platform| schema.columns(&table.name, *platform));
            let known = tables.columns.entry(table.name.clone()).or_default();
            known.extend(all.map(|column| column.name));
            let readers = tables.readers.entry(table.name.clone()).or_default();
            readers.extend(Reader::of(table, &schema, asked));
        }
        // What a category says of a field goes before what a log says: a log may use the name otherwise.
        for readers in tables.readers.values_mut() {
            readers.sort_by_key(|reader| matches!(reader.kind, EventKind::Log(_)));
        }
        tables
    }

    /// The event of a row; `None` when it is of no known table, or of no log source there
    ///
    /// `returned` reads a row that a query has returned.
    pub(super) fn read<'r>(
        &self,
        record: &str,
        returned: impl FnOnce() -> &'r Returned,
    ) -> Option<Told> {
        let row: Map<String, Json> = serde_json::from_str(record).ok()?;
        let row: Map<String, Json> = row
            .into_iter()
            .map(|(name, value)| match name.strip_suffix(ZONE) {
                Some(plain) => (plain.to_owned(), of_portal(value)),
                None => (name, value),
            })
            .collect();
        let named = NAMES.iter().find_map(|key| self.readers.get(row.get(*key)?.as_str()?));
        let mut told = Told::default();
        match named {
            Some(readers) => readers.iter().for_each(|reader| reader.read(&row, &mut told)),
            None => self.of_columns(&row, &mut told),
        }
        if told.kinds.is_empty() {
            returned().read(&row, &mut told);
        }
        if told.systems == Systems::Any {
            told.systems = if row.values().filter_map(Json::as_str).any(has_drive) {
                Systems::One(Product::Windows)
            } else if told.paths().any(|path| path.starts_with('/')) {
                Systems::Posix
            } else {
                Systems::Any
            };
        }
        let time = TIMES.iter().find_map(|key| row.get(*key)?.as_str());
        told.add("time", time.map(ToOwned::to_owned).into_iter().collect());
        (!told.kinds.is_empty()).then_some(told)
    }

    /// Adds the fields of the log sources that were met
    pub(super) fn add_held(&self, held: &mut Held) {
        for reader in self.readers.values().flatten().filter(|reader| reader.met.is()) {
            held.add(&reader.kind, reader.places.iter().map(|place| place.field.clone()));
        }
    }

    /// Reads a row that does not name its table, by its columns
    ///
    /// It is a row of a table that has such rows by a test, else of the only table with these columns.
    fn of_columns(&self, row: &Map<String, Json>, told: &mut Told) {
        let own = |name: &&String| !name.starts_with(['_', '$']) && !NAMES.contains(&name.as_str());
        let fits =
            |columns: &HashSet<String>| row.keys().filter(own).all(|name| columns.contains(name));
        let fitting = self.columns.iter().filter(|(_, columns)| fits(columns));
        let fitting: Vec<&Vec<Reader>> =
            fitting.filter_map(|(table, _)| self.readers.get(table)).collect();
        for readers in &fitting {
            readers.iter().filter(|one| one.is_tested).for_each(|one| one.read(row, told));
            if !told.kinds.is_empty() {
                return;
            }
        }
        if let [readers] = fitting[..] {
            readers.iter().for_each(|reader| reader.read(row, told));
        }
    }
}

impl Reader {
    /// Reads these fields; `None` where the mapping is not executed here
    fn of(table: &Table, schema: &Schema, asked: Option<&HashSet<Field>>) -> Option<Reader> {
        let (mut places, mut items) = (Vec::new(), Vec::new());
        let with = if let Selected::With(field) = &table.rows { Some(field.clone()) } else { None };
        let is_asked = |field: &Field| {
            asked.is_none_or(|asked| asked.contains(field)) || with.as_ref() == Some(field)
        };
        for (field, columns) in table.places().filter(|(field, _)| is_asked(field)) {
            for column in columns.iter().filter(|column| is_read(column.holds)) {
                let name = format!("P{}", places.len());
                items.push(Item::named(&name, value(column)));
                places.push(Place { field: field.clone(), column: column.clone(), name });
            }
        }
        let searched = asked.is_none_or(|asked| asked.contains(&Field::EVERY));
        let keywords = if searched { &*table.keywords } else { &[] };
        let searched = keywords.iter().enumerate();
        items.extend(searched.map(|(at, text)| Item::named(&format!("K{at}"), text.clone())));
        // A log source of which no field is asked for is told all the same.
        items.push(Item::named(ROW, Expression::text("")));
        let query = query(table, schema, items)?;
        let is_tested = match &table.rows {
            Selected::All => false,
            Selected::With(_) => true,
            // What holds of a row without columns tells no table.
            Selected::Where(_) => !holds(&query, &Map::new()),
        };
        Some(Reader {
            kind: table.events.clone(),
            log: table.log().cloned(),
            product: table.product(),
            query,
            met: Met::default(),
            is_tested,
            places,
            keywords: keywords.len(),
            with,
        })
    }

    /// Adds what a row says, when it is an event of this log source
    fn read(&self, row: &Map<String, Json>, told: &mut Told) {
        let Ok(data) = self.query.on(row) else { return };
        let text = |name: &str| data.texts(name).and_then(|texts| texts.first().cloned());
        if text(ROW).is_none() {
            return;
        }
        let fields = fields(&self.places, |name| text(name).unwrap_or_default().to_string());
        if let Some(with) = &self.with
            && !fields.iter().any(|(field, _)| field == with)
        {
            return;
        }
        self.met.note();
        told.is_of(&self.kind, self.log.as_ref(), self.product);
        for (field, values) in fields {
            told.add(field.name(), values);
        }
        let keywords = (0..self.keywords).filter_map(|at| text(&format!("K{at}")));
        let keywords = keywords.filter(|text| !text.is_empty()).map(|text| text.to_string());
        told.add(KEYWORDS, keywords.collect());
    }
}

/// The column that every row of the log source has
const ROW: &str = "Row";

/// Whether a row is one of the log source
fn holds(query: &RowQuery, row: &Map<String, Json>) -> bool {
    query.on(row).is_ok_and(|data| data.texts(ROW).is_some_and(|texts| !texts.is_empty()))
}

/// The query for these columns of the rows that are events of the log source
fn query(table: &Table, schema: &Schema, items: Vec<Item>) -> Option<RowQuery> {
    let mut steps = table.prepare.clone();
    if let Selected::Where(condition) = &table.rows {
        steps.push(Step::filter(condition.clone()));
    }
    steps.push(Step::project(items));
    let mut used = BTreeSet::new();
    steps.iter().for_each(|step| step.collect_names(&mut used));
    let added: Vec<Item> = used.iter().filter_map(|name| table.added(name)).collect();
    if !added.is_empty() {
        steps.insert(0, Step::extend(added));
        steps[0].collect_names(&mut used);
    }
    let platform = table.platforms.first().copied().unwrap_or(Platform::Sentinel);
    let mut columns = schema.columns(&table.name, platform);
    columns.retain(|column| used.contains(&column.name));
    let lists = table.lists.iter().filter(|(name, _)| used.contains(name));
    let lets = lists.map(|(name, values)| Let::new(name, Expression::dynamic(values))).collect();
    let result = Pipeline::of(&table.name, steps);
    // Every mapping of rulecast is executed: a test reads a row of each.
    RowQuery::new(&table.name, columns, Query { heading: Vec::new(), lets, result }).ok()
}

/// The name under which an event has the texts that keywords are searched in; no rule asks for it
const KEYWORDS: &str = "(keywords)";

/// A time as the portal exports it, `11/28/2026, 10:00:00.000 AM`, in the notation of rows
///
/// Other languages put the day first, and do not write `AM` and `PM` in capitals.
fn of_portal(value: Json) -> Json {
    let time = value.as_str().filter(|text| text.ends_with("AM") || text.ends_with("PM"));
    let time = time.and_then(|text| DateTime::strptime("%m/%d/%Y, %I:%M:%S%.f %p", text).ok());
    time.map_or(value, |time| Json::String(format!("{time}Z")))
}

/// Whether a text is a path of Windows
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic())
}

/// The value of a column as the event has it
fn value(column: &Column) -> Expression {
    let truth = |word: bool| Expression::text(if word { "true" } else { "false" });
    if column.kind == Kind::Truth {
        return match &column.rows_of_true {
            Some(rows) => Expression::call("iff", [rows.clone(), truth(true), truth(false)]),
            None => truth(column.only_false.is_none()),
        };
    }
    // What stood there before a renaming or a deletion is the event's own value.
    let value = column.earlier.as_ref().unwrap_or(&column.value).clone();
    match &column.empty {
        Some((means, rows)) => {
            let is_meant =
                Expression::all([Expression::call("isempty", [value.clone()]), rows.clone()]);
            Expression::call("iff", [is_meant, Expression::text(means), value])
        }
        None => value,
    }
}
