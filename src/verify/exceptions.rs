//! The exceptions of Kibana's import file, in their rules.
//!
//! In: the text of an import file: rules, exception lists and their items, in any order. Out: the
//! rules in their order, each with the filters that Kibana makes of its items. An exception that
//! would not come with its rule is an error: the rule would alert on more.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::query::elasticsearch::Item;

/// The rules of an import file; an error is a clause without a period
pub(super) fn rules(text: &str) -> Result<Vec<Value>, String> {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let (mut rules, mut items) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).map_err(|why| why.to_string())?;
        // As Kibana sorts the lines of an import.
        match (value.get("item_id").or(value.get("entries")), value.get("list_id")) {
            (Some(_), _) => items.push(value),
            (None, Some(id)) => {
                lists.insert(list_id(id)?, Vec::new());
            }
            (None, None) => rules.push(value),
        }
    }
    for item in items {
        let id = list_id(&item["list_id"])?;
        let filter = Item::read(&item).map_err(|why| why.to_string())?.filter().to_json();
        let list = lists.get_mut(&id);
        list.ok_or_else(|| format!("there is no exception list {id}"))?.push(filter);
    }
    for rule in &mut rules {
        add(rule, &mut lists)?;
    }
    match lists.keys().next() {
        Some(id) => Err(format!("the exception list {id} belongs to no rule, or to two")),
        None => Ok(rules),
    }
}

/// Adds the filters of its lists to a rule, and takes these lists
fn add(rule: &mut Value, lists: &mut BTreeMap<String, Vec<Value>>) -> Result<(), String> {
    let Some(asked) = rule.get("exceptions_list").and_then(Value::as_array).cloned() else {
        return Ok(());
    };
    for asked in asked {
        let id = list_id(&asked["list_id"])?;
        let filters =
            lists.remove(&id).ok_or_else(|| format!("there is no exception list {id}"))?;
        if rule["filters"].is_null() {
            rule["filters"] = Value::Array(Vec::new());
        }
        // Filters that are no list are refused with the rule.
        rule["filters"].as_array_mut().into_iter().for_each(|all| all.extend(filters.clone()));
    }
    if let Value::Object(rule) = rule {
        rule.remove("exceptions_list");
    }
    Ok(())
}

fn list_id(id: &Value) -> Result<String, String> {
    id.as_str().map(ToOwned::to_owned).ok_or_else(|| format!("no exception list is called {id}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(lines: &[Value]) -> Result<Vec<Value>, String> {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        rules(&lines.join("\n"))
    }

    #[test]
    fn an_item_is_a_filter_of_its_rule_in_any_order_of_lines() {
        let rule = json!({"rule_id": "1", "filters": [], "exceptions_list": [{"list_id": "l"}]});
        let list = json!({"list_id": "l", "name": "L"});
        let entry = json!({"field": "a", "operator": "included", "type": "exists"});
        let item = json!({"item_id": "i", "list_id": "l", "type": "simple", "entries": [entry]});
        let read = of(&[item.clone(), list.clone(), rule.clone()]).unwrap();
        assert_eq!(read[0]["filters"][0]["meta"]["negate"], true);
        assert_eq!(read[0]["filters"][0]["query"], json!({"exists": {"field": "a"}}));
        assert_eq!(read[0].get("exceptions_list"), None);
        let other = json!({"rule_id": "2"});
        for lines in [
            &[rule.clone(), list.clone()][..],
            &[rule.clone(), item.clone()],
            &[other.clone(), list.clone(), item.clone()],
            &[rule.clone(), rule, list, item],
        ] {
            let missing = of(lines);
            let whole = lines.len() == 2 && lines[1].get("name").is_some();
            assert_eq!(missing.is_ok(), whole, "{lines:?}");
        }
    }
}
