//! `farthing-replay`: real commits as scripted runs, through everything that a real run goes through.
//!
//! ```sh
//! cargo run -p engine --example farthing-replay -- --repo ../tokio --language rust --count 500 --seed 1
//! ```
//!
//! Every file that a commit changes is opened as it was before, a run is scripted that changes it as the commit did, and
//! the text in the editor afterwards must be the commit's, byte for byte.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a tool for developers: it prints, and asks git"
)]

mod drive;
mod git;
mod plan;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use drive::Bench;
use git::{Commit, Objects, Tally};
use index::Grammar;
use serde_json::json;
use text::FilePath;

const USAGE: &str =
    "farthing-replay --repo DIR --language NAME [--count N] [--seed S] [--jobs J] [--json]";

struct Args {
    repo: PathBuf,
    language: &'static Grammar,
    count: usize,
    seed: u64,
    jobs: usize,
    json: bool,
}

fn main() -> ExitCode {
    let args = match args(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match replay(&args) {
        Ok(report) => report.print(&args),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn args(given: impl Iterator<Item = String>) -> Result<Args, String> {
    let (mut repo, mut language) = (None, None);
    let (mut count, mut seed, mut jobs, mut json) = (500, 1, 2, false);
    let mut given = given;
    while let Some(name) = given.next() {
        if name == "--json" {
            json = true;
            continue;
        }
        let value = given
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{name} takes a number, not {value}"))
        };
        match name.as_str() {
            "--repo" => repo = Some(PathBuf::from(&value)),
            "--language" => {
                let known = || format!("there is no grammar {value}");
                language = Some(grammars::by_name(&value).ok_or_else(known)?);
            }
            "--count" => count = number()? as usize,
            "--seed" => seed = number()?,
            "--jobs" => jobs = number()?.max(1) as usize,
            _ => return Err(format!("there is no argument {name}")),
        }
    }
    Ok(Args {
        repo: repo.ok_or("--repo is missing")?,
        language: language.ok_or("--language is missing")?,
        count,
        seed,
        jobs,
        json,
    })
}

#[derive(Default)]
struct Report {
    candidates: usize,
    commits: usize,
    exact_commits: usize,
    files: usize,
    exact_files: usize,
    moved: usize,
    skipped: Tally,
    ways: Tally,
    failures: Vec<(String, String, String)>,
    seconds: f64,
}

impl Report {
    fn add(&mut self, other: Report) {
        self.commits += other.commits;
        self.exact_commits += other.exact_commits;
        self.files += other.files;
        self.exact_files += other.exact_files;
        self.moved += other.moved;
        for (name, count) in other.skipped {
            *self.skipped.entry(name).or_default() += count;
        }
        for (name, count) in other.ways {
            *self.ways.entry(name).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    fn print(&self, args: &Args) -> ExitCode {
        if args.json {
            let failures: Vec<_> = self
                .failures
                .iter()
                .map(|(commit, file, why)| json!({"commit": commit, "file": file, "why": why}))
                .collect();
            let report = json!({
                "repo": args.repo, "language": args.language.name, "seed": args.seed, "candidates": self.candidates,
                "commits": self.commits, "exact_commits": self.exact_commits, "files": self.files,
                "exact_files": self.exact_files, "created_deleted_renamed": self.moved, "skipped": self.skipped,
                "ways": self.ways, "seconds": self.seconds, "failures": failures,
            });
            println!("{report}");
        } else {
            println!(
                "{} of {} commits exact ({} of {} files), out of {} candidates, in {:.0} s",
                self.exact_commits,
                self.commits,
                self.exact_files,
                self.files,
                self.candidates,
                self.seconds
            );
            println!(
                "created, deleted or renamed files beside them, not replayed: {}",
                self.moved
            );
            println!("skipped files: {:?}", self.skipped);
            println!("calls: {:?}", self.ways);
            for (commit, file, why) in &self.failures {
                println!("{} {file}: {why}", commit.get(..12).unwrap_or(commit));
            }
        }
        if self.failures.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn replay(args: &Args) -> Result<Report, String> {
    let began = Instant::now();
    let is_wanted = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        grammars::for_path(name).is_some_and(|grammar| grammar.name == args.language.name)
    };
    let mut commits = git::commits(&args.repo, is_wanted)?;
    let candidates = commits.len();
    shuffle(&mut commits, args.seed);
    commits.truncate(args.count);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.jobs)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let mut parts: Vec<Vec<Commit>> = (0..args.jobs).map(|_| Vec::new()).collect();
    for (number, commit) in commits.into_iter().enumerate() {
        parts[number % args.jobs].push(commit);
    }
    let mut report = Report {
        candidates,
        ..Report::default()
    };
    let parts = runtime.block_on(async {
        let mut work = tokio::task::JoinSet::new();
        for commits in parts {
            let (repo, language) = (args.repo.clone(), args.language);
            work.spawn(async move { one_after_the_other(&repo, language, commits).await });
        }
        work.join_all().await
    });
    for part in parts {
        report.add(part?);
    }
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

async fn one_after_the_other(
    repo: &std::path::Path,
    language: &'static Grammar,
    commits: Vec<Commit>,
) -> Result<Report, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let root = FilePath::new(folder.path()).map_err(|error| error.to_string())?;
    let mut bench = Bench::new(&root, folder.path());
    let mut objects = Objects::open(repo)?;
    let mut report = Report::default();
    for commit in commits {
        report.commits += 1;
        report.moved += commit.moved;
        let failed = report.failures.len();
        for (path, before, after) in &commit.changed {
            let (Some(before), Some(after)) = (objects.get(before)?, objects.get(after)?) else {
                *report
                    .skipped
                    .entry("not in the clone".to_owned())
                    .or_default() += 1;
                continue;
            };
            let (Some(before), Some(after)) = (readable(before), readable(after)) else {
                *report
                    .skipped
                    .entry("not text, or too large".to_owned())
                    .or_default() += 1;
                continue;
            };
            let file = root.join(&flat(path)).map_err(|error| error.to_string())?;
            report.files += 1;
            let planned = plan::plan(&root, &file, language, &before, &after);
            let outcome = match &planned {
                Err(why) => Err(format!("no way: {why}")),
                Ok(plan) => bench.play(&file, &before, plan).await,
            };
            match outcome {
                Ok(text) if text == after => {
                    report.exact_files += 1;
                    for call in planned.iter().flat_map(|plan| &plan.calls) {
                        *report.ways.entry(call.way.to_owned()).or_default() += 1;
                    }
                }
                Ok(_) => report.failures.push((
                    commit.id.clone(),
                    path.clone(),
                    "the text differs".to_owned(),
                )),
                Err(why) => report.failures.push((commit.id.clone(), path.clone(), why)),
            }
        }
        report.exact_commits += usize::from(report.failures.len() == failed);
    }
    bench.shutdown().await;
    Ok(report)
}

/// The file's own name: where a repository keeps it is not what is tested, and some folders are closed to every run.
fn flat(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("src/{name}")
}

/// What the server would take from an editor: text, of at most the size that is parsed.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    (text.len() <= index::MAX_BYTES).then_some(text)
}

/// The order that a seed gives.
fn shuffle(commits: &mut [Commit], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for at in (1..commits.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        commits.swap(at, (state % (at as u64 + 1)) as usize);
    }
}
