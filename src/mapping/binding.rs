//! Looks up every column of the user's mapping in the schema of its table.
//!
//! In: a mapping with its document. Out: a diagnostic at each table, column, condition and result
//! that the target would refuse.

use super::results;
use super::table::{Column, Kind, Rows, Table};
use super::{Mapping, Node};
use crate::diagnostic::{Code, Diagnostic};
use crate::query::kusto::{self, Expression, Item, Let, Pipeline, Query, Step, Type};
use crate::source::Span;
use crate::yaml::{Kind as Shape, Reader};

/// Reports what a target would refuse
pub(super) fn check(reader: &mut Reader<'_>, document: &Node, mapping: &Mapping) {
    let Some(Node { kind: Shape::List(blocks), .. }) = document.get("tables") else { return };
    for block in blocks {
        let name = block.get("table").and_then(Node::text);
        for table in mapping.tables.iter().filter(|table| Some(&*table.name) == name) {
            check_table(reader, block, (mapping, table));
        }
    }
}

fn check_table(reader: &mut Reader<'_>, block: &Node, of: (&Mapping, &Table)) {
    let place = |key: &str| block.get(key).unwrap_or(block).span;
    let (_, table) = of;
    // A table that is not known is one finding.
    if let Err(why) = bound(of, Vec::new()) {
        let message = format!("{}: {why}", table.name);
        let diagnostic =
            Diagnostic::new(Code::E0901, reader.source, place("table"), message, "not known");
        let help = "Give its columns: `schema: {Table: {column: type}}`.";
        return reader.report(diagnostic.help(help));
    }
    let mut refuse = |span: Span, why: String| {
        reader.error(Code::E0901, span, format!("{}: {why}", table.name), "refused by the target");
    };
    let fields = block.get("fields");
    for (field, columns) in &table.columns {
        let span = fields.and_then(|fields| fields.get(field.name()));
        let span = span.map_or_else(|| place("others"), |node| node.span);
        for column in columns {
            if let Err(why) = check_column(of, column) {
                refuse(span, why);
            }
        }
    }
    if let Rows::Where(condition) = &table.rows
        && let Err(why) = bound(of, vec![Step::filter(condition.clone())])
    {
        refuse(place(if block.get("rows").is_some() { "rows" } else { "events" }), why);
    }
    for value in table.keywords.iter() {
        if let Err(why) = value_of(of, value, &[Type::String]) {
            refuse(place("keywords"), why);
        }
    }
    let result = block.get("result");
    for (name, value) in &table.result {
        let wanted = results().column(name);
        let fits: Vec<Type> = wanted.map(|column| column.kind).into_iter().collect();
        if let Err(why) = value_of(of, value, &fits) {
            let span = result.and_then(|result| result.get(name));
            refuse(span.map_or_else(|| place("result"), |node| node.span), why);
        }
    }
}

/// Binds a column with all that belongs to it
pub(super) fn check_column(of: (&Mapping, &Table), column: &Column) -> Result<(), String> {
    let fits: &[Type] = match column.kind {
        Kind::Number => &[Type::Int, Type::Long],
        Kind::List => &[Type::Dynamic],
        Kind::Text | Kind::Recased | Kind::Dashed | Kind::Words | Kind::Truth => &[Type::String],
    };
    value_of(of, &column.value, fits)?;
    if let Some(earlier) = &column.earlier {
        value_of(of, earlier, fits)?;
    }
    let conditions = [column.rows_of_true.as_ref(), column.empty.as_ref().map(|(_, rows)| rows)];
    for condition in conditions.into_iter().flatten() {
        bound(of, vec![Step::filter(condition.clone())])?;
    }
    Ok(())
}

/// Binds a value that must have one of these types
pub(super) fn value_of(
    of: (&Mapping, &Table),
    value: &Expression,
    fits: &[Type],
) -> Result<(), String> {
    let columns = bound(of, vec![Step::project([Item::named("Value", value.clone())])])?;
    match columns.first() {
        Some(column) if !fits.contains(&column.kind) => {
            let wanted: Vec<&str> = fits.iter().map(|kind| kind.as_str()).collect();
            let value = kusto::print_expression(value);
            let wanted = wanted.join(" or ");
            Err(format!("`{value}` is {}, and {wanted} is expected", column.kind))
        }
        _ => Ok(()),
    }
}

/// The columns of the prepared table after these steps, or the first finding
pub(super) fn bound(
    (mapping, table): (&Mapping, &Table),
    steps: Vec<Step>,
) -> Result<Vec<kusto::Column>, String> {
    let mut used = std::collections::BTreeSet::new();
    steps.iter().for_each(|step| step.collect_names(&mut used));
    table.prepare.iter().for_each(|step| step.collect_names(&mut used));
    let added = used.iter().filter_map(|name| table.added(name));
    let added: Vec<Item> = added.collect();
    let added = (!added.is_empty()).then(|| Step::extend(added));
    let rows = Pipeline::of(&table.name, added);
    let result = rows.then(table.prepare.iter().cloned()).then(steps);
    let named =
        |(name, values): &(String, Vec<String>)| Let::new(name, Expression::dynamic(values));
    let lets = table.lists.iter().map(named).collect();
    let text = kusto::print(&Query { heading: Vec::new(), lets, result });
    for platform in &table.platforms {
        let binding = kusto::bind_with(&text, *platform, &mapping.schema);
        match binding {
            Ok(columns) if Some(platform) == table.platforms.last() => return Ok(columns),
            Ok(_) => {}
            Err(findings) => {
                return Err(findings.into_iter().next().map(|one| one.message).unwrap_or_default());
            }
        }
    }
    Ok(Vec::new())
}
