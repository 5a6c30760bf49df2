//! The architecture review: what the rules say about the files as they are in the editor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, PoisonError};

use index::{Facts, Smell, Whiff};
use review::{
    Bar, Customs, Finding, Fresh, History, Manifests, Review, Seen, graph, is_wanted, judge,
    judge_other, unused_dependencies,
};
use text::{FilePath, Range};
use workspace::{Changed, Document, Past, Snapshot};

use crate::config::Config;
use crate::history::Histories;
use crate::{Engine, Event};

/// What the review remembers between edits; nothing until the first pass over the disk has ended.
#[derive(Default)]
pub(crate) struct Reviewed {
    review: Option<Review>,
    manifests: Manifests,
    manifest_files: BTreeSet<FilePath>,
    /// What is wrong in the manifests themselves.
    unused: BTreeMap<FilePath, Vec<Finding>>,
    /// Files without a grammar.
    others: Arc<[FilePath]>,
    news: Arc<News>,
    /// What the repositories tell of the past.
    pub(crate) histories: Arc<Histories>,
}

/// What is new in a workspace, and since when.
#[derive(Clone, Default)]
pub struct News {
    /// The workspace folders that have a past.
    pasts: Vec<(FilePath, Past)>,
    /// What the files were, for those that somebody wanted to know it of; none if they were not there.
    before: BTreeMap<FilePath, Option<Arc<str>>>,
    changed: BTreeMap<FilePath, Changed>,
}

impl News {
    /// What the files below a folder have that they had not at a revision. Files that git does not follow are new.
    ///
    /// # Errors
    ///
    /// If git cannot tell.
    pub fn since(folder: &FilePath, past: Past) -> anyhow::Result<News> {
        let mut candidates = past.candidates()?;
        candidates.retain(|file| {
            grammars::for_path(file.file_name()).is_some() || review::is_manifest(file)
        });
        let before = past.texts(&candidates)?;
        let changed = candidates.into_iter().filter_map(|file| {
            let text = workspace::read(&file).ok()?;
            let before = before.get(&file).map(String::as_str);
            let changed = Changed::between(before, &text.to_string());
            Some((file, changed))
        });
        Ok(News {
            changed: changed.collect(),
            pasts: vec![(folder.clone(), past)],
            before: BTreeMap::new(),
        })
    }

    /// Whether a symbol, or else a place, of a file is new. What is in a file that nobody has asked about is old.
    fn has(&self, facts: Option<&Facts>, file: &FilePath, symbol: &str, place: Range) -> bool {
        let Some(changed) = self.changed.get(file) else {
            return false;
        };
        let symbol = facts.and_then(|facts| facts.symbol(facts.by_path(symbol)?));
        changed.touches(symbol.map_or(place, |symbol| symbol.range))
    }

    /// Whether anything in a file has changed.
    fn is_changed(&self, file: &FilePath) -> bool {
        let changed = self.changed.get(file);
        changed.is_some_and(|changed| changed.touches(Range::at(0)))
    }

    /// Takes in what a file is now. Git is asked the first time.
    fn take(&mut self, file: &FilePath, text: &str) {
        let around = self
            .pasts
            .iter()
            .filter(|(folder, _)| file.is_inside(folder));
        let Some((_, past)) = around.max_by_key(|(folder, _)| folder.as_str().len()) else {
            return;
        };
        if !self.before.contains_key(file) {
            let Ok(mut texts) = past.texts(std::slice::from_ref(file)) else {
                return;
            };
            let before = texts.remove(file).map(Arc::from);
            self.before.insert(file.clone(), before);
        }
        let before = self.before.get(file).and_then(Option::as_deref);
        self.changed
            .insert(file.clone(), Changed::between(before, text));
    }
}

/// The manifests of a workspace: among the files without a grammar, and among those of the index, because the language
/// of a manifest may have a grammar.
pub fn manifests_of(index: &index::Index, others: &[FilePath]) -> BTreeSet<FilePath> {
    let files = index.paths().chain(others);
    let manifests = files.filter(|file| review::is_manifest(file));
    manifests.cloned().collect()
}

/// Reads manifests. One that cannot be read says nothing.
pub fn read_manifests(files: &BTreeSet<FilePath>) -> Manifests {
    Manifests::read(files.iter().filter_map(|file| {
        let text = workspace::read(file).ok()?;
        Some((file.clone(), text.to_string()))
    }))
}

