//! The plugin in C on the guide's page about the boundary: built from the page, loaded, and asked.

use std::process::Command;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

const ECHO: Requester<Value, Value> = Requester::new("echo");

struct Asker;

#[service(uses(ECHO))]
impl Asker {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        let answer = cx.request(&ECHO, &value!({"text": "hello"})).await?;
        assert_eq!(answer, value!({"text": "hello"}));
        let refused = cx.request(&ECHO, &value!({"text": 7})).await.unwrap_err();
        assert_eq!(refused.to_string(), "bad_args: args.text: expected a text, got the integer 7");
        Ok(())
    }
}

export!(Asker);

#[test]
fn the_plugin_on_the_page_answers() {
    let page = include_str!("../../../guide/src/plugin-boundary.md");
    let source = page.split("```c\n").nth(1).unwrap().split("```\n").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, library) = (folder.path().join("echo.c"), folder.path().join("libecho.so"));
    std::fs::write(&file, source).unwrap();
    let built = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/include"))
        .arg("-o")
        .args([&library, &file])
        .output()
        .expect("there is a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let addresses = value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}});
    let mut echo = Service::at(library, Options { addresses: addresses.into(), ..Options::default() });
    echo.start().unwrap();
    let address = echo.endpoints()["echo"].to_string();
    let addresses = value!({"out": {"echo": {"requester": address}}});
    let mut asker = Service::of::<Asker>(Options { addresses: addresses.into(), ..Options::default() });
    asker.start_main().unwrap();
    asker.wait().unwrap();
    echo.stop().unwrap();
}
