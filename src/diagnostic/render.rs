pub fn full(_: &super::Diagnostic, _: bool) -> String {
    String::new()
}
pub fn concise(_: &super::Diagnostic) -> String {
    String::new()
}
