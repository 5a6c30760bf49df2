//! Groups of modules that import each other in a circle, and the fewest imports whose removal ends the circle.

use rustc_hash::FxHashMap;

/// A group of nodes each of which leads to every other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cycle {
    /// The nodes, in ascending order.
    pub(crate) nodes: Vec<usize>,
    /// Edges inside the group that end every circle if all of them go: few, if not always the fewest.
    pub(crate) cut: Vec<(usize, usize)>,
}

/// How many arrangements are tried for the fewest edges, whatever the size; more for small groups.
const TRIES: usize = 24;

/// The groups in a graph of `count` nodes, the largest first.
///
/// `cost` of an edge says how dear it is to remove; of two cuts of the same size the cheaper one counts.
pub(crate) fn cycles(
    count: usize,
    edges: &[(usize, usize)],
    cost: &dyn Fn(usize, usize) -> u32,
) -> Vec<Cycle> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in edges {
        if from != to {
            out[*from].push(*to);
        }
    }
    for targets in &mut out {
        targets.sort_unstable();
        targets.dedup();
    }
    let mut groups: Vec<Vec<usize>> = components(&out)
        .into_iter()
        .filter(|group| group.len() > 1)
        .collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.len()), group.first().copied()));
    groups
        .into_iter()
        .map(|nodes| {
            let cut = cut(&nodes, &out, cost);
            Cycle { nodes, cut }
        })
        .collect()
}

/// Tarjan's strongly connected components, without recursion. Each in ascending order.
fn components(out: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let count = out.len();
    let (mut number, mut low) = (vec![NEW; count], vec![0; count]);
    let mut on_stack = vec![false; count];
    let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
    for start in 0..count {
        if number[start] != NEW {
            continue;
        }
        let mut calls = vec![(start, 0)];
        while let Some((node, at)) = calls.last_mut() {
            let node = *node;
            if *at == 0 {
                number[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(target) = out[node].get(*at).copied() {
                *at += 1;
                if number[target] == NEW {
                    calls.push((target, 0));
                } else if on_stack[target] {
                    low[node] = low[node].min(number[target]);
                }
                continue;
            }
            calls.pop();
            if let Some((caller, _)) = calls.last() {
                low[*caller] = low[*caller].min(low[node]);
            }
            if low[node] == number[node] {
                let mut group = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    group.push(member);
                    if member == node {
                        break;
                    }
                }
                group.sort_unstable();
                found.push(group);
            }
        }
    }
    found
}

/// The edges that point backwards in the best arrangement of the nodes that was found.
///
/// Starts from the greedy order of Eades, Lin and Smyth and from shuffled ones, and moves single nodes as long as that
/// helps. Deterministic: the shuffles are always the same.
fn cut(
    nodes: &[usize],
    out: &[Vec<usize>],
    cost: &dyn Fn(usize, usize) -> u32,
) -> Vec<(usize, usize)> {
    let places: FxHashMap<usize, usize> = nodes.iter().copied().zip(0..).collect();
    let count = nodes.len();
    // An edge more weighs more than any cost.
    let mut leaves: Vec<Vec<(usize, u64)>> = vec![Vec::new(); count];
    let mut enters = leaves.clone();
    for (from, node) in nodes.iter().enumerate() {
        for target in &out[*node] {
            if let Some(to) = places.get(target) {
                let weight = (1 << 20) + u64::from(cost(*node, *target).min(1 << 10));
                leaves[from].push((*to, weight));
                enters[*to].push((from, weight));
            }
        }
    }
    let edges: usize = leaves.iter().map(Vec::len).sum();
    // A group as large as that is not untangled by one import anyway.
    let tries = if edges > 4_000 { 1 } else { TRIES };
    let mut best: Option<(u64, Vec<usize>)> = None;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for attempt in 0..tries {
        let mut order = if attempt == 0 {
            eades(&leaves, &enters)
        } else {
            // Small disturbances of the best order find better ones sooner than fresh starts do.
            let mut order = best
                .as_ref()
                .map_or_else(Vec::new, |(_, order)| order.clone());
            for _ in 0..=count / 4 {
                let (a, b) = (pick(&mut random, count), pick(&mut random, count));
                order.swap(a, b);
            }
            order
        };
        sift(&mut order, &leaves, &enters);
        let weight = backward(&order, &leaves);
        if best.as_ref().is_none_or(|(least, _)| weight < *least) {
            best = Some((weight, order));
        }
    }
    let order = best.map(|(_, order)| order).unwrap_or_default();
    let position = positions(&order);
    let mut cut: Vec<(usize, usize)> = Vec::new();
    for (from, targets) in leaves.iter().enumerate() {
        let back = targets
            .iter()
            .filter(|(to, _)| position[*to] < position[from]);
        cut.extend(back.map(|(to, _)| (nodes[from], nodes[*to])));
    }
    cut.sort_by_key(|(from, to)| (cost(*from, *to), *from, *to));
    cut
}

fn pick(random: &mut u64, count: usize) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (*random % count.max(1) as u64) as usize
}

fn positions(order: &[usize]) -> Vec<usize> {
    let mut position = vec![0; order.len()];
    for (at, node) in order.iter().enumerate() {
        position[*node] = at;
    }
    position
}

