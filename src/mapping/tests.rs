//! Every row of every built-in mapping, held against the schemas of its targets.

use super::*;
use crate::query::kusto::{self, Item, Pipeline, Platform, Query, Step, Type, bind};
use crate::taxonomy::EventKind;

fn findings(name: &str, text: &str) -> Vec<String> {
    let mut found = Diagnostics::default();
    let source = Arc::new(SourceText::new(name, text));
    match name {
        "results.yml" => drop(results::read(&source, &mut found)),
        _ => drop(document::mappings(&source, &mut found)),
    }
    found.iter().map(|one| format!("{name}: {}", one.message)).collect()
}

fn tables() -> impl Iterator<Item = &'static Table> {
    BUILT_IN.iter().flat_map(|mapping| &mapping.tables)
}

fn streams() -> impl Iterator<Item = &'static Stream> {
    BUILT_IN.iter().flat_map(|mapping| &mapping.streams)
}

#[test]
fn the_documents_have_no_mistakes() {
    for (name, text) in DOCUMENTS.iter().chain(&[("results.yml", include_str!("results.yml"))]) {
        assert_eq!(findings(name, text), Vec::<String>::new());
    }
    assert_eq!(BUILT_IN.len(), DOCUMENTS.len());
}

#[test]
fn every_field_of_a_log_source_has_a_place_or_is_named_as_absent() {
    let of_tables = tables().map(|table| (&*table.name, &table.events, table.columns.len()));
    let of_streams = streams().map(|stream| (&*stream.domain, &stream.events, stream.fields.len()));
    for (name, events, places) in of_tables.chain(of_streams) {
        // The reader holds a list `absent` against the fields without a place.
        let head = format!("events: {}\n", events.name());
        let blocks = DOCUMENTS.iter().flat_map(|(_, text)| text.split("\n  - "));
        let listed =
            blocks.filter(|block| block.contains(&head)).all(|block| block.contains("absent: ["));
        assert!(listed || places == events.field_names().len(), "{name} {events} has no `absent`");
    }
}

/// The columns that a pipeline over a table returns
fn columns(table: &Table, platform: Platform, steps: Vec<Step>) -> Vec<kusto::Column> {
    let result = Pipeline::of(&table.name, table.prepare.iter().cloned()).then(steps);
    let text = kusto::print(&Query { heading: Vec::new(), lets: Vec::new(), result });
    bind(&text, platform).unwrap_or_else(|why| panic!("{platform}: {text}: {why:?}"))
}

#[test]
fn every_column_binds_with_its_type() {
    for (table, platform) in
        tables().flat_map(|table| table.platforms.iter().map(move |p| (table, *p)))
    {
        let of_column = |column: &Column| {
            let bound = columns(
                table,
                platform,
                vec![Step::project([Item::named("Value", column.value.clone())])],
            );
            let fits: &[Type] = match column.kind {
                Kind::Number => &[Type::Int, Type::Long],
                Kind::List => &[Type::Dynamic],
                Kind::Text | Kind::Recased | Kind::Dashed | Kind::Words | Kind::Truth => {
                    &[Type::String]
                }
            };
            assert!(
                fits.contains(&bound[0].kind),
                "{} {}: {}",
                table.name,
                column.name,
                bound[0].kind
            );
            let earlier = column.earlier.iter().map(|value| Item::named("Value", value.clone()));
            columns(
                table,
                platform,
                vec![Step::project(earlier.chain([Item::named("Own", column.value.clone())]))],
            );
            let conditions =
                [column.rows_of_true.as_ref(), column.empty.as_ref().map(|(_, rows)| rows)];
            for condition in conditions.into_iter().flatten() {
                columns(table, platform, vec![Step::filter(condition.clone())]);
            }
        };
        table.columns.values().flatten().for_each(of_column);
        if let Rows::Where(condition) = &table.rows {
            columns(table, platform, vec![Step::filter(condition.clone())]);
        }
        if let Rows::With(field) = &table.rows {
            assert!(!table.column(field, Holds::Whole).unwrap().words.is_empty(), "{}", table.name);
        }
        for (name, value) in &table.result {
            let bound = columns(
                table,
                platform,
                vec![Step::project([Item::named("Value", value.clone())])],
            );
            let wanted = results().columns.iter().find(|column| column.name == *name).unwrap().kind;
            assert_eq!(bound[0].kind, wanted, "{} {name}", table.name);
        }
        assert!(!table.connector.is_empty() && table.unknown_product.contains("{product}"));
    }
}

#[test]
fn a_mistake_is_found_at_its_word() {
    let table = |more: &str| {
        format!(
            "mapping: own\nplatforms: [sentinel]\ntables:\n  - table: T\n    events: webserver\n{more}"
        )
    };
    for (more, message) in [
        ("    rows: a ==\n", "`rows` is no Kusto"),
        (
            "    fields: {cs-method: csMethod, cs-methd: x}\n",
            "webserver events have no field `cs-methd`",
        ),
        ("    fields: {c-ip: {column: a, written: big}}\n", "`big` is no written of a column"),
        ("    fields: {c-ip: {all: a}}\n", "unknown key `all` in a field"),
        ("    result: {Nothing: a}\n", "a result has no column `Nothing`"),
        ("    with: [none]\n", "nothing is shared as `none`"),
        ("    row: a\n", "unknown key `row` in a table"),
        ("    fields: {c-ip: a}\n    absent: [c-ip]\n", "`c-ip` is absent and has a place"),
        (
            "    fields: {c-ip: a}\n    absent: [cs-host]\n",
            "neither under `fields` nor absent: Computer",
        ),
    ] {
        let found = findings("own.yml", &table(more));
        assert!(found.len() <= 2 && found[0].contains(message), "{more}: {found:?}");
    }
    let stream = "mapping: own\nplatforms: [elastic]\nindices: {a-*: {}}\nstreams:\n  \
                  - {events: nothing, domain: Web}\n  - {events: webserver, domain: Web, indices: [b-*], \
                  fields: {c-ip: source.ip}}\n";
    let found = findings("own.yml", stream).join("\n");
    for message in
        ["no log source is called `nothing`", "no index is called `b-*`", "the type of `source.ip`"]
    {
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn a_log_source_has_one_place_on_each_platform() {
    for kind in EventKind::ALL {
        let stream = streams().filter(|stream| stream.events == *kind).count();
        assert!(stream <= 1, "{kind}");
    }
}
