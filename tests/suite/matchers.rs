// The generated matchers that are compiled and compared with the engine: one line a rule.
matchers! {
    web_shell_activity "../generated/web_shell_activity.rs",
}
