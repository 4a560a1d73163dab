//! `report --navigator`: the layer is one of the format that the ATT&CK Navigator specifies.

use std::fs;

use serde_json::{Value, json};

use crate::pages::run;
use crate::support::folder;

/// The format of layers 4.5 as its specification has it
fn format() -> Value {
    let text = json!({"type": "string"});
    let flag = json!({"type": "boolean"});
    let colour = json!({"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"});
    json!({
        "type": "object", "required": ["name", "domain", "versions"], "additionalProperties": false,
        "properties": {
            "name": text, "description": text, "domain": {"const": "enterprise-attack"},
            "versions": {"type": "object", "required": ["navigator", "layer"], "additionalProperties": false,
                "properties": {"attack": {"const": "19"}, "navigator": text, "layer": {"const": "4.5"}}},
            "sorting": {"enum": [0, 1, 2, 3]}, "hideDisabled": flag,
            "layout": {"type": "object", "additionalProperties": false, "properties": {
                "layout": {"enum": ["side", "flat", "mini"]}, "showID": flag, "showName": flag,
                "showAggregateScores": flag, "countUnscored": flag,
                "aggregateFunction": {"enum": ["average", "min", "max", "sum"]},
                "expandedSubtechniques": {"enum": ["none", "all", "annotated"]}}},
            "techniques": {"type": "array", "minItems": 1, "items": {"type": "object",
                "required": ["techniqueID"], "additionalProperties": false, "properties": {
                    "techniqueID": {"type": "string", "pattern": r"^T\d{4}(\.\d{3})?$"},
                    "tactic": {"type": "string", "pattern": "^[a-z-]+$"}, "score": {"type": "number", "minimum": 1},
                    "comment": text, "color": colour, "enabled": flag, "showSubtechniques": flag,
                    "metadata": {"type": "array", "items": {"type": "object", "required": ["name", "value"],
                        "additionalProperties": false, "properties": {"name": text, "value": text}}}}}},
            "gradient": {"type": "object", "required": ["colors", "minValue", "maxValue"],
                "additionalProperties": false, "properties": {"minValue": {"type": "number"},
                    "maxValue": {"type": "number"}, "colors": {"type": "array", "minItems": 2, "items": colour}}},
            "legendItems": {"type": "array", "items": {"type": "object", "required": ["label", "color"],
                "additionalProperties": false, "properties": {"label": text, "color": colour}}},
            "showTacticRowBackground": flag, "selectTechniquesAcrossTactics": flag,
            "selectSubtechniquesWithParent": flag,
        },
    })
}

#[test]
fn the_layer_of_the_navigator_is_valid_and_counts_rules() {
    let file = folder("layer").join("layer.json");
    let made = run(&["rules", "--navigator", file.to_str().unwrap()]);
    assert!(made.status.success() && made.stdout.is_empty(), "{made:?}");
    let layer: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let format = jsonschema::draft202012::new(&format()).unwrap();
    let wrong: Vec<String> = format.iter_errors(&layer).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(layer["gradient"]["maxValue"].as_u64() > layer["gradient"]["minValue"].as_u64());
    let all = layer["techniques"].as_array().unwrap();
    let of = |id: &str| all.iter().find(|one| one["techniqueID"] == id).unwrap();
    assert_eq!(of("T1505.003")["score"], 6);
    assert_eq!(of("T1505")["showSubtechniques"], true);
    assert!(
        of("T1505.003")["comment"].as_str().unwrap().contains("Web Shell Activity on a Web Server")
    );
}
