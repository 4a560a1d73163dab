//! The columns of a result that a package shows.
//!
//! In: a package, and `entities.tsv`. Out: each identifier of an entity whose column holds something else, and each
//! detail under a name that is not its column's.

use std::sync::LazyLock;

use serde_json::Value;

use crate::ir::Rule;

static ALLOWED: LazyLock<Vec<[&str; 3]>> = LazyLock::new(|| {
    let lines = include_str!("entities.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok()).collect()
});

/// What a package shows of a result
#[derive(Default)]
pub(super) struct Mapped<'p> {
    /// Entity, identifier, column
    entities: Vec<(&'p str, &'p str, &'p str)>,
    /// Name, column
    details: Vec<(&'p str, &'p str)>,
}

impl<'p> Mapped<'p> {
    /// Reads the notations of YAML, ARM and custom detections
    pub(super) fn of(package: &'p Value) -> Mapped<'p> {
        let below = ["", "/resources/0/properties", "/detectionAction/alertTemplate"];
        let places =
            |key: &str| below.iter().find_map(|place| package.pointer(&format!("{place}/{key}")));
        let mut mapped = Mapped::default();
        match places("entityMappings") {
            Some(Value::Array(entities)) => {
                for entity in entities {
                    let kind = entity["entityType"].as_str().unwrap_or_default();
                    for one in entity["fieldMappings"].as_array().into_iter().flatten() {
                        let text = |key: &str| one[key].as_str().unwrap_or_default();
                        mapped.entities.push((kind, text("identifier"), text("columnName")));
                    }
                }
            }
            Some(Value::Object(kinds)) => {
                let all = kinds.iter().flat_map(|(kind, items)| {
                    items.as_array().into_iter().flatten().map(move |item| (kind, item))
                });
                for (kind, item) in all {
                    for (identifier, column) in item.as_object().into_iter().flatten() {
                        let column = column.as_str().unwrap_or_default();
                        mapped.entities.push((kind, identifier, column));
                    }
                }
            }
            _ => {}
        }
        if let Some(Value::Object(details)) = places("customDetails") {
            let named =
                details.iter().filter_map(|(name, column)| Some((&**name, column.as_str()?)));
            mapped.details.extend(named);
        }
        mapped
    }

    /// What is mapped wrongly, in words
    pub(super) fn wrong(&self, rule: &Rule, target: &str) -> Vec<String> {
        let own = rule.settings_for(target).is_some_and(|said| said.get("entities").is_some());
        let entities = self.entities.iter().filter(|(kind, identifier, column)| {
            let row = ALLOWED.iter().find(|row| row[0] == *kind && row[1] == *identifier);
            !own && !row.is_some_and(|row| row[2].split(' ').any(|known| known == *column))
        });
        let entities = entities.map(|(kind, identifier, column)| {
            format!("the column `{column}` does not hold the {identifier} of the entity {kind}")
        });
        let details = self.details.iter().filter(|(name, column)| name != column);
        let details = details
            .map(|(name, column)| format!("the detail `{name}` shows the column `{column}`"));
        entities.chain(details).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("entities.tsv").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), ALLOWED.len());
    }
}
