//! Key pairs in files.

use expect_test::expect;

use crate::support::{command, run, said};

#[test]
fn a_new_file_is_for_its_owner_alone_and_says_its_public_key_whenever_asked() {
    let folder = tempfile::tempdir().unwrap();
    let keys = || command().current_dir(folder.path()).args(["keys", "a.key"]).output().unwrap();
    let made = keys();
    let public = String::from_utf8(made.stdout.clone()).unwrap();
    assert_eq!(public.trim_end().len(), 40, "{public}");
    expect![[r#"
        stdout:
        PUBLIC
        stderr:
        made a.key, which nobody else should read; this is the public key:
        exit code: 0
    "#]]
    .assert_eq(&said(&made).replace(public.trim_end(), "PUBLIC"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("a.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = keys();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), public);
    assert_eq!(again.stderr, b"");
}

#[test]
fn what_is_no_key_file_is_refused_without_a_word_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let said = said(&run(["keys".as_ref(), path.as_os_str()]));
        assert!(!said.contains("hush"), "{said}");
        said.replace(&*folder.path().to_string_lossy(), "FOLDER")
    };
    expect![[r#"
        stderr:
        error: cannot read FOLDER/a.key: it has no `public` and `secret`: `service_framework keys` makes such files
        exit code: 1
    "#]]
    .assert_eq(&told("hush"));
    expect![[r#"
        stderr:
        error: cannot read FOLDER/a.key: it has no `public` and `secret`: `service_framework keys` makes such files
        exit code: 1
    "#]]
    .assert_eq(&told(r#"{"public": "hush"}"#));
    expect![[r#"
        stderr:
        error: cannot read FOLDER/a.key: its `secret`: a key has 40 characters, and this one 4
        exit code: 1
    "#]]
    .assert_eq(&told(r#"{"public": "hush", "secret": "hush"}"#));
    let (public, secret) =
        ("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs");
    expect![[r#"
        stderr:
        error: cannot read FOLDER/a.key: its two keys do not belong to each other
        exit code: 1
    "#]]
    .assert_eq(&told(&format!(r#"{{"public": "{public}", "secret": "{secret}"}}"#)));
}
