//! Entries by their keys, in a tree that is cloned at once and shares what has not changed.

use std::sync::Arc;

use super::entry::Entry;

/// Entries of which no two have the same key, in no order.
///
/// They lie in leaves, which are found by the hashes of their keys. A clone shares all nodes, and a change copies those on its way that are shared:
/// a few branches and one leaf, however many entries there are. Nothing is ever copied or moved as a whole, so that no change takes long.
#[derive(Clone, Default)]
pub(super) struct Tree {
    root: Node,
    length: usize,
}

#[derive(Clone)]
enum Node {
    /// As many bits of a hash as its depth times [`BITS`] are the same for all that is below it; the next say by which child.
    Branch(Arc<[Node; CHILDREN]>),
    Leaf(Arc<Vec<Entry>>),
}

const BITS: u32 = 4;
const CHILDREN: usize = 1 << BITS;

/// More entries are not looked through one by one, nor copied together, unless their hashes are the same.
const LEAF_MAX: usize = 64;

/// As few as this become one leaf again.
const MERGED_MAX: usize = LEAF_MAX / 4;

impl Tree {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The entry with the same key as this one.
    pub(super) fn get(&self, like: &Entry) -> Option<&Entry> {
        self.find(like.hash(), like.key())
    }

    /// The entry of a key that has this hash.
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<&Entry> {
        let (mut node, mut depth) = (&self.root, 0);
        while let Node::Branch(children) = node {
            node = &children[child(hash, depth)];
            depth += 1;
        }
        let leaf = node.leaf()?;
        position(leaf, hash, key).map(|at| &leaf[at])
    }

    /// Puts an entry in, and gives the one whose place it takes.
    pub(super) fn insert(&mut self, entry: Entry) -> Option<Entry> {
        let old = self.root.insert(entry, 0);
        self.length += usize::from(old.is_none());
        old
    }

    /// Takes out the entry with the same key as this one.
    pub(super) fn remove(&mut self, like: &Entry) -> Option<Entry> {
        let old = self.root.remove(like, 0);
        self.length -= usize::from(old.is_some());
        old
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        let (mut nodes, mut leaf) = (vec![&self.root], [].iter());
        std::iter::from_fn(move || {
            loop {
                if let Some(entry) = leaf.next() {
                    return Some(entry);
                }
                match nodes.pop()? {
                    Node::Branch(children) => nodes.extend(children.iter()),
                    Node::Leaf(entries) => leaf = entries.iter(),
                }
            }
        })
    }
}

impl Node {
    fn leaf(&self) -> Option<&[Entry]> {
        match self {
            Self::Leaf(entries) => Some(entries),
            Self::Branch(_) => None,
        }
    }

    fn insert(&mut self, entry: Entry, depth: u32) -> Option<Entry> {
        let entries = match self {
            Self::Branch(children) => {
                let children = Arc::make_mut(children);
                return children[child(entry.hash(), depth)].insert(entry, depth + 1);
            }
            Self::Leaf(entries) => Arc::make_mut(entries),
        };
        if let Some(at) = position(entries, entry.hash(), entry.key()) {
            return Some(std::mem::replace(&mut entries[at], entry));
        }
        entries.push(entry);
        // Beyond its last bit a hash tells nothing more apart.
        if entries.len() > LEAF_MAX && depth < u64::BITS / BITS {
            *self = Self::branch(std::mem::take(entries), depth);
        }
        None
    }

    fn branch(entries: Vec<Entry>, depth: u32) -> Self {
        let mut leaves = [const { Vec::new() }; CHILDREN];
        for entry in entries {
            leaves[child(entry.hash(), depth)].push(entry);
        }
        Self::Branch(Arc::new(leaves.map(|leaf| Self::Leaf(Arc::new(leaf)))))
    }

    fn remove(&mut self, like: &Entry, depth: u32) -> Option<Entry> {
        match self {
            Self::Branch(children) => {
                let children = Arc::make_mut(children);
                let changed = &mut children[child(like.hash(), depth)];
                let old = changed.remove(like, depth + 1)?;
                if changed.leaf().is_some_and(<[_]>::is_empty)
                    && let Some(merged) = merged(children)
                {
                    *self = Self::Leaf(Arc::new(merged));
                }
                Some(old)
            }
            Self::Leaf(entries) => {
                let at = position(entries, like.hash(), like.key())?;
                let entries = Arc::make_mut(entries);
                let old = entries.swap_remove(at);
                if entries.len() <= entries.capacity() / 4 {
                    entries.shrink_to(2 * entries.len());
                }
                Some(old)
            }
        }
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::Leaf(Arc::default())
    }
}

/// By which child of a branch at this depth a hash goes on.
fn child(hash: u64, depth: u32) -> usize {
    (hash >> (depth * BITS)) as usize % CHILDREN
}

fn position(leaf: &[Entry], hash: u64, key: &[u8]) -> Option<usize> {
    // An entry's key lies elsewhere, its hash here.
    leaf.iter().position(|entry| entry.hash() == hash && entry.key() == key)
}

/// The entries of all children, if they are leaves and have but a few.
fn merged(children: &[Node; CHILDREN]) -> Option<Vec<Entry>> {
    let mut length = 0;
    for child in children {
        length += child.leaf()?.len();
    }
    if length > MERGED_MAX {
        return None;
    }
    Some(children.iter().filter_map(Node::leaf).flatten().cloned().collect())
}

#[cfg(test)]
mod tests;
