//! A user who types at random while runs are pending: no character of theirs is lost, nothing lands twice or elsewhere.
//!
//! The server is the real one behind an in-memory pipe; only the model and the clock are doubles. The client keeps its
//! own text and counts positions its own way. Each session is an editor of another temper; `FARTHING_LAWS=100000` types
//! that many changes instead of a few, and `FARTHING_SESSION=297` repeats one session that failed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test states what it expects bluntly"
)]

mod client;
#[path = "../e2e/harness/document.rs"]
#[allow(dead_code, reason = "a library; not every test uses all of it")]
mod document;
mod model;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::config::{Config, Source, Sources};
use engine::{Engine, Purse, Setup, Timing};
use text::FilePath;

use crate::client::{Client, Counts, Temper};
use crate::model::Model;

/// What is typed without `FARTHING_LAWS`.
const CHANGES: u64 = 1_200;

/// What is typed in one session.
const SESSION: u64 = 300;

const CONFIG: &str = "
[budget]
per_run = \"$90000\"
per_session = \"$90000\"
per_day = \"$90000\"
per_month = \"$90000\"
";

/// A stream of numbers that is the same for the same seed.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[test]
fn what_a_user_types_is_never_lost() {
    let wanted = std::env::var("FARTHING_LAWS").ok();
    let wanted: u64 = wanted.map_or(CHANGES, |wanted| wanted.parse().unwrap());
    let only = std::env::var("FARTHING_SESSION").ok();
    let only: Option<u64> = only.map(|only| only.parse().unwrap());
    let sessions = only.map_or(wanted.div_ceil(SESSION), |only| only + 1);
    let next = AtomicU64::new(only.unwrap_or(0));
    let several = || {
        let mut sum = Counts::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= sessions {
                return sum;
            }
            let named = Named(seed);
            sum.add(session(seed));
            drop(named);
        }
    };
    let mut sum = Counts::default();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(several)).collect();
        for thread in threads {
            sum.add(thread.join().unwrap());
        }
    });
    println!("{sum:?}");
    if only.is_some() {
        return;
    }
    // A test in which nothing happens shows nothing.
    let few = wanted / 300;
    assert!(sum.landed > few && sum.dropped > few, "{sum:?}");
    assert!(sum.kept + sum.refused > 0, "{sum:?}");
}

/// Says which session it was that failed.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in session {}", self.0);
        }
    }
}

fn session(seed: u64) -> Counts {
    let mut random = Random(seed);
    let temper = Temper {
        strict: seed.is_multiple_of(2),
        encoding: ["utf-16", "utf-8", "utf-32"][random.below(3) as usize],
        line_break: ["\n", "\r\n"][random.below(2) as usize],
        told_first: random.below(2) == 0,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().canonicalize().unwrap().join("lib.rs");
        let file = FilePath::new(file).unwrap();
        let model = Arc::new(Model::new(Random(seed ^ 0xabcd)));
        let notes = model.notes.clone();
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (input, output) = tokio::io::split(theirs);
        let (hand, taken) = tokio::sync::oneshot::channel();
        let folder = home.path().join("state");
        let server = lsp::run_over(input, output, move |editor| {
            let resolve = Arc::new(|settings: Option<&serde_json::Value>, _: &[FilePath]| {
                Config::resolve(&Sources {
                    machine: Some(Source {
                        name: "test",
                        text: CONFIG,
                    }),
                    workspace: None,
                    settings,
                    env: &|name| (name == "ANTHROPIC_API_KEY").then(|| "unused".to_owned()),
                })
            });
            let engine = Engine::new(Setup {
                resolve,
                provider: Ok(model),
                purse: Purse::in_memory(),
                editor,
                timing: Timing::default(),
                hunks: Some(folder.join("hunks")),
                reviews: None,
                journals: folder,
                cache: None,
            });
            let _taken = hand.send(engine.clone());
            Ok(engine)
        });
        #[expect(clippy::disallowed_methods, reason = "ends with the stream")]
        let server = tokio::spawn(server);
        let mut client = Client::start(ours, temper, format!("file://{file}"), random, notes).await;
        let engine = taken.await.unwrap();
        client.live(SESSION).await;
        // Both sides have the same text in the end.
        let snapshot = engine.snapshot();
        let text = snapshot.open_document(&file).unwrap().text().to_string();
        assert_eq!(text, client.text(), "{temper:?}");
        let counts = client.counts;
        client.hang_up().await;
        server.await.unwrap().unwrap();
        counts
    })
}
