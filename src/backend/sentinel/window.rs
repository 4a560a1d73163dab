//! Events of a timespan that find each other.
//!
//! In: the rows of a correlation's origins. Out: a join by Microsoft's documented pattern for time
//! windows (Kusto reference, join-time-window.md): the later side is expanded to every bin of time
//! that its window touches, the earlier side has one, and the join is on the bin and the group.

use super::columns::Projected;
use super::correlation::{Plan, Rows, distinct, is_own};
use super::lets::Lets;

impl Plan<'_> {
    /// The bins of time that the window before an event touches
    fn expanded(&self, lines: &mut Vec<String>) {
        let (time, span) = (self.time, self.span());
        lines.push(format!(
            "| extend TimeKey = range(bin({time} - {span}, {span}), bin({time}, {span}), {span})"
        ));
        lines.push("| mv-expand TimeKey to typeof(datetime)".to_owned());
    }

    /// Every origin, or so many values, within the timespan
    ///
    /// The rows are the completing events. What they have no column for shows the largest value
    /// of the others.
    pub(super) fn together(
        &self,
        lines: &mut Vec<String>,
        lets: &mut Lets,
        values: Option<(&str, u64)>,
    ) -> Vec<Projected> {
        let (time, span) = (self.time, self.span());
        let (counted, least) = match values {
            Some((value, least)) => (distinct(value), least),
            None => ("count_distinct(Origin)".to_owned(), self.origins.len() as u64),
        };
        let marked = |(at, rows): (usize, &Rows)| format!("({} | extend Origin = {at})", rows.name);
        let all = match values {
            Some(_) => self.all(),
            None => {
                let marked: Vec<String> = self.origins.iter().enumerate().map(marked).collect();
                format!("union {}", marked.join(", "))
            }
        };
        let rows = self.named(lines, lets, &all);
        let shown: Vec<Projected> =
            self.columns().into_iter().filter(|column| !is_own(&column.name)).collect();
        let missing = |column: &&Projected| {
            let has = |rows: &Rows| rows.columns.iter().any(|have| have.name == column.name);
            column.kind == "string" && column.name != "DeviceId" && !self.origins.iter().all(has)
        };
        // A key or a value is that of the completing event and of no other.
        let shows =
            |column: &&Projected| !column.name.ends_with("Key") && !column.name.ends_with("Value");
        let others: Vec<&Projected> = shown.iter().filter(missing).filter(shows).collect();
        lines.push(format!("let {} = {rows}", self.name));
        lines.push("| join kind=inner (".to_owned());
        let mut inner = vec![rows.clone(), format!("| distinct Group, {time}")];
        self.expanded(&mut inner);
        inner.extend([
            "| join kind=inner (".to_owned(),
            format!("    {rows}"),
            format!("    | extend OtherTime = {time}, TimeKey = bin({time}, {span})"),
            format!("    | project-away {time}"),
            ") on Group, TimeKey".to_owned(),
            format!("| where OtherTime between ({time} - {span} .. {time})"),
        ]);
        let mut sums = vec!["StartTime = min(OtherTime)".to_owned(), format!("Number = {counted}")];
        sums.extend(others.iter().map(|column| format!("{0} = max({0})", column.name)));
        let clients = self.clients(&shown);
        sums.extend(clients.clone());
        inner.push(format!("| summarize\n    {}\n    by Group, {time}", sums.join(",\n    ")));
        inner.push(format!("| where Number >= {least}"));
        lines.extend(inner.iter().flat_map(|line| line.lines()).map(|line| format!("    {line}")));
        lines.push(format!(") on Group, {time}"));
        if !others.is_empty() {
            let fill =
                others.iter().map(|column| format!("{0} = coalesce({0}, {0}1)", column.name));
            let fill: Vec<String> = fill.collect();
            lines.push(format!("| extend\n    {}", fill.join(",\n    ")));
        }
        let mut away = vec!["Group1".to_owned(), format!("{time}1")];
        away.extend(values.is_none().then(|| "Origin".to_owned()));
        away.extend(others.iter().map(|column| format!("{}1", column.name)));
        lines.push(format!("| project-away {};", away.join(", ")));
        let added = [
            ("Group", "string"),
            ("StartTime", "datetime"),
            ("Number", "long"),
            ("Clients", "string"),
        ];
        self.with(shown, &added[..if clients.is_some() { 4 } else { 3 }])
    }

    /// Each client of the requests with its program, in one text
    fn clients(&self, columns: &[Projected]) -> Option<String> {
        let has = |name: &str| columns.iter().any(|column| column.name == name);
        (has("ClientIP") && has("UserAgent")).then(|| {
            "Clients = strcat_array(make_set_if(strcat(ClientIP, \" \", UserAgent), \
             isnotempty(ClientIP), 100), \"\\n\")"
                .to_owned()
        })
    }

    /// Each origin after the one before it; columns are the later event's, then the earlier one's
    pub(super) fn in_order(&self, lines: &mut Vec<String>) -> Vec<Projected> {
        let (time, span) = (self.time, self.span());
        let mut earlier = (self.origins[0].name.clone(), self.origins[0].columns.clone());
        let last = self.origins.len() - 1;
        for (at, rows) in self.origins.iter().enumerate().skip(1) {
            let name =
                if at == last { self.name.to_owned() } else { format!("{}_{at}", self.name) };
            let first = at == 1;
            let start = if first { "OtherTime" } else { "OtherStart" };
            let mine = |column: &&Projected| {
                let taken = rows.columns.iter().any(|have| have.name == column.name);
                !taken && !is_own(&column.name)
            };
            let new: Vec<Projected> = earlier.1.iter().filter(mine).cloned().collect();
            lines.push(format!("let {name} = {}", self.grouped(&rows.name, 0)));
            // What a correlation before has said of itself is said anew.
            let old = rows.columns.iter().map(|column| column.name.as_str());
            let old: Vec<&str> =
                old.filter(|name| matches!(*name, "StartTime" | "Number" | "Clients")).collect();
            if !old.is_empty() {
                lines.push(format!("| project-away {}", old.join(", ")));
            }
            // What counts the completing events counts those of the same time one by one.
            let numbered = at == last && self.used;
            if numbered {
                lines.push(format!("| sort by {time} asc"));
                lines.push("| extend RowNumber = row_number()".to_owned());
            }
            self.expanded(lines);
            lines.push("| join kind=inner (".to_owned());
            lines.push(format!("    {}", self.grouped(&earlier.0, 4)));
            let mut right = vec![
                "Group".to_owned(),
                format!("TimeKey = bin({time}, {span})"),
                format!("OtherTime = {time}"),
            ];
            right.extend((!first).then(|| "OtherStart = StartTime".to_owned()));
            right.extend(new.iter().map(|column| column.name.clone()));
            lines.push(format!("    | project\n        {}", right.join(",\n        ")));
            lines.push(") on Group, TimeKey".to_owned());
            lines.push(format!("| where OtherTime between ({time} - {span} .. {time})"));
            if !first {
                lines.push(format!("| where OtherStart >= {time} - {span}"));
            }
            let all = self.with(rows.columns.clone(), &[("Group", "string")]);
            let all: Vec<Projected> = all.into_iter().chain(new).collect();
            let clients = self.clients(&all);
            let sums: Vec<String> =
                clients.iter().cloned().chain([format!("arg_max({start}, *)")]).collect();
            // Events of the same time stay apart by what later correlations group them by.
            let named = rows.columns.iter().map(|column| column.name.as_str());
            let kept = named.filter(|name| name.ends_with("Key") || name.ends_with("Value"));
            let row = numbered.then_some("RowNumber");
            let by: Vec<&str> = ["Group", time].into_iter().chain(kept).chain(row).collect();
            let by = by.join(", ");
            lines.push(format!("| summarize\n    {}\n    by {by}", sums.join(",\n    ")));
            let mut away = vec!["Group1", "TimeKey", "TimeKey1"];
            away.extend((!first).then_some("OtherTime"));
            away.extend(row);
            lines.push(format!("| project-rename StartTime = {start}"));
            lines.push(format!("| project-away {};", away.join(", ")));
            let mut columns = self.with(all, &[("StartTime", "datetime")]);
            if clients.is_some() {
                columns = self.with(columns, &[("Clients", "string")]);
            }
            earlier = (name, columns);
        }
        earlier.1
    }
}
