//! Checks who depends on whom among the crates of the workspace.

use serde_json::Value;

/// Each crate of the framework with those of the others that it may know. Tests may know more.
const KNOWS: &[(&str, &[&str])] = &[
    ("service-framework-macros", &[]),
    ("service-framework-core", &["macros"]),
    ("service-framework", &["macros", "core"]),
    ("service-framework-zmtp", &[]),
    ("service-framework-connections", &["core", "zmtp"]),
    ("service-framework-states", &["core", "connections"]),
    ("service-framework-runtime", &["core", "connections", "states"]),
    ("service-framework-cli", &["core", "runtime"]),
    ("service-framework-bench", &["zmtp", "runtime"]),
    ("service-framework-fuzz", &["macros", "core", "zmtp"]),
    ("xtask", &[]),
];

/// Says what is wrong with the packages in what `cargo metadata` says.
pub(crate) fn check(metadata: &Value) -> Vec<String> {
    let packages = || metadata["packages"].as_array().into_iter().flatten();
    let is_ours = |name: &str| packages().any(|package| package["name"] == name);
    let mut faults = Vec::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap_or_default();
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        // Those for tests and for building have a kind.
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        let known = normal.filter_map(|dependency| dependency["name"].as_str()).filter(|name| is_ours(name));
        for other in known.filter(|other| !may_know(package, name, other)) {
            faults.push(format!("{name} depends on {other}: arrows point downwards (ARCHITECTURE.md)"));
        }
        if let Some(folder) = folder_of_service(package)
            && folder != name
        {
            faults.push(format!("the service in services/{folder} is called {name}: call it as its folder"));
        }
    }
    faults
}

fn may_know(package: &Value, name: &str, other: &str) -> bool {
    match KNOWS.iter().find(|(known, _)| *known == name) {
        Some((_, others)) => others.iter().any(|may| other.strip_prefix("service-framework-") == Some(may)),
        // What is not the framework is a service, wherever it lies.
        None => is_service(package) && other == "service-framework",
    }
}

fn folder(package: &Value) -> impl Iterator<Item = &str> {
    package["manifest_path"].as_str().unwrap_or_default().rsplit(['/', '\\']).skip(1)
}

/// Whether it is a service, be it one that only tests load.
fn is_service(package: &Value) -> bool {
    matches!(folder(package).nth(1), Some("services" | "plugins"))
}

fn folder_of_service(package: &Value) -> Option<&str> {
    if is_service(package) { folder(package).next() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_one(name: &str, path: &str, dependency: &Value, expected: &[&str]) {
        let package = json!({"name": name, "manifest_path": path, "dependencies": [dependency]});
        let other = |name: &str| json!({"name": name, "manifest_path": "", "dependencies": []});
        let others =
            [other("service-framework"), other("service-framework-core"), other("service-framework-runtime")];
        let packages: Vec<Value> = others.into_iter().chain([package]).collect();
        assert_eq!(check(&json!({"packages": packages})), expected);
    }

    fn on(name: &str) -> Value {
        json!({"name": name, "kind": null})
    }

    #[test]
    fn a_service_knows_the_front_crate_alone() {
        check_one("echo", "/w/services/echo/Cargo.toml", &on("service-framework"), &[]);
        check_one("echo", "/w/services/echo/Cargo.toml", &on("sysinfo"), &[]);
        let fault = "echo depends on service-framework-core: arrows point downwards (ARCHITECTURE.md)";
        check_one("echo", "/w/services/echo/Cargo.toml", &on("service-framework-core"), &[fault]);
    }

    #[test]
    fn a_service_is_called_as_its_folder() {
        let fault = "the service in services/echo is called echoes: call it as its folder";
        check_one("echoes", "/w/services/echo/Cargo.toml", &on("service-framework"), &[fault]);
    }

    #[test]
    fn arrows_of_the_framework_point_downwards_but_for_tests() {
        let path = "/w/crates/connections/Cargo.toml";
        check_one("service-framework-connections", path, &on("service-framework-core"), &[]);
        let fault = "service-framework-connections depends on service-framework-runtime: arrows point downwards (ARCHITECTURE.md)";
        check_one("service-framework-connections", path, &on("service-framework-runtime"), &[fault]);
        let for_tests = json!({"name": "service-framework-runtime", "kind": "dev"});
        check_one("service-framework-connections", path, &for_tests, &[]);
    }
}
