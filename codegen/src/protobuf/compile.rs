//! Runs protox over all files, and turns what it finds wrong into mistakes.

use std::collections::BTreeMap;

use miette::Diagnostic;
use prost_reflect::DescriptorPool;
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, GoogleFileResolver},
};

use super::mend;
use crate::{
    model::{Location, Mistakes},
    sources::Source,
};

/// Where contracts import tegami's options from.
pub(super) const OPTIONS_FILE: &str = "tegami/v1/options.proto";

/// Serves the contract files, which are already read, and the options, which are part of this crate.
struct InMemory(BTreeMap<String, String>);

impl FileResolver for InMemory {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// How often a wrong file is compiled again without what was wrong in it.
const ROUNDS: usize = 10;

/// Compiles every file. One that is wrong is compiled without what is wrong in it, so that its other mistakes are found
/// too; where that cannot be, it is left out with everything that imports it.
pub(super) fn compile(sources: &[&Source], mistakes: &mut Mistakes) -> DescriptorPool {
    let mut texts: BTreeMap<_, _> = sources.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    texts.insert(OPTIONS_FILE.to_owned(), include_str!("../../proto/tegami/v1/options.proto").to_owned());
    let mut round = 0;
    loop {
        let mut compiler = compiler(&texts);
        // Its extensions are looked up by name, so the file must be there even if no contract imports it; and first, so
        // that a copy of it at another path is what is wrong.
        compiler.open_file(OPTIONS_FILE).expect("the options of this crate compile");
        let opened = sources.iter().filter_map(|file| Some((*file, compiler.open_file(&file.name).err()?)));
        let errors: Vec<_> = opened.filter(|(_, error)| round == 0 || !mend::is_loss(&error.to_string())).collect();
        let mut mended = false;
        for (file, error) in errors.iter().filter(|_| round < ROUNDS) {
            if mend::past(error, &file.name, &mut texts) {
                explain(error, file, sources, mistakes);
                mended = true;
            }
        }
        if !mended {
            errors.iter().for_each(|(file, error)| explain(error, file, sources, mistakes));
            return compiler.descriptor_pool();
        }
        round += 1;
    }
}

fn compiler(texts: &BTreeMap<String, String>) -> Compiler {
    let mut resolver = ChainFileResolver::new();
    // First, for the options import one of them: a copy that cannot be read would make them so, too.
    resolver.add(GoogleFileResolver::new());
    resolver.add(InMemory(texts.clone()));
    Compiler::with_file_resolver(resolver)
}

/// Notes an error, and those that came with it.
fn explain(error: &protox::Error, opened: &Source, sources: &[&Source], mistakes: &mut Mistakes) {
    let file = error.file().and_then(|name| sources.iter().find(|source| source.name == name));
    let file = file.copied().unwrap_or(opened);
    let told = std::iter::once(error as &dyn Diagnostic).chain(error.related().into_iter().flatten());
    told.for_each(|error| note(error, file, mistakes));
}

fn note(error: &dyn Diagnostic, file: &Source, mistakes: &mut Mistakes) {
    let reason = match error.diagnostic_source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    let reason = reason.replace('\'', "`");
    // Where there are two places, the first explains and the last is wrong.
    let at = match error.labels().into_iter().flatten().last() {
        Some(label) => position(file, label.offset()),
        None if reason.ends_with("end of file") => position(file, file.text.trim_end().len()),
        None => Location { file: file.shown.clone(), line: 0, column: 0 },
    };
    // How to import the options is said in one way.
    let help = error.help().filter(|_| !reason.contains("`tegami.v1."));
    let hint = help.map_or_else(|| hint(&reason).to_owned(), |help| help.to_string().replace('\'', "`"));
    mistakes.add(&at, reason, hint);
}

/// What to do about the errors that the compiler only names.
fn hint(reason: &str) -> &'static str {
    let hints = [
        ("found `edition`", "only proto3 is supported: write `syntax = \"proto3\";` as the first line"),
        ("expected `enum`", "look at what stands just before this place too"),
        ("reached end of file", "a `}` is missing"),
        (
            "is already defined in file `tegami/v1/options.proto`",
            "delete this copy: the options are imported as `tegami/v1/options.proto`, and need no file",
        ),
        ("import cycle", "move what both need into a third file"),
        ("import `tegami/", "the options are imported as `tegami/v1/options.proto`"),
        ("import", "imports are paths below the contract folder, with `/`"),
        ("invalid value of type `tegami.v1.EventOptions", "an event takes `topic`, `routing_key` and `ordered`"),
        (
            "invalid value of type `tegami.v1.FieldOptions",
            "a field takes `key`, `attribute`, `required`, `personal` and `subject`, which are `true`; `min_length`, \
             `max_length`, `minimum` and `maximum`, which are numbers; and `pattern`, which is text",
        ),
        ("invalid value of type", "see <https://protobuf.dev/programming-guides/proto3/#options>"),
        ("`tegami.v1", "write `import \"tegami/v1/options.proto\";`: the options are described there"),
        ("option", "look the option up where it is declared"),
        ("is not defined", "define it, or import the file that does"),
        ("enums must be 0", "begin with a value such as `UNSPECIFIED = 0`"),
        ("field number", "give the field a number that was never used"),
        ("already defined", "rename one of them"),
        ("twice", "rename one of them"),
        ("conflicts with field", "rename one of them"),
        ("groups", "make it a message, and a field of that type"),
        ("expected", "look at what stands just before this place too"),
    ];
    let known = hints.iter().find(|(part, _)| reason.contains(part));
    known.map_or("see <https://protobuf.dev/programming-guides/proto3/>", |(_, hint)| hint)
}

fn position(file: &Source, offset: usize) -> Location {
    let before = file.text.get(..offset).unwrap_or(&file.text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    Location { file: file.shown.clone(), line: number(line), column: number(column) }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("files are far smaller than 4 GiB")
}
