//! Says which events each file holds.
//!
//! In: the [`Census`] of each file. Out: a line for each on stderr: how many events, of which shape, and how
//! many of them no rule looks at. A run over many files tells the first ones and sums up the others.

use std::io;

use super::Global;
use super::report::say;
use crate::matcher::Census;
use crate::pages::grouped;

/// The most files with a line of their own
const SHOWN: usize = 20;

/// Says what was read, and how many files of folders were passed over
pub(super) fn files(
    global: &Global,
    names: &[String],
    censuses: &[Census],
    passed_over: usize,
) -> io::Result<()> {
    for (name, census) in names.iter().zip(censuses).take(SHOWN) {
        say(global, &format!("{name}: {}", said(census)))?;
    }
    let rest = censuses.get(SHOWN..).unwrap_or_default();
    if !rest.is_empty() {
        let mut all = Census::default();
        rest.iter().for_each(|census| all.add(census));
        say(global, &format!("{} more files: {}", grouped(rest.len()), said(&all)))?;
    }
    if passed_over > 0 {
        say(
            global,
            &format!("{} files of folders passed over: no names of logs", grouped(passed_over)),
        )?;
    }
    Ok(())
}

/// `4,120 events, Winlogbeat; 12 of them of kinds that no rule looks at`
fn said(census: &Census) -> String {
    let number =
        |number: usize| format!("{} event{}", grouped(number), if number == 1 { "" } else { "s" });
    let mut text = number(census.events);
    match &*census.shapes {
        [] => {}
        [(title, _)] => text.push_str(&format!(", {title}")),
        shapes => {
            let shapes: Vec<String> = shapes
                .iter()
                .map(|(title, number)| format!("{} {title}", grouped(*number)))
                .collect();
            text.push_str(&format!(": {}", shapes.join(", ")));
        }
    }
    let unlooked = census.all_unlooked();
    if unlooked > 0 {
        text.push_str(&format!("; {} of kinds that no rule looks at", grouped(unlooked)));
    }
    text
}
