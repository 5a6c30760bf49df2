//! Every symbol's path, unique in its file.

use std::sync::Arc;

use grammars::SymbolKind;
use rustc_hash::FxHashMap;

use crate::MAX_PATH;
use crate::facts::Symbol;
use crate::symbols::Draft;
use crate::walk::Before;

/// The order in which symbols get their paths: parents before children, so that a path starts with the final path of
/// what it is in; of each level, what people mean by a bare path first.
type Key = (u32, bool, bool, usize);

fn key(draft: &Draft, index: usize) -> Key {
    let may_have_body = draft.kind.is_callable() || draft.kind == SymbolKind::TypeAlias;
    let bodyless = may_have_body && draft.body.is_none();
    (
        draft.depth,
        draft.kind == SymbolKind::Field,
        bodyless,
        index,
    )
}

/// Gives every symbol its path. Says whether some paths were too long, so that the symbol keeps its bare name.
pub(crate) fn name_all(drafts: &[Draft], symbols: &mut [Symbol]) -> bool {
    let mut order: Vec<Key> = drafts
        .iter()
        .enumerate()
        .map(|(index, draft)| key(draft, index))
        .collect();
    order.sort_unstable();
    let mut taken: FxHashMap<Arc<str>, u32> = FxHashMap::default();
    let mut left_out = false;
    for (.., index) in order {
        let Some(mut path) = bare(drafts, symbols, index) else {
            continue;
        };
        if path.len() > MAX_PATH {
            left_out = true;
            path = drafts[index].name.to_string();
        }
        let count = taken.entry(path.as_str().into()).or_insert(0);
        *count += 1;
        if *count > 1 {
            path = format!("{path}#{count}");
        }
        symbols[index].path = path.as_str().into();
    }
    left_out
}

/// The path of a symbol without a number, if those of all that it is in are known.
fn bare(drafts: &[Draft], symbols: &[Symbol], index: usize) -> Option<String> {
    let draft = drafts.get(index)?;
    let mut path = before_name(drafts, symbols, draft);
    if is_inherent(draft) {
        path.push_str("impl ");
    }
    path.push_str(&draft.name);
    Some(path)
}

/// What stands before the own name in the path of a symbol.
fn before_name(drafts: &[Draft], symbols: &[Symbol], draft: &Draft) -> String {
    let parent = draft.parent.map(|parent| parent as usize);
    let around = parent.and_then(|parent| Some((drafts.get(parent)?, symbols.get(parent)?)));
    let mut path = match around {
        // Members are in the type and not in the block.
        Some((parent, _)) if is_inherent(parent) => {
            let mut path = before_name(drafts, symbols, parent);
            path.push_str(&parent.name);
            path.push('/');
            path
        }
        Some((_, symbol)) => format!("{}/", symbol.path),
        None => String::new(),
    };
    if let Some(container) = &draft.container {
        path.push_str(container);
        path.push('/');
    }
    path
}

fn is_inherent(draft: &Draft) -> bool {
    draft.kind == SymbolKind::Impl && !draft.of_interface
}

/// Symbols that have the same path but for the number.
#[derive(Default)]
struct Group {
    /// Those that keep their path, with their number.
    kept: Vec<(Key, u32)>,
    named: Vec<Key>,
}

