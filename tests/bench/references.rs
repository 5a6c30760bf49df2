//! Which references the index finds of those that a compiler-grade indexer finds, and which only one of them does.
//!
//! `cargo bench -p workspace --bench references -- [--samples N] FOLDER INDEX.scip`; see `docs/benchmarks.md`.
//!
//! The other side is an index in the SCIP format, as `scip-python`, `scip-typescript` or `rust-analyzer scip` write it
//! of the same folder. Of every definition that both see, the places are compared that either takes for a reference to
//! it. What the other side keeps local to a function is left out, as it is here.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use index::{Confidence, Place};
use text::{FilePath, Text};
use workspace::Workspace;

/// A place: file below the folder, line and byte in it, both counted from 0.
type Spot = (String, usize, usize);

fn main() {
    let (mut rest, mut samples) = (Vec::new(), 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--samples" => samples = arguments.next().unwrap().parse().unwrap(),
            _ => rest.push(argument),
        }
    }
    let [folder, scip] = rest.as_slice() else {
        println!(
            "usage: cargo bench -p workspace --bench references -- [--samples N] FOLDER INDEX.scip"
        );
        return;
    };
    let root = FilePath::new(std::path::absolute(folder).unwrap()).unwrap();
    let workspace = Mutex::new(Workspace::default());
    let stop = AtomicBool::new(false);
    workspace::scan(std::slice::from_ref(&root), None, None, &stop, &|step| {
        workspace.lock().unwrap().take_in(step);
    });
    let snapshot = workspace.into_inner().unwrap().snapshot();
    let index = snapshot.index();
    let mut texts = BTreeMap::new();
    let mut places: BTreeMap<Spot, (Place, &'static str)> = BTreeMap::new();
    for (file, facts) in index.files() {
        let Ok(text) = workspace::read(file) else {
            continue;
        };
        let short = file.relative_to(&root).unwrap().to_owned();
        for (symbol, known) in facts
            .enumerate()
            .filter(|(_, symbol)| symbol.kind.is_mentioned())
        {
            let place = Place {
                file: file.clone(),
                symbol,
            };
            let spot = spot(&short, &text, known.name_range.start);
            places.entry(spot).or_insert((place, known.kind.word()));
        }
        texts.insert(short, text);
    }
    let theirs = Scip::read(&std::fs::read(scip).unwrap(), &texts);
    let common: Vec<(&Spot, &BTreeSet<Spot>)> = theirs
        .references
        .iter()
        .filter(|(definition, _)| places.contains_key(*definition))
        .collect();
    println!("## {}\n", root.file_name());
    println!(
        "{} files of both; {} definitions of theirs, {} of both\n",
        theirs.files.len(),
        theirs.references.len(),
        common.len()
    );
    let mut kinds: BTreeMap<&str, [Tally; 2]> = BTreeMap::new();
    let mut shown = [0; 2];
    for (definition, theirs_here) in common {
        let (place, kind) = &places[definition];
        let mut likely = BTreeSet::new();
        let mut guessed = BTreeSet::new();
        for found in index.uses(place) {
            let short = found.file.relative_to(&root).unwrap();
            if !theirs.files.contains(short) {
                continue;
            }
            let spot = spot(short, &texts[short], found.range.start);
            if spot == *definition {
                continue;
            }
            if found.confidence > Confidence::Guess {
                likely.insert(spot.clone());
            }
            guessed.insert(spot);
        }
        let [of_likely, of_guessed] = kinds.entry(kind).or_default();
        of_likely.count(&likely, theirs_here);
        of_guessed.count(&guessed, theirs_here);
        let only = [
            likely.difference(theirs_here).next(),
            theirs_here.difference(&likely).next(),
        ];
        for ((title, spot), shown) in ["only ours", "only theirs"]
            .into_iter()
            .zip(only)
            .zip(&mut shown)
        {
            let Some((file, line, column)) = spot.filter(|_| *shown < samples * 97) else {
                continue;
            };
            *shown += 1;
            if *shown % 97 == 1 {
                let text = texts[file].to_string();
                let text = text.lines().nth(*line).unwrap_or("").trim().to_owned();
                println!(
                    "    {title}: {}:{} of {}:{}: {text} [{column}]",
                    file,
                    line + 1,
                    definition.0,
                    definition.1 + 1
                );
            }
        }
    }
    println!(
        "| definitions | number | references of theirs | likely: precision | recall | with guesses: precision | recall |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let mut all = [Tally::default(); 2];
    for (kind, tallies) in &kinds {
        row(kind, tallies);
        all[0].add(&tallies[0]);
        all[1].add(&tallies[1]);
    }
    row("all", &all);
}

fn row(title: &str, [likely, guessed]: &[Tally; 2]) {
    println!(
        "| {title} | {} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
        likely.definitions,
        likely.theirs,
        likely.precision(),
        likely.recall(),
        guessed.precision(),
        guessed.recall()
    );
}

#[derive(Clone, Copy, Default)]
struct Tally {
    definitions: usize,
    ours: usize,
    theirs: usize,
    both: usize,
}

impl Tally {
    fn count(&mut self, ours: &BTreeSet<Spot>, theirs: &BTreeSet<Spot>) {
        self.definitions += 1;
        self.ours += ours.len();
        self.theirs += theirs.len();
        self.both += ours.intersection(theirs).count();
    }

    fn add(&mut self, other: &Tally) {
        self.definitions += other.definitions;
        self.ours += other.ours;
        self.theirs += other.theirs;
        self.both += other.both;
    }

    fn precision(&self) -> f64 {
        self.both as f64 / self.ours.max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.both as f64 / self.theirs.max(1) as f64
    }
}

fn spot(file: &str, text: &Text, offset: usize) -> Spot {
    let line = text.line_of(offset);
    (file.to_owned(), line, offset - text.line_start(line))
}

/// What the other index says: the references to each definition, by where it is.
struct Scip {
    files: BTreeSet<String>,
    references: BTreeMap<Spot, BTreeSet<Spot>>,
}

impl Scip {
    /// Reads the format; only files that we have as well count.
    fn read(bytes: &[u8], texts: &BTreeMap<String, Text>) -> Scip {
        let mut files = BTreeSet::new();
        let mut definitions: BTreeMap<Vec<u8>, BTreeSet<Spot>> = BTreeMap::new();
        let mut mentions: BTreeMap<Vec<u8>, BTreeSet<Spot>> = BTreeMap::new();
        for (_, document) in fields(bytes).into_iter().filter(|(number, _)| *number == 2) {
            let parts = fields(document);
            let path = parts.iter().find(|(number, _)| *number == 1).unwrap().1;
            let path = String::from_utf8(path.to_vec()).unwrap();
            let Some(text) = texts.get(&path) else {
                continue;
            };
            let lines: Vec<String> = text.to_string().lines().map(str::to_owned).collect();
            for (_, occurrence) in parts.iter().filter(|(number, _)| *number == 2) {
                let (mut range, mut symbol, mut roles) = (Vec::new(), Vec::new(), 0);
                for (number, value) in fields(occurrence) {
                    match number {
                        1 => range = numbers(value),
                        2 => symbol = value.to_vec(),
                        3 => roles = numbers(value)[0],
                        _ => {}
                    }
                }
                // The column counts bytes, characters or units of UTF-16: the same where the line has none but ASCII.
                let line = range[0] as usize;
                let is_plain = lines.get(line).is_some_and(|line| line.is_ascii());
                if symbol.starts_with(b"local ") || !is_plain {
                    continue;
                }
                let spot = (path.clone(), line, range[1] as usize);
                let is_definition = roles & 1 == 1;
                let of = if is_definition {
                    &mut definitions
                } else {
                    &mut mentions
                };
                of.entry(symbol).or_default().insert(spot);
            }
            files.insert(path);
        }
        let mut references: BTreeMap<Spot, BTreeSet<Spot>> = BTreeMap::new();
        for (symbol, spots) in definitions {
            for definition in &spots {
                let all = references.entry(definition.clone()).or_default();
                all.extend(mentions.get(&symbol).into_iter().flatten().cloned());
            }
        }
        for (definition, spots) in &mut references {
            spots.remove(definition);
        }
        Scip { files, references }
    }
}

/// The fields of a message in the wire format of protocol buffers: number and bytes; a number as it is written.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = number(&mut bytes);
        let length = match key & 7 {
            0 => {
                let mut after = bytes;
                number(&mut after);
                bytes.len() - after.len()
            }
            1 => 8,
            2 => number(&mut bytes) as usize,
            _ => 4,
        };
        let (value, rest) = bytes.split_at(length);
        found.push((key >> 3, value));
        bytes = rest;
    }
    found
}

fn number(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn numbers(mut bytes: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        found.push(number(&mut bytes));
    }
    found
}
