//! The column that a field becomes on each target, for hover texts.
//!
//! In: the mappings that rulecast brings along. Out: for a field of an event, the first place of each
//! target that holds it, in the order in which mappings are asked.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::backend::Target;
use crate::mapping::Mappings;

/// The places of each field, by the kind of event and the field
type Places = HashMap<(String, String), Vec<(Target, String)>>;

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let mut all = Places::new();
    let mappings = Mappings::default();
    for placement in mappings.all().flat_map(|mapping| mapping.placements()) {
        for (field, columns) in &placement.fields {
            let places = all.entry((placement.events.clone(), field.clone())).or_default();
            for target in placement.targets.iter().filter_map(|name| Target::named(name)) {
                if places.iter().all(|(known, _)| *known != target) {
                    places.push((target, format!("{columns} in {}", placement.place)));
                }
            }
        }
    }
    all.values_mut().for_each(|places| places.sort_by_key(|(target, _)| *target));
    all
});

/// The first place of each target that holds a field of such events
pub(super) fn of(event: &str, field: &str) -> &'static [(Target, String)] {
    PLACES.get(&(event.to_owned(), field.to_owned())).map_or(&[], Vec::as_slice)
}

#[test]
fn a_field_has_its_first_column_on_each_target() {
    let places = of("process_creation", "CommandLine");
    assert_eq!(places[0], (Target::Sentinel, "ProcessCommandLine in DeviceProcessEvents".into()));
    assert!(places.iter().any(|(target, _)| *target == Target::Elastic), "{places:?}");
}
