//! `tegami new` makes a whole service or nothing.

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

    /// What the command says, run in it.
    fn new_service(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
        let Output { status, stdout, stderr } =
            command.current_dir(&self.0).arg("new").args(arguments).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn names(&self) -> Vec<String> {
        fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_service_is_made_with_contracts_and_their_lock() {
    let folder = Folder::new("made");
    let (code, said, errors) = folder.new_service(&["mail-room", "--tegami", "https://example.com/tegami"]);
    assert_eq!((code, &*said), (Some(0), "mail-room is made: cd mail-room && cargo test\n"), "{errors}");
    assert_eq!(folder.names(), ["mail-room"]);
    let read = |file: &str| fs::read_to_string(folder.0.join("mail-room").join(file)).unwrap();
    assert!(read("Cargo.toml").contains("tegami = { git = \"https://example.com/tegami\", features = [\"logs\"] }"));
    assert!(read("src/main.rs").contains("use contracts::mail_room::v1::{QuestionAnswered, QuestionAsked};"));
    assert!(read("contracts.lock").contains("\"mail_room.v1.QuestionAsked\""));
    assert!(read("contracts.lock").contains("\"mail-room\": {"));
    assert!(read("archive/.gitattributes").contains("* -text"));
    let files = ["Cargo.toml", "build.rs", ".gitignore", "src/main.rs", "proto/mail_room/v1/mail_room.proto"];
    assert!(files.iter().all(|file| !read(file).contains("{name}") && !read(file).contains("{package}")));
}

#[test]
fn a_service_takes_tegami_from_where_the_command_comes_from() {
    let folder = Folder::new("own");
    let (code, _, errors) = folder.new_service(&["mail"]);
    assert_eq!(code, Some(0), "{errors}");
    let root = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
    let manifest = fs::read_to_string(folder.0.join("mail/Cargo.toml")).unwrap();
    assert!(manifest.contains(&format!("tegami = {{ path = {:?}, features", root.to_str().unwrap())), "{manifest}");
}

#[test]
fn a_name_that_is_none_and_one_that_is_taken_are_refused_and_nothing_is_written() {
    let folder = Folder::new("refused");
    let long = "a".repeat(65);
    for name in ["", "Mail", "1st", "a b", "../a", "a_b", "a-", &long] {
        let (code, _, errors) = folder.new_service(&["--", name]);
        assert_eq!(code, Some(2), "{name}");
        assert!(errors.contains("1 to 64 of a-z 0-9 -"), "{errors}");
    }
    assert!(folder.new_service(&[&"a".repeat(64)]).0 == Some(0), "at the limit");
    fs::create_dir(folder.0.join("mail")).unwrap();
    let (code, _, errors) = folder.new_service(&["mail"]);
    assert!(code == Some(2) && errors.contains("there is something of this name here"), "{errors}");
    let (code, _, errors) = folder.new_service(&["other", "--tegami", "/no/such/folder"]);
    let none = "`other` is not made: `/no/such/folder` is no clone of tegami, nor the URL of one";
    assert!(code == Some(2) && errors.contains(none), "{errors}");
    // Cargo refuses the last four for a program: they are folders that it builds in.
    for name in ["match", "tokio", "build", "deps", "examples", "incremental"] {
        let (code, _, errors) = folder.new_service(&[name]);
        assert!(code == Some(2) && errors.contains("it is a word of Rust, a folder"), "{errors}");
    }
    let mut names = folder.names();
    names.sort();
    assert_eq!(names, ["a".repeat(64), "mail".to_owned()]);
}
