//! Files that are no plugin for this runtime are not executed, and a plugin that fails to start says why.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol};
use service_framework_core::value;
use service_framework_runtime::{Error, Service};

use crate::{clerk, library, options};

/// Writes a file, and says why it is refused.
#[track_caller]
fn check(bytes: &[u8], text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libclerk.so");
    std::fs::write(&path, bytes).unwrap();
    check_path(&path, text);
}

#[track_caller]
fn check_path(path: &Path, text: &str) {
    let error = clerk(path).start().unwrap_err();
    let told = error.to_string();
    assert!(told.contains(text), "{told}");
    assert!(told.contains(&path.display().to_string()), "{told}");
    assert_eq!(error.exit_code(), 78);
}

fn bytes() -> Vec<u8> {
    std::fs::read(library()).unwrap()
}

/// The library with one text put for another of the same length, wherever it stands.
fn with(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes();
    let places: Vec<_> =
        bytes.windows(from.len()).enumerate().filter(|(_, part)| *part == from.as_bytes()).collect();
    let places: Vec<_> = places.into_iter().map(|(place, _)| place).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

/// The library with another number at a place in its table.
fn with_table(at: usize, number: u32) -> Vec<u8> {
    let mut bytes = bytes();
    let place = {
        let file = object::File::parse(&*bytes).unwrap();
        let table =
            file.dynamic_symbols().find(|symbol| symbol.name() == Ok("service_framework_plugin_v1_clerk"));
        let address = table.unwrap().address();
        let section = file
            .sections()
            .find(|section| (section.address()..section.address() + section.size()).contains(&address));
        let section = section.unwrap();
        (section.file_range().unwrap().0 + address - section.address()) as usize
    };
    bytes[place + at..place + at + 4].copy_from_slice(&number.to_ne_bytes());
    bytes
}

#[test]
fn what_is_no_library() {
    check(b"", "the file is empty");
    check(b"#!/bin/sh\necho hello\n", "it is not a shared library");
    check(&[0; 4096], "it is not a shared library");
    check(b"\x7fELF", "it is not a");
    check(&[b"\x7fELF\x02\x01\x01".to_vec(), vec![0xff; 4096]].concat(), "it is not a");
    check(&std::fs::read(env!("CARGO_MANIFEST_PATH")).unwrap(), "it is not a shared library");
    check_path(Path::new("/no/such/libclerk.so"), "there is no such file");
    let folder = tempfile::tempdir().unwrap();
    check_path(folder.path(), "there is no Cargo.toml in it");
}

#[test]
fn a_program_is_no_plugin() {
    let program = std::env::current_exe().unwrap();
    let error = clerk(&program).start().unwrap_err().to_string();
    // A program that may be loaded anywhere looks like a library to those who only read its head.
    assert!(
        error.contains("it is not a shared library but a program") || error.contains("it is no service"),
        "{error}"
    );
}

#[test]
fn a_library_that_is_no_plugin() {
    check(
        &with("service_framework_plugin_v1_", "xervice_framework_plugin_v1_"),
        "it is no service: it exports no symbol `service_framework_plugin_v1_<crate>`; write `export!(TheService);` in its crate",
    );
}

#[test]
fn a_library_for_another_machine() {
    let mut foreign = bytes();
    // `e_machine` of the header: 183 is AArch64, 62 is x86-64.
    let other = if cfg!(target_arch = "aarch64") { 62_u16 } else { 183 };
    foreign[18..20].copy_from_slice(&other.to_le_bytes());
    check(&foreign, "it is for another machine");
    let mut foreign = bytes();
    foreign[..4].copy_from_slice(b"MZ\0\0");
    check(&foreign, "it is not a");
}

#[test]
fn a_library_cut_anywhere() {
    let bytes = bytes();
    for tenth in 0..10 {
        let error = {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("libclerk.so");
            std::fs::write(&path, &bytes[..bytes.len() * tenth / 10]).unwrap();
            clerk(path).start().unwrap_err()
        };
        assert!(matches!(error, Error::Plugin { .. }), "at {tenth}0 %: {error}");
        let told = error.to_string();
        let reasons = ["the file is empty", "it is not a whole shared library", "it is cut short"];
        assert!(reasons.iter().any(|reason| told.contains(reason)), "at {tenth}0 %: {told}");
    }
    check(&bytes[..bytes.len() - 1], "it is");
}

#[test]
fn another_version_of_the_boundary() {
    check(
        &with("service_framework_plugin_v1_", "service_framework_plugin_v9_"),
        "it speaks version 9 of the plugin boundary, this runtime speaks version 1: build both from one version of the framework",
    );
    check(&with_table(0, 7), "it speaks version 7 of the plugin boundary, this runtime speaks version 1");
    check(&with_table(4, 8), "it has a table of 8 bytes");
}

/// Builds a library whose symbol of a plugin is something else, in a process of its own, and says why it is refused.
#[track_caller]
fn check_symbol(test: &str, source: &str, text: &str) {
    const ODD: &str = "CLERK_OF_ANOTHER_KIND";
    if let Some(library) = std::env::var_os(ODD) {
        return check_path(Path::new(&library), text);
    }
    let folder = tempfile::tempdir().unwrap();
    let (file, library) = (folder.path().join("odd.c"), folder.path().join("libodd.so"));
    std::fs::write(&file, source).unwrap();
    let mut cc = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    let built = cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let output =
        alone.args(["--exact", &format!("refused::{test}"), "--nocapture"]).env(ODD, library).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_symbol_that_is_a_number() {
    check_symbol(
        "a_symbol_that_is_a_number",
        r#"__asm__(".globl service_framework_plugin_v1_odd\n.set service_framework_plugin_v1_odd, 16\n");"#,
        "its symbol `service_framework_plugin_v1_odd` is no table: it is not data of the library",
    );
}

#[test]
fn a_symbol_that_is_a_function() {
    check_symbol(
        "a_symbol_that_is_a_function",
        "void service_framework_plugin_v1_odd(void) {}",
        "its symbol `service_framework_plugin_v1_odd` is no table: it is not data of the library",
    );
}

#[test]
fn a_symbol_at_an_odd_place() {
    check_symbol(
        "a_symbol_at_an_odd_place",
        r#"__asm__(".data\n.p2align 3\n.byte 0\n.globl service_framework_plugin_v1_odd\n"
            "service_framework_plugin_v1_odd:\n.long 1\n.long 64\n.fill 7, 8, 1\n");"#,
        "its symbol `service_framework_plugin_v1_odd` is no table: it is not aligned as one",
    );
}

#[test]
fn a_symbol_too_small_for_a_table() {
    check_symbol(
        "a_symbol_too_small_for_a_table",
        "unsigned service_framework_plugin_v1_odd[16] = {1, 8};",
        "it has a table of 8 bytes, at least 64 are due",
    );
}

#[test]
fn a_constructor_that_errs_or_panics() {
    for (how, text) in [
        ("errs", "service `clerk` refuses its config (the config of the program): no clerk today"),
        (
            "panics",
            "service `clerk` refuses its config (the config of the program): panicked: a clerk without a desk at crates/runtime/tests/plugins/clerk/src/lib.rs:",
        ),
    ] {
        let mut service = Service::at(library(), options(value!({"new": how})));
        let error = service.start().unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(error.exit_code(), 78);
        *service.options_mut() = options(value!({}));
        service.start().unwrap();
        service.stop().unwrap();
    }
}

#[test]
fn a_description_that_panics() {
    const PANICS: &str = "CLERK_WITHOUT_A_NAME";
    if std::env::var_os(PANICS).is_none() {
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let name = "refused::a_description_that_panics";
        let library: PathBuf = library().into();
        let output = alone.args(["--exact", name, "--nocapture"]).env(PANICS, library).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let library = PathBuf::from(std::env::var_os(PANICS).unwrap());
    check_path(
        &library,
        "it cannot describe itself: panicked: a clerk without a name at crates/runtime/tests/plugins/clerk/src/lib.rs:",
    );
    // The process goes on, and so does the library.
    check_path(&library, "a clerk without a name");
}
