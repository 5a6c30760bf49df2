use tree_sitter::{Node, TreeCursor};

use crate::asks::{Asks, NO_FIELD};

/// A node as it stands among the children of another.
#[derive(Clone, Copy)]
pub struct Child<'tree> {
    /// The node.
    pub node: Node<'tree>,
    /// Its kind.
    pub kind: u16,
    pub(crate) field: u16,
}

impl<'tree> Child<'tree> {
    /// A node that is nobody's child: the root of a tree.
    pub fn root(node: Node<'tree>) -> Child<'tree> {
        Child {
            node,
            kind: node.kind_id(),
            field: NO_FIELD,
        }
    }

    /// Whether it stands between others, and is no comment.
    pub(crate) fn separates(&self) -> bool {
        self.node.is_named() && !self.node.is_extra()
    }
}

/// How many children a pattern must see.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    None,
    /// Those up to the first that has a name.
    UntilNamed,
    All,
}

/// So many children at most are looked for one by one.
const FEW: u32 = 12;

/// Hands the children of a node to `each`, in order; without `signs` those without a name may be left out.
///
/// A cursor takes long for each step; few are found sooner one by one, although each is counted from the first.
/// The cursor is slowest at finding out that there is no next one, and is not asked for it.
pub(crate) fn read<'tree>(
    cursor: &mut TreeCursor<'tree>,
    node: Node<'tree>,
    reads: Reads,
    asks: &Asks,
    signs: bool,
    mut each: impl FnMut(Child<'tree>),
) {
    let mut left = node.child_count();
    if left <= FEW {
        if !signs {
            left = node.named_child_count() as u32;
        }
        for place in 0..left {
            let child = if signs {
                node.child(place)
            } else {
                node.named_child(place)
            };
            let Some(mut child) = child.map(Child::root) else {
                return;
            };
            if asks.field_of(child.kind) {
                child.field = asks.field(if signs {
                    node.field_name_for_child(place)
                } else {
                    node.field_name_for_named_child(place)
                });
            }
            each(child);
            if reads == Reads::UntilNamed && child.separates() {
                return;
            }
        }
        return;
    }
    cursor.reset(node);
    if !cursor.goto_first_child() {
        return;
    }
    loop {
        let mut child = Child::root(cursor.node());
        if asks.field_of(child.kind) {
            child.field = cursor.field_id().map_or(NO_FIELD, u16::from);
        }
        each(child);
        left -= 1;
        let enough = left == 0 || reads == Reads::UntilNamed && child.separates();
        if enough || !cursor.goto_next_sibling() {
            return;
        }
    }
}
