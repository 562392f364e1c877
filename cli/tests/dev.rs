//! `tegami dev` builds and runs a real program, and again when it changes; nothing of it is left at the end.

#![cfg(unix)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// How long anything may take; compiling on a busy machine, above all.
const LIMIT: Duration = Duration::from_secs(120);

/// A program that says who it is, and goes on until it is stopped.
fn source(text: &str) -> String {
    format!(
        "use std::{{process, thread, time::Duration}};\n\
         fn main() {{\n    println!(\"{text} {{}}\", process::id());\n    thread::sleep(Duration::from_secs(600));\n}}\n"
    )
}

/// A crate of one test's own under `tegami dev`; both are gone with the value.
struct Dev {
    folder: PathBuf,
    child: Child,
    lines: Receiver<String>,
}

impl Dev {
    fn start(name: &str, text: &str, arguments: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::create_dir_all(folder.join("proto")).unwrap();
        let manifest = "[package]\nname = \"probe\"\nedition = \"2024\"\n\n[workspace]\n";
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.join("src/main.rs"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
        command.current_dir(&folder).arg("dev").args(arguments);
        // It has no dependencies: nothing is shared, and nobody waits for another's lock.
        command.env("CARGO_TARGET_DIR", folder.join("target")).env("CARGO_TERM_COLOR", "never");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (send, lines) = channel();
        let (out, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let more = send.clone();
        thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        thread::spawn(move || forward(errors).try_for_each(|line| more.send(line)));
        Self { folder, child, lines }
    }

    /// The next line that has this, whoever says it.
    fn says(&self, part: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => said.push(line),
                Err(_) => panic!("nobody says `{part}`:\n{}", said.join("\n")),
            }
        }
    }

    /// The process that says so.
    fn runs(&self, text: &str) -> String {
        let line = self.says(&format!("{text} "));
        line.rsplit(' ').next().unwrap().to_owned()
    }

    fn change(&self, file: &str, text: &str) {
        // As editors do: another file takes the place of the first.
        fs::write(self.folder.join("new"), text).unwrap();
        fs::rename(self.folder.join("new"), self.folder.join(file)).unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn forward(errors: ChildStderr) -> impl Iterator<Item = String> {
    BufReader::new(errors).lines().map_while(Result::ok)
}

/// One that has ended and that nobody has taken note of is none.
fn is_alive(process: &str) -> bool {
    let known = Command::new("sh").args(["-c", &format!("kill -0 {process} 2>&-")]).status().unwrap().success();
    known && !fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

/// It does, within the time that a system takes for it.
fn ends(process: &str) -> bool {
    (0..1000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        !is_alive(process)
    })
}

#[test]
fn a_change_restarts_the_program_a_failed_build_keeps_it_and_ctrl_c_ends_all() {
    let mut dev = Dev::start("dev", &source("one"), &[]);
    let one = dev.runs("one");
    dev.change("src/main.rs", &source("two"));
    assert!(dev.says("tegami dev: changed:").contains("src/main.rs"));
    let two = dev.runs("two");
    assert!(ends(&one) && is_alive(&two));
    dev.change("src/main.rs", "fn main() { this is no Rust }");
    assert_eq!(dev.says("the build failed"), "tegami dev: the build failed; what ran before goes on");
    assert!(is_alive(&two));
    dev.change("src/main.rs", &source("three"));
    let three = dev.runs("three");
    assert!(ends(&two));
    // A contract is a reason, too; what is no part of the program is none.
    dev.change("notes.txt", "");
    dev.change("proto/shop.proto", "");
    assert_eq!(dev.says("changed:"), "tegami dev: changed: proto/shop.proto");
    let four = dev.runs("three");
    assert!(ends(&three));
    dev.signal("INT");
    assert_eq!(dev.code(), Some(0));
    assert!(ends(&four));
}

/// Says when it is asked to stop, and then does what it is told.
fn script(at_the_end: &str) -> String {
    format!("trap 'echo asked; {at_the_end}' TERM; sleep 600 & echo ready $!; while :; do wait; done")
}

#[test]
fn a_program_is_asked_to_stop_and_what_it_has_started_ends_with_it() {
    let mut dev = Dev::start("dev-asked", &source("built"), &["--", "sh", "-c", &script("exit 0")]);
    let started = dev.runs("ready");
    assert!(is_alive(&started));
    dev.signal("TERM");
    dev.says("asked");
    assert_eq!(dev.code(), Some(0));
    assert!(ends(&started));
}

#[test]
fn a_program_that_does_not_stop_in_its_time_is_killed() {
    let mut dev = Dev::start("dev-deaf", &source("built"), &["--grace", "1", "--", "sh", "-c", &script(":")]);
    let started = dev.runs("ready");
    dev.change("src/main.rs", &source("rebuilt"));
    dev.says("asked");
    dev.says("killed: it did not stop within 1s");
    let again = dev.runs("ready");
    assert!(ends(&started) && is_alive(&again));
    dev.signal("INT");
    dev.says("asked");
    dev.signal("INT");
    assert_eq!(dev.code(), Some(0));
    assert!(ends(&again));
}

#[test]
fn what_ends_by_itself_or_does_not_build_waits_for_a_change() {
    let mut dev = Dev::start("dev-waits", "fn main() {", &[]);
    dev.says("the build failed; a change starts the next");
    dev.change("src/main.rs", "fn main() { std::process::exit(3) }");
    assert!(dev.says("the program has ended").contains("exit status: 3"));
    dev.change("src/main.rs", &source("well"));
    let well = dev.runs("well");
    dev.signal("HUP");
    assert_eq!(dev.code(), Some(0));
    assert!(ends(&well));
}

#[test]
fn a_program_that_cannot_be_run_is_said_so() {
    let mut dev = Dev::start("dev-none", &source("built"), &["--", "/no/such/program"]);
    dev.says("error: `/no/such/program` cannot be run");
    assert_eq!(dev.code(), Some(2));
}