/// Gives paths to the symbols that are not as they were before, while all others keep theirs.
///
/// Says which symbols have another path than before. None if others would have to change too, or a path is too long.
pub(crate) fn name_some(
    drafts: &[Draft],
    symbols: &mut [Symbol],
    before: &Before<'_>,
) -> Option<Vec<bool>> {
    let mut is_new = vec![false; drafts.len()];
    let mut levels: Vec<Vec<usize>> = vec![Vec::new(); crate::MAX_DEPTH + 1];
    // Symbols that are as before, in one that is not.
    let mut watched: Vec<Vec<usize>> = vec![Vec::new(); crate::MAX_DEPTH + 1];
    for (index, draft) in drafts.iter().enumerate() {
        if before.symbol(index).is_none() {
            levels.get_mut(draft.depth as usize)?.push(index);
            is_new[index] = true;
        } else if let Some(parent) = draft.parent
            && is_new[parent as usize]
        {
            watched.get_mut(draft.depth as usize)?.push(index);
        }
    }
    let mut groups: FxHashMap<String, Group> = FxHashMap::default();
    let mut moved = false;
    for depth in 0..levels.len() {
        let mut due = std::mem::take(&mut levels[depth]);
        let candidates: Vec<usize> = if moved {
            let all = drafts.iter().enumerate();
            let all = all.filter(|(_, draft)| draft.depth as usize == depth);
            all.map(|(index, _)| index).collect()
        } else {
            std::mem::take(&mut watched[depth])
        };
        for index in candidates {
            let Some(same) = before.symbol(index) else {
                continue;
            };
            let around = same.parent.and_then(|parent| before.facts.symbol(parent));
            let parent = drafts[index]
                .parent
                .and_then(|parent| symbols.get(parent as usize));
            let fits = match (around, parent) {
                (Some(around), Some(parent)) => {
                    around.path == parent.path && around.kind == parent.kind
                }
                (None, None) => true,
                _ => false,
            };
            if !fits {
                is_new[index] = true;
                moved = true;
                due.push(index);
            }
        }
        due.sort_by_key(|index| key(&drafts[*index], *index));
        for index in due {
            let path = bare(drafts, symbols, index)?;
            if path.len() > MAX_PATH {
                return None;
            }
            let key = key(&drafts[index], index);
            let group = groups
                .entry(path.clone())
                .or_insert_with_key(|path| Group::of(path, drafts, before));
            let kept = group
                .kept
                .iter()
                .filter(|(other, _)| *other < key && !is_new[other.3]);
            let number = 1 + kept.count() + group.named.len();
            group.named.push(key);
            symbols[index].path = if number > 1 {
                format!("{path}#{number}").into()
            } else {
                path.into()
            };
        }
    }
    // What is gone may have had a number of its own.
    for (old, symbol) in before.facts.symbols.iter().enumerate() {
        let stays = before
            .new_of
            .get(old)
            .is_some_and(|new| !is_new.get(*new as usize).copied().unwrap_or(true));
        if stays {
            continue;
        }
        let path = match symbol.path.rsplit_once('#') {
            Some((path, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => path,
            _ => &*symbol.path,
        };
        if before.facts.by_path(&format!("{path}#2")).is_some() && !groups.contains_key(path) {
            groups.insert(path.to_owned(), Group::of(path, drafts, before));
        }
    }
    let fits = groups.values().all(|group| {
        let kept = group.kept.iter().filter(|(key, _)| !is_new[key.3]);
        let kept: Vec<_> = kept.collect();
        kept.iter().enumerate().all(|(place, (key, number))| {
            let named = group.named.iter().filter(|other| *other < key);
            place + named.count() + 1 == *number as usize
        })
    });
    if !fits {
        return None;
    }
    for (index, is_new) in is_new.iter_mut().enumerate() {
        let path = &symbols[index].path;
        *is_new = before
            .symbol(index)
            .is_none_or(|same| !Arc::ptr_eq(&same.path, path) && same.path != *path);
    }
    Some(is_new)
}

impl Group {
    /// The symbols that had a path before and are still there.
    fn of(path: &str, drafts: &[Draft], before: &Before<'_>) -> Group {
        let mut group = Group::default();
        for number in 1.. {
            let old = if number == 1 {
                before.facts.by_path(path)
            } else {
                before.facts.by_path(&format!("{path}#{number}"))
            };
            let Some(old) = old else {
                break;
            };
            let new = before.new_of.get(old.index()).copied().unwrap_or(u32::MAX);
            if let Some(draft) = drafts.get(new as usize) {
                group.kept.push((key(draft, new as usize), number));
            }
        }
        group.kept.sort_unstable();
        group
    }
}
