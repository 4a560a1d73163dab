//! The user's own tables.
//!
//! In: `schema` of a mapping: for each table its columns with their types. Out: a [`Schema`] that
//! stands beside the known tables.

use crate::diagnostic::Code;
use crate::query::kusto::{Column, Schema, Type};
use crate::yaml::{Node, Reader};

/// Reads `schema`
pub(super) fn read(reader: &mut Reader<'_>, document: &Node) -> Schema {
    let mut schema = Schema::default();
    let tables = document.get("schema").map(|node| reader.map(node, "`schema`"));
    for (name, columns) in tables.into_iter().flatten() {
        let columns = reader.map(columns, "the columns of a table");
        let columns = columns.iter().filter_map(|(name, kind)| column(reader, name, kind));
        let columns: Vec<Column> = columns.collect();
        if let Some(name) = reader.key(name) {
            schema.tables.insert(name.to_owned(), columns);
        }
    }
    schema
}

fn column(reader: &mut Reader<'_>, name: &Node, kind: &Node) -> Option<Column> {
    let word = reader.text(kind, "the type of a column")?;
    let Some(kind) = Type::named(&word.value) else {
        let names: Vec<&str> = Type::ALL.iter().map(|kind| kind.as_str()).collect();
        let message = format!("`{}` is no type of Kusto", word.value);
        reader.error(Code::E0112, word.span, message, &names.join(", "));
        return None;
    };
    Some(Column { name: reader.key(name)?.to_owned(), kind })
}
