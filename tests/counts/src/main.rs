//! Does one of the scenarios and prints what was allocated meanwhile; under callgrind its instructions are counted, too.
//!
//! `tegami-counts` prints the names of all, `tegami-counts NAME` does one. Its line is how many messages or deliveries there
//! were, how often memory was asked for, and how many bytes of it.

mod allocator;
mod scenarios;

use std::{env, process::ExitCode};

use allocator::Counting;

#[global_allocator]
static COUNTING: Counting = Counting::new();

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let known = |name: &str| scenarios::all().into_iter().find(|scenario| scenario.name == name);
    match words.as_slice() {
        [] => scenarios::all().iter().for_each(|scenario| println!("{}", scenario.name)),
        [name] if let Some(scenario) = known(name) => {
            (scenario.run)();
            println!("{} {} {}", scenario.times, COUNTING.blocks(), COUNTING.bytes());
        }
        words => {
            eprintln!("tegami-counts: one of the names that it prints without any; not {words:?}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