/// The findings of a whole index, by file and place: what the editor shows file by file.
///
/// With news, those about what is old are hints.
pub fn findings_of(
    roots: &[FilePath],
    index: &index::Index,
    others: &[FilePath],
    manifests: &Manifests,
    config: &Config,
    history: &History,
    news: Option<&News>,
) -> (Vec<Finding>, Review) {
    let project = project(roots, index, manifests, config);
    let review = Review::of(&project, &config.rules);
    let mut more = unused(&review, &project, config, others);
    let is_changed = |file: &FilePath| news.is_some_and(|news| news.is_changed(file));
    for file in history.paired() {
        let about = history.about(file, review.graph(), &project, &config.rules, &is_changed);
        if !about.is_empty() {
            more.entry(file.clone()).or_default().extend(about);
        }
    }
    let day = today();
    let is_new = |file: &FilePath, symbol: &str, place: Range| {
        news.is_some_and(|news| news.has(index.file(file).as_deref(), file, symbol, place))
    };
    let bar = Bar {
        history,
        customs: review.customs(),
        fresh: news.map(|_| &is_new as Fresh<'_>),
        ..bar(config, &day, index)
    };
    let path = |file: &FilePath| {
        let root = roots.iter().find(|root| file.is_inside(root));
        let path = root.and_then(|root| file.relative_to(root));
        path.unwrap_or(file.as_str()).to_owned()
    };
    let files: Vec<(&FilePath, Arc<Facts>)> = index.files().collect();
    let is_test = |file: &FilePath, facts: &Facts| facts.grammar.is_test_path(&path(file));
    let wanted = |smell| is_wanted(smell, &config.rules);
    let smells = smells_of(&files, &is_test, &wanted);
    let mut findings = Vec::new();
    for ((file, facts), smells) in files.iter().zip(&smells) {
        let mut others = review.file(file).to_vec();
        others.extend(more.remove(*file).unwrap_or_default());
        let seen = Seen {
            facts,
            smells,
            others: Some(&others),
        };
        findings.extend(judge(&bar, file, &path(file), &seen));
    }
    let rest = review.files().filter(|file| !index.contains(file));
    let rest: BTreeSet<FilePath> = rest.chain(more.keys()).cloned().collect();
    for file in rest {
        let mut others = review.file(&file).to_vec();
        others.extend(more.remove(&file).unwrap_or_default());
        findings.extend(judge_other(&bar, &path(&file), &others));
    }
    findings
        .sort_by(|a, b| (&a.file, a.range.start, a.rule).cmp(&(&b.file, b.range.start, b.rule)));
    (findings, review)
}

/// The places with a smell in each of the files, on all cores: their texts are read again, and those that have the words
/// of a smell are parsed.
fn smells_of(
    files: &[(&FilePath, Arc<Facts>)],
    leave_out: &(dyn Fn(&FilePath, &Facts) -> bool + Sync),
    wanted: &(dyn Fn(Smell) -> bool + Sync),
) -> Vec<Vec<Whiff>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(threads).max(1);
    let of_one = |(file, facts): &(&FilePath, Arc<Facts>)| {
        if facts.generated || leave_out(file, facts) {
            return Vec::new();
        }
        let text = workspace::read(file);
        text.map_or_else(
            |_| Vec::new(),
            |text| facts.smells_in(&text.to_string(), &wanted),
        )
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = files
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(of_one).collect::<Vec<_>>()))
            .collect();
        // A part that cannot be read has no smells; the files after it keep their place.
        let parts = parts.into_iter().zip(files.chunks(share));
        parts
            .flat_map(|(part, files)| {
                part.join()
                    .unwrap_or_else(|_| vec![Vec::new(); files.len()])
            })
            .collect()
    })
}

fn project<'a>(
    roots: &'a [FilePath],
    index: &'a index::Index,
    manifests: &'a Manifests,
    config: &'a Config,
) -> graph::Project<'a> {
    graph::Project {
        roots,
        index,
        manifests,
        // What ignore files leave out, such as code that a build makes, can be imported all the same.
        exists: &|file| file.as_path().exists(),
        ignored: &|roots, file| workspace::is_left_out(roots, file),
        team: &config.team,
    }
}

/// What no file uses of what the manifests ask for. Texts that may name it are read again.
fn unused(
    review: &Review,
    project: &graph::Project<'_>,
    config: &Config,
    others: &[FilePath],
) -> BTreeMap<FilePath, Vec<Finding>> {
    let read = |file: &FilePath| Some(workspace::read(file).ok()?.to_string());
    unused_dependencies(review.graph(), project, &config.rules, others, &read)
}

/// What findings are held to; `today` as [`today`] writes it.
pub(crate) fn bar<'a>(config: &'a Config, today: &'a str, index: &'a index::Index) -> Bar<'a> {
    static NONE: LazyLock<(History, Customs)> = LazyLock::new(Default::default);
    Bar {
        history: &NONE.0,
        customs: &NONE.1,
        index,
        thresholds: &config.rules,
        team: &config.team,
        today,
        fresh: None,
    }
}

pub(crate) fn today() -> String {
    jiff::Zoned::now().date().to_string()
}

