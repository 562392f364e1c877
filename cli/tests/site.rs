//! `tegami site` writes what services say of themselves as a folder to open in a browser, or says why not.

#![cfg(unix)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A folder of one test's own, removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// What the command says in it, when the program answers this.
    fn site(&self, arguments: &[&str], answer: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
        command.current_dir(&self.0).arg("site").args(arguments);
        let script = r#"echo "task: $TEGAMI_TASK" >&2; printf '%s\n' "$0""#;
        let Output { status, stdout, stderr } = command.args(["--", "sh", "-c", script, answer]).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A service that publishes or handles `Paid`, with this schema.
fn document(service: &str, action: &str, schema: &str) -> String {
    format!(
        r##"{{"asyncapi":"3.0.0","info":{{"title":"{service}"}},
            "channels":{{"orders":{{"address":"orders","messages":{{"Paid":{{"$ref":"#/components/messages/Paid"}}}}}}}},
            "operations":{{"{service}":{{"action":"{action}","x-service":"{service}","x-queue":"{service}-orders",
                "channel":{{"$ref":"#/channels/orders"}},"messages":[{{"$ref":"#/channels/orders/messages/Paid"}}]}}}},
            "components":{{"messages":{{"Paid":{{"name":"Paid","payload":{{"schema":{schema}}}}}}}}}}}"##
    )
    .replace('\n', "")
}

const WIDE: &str = r#"{"properties":{"amount":{},"order":{}}}"#;
const NARROW: &str = r#"{"properties":{"order":{}}}"#;

#[test]
fn a_fleet_is_one_page_in_a_folder_and_the_same_each_time() {
    let folder = Folder::new("site-fleet");
    fs::write(folder.0.join("shipping.json"), document("shipping", "receive", NARROW)).unwrap();
    let arguments = ["--out", "a/b", "--title", "shop & co", "--with", "shipping.json"];
    let (code, said, errors) = folder.site(&arguments, &document("billing", "send", WIDE));
    assert_eq!((code, &*said, &*errors), (Some(0), "a/b/index.html\n", "task: async-api\n"));
    let page = folder.read("a/b/index.html");
    for part in
        ["<title>shop &amp; co</title>", "id=\"event-Paid\"", "id=\"queue-shipping-orders\"", "As shipping knows it"]
    {
        assert!(page.contains(part), "no {part}:\n{page}");
    }
    folder.site(&arguments, &document("billing", "send", WIDE));
    assert_eq!(folder.read("a/b/index.html"), page);
    // The other way round it is the same, but for what it calls itself.
    fs::write(folder.0.join("billing.json"), document("billing", "send", WIDE)).unwrap();
    let (code, _, _) = folder.site(&["--out", "c", "--with", "billing.json"], &document("shipping", "receive", NARROW));
    assert_eq!(code, Some(0));
    assert_eq!(folder.read("c/index.html"), page.replace("shop &amp; co", "shipping"));
}

#[test]
fn what_cannot_be_read_or_written_is_said_and_nothing_is_written() {
    let folder = Folder::new("site-refused");
    fs::write(folder.0.join("no.json"), "{}").unwrap();
    let good = document("billing", "send", WIDE);
    for (arguments, answer, words) in [
        (&["--out", "out"][..], "hello", "gave no answer to `async-api`"),
        (&["--out", "out"], "{}", "what the program says of itself cannot be shown: it is no AsyncAPI document"),
        (&["--out", "out", "--with", "no.json"], &good, "`no.json` cannot be taken in: it is no AsyncAPI document"),
        (&["--out", "out", "--with", "none.json"], &good, "`none.json` cannot be taken in: No such file"),
        (&["--out", "no.json/out"], &good, "`no.json/out` cannot be written"),
        (&[], &good, "--out"),
    ] {
        let (code, said, errors) = folder.site(arguments, answer);
        assert_eq!((code, &*said), (Some(2), ""), "{errors}");
        assert!(errors.contains(words), "{errors}");
        assert!(!folder.0.join("out").exists());
    }
}
