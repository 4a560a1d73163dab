//! Every row of every built-in mapping, held against the schemas of its targets.

use super::*;
use crate::query::kusto::{Item, Step, Type};
use crate::taxonomy::EventKind;
use crate::yaml;

fn findings(name: &str, text: &str) -> Vec<String> {
    let mut diagnostics = Diagnostics::default();
    let source = Arc::new(SourceText::new(name, text));
    match name {
        "results.yml" => drop(results::read(&source, &mut diagnostics)),
        _ => drop(document::mappings(&source, &mut diagnostics)),
    }
    diagnostics.iter().map(|one| format!("{name}: {}", one.message)).collect()
}

#[test]
fn the_documents_have_no_mistakes() {
    let documents = DOCUMENTS.iter().map(|(name, text, _)| (*name, *text));
    for (name, text) in documents.chain([("results.yml", include_str!("results.yml"))]) {
        assert_eq!(findings(name, text), Vec::<String>::new());
    }
    assert_eq!(library::built_in().count(), DOCUMENTS.len());
    for (file, _, places) in DOCUMENTS {
        let mapping =
            library::built_in().find(|one| file.strip_suffix(".yml") == Some(&one.name.value));
        let mapping = mapping.unwrap_or_else(|| panic!("{file} has another name than its mapping"));
        assert_eq!(mapping.tables.is_empty(), *places == Places::Streams, "{file}");
    }
}

#[test]
fn every_field_of_a_vocabulary_has_a_place_or_is_named_as_absent() {
    let is_vocabulary = |name: &str| EventKind::ALL.iter().any(|kind| kind.name() == name);
    for (file, text, _) in DOCUMENTS {
        let source = Arc::new(SourceText::new(*file, *text));
        let documents = yaml::parse(&source, &mut Diagnostics::default());
        let lists = ["tables", "streams"].into_iter().filter_map(|key| documents[0].get(key));
        let blocks = lists.flat_map(|list| match &list.kind {
            yaml::Kind::List(blocks) => blocks.as_slice(),
            yaml::Kind::Map(_) | yaml::Kind::Scalar(..) => &[],
        });
        for block in
            blocks.filter(|one| one.get("events").and_then(Node::text).is_some_and(is_vocabulary))
        {
            let with = block.get("with").map(|_| documents[0].get("shared").unwrap());
            // The reader holds a list `absent` against the fields without a place.
            let says = |key: &str| {
                block.get(key).is_some()
                    || with.is_some_and(|shared| match &shared.kind {
                        yaml::Kind::Map(entries) => {
                            entries.iter().any(|(_, one)| one.get(key).is_some())
                        }
                        yaml::Kind::List(_) | yaml::Kind::Scalar(..) => false,
                    })
            };
            let kind = block.get("events").and_then(Node::text).and_then(EventKind::named).unwrap();
            let placed =
                |field: &&str| block.get("fields").is_some_and(|own| own.get(field).is_some());
            let all = kind.field_names().iter().all(placed);
            let second = block.get("rows").is_some() && *file == "ecs.yml";
            assert!(
                says("absent") || says("others") || second || all,
                "{file} {:?}",
                block.get("events")
            );
        }
    }
}

#[test]
fn every_column_binds_with_its_type() {
    for mapping in library::built_in() {
        for table in &mapping.tables {
            let of = (mapping, table);
            let named = |what: &str, why: String| {
                panic!("{} {}: {what}: {why}", mapping.name.value, table.name)
            };
            for column in table.columns.values().flatten() {
                binding::check_column(of, column).unwrap_or_else(|why| named(&column.name, why));
            }
            if let Rows::Where(condition) = &table.rows {
                let rows = binding::bound(of, vec![Step::filter(condition.clone())]);
                rows.map(drop).unwrap_or_else(|why| named("rows", why));
            }
            if let Rows::With(field) = &table.rows {
                assert!(
                    !table.column(field, Holds::Whole).unwrap().words.is_empty(),
                    "{}",
                    table.name
                );
            }
            for value in table.keywords.iter() {
                binding::value_of(of, value, &[Type::String])
                    .unwrap_or_else(|why| named("keywords", why));
            }
            for (name, value) in &table.result {
                let kind = results().column(name).unwrap().kind;
                binding::value_of(of, value, &[kind]).unwrap_or_else(|why| named(name, why));
                let made = results().columns.iter().filter(|column| {
                    column.made.as_ref().is_some_and(|(made_of, _)| made_of == name)
                });
                for column in made {
                    let (_, made) = column.made.as_ref().unwrap();
                    let steps = [Item::named(name, value.clone()), Item::named("It", made.clone())];
                    let steps = steps.map(|item| Step::project([item])).to_vec();
                    let bound = binding::bound(of, steps);
                    let kinds = bound.map(|columns| columns[0].kind);
                    assert_eq!(kinds, Ok(column.kind), "{} {}", table.name, column.name);
                }
            }
            assert!(!table.products.is_empty() || table.unknown_product.contains("{product}"));
        }
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
        let messages = findings("own.yml", &table(more));
        assert!(messages.len() <= 2 && messages[0].contains(message), "{more}: {messages:?}");
    }
    let stream = "mapping: own\nplatforms: [elastic]\nindices: {a-*: {}}\nstreams:\n  \
                  - {events: nothing, domain: Web}\n  - {events: webserver, domain: Web, indices: [b-*], \
                  fields: {c-ip: source.ip}}\n";
    let messages = findings("own.yml", stream).join("\n");
    for message in
        ["no log source is called `nothing`", "no index is called `b-*`", "the type of `source.ip`"]
    {
        assert!(messages.contains(message), "{messages}");
    }
}

#[test]
fn a_parameter_is_one_that_loses_no_row() {
    let of = |parameter: &str| {
        let text = format!(
            "mapping: ours\nplatforms: [sentinel]\nconnector: \"\"\nunknown_product: x\ntables:\n\
             - table: _Im_ProcessCreate\n  events: process_creation\n  \
             parameters: {{{parameter}}}\n  fields: {{Image: TargetProcessName}}\n"
        );
        findings("ours.yml", &text)
    };
    assert_eq!(of("targetprocess_has_any: [Image]"), Vec::<String>::new());
    let lossy = "ours.yml: the parameter `parentprocess_has_any` of _Im_ProcessCreate is not known";
    assert_eq!(of("parentprocess_has_any: Image"), [lossy]);
    let unknown = "ours.yml: process_creation events have no field `Imag`";
    assert_eq!(of("targetprocess_has_any: [Imag]"), [unknown]);
}
