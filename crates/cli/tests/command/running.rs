//! What the flags do to a service that runs.

use service_framework::value;

use crate::support::{Cage, Running, ask, library};

#[test]
fn main_ends_with_its_counters() {
    let cage = Cage::new();
    let mut parrot = Running::start(&mut cage.command(["-m", "--volume", "-7.5", "--greeting", "-Hi"]));
    assert_eq!(parrot.wait(), 0, "{:#?}", parrot.heard);
    assert!(parrot.heard.iter().any(|line| line.ends_with("-Hi at Some(-7.5)")), "{:#?}", parrot.heard);
    assert_eq!(parrot.counters()["counters"]["say"]["messages_in"], 0);
}

#[test]
fn a_main_that_fails_is_told_once() {
    let cage = Cage::new();
    let mut parrot = Running::start(&mut cage.command(["-m", "--fail", "true", "-cl", "none"]));
    assert_eq!(parrot.wait(), 1);
    let told: Vec<_> = parrot.heard.iter().filter(|line| line.contains("no voice left")).collect();
    assert_eq!(told, ["error: `main` of service `parrot` failed: parrot.hoarse: no voice left"]);
    parrot.counters();
}

#[test]
fn a_ready_file_of_an_earlier_start_says_nothing_of_this_one() {
    let cage = Cage::new();
    cage.write("parrot.json", "{}");
    for earlier in ["{\"service\":\"parrot\",\"pid\":1,\"endpoints\":{}}\n", ""] {
        cage.write("ready.json", earlier);
        let said = cage.said(["--ready", "ready.json"]);
        assert!(said.contains("exit code: 78"), "{said}");
        assert!(!cage.path("ready.json").exists());
    }
}

#[test]
fn a_file_that_is_no_ready_file_is_left_alone() {
    let cage = Cage::new();
    let refused = |ready: &str, why: &str| {
        let said = format!(
            "stderr:\nerror: cannot say in {ready} that the service is ready: {why}\nexit code: 78\n"
        );
        assert_eq!(cage.said(["--ready", ready]), said);
        let checked = cage.command_of(Some("check"), ["--ready", ready]).output().expect("the command runs");
        assert_eq!(crate::support::said(&checked), said);
    };
    cage.write("orders.json", "{\"orders\": []}\n");
    refused(
        "orders.json",
        "it is there already, and was not written by a service that was ready; name another file",
    );
    assert_eq!(cage.read("orders.json"), "{\"orders\": []}\n");
    refused("nowhere/ready.json", "there is no folder nowhere; make it, or name another file");
    refused("/", "it is a folder; name a file in it");
}

#[cfg(unix)]
#[test]
fn a_link_and_a_pipe_stay_what_they_are() {
    use std::io::Read as _;

    let is_ready = |line: &str| line.starts_with("{\"service\":\"parrot\",") && line.ends_with("}\n");
    let cage = Cage::new();
    let run = |ready: &str| {
        let mut parrot = Running::start(&mut cage.command(["-m", "--ready", ready]));
        assert_eq!(parrot.wait(), 0, "{:#?}", parrot.heard);
    };
    cage.write("there.json", "");
    std::os::unix::fs::symlink("there.json", cage.path("link.json")).unwrap();
    for _ in 0..2 {
        run("link.json");
        assert!(cage.path("link.json").is_symlink());
        assert!(is_ready(&cage.read("there.json")), "{}", cage.read("there.json"));
    }

    let pipe = cage.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("it is there").success());
    let heard = std::thread::spawn(move || {
        let mut heard = String::new();
        std::fs::File::open(pipe).unwrap().read_to_string(&mut heard).unwrap();
        heard
    });
    let mut parrot = Running::start(&mut cage.command(["--ready", "pipe"]));
    assert!(is_ready(&heard.join().unwrap()));
    parrot.signal("TERM");
    assert_eq!(parrot.wait(), 0);
}

#[test]
fn a_service_is_built_from_its_folder_and_says_where_it_is() {
    let cage = Cage::new();
    // Others take the library from where this build puts it: they have done so by then.
    library("parrot");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/parrot");
    let mut command = crate::support::command();
    command.env("CARGO_TARGET_DIR", crate::support::target_folder());
    command
        .args(["-s", folder, "-c"])
        .arg(cage.path("parrot.json"))
        .arg("-a")
        .arg(cage.path("addresses.json"));
    let mut parrot = Running::start(command.arg("--ready").arg(cage.path("ready.json")));
    parrot.wait_for(" is up");
    let ready: serde_json::Value = serde_json::from_str(&cage.read("ready.json")).expect("a line of JSON");
    assert_eq!(ready["service"], "parrot");
    let endpoints: Vec<_> = ready["endpoints"].as_object().expect("a map").keys().collect();
    assert_eq!(endpoints, ["gossip", "hold", "say", "stick"]);
    ask(&cage.endpoint("say"), value!({"words": ["a"]})).wait().expect("an answer");
    parrot.signal("TERM");
    assert_eq!(parrot.wait(), 0);
}

#[test]
fn logs_go_where_the_flags_say() {
    let cage = Cage::new();
    let words = ["-m", "-cl", "none", "-l", "logs/", "-f", "WARNING", "-bc", "3"];
    let mut parrot = Running::start(&mut cage.command(words));
    assert_eq!(parrot.wait(), 0);
    assert_eq!(parrot.heard.len(), 1, "the counters alone: {:#?}", parrot.heard);
    assert_eq!(cage.read("logs/parrot.log"), "");

    let mut parrot =
        Running::start(&mut cage.command(["-m", "-cl", "CRITICAL", "-l", "one.log", "-f", "Debug"]));
    assert_eq!(parrot.wait(), 0);
    assert!(cage.read("one.log").contains("Hello at None"));
}

#[cfg(target_os = "linux")]
#[test]
fn it_may_open_as_many_files_as_the_system_allows() {
    let cage = Cage::new();
    let shell = "ulimit -Sn 100 && ulimit -Hn 400 && exec \"$0\" \"$@\"";
    let parrot = cage.command(["--ready", "ready.json"]);
    let mut command = std::process::Command::new("sh");
    command.current_dir(cage.path("")).args(["-c", shell]).arg(parrot.get_program()).args(parrot.get_args());
    let mut parrot = Running::start(&mut command);
    parrot.wait_for(" is up");
    let ready: serde_json::Value = serde_json::from_str(&cage.read("ready.json")).expect("a line of JSON");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", ready["pid"])).expect("it runs");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit of files");
    assert_eq!(files.split_whitespace().collect::<Vec<_>>()[3..5], ["400", "400"]);
    parrot.signal("TERM");
    assert_eq!(parrot.wait(), 0);
}
