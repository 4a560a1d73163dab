// The generated matchers that are compiled and compared with the engine: one line a rule.
matchers! {
    server_software_component "../generated/server_software_component.rs",
    web_server_ancestry "../generated/web_server_ancestry.rs",
    web_requests "../generated/web_requests.rs",
    web_shell_activity "../generated/web_shell_activity.rs",
    web_shell_command_alert "../generated/web_shell_command_alert.rs",
    web_shell_script_child "../generated/web_shell_script_child.rs",
}