fn backward(order: &[usize], leaves: &[Vec<(usize, u64)>]) -> u64 {
    let position = positions(order);
    let edges = leaves
        .iter()
        .enumerate()
        .flat_map(|(from, targets)| targets.iter().map(move |(to, weight)| (from, *to, *weight)));
    edges
        .filter(|(from, to, _)| position[*to] < position[*from])
        .map(|(_, _, weight)| weight)
        .sum()
}

/// Sinks last, sources first, and of the rest the node that sends out most and takes in least.
fn eades(leaves: &[Vec<(usize, u64)>], enters: &[Vec<(usize, u64)>]) -> Vec<usize> {
    let count = leaves.len();
    let mut gone = vec![false; count];
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let degree = |edges: &[(usize, u64)], gone: &[bool]| {
        edges.iter().filter(|(other, _)| !gone[*other]).count() as i64
    };
    while first.len() + last.len() < count {
        let left: Vec<usize> = (0..count).filter(|node| !gone[*node]).collect();
        let sink = left.iter().find(|node| degree(&leaves[**node], &gone) == 0);
        let source = left.iter().find(|node| degree(&enters[**node], &gone) == 0);
        let node = match (sink, source) {
            (Some(sink), _) => {
                last.push(*sink);
                *sink
            }
            (None, Some(source)) => {
                first.push(*source);
                *source
            }
            (None, None) => {
                let most = left.iter().max_by_key(|node| {
                    let gain = degree(&leaves[**node], &gone) - degree(&enters[**node], &gone);
                    (gain, std::cmp::Reverse(**node))
                });
                let Some(most) = most.copied() else { break };
                first.push(most);
                most
            }
        };
        gone[node] = true;
    }
    first.extend(last.into_iter().rev());
    first
}

/// Moves each node to where it has the least backward weight, as long as that helps.
fn sift(order: &mut Vec<usize>, leaves: &[Vec<(usize, u64)>], enters: &[Vec<(usize, u64)>]) {
    for _ in 0..16 {
        let mut improved = false;
        for node in 0..order.len() {
            let Some(at) = order.iter().position(|other| *other == node) else {
                continue;
            };
            order.remove(at);
            let position = positions_without(order, node);
            // The weight of placing the node first: every edge into it points backwards.
            let mut change = vec![0_i64; order.len() + 1];
            let mut weight: i64 = 0;
            for (from, edge) in &enters[node] {
                if let Some(place) = position[*from] {
                    weight += *edge as i64;
                    change[place + 1] -= *edge as i64;
                }
            }
            for (to, edge) in &leaves[node] {
                if let Some(place) = position[*to] {
                    change[place + 1] += *edge as i64;
                }
            }
            let (mut least, mut place, mut current) = (i64::MAX, at, i64::MAX);
            for (slot, step) in change.iter().enumerate() {
                weight += step;
                if slot == at {
                    current = weight;
                }
                if weight < least {
                    least = weight;
                    place = slot;
                }
            }
            if least < current {
                improved = true;
                order.insert(place, node);
            } else {
                order.insert(at, node);
            }
        }
        if !improved {
            return;
        }
    }
}

fn positions_without(order: &[usize], node: usize) -> Vec<Option<usize>> {
    let mut position = vec![None; order.len() + 1];
    for (at, other) in order.iter().enumerate() {
        position[*other] = Some(at);
    }
    debug_assert!(position[node].is_none());
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: usize, edges: &[(usize, usize)], expected: &[(&[usize], usize)]) {
        let found = cycles(count, edges, &|_, _| 1);
        let shapes: Vec<(&[usize], usize)> = found
            .iter()
            .map(|cycle| (cycle.nodes.as_slice(), cycle.cut.len()))
            .collect();
        assert_eq!(shapes, expected);
        let cut: Vec<_> = found.iter().flat_map(|cycle| cycle.cut.clone()).collect();
        let left: Vec<_> = edges
            .iter()
            .filter(|edge| !cut.contains(edge))
            .copied()
            .collect();
        assert_eq!(
            cycles(count, &left, &|_, _| 1),
            [],
            "the cut ends every circle"
        );
    }

    #[test]
    fn a_line_is_no_circle() {
        check(3, &[(0, 1), (1, 2), (0, 2), (2, 2)], &[]);
    }

    #[test]
    fn circles_that_share_an_edge_take_one_cut() {
        check(
            4,
            &[(0, 1), (1, 2), (2, 0), (1, 3), (3, 0)],
            &[(&[0, 1, 2, 3], 1)],
        );
    }

    #[test]
    fn groups_are_found_apart() {
        check(
            5,
            &[(0, 1), (1, 0), (2, 3), (3, 4), (4, 2), (0, 2)],
            &[(&[2, 3, 4], 1), (&[0, 1], 1)],
        );
    }

    #[test]
    fn the_cheaper_edge_is_cut() {
        let found = cycles(2, &[(0, 1), (1, 0)], &|from, _| {
            if from == 0 { 9 } else { 2 }
        });
        assert_eq!(found[0].cut, [(1, 0)]);
    }

    proptest::proptest! {
        #[test]
        fn the_cut_always_ends_every_circle(
            edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..60)
        ) {
            let cut: Vec<_> = cycles(12, &edges, &|_, _| 1).into_iter().flat_map(|cycle| cycle.cut).collect();
            let left: Vec<_> = edges.iter().filter(|edge| !cut.contains(edge)).copied().collect();
            proptest::prop_assert!(cycles(12, &left, &|_, _| 1).is_empty());
        }
    }
}
