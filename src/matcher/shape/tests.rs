//! One record of each shape.

use serde_json::{Value, json};

use super::*;
use crate::mapping::Mappings;

fn made(record: &str, shape: Option<Shape>, time: Option<&str>) -> Option<Flattened> {
    let mapped = Mapped::new(Mappings::default(), None, &[]);
    flatten(record, Wanted { shape, time, mapped: &mapped })
}

fn flat(record: &Value) -> Value {
    let shaped = made(&record.to_string(), None, None).expect("a shape");
    serde_json::from_str(&shaped.line).unwrap()
}

fn title(record: &Value) -> Option<&'static str> {
    Some(made(&record.to_string(), None, None)?.title)
}

#[test]
fn an_event_of_windows_is_read_in_all_its_forms() {
    let wanted = json!({
        "Image": "a.exe", "Provider_Name": "P", "EventID": 1, "Channel": "C", "Computer": "h",
        "TimeCreated": "2026-01-01T00:00:00Z",
    });
    let system = json!({
        "Provider": {"#attributes": {"Name": "P"}}, "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 1},
        "Channel": "C", "Computer": "h", "TimeCreated": {"#attributes": {"SystemTime": "2026-01-01T00:00:00Z"}},
    });
    let apart = json!({
        "Provider_attributes": {"Name": "P"}, "EventID": 1, "Channel": "C", "Computer": "h",
        "TimeCreated_attributes": {"SystemTime": "2026-01-01T00:00:00Z"},
    });
    let data = json!({"Image": "a.exe"});
    for record in [
        json!({"Event": {"System": system, "EventData": data}}),
        json!({"Event_attributes": {"xmlns": "x"}, "Event": {"System": apart, "EventData": data}}),
        json!({"System": system, "EventData": data}),
        json!({"Event": {"System": system, "EventData": {"Data": [{"#attributes": {"Name": "Image"}, "#text": "a.exe"}]}}}),
        json!({"Event": {"System": system, "EventData": {"Data": {"@Name": "Image", "#text": "a.exe"}}}}),
        json!({"Event": {"System": system, "UserData": {"Any": {"#attributes": {"xmlns": "x"}, "Image": "a.exe"}}}}),
        json!({"document": {"data": {"Event": {"System": system, "EventData": data}}}}),
    ] {
        assert_eq!(flat(&record), wanted, "{record}");
    }
}

#[test]
fn data_without_names_is_a_list_and_attributes_are_no_fields() {
    let data = json!({"Data": {"#text": ["a", "b"]}, "Binary": null, "#attributes": {"Name": "x"}});
    let record = json!({"Event": {"System": {"EventID": "7"}, "EventData": data}});
    assert_eq!(flat(&record), json!({"Data": ["a", "b"], "Binary": null, "EventID": "7"}));
}

#[test]
fn what_the_log_is_goes_before_a_field_of_its_name() {
    let data = json!({"LogFileCleared": {"Channel": "Application"}});
    let record =
        json!({"Event": {"System": {"EventID": 104, "Channel": "System"}, "UserData": data}});
    assert_eq!(flat(&record)["Channel"], json!(["System", "Application"]));
}

#[test]
fn beats_and_what_wraps_them_are_recognised() {
    let doc = json!({
        "@timestamp": "t", "winlog": {"channel": "C", "event_id": 1, "provider_name": "P",
        "computer_name": "h", "event_data": {"Image": "a"}},
    });
    let wanted = json!({
        "Image": "a", "EventID": 1, "Channel": "C", "Provider_Name": "P", "Computer": "h", "@timestamp": "t",
    });
    assert_eq!(flat(&doc), wanted);
    assert_eq!(flat(&json!({"_index": "i", "_source": doc})), wanted);
    let flat_doc = json!({"winlog.channel": ["C"], "winlog.event_data.Image": ["a"], "winlog.event_id": ["1"]});
    let event = flat(&json!({"_index": "i", "fields": flat_doc}));
    assert_eq!((&event["Image"], &event["Channel"]), (&json!(["a"]), &json!(["C"])));
    assert_eq!(title(&json!({"_source": doc})), Some("Winlogbeat"));
}

#[test]
fn exports_of_others_get_sigmas_names() {
    let splunk = json!({"preview": false, "result": {
        "_time": "t", "sourcetype": "x", "source": "XmlWinEventLog:Security", "EventCode": "4688", "host": "h", "a": "1",
    }});
    let event = flat(&splunk);
    let of = |name: &str| event[name].as_str().unwrap();
    assert_eq!(
        [of("Channel"), of("EventID"), of("Computer"), of("a")],
        ["Security", "4688", "h", "1"]
    );
    let payload = json!({"EventData": {"Data": [{"@Name": "Image", "#text": "a"}]}}).to_string();
    let ecmd = json!({"EventId": 1, "Provider": "P", "Channel": "C", "Payload": payload});
    assert_eq!(
        flat(&ecmd),
        json!({"Image": "a", "EventID": 1, "Channel": "C", "Provider_Name": "P"})
    );
    let trail =
        json!({"eventVersion": "1", "eventSource": "s", "eventName": "n", "eventTime": "t"});
    let shaped = made(&trail.to_string(), None, None).unwrap();
    assert_eq!(shaped.kinds, [EventKind::named("aws/cloudtrail").unwrap()]);
}

#[test]
fn a_flat_event_stays_as_it_is_and_a_named_shape_must_fit() {
    for event in [json!({"Image": "a", "EventID": 1}), json!({"result": {"a": 1}}), json!([1])] {
        assert_eq!(title(&event), None, "{event}");
    }
    let doc = json!({"winlog": {"channel": "C"}}).to_string();
    assert!(made(&doc, Shape::named("winlogbeat"), None).is_some());
    assert!(made(&doc, Shape::named("evtx"), None).is_none());
    assert!(Shape::named("nosuch").is_none());
}

#[test]
fn what_stands_under_other_names_is_told() {
    let sysmon = |executable: &str| json!({"winlog": {"channel": "C", "event_data": {"Image": "a"}}, "process": {"executable": executable}});
    for (record, is_partly_read) in [
        (sysmon("a"), false),
        (json!({"winlog": {"channel": "C"}, "registry": {"path": "b"}}), true),
        (json!({"ecs": {"version": "8"}, "process": {"executable": "a"}}), true),
        (json!({"Timestamp": "t", "DeviceName": "h", "ActionType": "ProcessCreated"}), false),
        (json!({"Timestamp": "t", "DeviceName": "h", "ActionType": "NoSuchAction"}), true),
        (json!({"TenantId": "t", "TimeGenerated": "t"}), true),
    ] {
        let shaped = made(&record.to_string(), None, None).unwrap();
        assert_eq!(shaped.is_partly_read, is_partly_read, "{record}");
    }
}

#[test]
fn the_time_that_the_user_names_is_kept_from_outside_the_fields() {
    let doc = json!({"at": {"when": "t"}, "winlog": {"channel": "C"}}).to_string();
    let shaped = made(&doc, None, Some("at.when")).unwrap();
    assert!(shaped.line.contains(r#""at.when":"t""#), "{}", shaped.line);
}
