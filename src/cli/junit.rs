//! `test --format junit`: the results of tests as CI servers read them.
//!
//! In: the results of each rule's tests, and the other findings of the run. Out: JUnit XML: a suite for each
//! rule, a case for each test, and a suite for the errors that kept rules from being tested. The crate
//! `quick-junit` writes it. No time and no host stand in it, so that the same run has the same bytes.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::project::Failure;
use crate::source::visible;

/// The result of a test
pub(super) struct Case {
    /// The title of its rule
    pub(super) rule: String,
    /// The file of its rule
    pub(super) file: String,
    /// Its name
    pub(super) name: String,
    /// What is wrong with it; `None` when it passed
    pub(super) failure: Option<Diagnostic>,
}

/// The report
pub(super) fn report(cases: &[Case], findings: &[Diagnostic]) -> Result<String, Failure> {
    let mut report = Report::new("rulecast");
    for of_rule in cases.chunk_by(|one, other| (&one.rule, &one.file) == (&other.rule, &other.file))
    {
        let Some(first) = of_rule.first() else { continue };
        let mut suite = TestSuite::new(visible(&first.rule));
        suite.add_test_cases(of_rule.iter().map(|one| {
            let status = match &one.failure {
                None => TestCaseStatus::success(),
                Some(finding) => failed(NonSuccessKind::Failure, finding),
            };
            let mut case = TestCase::new(visible(&one.name), status);
            case.set_classname(visible(&one.file));
            case
        }));
        report.add_test_suite(suite);
    }
    let errors = findings.iter().filter(|one| one.severity == Severity::Error);
    let errors = errors.filter(|one| one.code != Code::E0802).map(|one| {
        let status = failed(NonSuccessKind::Error, one);
        let mut case = TestCase::new(visible(&format!("{} {}", one.code, one.message)), status);
        case.set_classname(visible(one.source.name()));
        case
    });
    let errors: Vec<TestCase> = errors.collect();
    if !errors.is_empty() {
        let mut suite = TestSuite::new("errors of rules");
        suite.add_test_cases(errors);
        report.add_test_suite(suite);
    }
    let text = report.to_string();
    text.map_err(|why| Failure::new(format!("cannot write JUnit XML: {why}")))
}

fn failed(kind: NonSuccessKind, finding: &Diagnostic) -> TestCaseStatus {
    let (line, column) = finding.source.line_column(finding.primary.span.start);
    let place = format!("{}:{line}:{column}", finding.source.name());
    let mut lines = vec![format!("{place}: {}", finding.primary.text)];
    lines.extend(finding.notes.iter().cloned());
    lines.extend(finding.help.clone());
    let lines: Vec<String> = lines.iter().map(|line| visible(line)).collect();
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(finding.code.as_str());
    status.set_message(visible(&finding.message));
    status.set_description(lines.join("\n"));
    status
}