impl Engine {
    /// Reviews the whole workspace, once its index is complete.
    pub(crate) fn review_all(&self, others: &[FilePath]) {
        self.reviewed(|reviewed| reviewed.others = others.into());
        self.review_with(manifests_of(self.snapshot().index(), others));
    }

    /// Reviews the whole workspace again because of its manifests, if any has changed.
    pub(crate) fn manifests_changed<'f>(&self, changed: impl Iterator<Item = &'f FilePath>) {
        let changed: BTreeSet<&FilePath> = changed.collect();
        if changed.is_empty() {
            return;
        }
        let files = self.reviewed(|reviewed| {
            let known = reviewed.manifest_files.iter();
            let others = known.filter(|file| !changed.contains(file)).cloned();
            let there = changed.iter().filter(|file| file.as_path().is_file());
            let files = others.chain(there.map(|file| (*file).clone()));
            reviewed.review.is_some().then(|| files.collect())
        });
        if let Some(files) = files {
            self.review_with(files);
        }
    }

    fn review_with(&self, manifest_files: BTreeSet<FilePath>) {
        let manifests = read_manifests(&manifest_files);
        self.remember_past();
        let snapshot = self.snapshot();
        let config = self.config();
        let project = project(&snapshot.roots, snapshot.index(), &manifests, &config);
        let review = Review::of(&project, &config.rules);
        let others = self.reviewed(|reviewed| Arc::clone(&reviewed.others));
        let unused = unused(&review, &project, &config, &others);
        self.reviewed(|reviewed| {
            *reviewed = Reviewed {
                review: Some(review),
                manifests,
                manifest_files,
                unused,
                others: reviewed.others.clone(),
                news: reviewed.news.clone(),
                histories: reviewed.histories.clone(),
            };
        });
        self.shared.reviews.send_modify(|count| *count += 1);
    }

    /// Waits until the workspace has been reviewed for the first time.
    pub async fn until_reviewed(&self) {
        let mut reviews = self.shared.reviews.subscribe();
        // The sender lives as long as the engine.
        _ = reviews.wait_for(|count| *count > 0).await;
    }

    /// The graph of the workspace, and what it was made from; nothing before its first review.
    pub(crate) fn with_review<T>(
        &self,
        snapshot: &Snapshot,
        config: &Config,
        act: impl FnOnce(&graph::Project<'_>, &Review) -> T,
    ) -> Option<T> {
        self.reviewed(|reviewed| {
            let Reviewed {
                review, manifests, ..
            } = reviewed;
            let review = review.as_ref()?;
            let project = project(&snapshot.roots, snapshot.index(), manifests, config);
            Some(act(&project, review))
        })
    }

    /// Asks again where the work of now began. Says whether that is elsewhere than before.
    pub(crate) fn remember_past(&self) -> bool {
        let roots = self.snapshot().roots;
        let asked = self.config().new_code;
        let roots = roots.iter().filter(|_| asked);
        let pasts = roots.filter_map(|root| Some((root.clone(), Past::of(root)?)));
        let pasts: Vec<(FilePath, Past)> = pasts.collect();
        self.reviewed(|reviewed| {
            let moved = reviewed.news.pasts != pasts;
            if moved {
                reviewed.news = Arc::new(News {
                    pasts,
                    ..News::default()
                });
            }
            moved
        })
    }

    /// Compares open documents with what they were where the work of now began, and what changes together with them.
    fn compare_with_the_past(
        &self,
        snapshot: &Snapshot,
        files: &BTreeSet<FilePath>,
        histories: &Histories,
    ) {
        let before = self.reviewed(|reviewed| Arc::clone(&reviewed.news));
        let mut due: BTreeSet<FilePath> = BTreeSet::new();
        for file in files {
            if snapshot.open_document(file).is_some() {
                due.insert(file.clone());
                let history = histories.of(file);
                let partners = history.partners(file);
                due.extend(
                    partners
                        .filter(|file| !before.changed.contains_key(file))
                        .cloned(),
                );
            } else if before.changed.contains_key(file) {
                due.insert(file.clone());
            }
        }
        if due.is_empty() || before.pasts.is_empty() {
            return;
        }
        // Git may take its time, and nobody waits for it.
        let mut news = News::clone(&before);
        for file in due {
            match snapshot.document(&file) {
                Ok(document) => news.take(&file, &document.text().to_string()),
                Err(_) => _ = news.changed.remove(&file),
            }
        }
        self.reviewed(|reviewed| {
            // Unless everything began elsewhere meanwhile.
            if reviewed.news.pasts == news.pasts {
                reviewed.news = Arc::new(news);
            }
        });
    }

    /// Takes in that files have changed, and has the open files shown whose findings are not what they were.
    pub(crate) fn review_changed(&self, files: &BTreeSet<FilePath>) {
        let (snapshot, config) = (self.snapshot(), self.config());
        let (news, histories) =
            self.reviewed(|reviewed| (Arc::clone(&reviewed.news), Arc::clone(&reviewed.histories)));
        self.compare_with_the_past(&snapshot, files, &histories);
        // What says something about a file that changes together with another: both must be open for it to be shown.
        let ties = |graph: &graph::Graph, news: &News| -> Vec<(FilePath, bool, bool)> {
            let mut ties = Vec::new();
            for file in files {
                let history = histories.of(file);
                let shown = history
                    .partners(file)
                    .filter(|partner| snapshot.open_document(partner).is_some());
                ties.extend(shown.map(|partner| {
                    let linked = graph.imports(file, partner) || graph.imports(partner, file);
                    (partner.clone(), linked, news.is_changed(file))
                }));
            }
            ties
        };
        let changed = self.reviewed(|reviewed| {
            let Reviewed {
                review,
                manifests,
                news: now,
                ..
            } = reviewed;
            let review = review.as_mut()?;
            let project = project(&snapshot.roots, snapshot.index(), manifests, &config);
            let before = ties(review.graph(), &news);
            let mut changed = review.update(&project, &config.rules, files);
            let after = ties(review.graph(), now);
            let moved = before.iter().zip(&after).filter(|(a, b)| a != b);
            changed.extend(moved.map(|((partner, ..), _)| partner.clone()));
            Some(changed)
        });
        for file in changed.unwrap_or_default() {
            if snapshot.open_document(&file).is_some() && !files.contains(&file) {
                self.show(Event::Markers(file));
            }
        }
        self.opinions_changed();
    }

    /// The findings of an open document, in the order of its text.
    pub(crate) fn findings_in(&self, snapshot: &Snapshot, document: &Document) -> Vec<Finding> {
        self.findings_of(snapshot, document.file(), document.parsed())
    }

    /// The findings that a file has, or would have if its text were this; in the order of the text.
    pub(crate) fn findings_of(
        &self,
        snapshot: &Snapshot,
        file: &FilePath,
        parsed: Option<&index::Parsed>,
    ) -> Vec<Finding> {
        let config = self.config();
        let day = today();
        let news = self.reviewed(|reviewed| Arc::clone(&reviewed.news));
        let own = parsed.map(index::Parsed::facts);
        let is_new = |other: &FilePath, symbol: &str, place: Range| match own {
            Some(facts) if other == file => news.has(Some(facts), other, symbol, place),
            _ => news.has(
                snapshot.index().file(other).as_deref(),
                other,
                symbol,
                place,
            ),
        };
        let review =
            |reviewed: &mut Reviewed| Some(Arc::clone(reviewed.review.as_ref()?.customs()));
        let customs = self.reviewed(review).unwrap_or_default();
        let history = self.histories().of(file);
        let bar = Bar {
            history: &history,
            customs: &customs,
            // As long as nobody has looked, everything may be new.
            fresh: (news.changed.contains_key(file)).then_some(&is_new as Fresh<'_>),
            ..bar(&config, &day, snapshot.index())
        };
        let mut others = self.findings_in_workspace(snapshot, file, &history);
        if let Some(others) = &mut others {
            let by_model = self.opinions_about(snapshot, file).into_iter();
            let on = |finding: &Finding| config.rules.get(finding.rule).is_some();
            others.extend(by_model.map(|(_, finding)| finding).filter(on));
        }
        let path = snapshot.display(file);
        match parsed {
            Some(parsed) => {
                let seen = Seen {
                    facts: parsed.facts(),
                    smells: &parsed.smells(),
                    others: others.as_deref(),
                };
                judge(&bar, file, path, &seen)
            }
            None => judge_other(&bar, path, &others.unwrap_or_default()),
        }
    }

    /// What the review says about a file as a part of the workspace; none while nobody knows.
    fn findings_in_workspace(
        &self,
        snapshot: &Snapshot,
        file: &FilePath,
        history: &History,
    ) -> Option<Vec<Finding>> {
        snapshot.root_of(file)?;
        let config = self.config();
        self.reviewed(|reviewed| {
            let review = reviewed.review.as_ref()?;
            let mut found = review.file(file).to_vec();
            found.extend(reviewed.unused.get(file).cloned().unwrap_or_default());
            let index = snapshot.index();
            let project = project(&snapshot.roots, index, &reviewed.manifests, &config);
            let is_changed = |file: &FilePath| reviewed.news.is_changed(file);
            found.extend(history.about(file, review.graph(), &project, &config.rules, &is_changed));
            Some(found)
        })
    }

    pub(crate) fn reviewed<T>(&self, act: impl FnOnce(&mut Reviewed) -> T) -> T {
        // The review is replaced as a whole, so that a panic leaves the one before.
        let mut reviewed = self
            .shared
            .reviewed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        act(&mut reviewed)
    }
}
