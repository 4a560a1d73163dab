pub fn json(_: &[super::Diagnostic]) -> String {
    String::new()
}
pub fn sarif(_: &[super::Diagnostic]) -> String {
    String::new()
}
pub fn github(_: &super::Diagnostic) -> String {
    String::new()
}
