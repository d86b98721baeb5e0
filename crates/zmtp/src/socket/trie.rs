//! Finds what is kept under the prefixes of a topic, however many prefixes there are.

use slab::Slab;

/// Keeps a value under each of many prefixes.
///
/// Nodes stand in one row and know one another by number: nothing here calls itself, so that a peer who asks for `a`, `aa`, `aaa` and so on
/// makes the tree deep, but not the stack. The number of a prefix stays the same as long as it has a value.
#[derive(Debug)]
pub(super) struct Trie<V>(Slab<Node<V>>);

/// What is kept under a prefix.
pub(super) trait Kept: Default {
    /// Whether there is nothing to keep.
    fn is_nothing(&self) -> bool;
}

impl Kept for usize {
    fn is_nothing(&self) -> bool {
        *self == 0
    }
}

impl<T> Kept for Vec<T> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

#[derive(Debug)]
struct Node<V> {
    /// What comes behind the prefix of the parent.
    label: Box<[u8]>,
    parent: usize,
    /// By the first byte of their labels.
    children: Vec<(u8, usize)>,
    value: V,
}

const ROOT: usize = 0;

impl<V: Kept> Default for Trie<V> {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node { label: Box::default(), parent: ROOT, children: Vec::new(), value: V::default() });
        Self(nodes)
    }
}

impl<V: Kept> Trie<V> {
    /// Shows `see` what is kept under each prefix of `topic`, and gives how many nodes were looked at.
    pub(super) fn each(&self, topic: &[u8], mut see: impl FnMut(&V)) -> usize {
        let (mut node, mut rest, mut steps) = (ROOT, topic, 1);
        loop {
            see(&self.0[node].value);
            let Some(child) = self.child(node, rest) else { return steps };
            steps += 1;
            let Some(behind) = rest.strip_prefix(&*self.0[child].label) else { return steps };
            (node, rest) = (child, behind);
        }
    }

    /// The number of a prefix that is kept.
    pub(super) fn find(&self, prefix: &[u8]) -> Option<usize> {
        let (mut node, mut rest) = (ROOT, prefix);
        while !rest.is_empty() {
            let child = self.child(node, rest)?;
            (node, rest) = (child, rest.strip_prefix(&*self.0[child].label)?);
        }
        Some(node)
    }

    /// The number of a prefix, from now on kept: give it a value.
    pub(super) fn insert(&mut self, prefix: &[u8]) -> usize {
        let (mut node, mut rest) = (ROOT, prefix);
        while !rest.is_empty() {
            let Some(child) = self.child(node, rest) else { return self.add(node, rest) };
            let label = &self.0[child].label;
            let common = label.iter().zip(rest).take_while(|(one, other)| one == other).count();
            node = if common == label.len() { child } else { self.split(child, common) };
            rest = &rest[common..];
        }
        node
    }

    /// What is kept under the prefix of that number.
    pub(super) fn value(&mut self, node: usize) -> &mut V {
        &mut self.0[node].value
    }

    /// The prefix of that number.
    pub(super) fn prefix(&self, mut node: usize) -> Vec<u8> {
        let mut labels = Vec::new();
        while node != ROOT {
            labels.push(&*self.0[node].label);
            node = self.0[node].parent;
        }
        labels.into_iter().rev().flatten().copied().collect()
    }

    /// All prefixes that something is kept under, and what that is.
    pub(super) fn kept(&self) -> impl Iterator<Item = (Vec<u8>, &V)> {
        let kept = self.0.iter().filter(|(_, node)| !node.value.is_nothing());
        kept.map(|(number, node)| (self.prefix(number), &node.value))
    }

    /// Takes a prefix out if nothing is kept under it.
    pub(super) fn prune(&mut self, mut node: usize) {
        while node != ROOT && self.0[node].value.is_nothing() {
            let parent = self.0[node].parent;
            match self.0[node].children[..] {
                [] => {
                    self.0.remove(node);
                    self.0[parent].children.retain(|(_, child)| *child != node);
                    node = parent;
                }
                [(_, child)] => {
                    let label = self.0.remove(node).label;
                    self.0[child].label = [&*label, &*self.0[child].label].concat().into();
                    self.adopt(parent, child);
                    return;
                }
                _ => return,
            }
        }
    }

    fn child(&self, node: usize, rest: &[u8]) -> Option<usize> {
        let first = rest.first()?;
        let children = &self.0[node].children;
        let place = children.binary_search_by_key(first, |(first, _)| *first).ok()?;
        Some(children[place].1)
    }

    fn add(&mut self, parent: usize, label: &[u8]) -> usize {
        let node = Node { label: label.into(), parent, children: Vec::new(), value: V::default() };
        let node = self.0.insert(node);
        self.adopt(parent, node);
        node
    }

    /// Puts a node between this one and its parent, which has the first `length` bytes of the label.
    fn split(&mut self, node: usize, length: usize) -> usize {
        let label = std::mem::take(&mut self.0[node].label);
        let (before, behind) = label.split_at(length);
        self.0[node].label = behind.into();
        let between = self.add(self.0[node].parent, before);
        self.adopt(between, node);
        between
    }

    /// Makes a node the one child of its parent that begins so.
    fn adopt(&mut self, parent: usize, child: usize) {
        self.0[child].parent = parent;
        let first = self.0[child].label[0];
        let children = &mut self.0[parent].children;
        match children.binary_search_by_key(&first, |(first, _)| *first) {
            Ok(place) => children[place].1 = child,
            Err(place) => children.insert(place, (first, child)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn matches(trie: &Trie<usize>, topic: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        trie.each(topic, |value| found.extend(Some(*value).filter(|value| *value > 0)));
        found
    }

    #[test]
    fn a_look_costs_the_same_however_many_prefixes_there_are() {
        let mut trie = Trie::<usize>::default();
        for number in 0..100_000 {
            let node = trie.insert(format!("{number:05}").as_bytes());
            *trie.value(node) = 1;
        }
        assert!(trie.each(b"12345 and more", |_| ()) <= 6);
        assert_eq!(matches(&trie, b"12345 and more"), [1]);
    }

    #[test]
    fn a_deep_tree_needs_no_deep_stack() {
        let deep = || {
            let mut trie = Trie::<usize>::default();
            let long = vec![b'a'; 2_000];
            for length in 0..long.len() {
                let node = trie.insert(&long[..length]);
                *trie.value(node) = 1;
            }
            assert_eq!(matches(&trie, &long).len(), long.len());
        };
        let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(deep).expect("a thread");
        thread.join().expect("the stack is large enough");
    }

    proptest! {
        #[test]
        fn it_is_a_map_that_finds_prefixes(
            changes in vec((any::<bool>(), "[ab]{0,6}"), 0..40),
            topics in vec("[ab]{0,8}", 1..8),
        ) {
            let (mut trie, mut model) = (Trie::<usize>::default(), BTreeMap::new());
            for (index, (is_kept, prefix)) in changes.iter().enumerate() {
                if *is_kept {
                    let node = trie.insert(prefix.as_bytes());
                    *trie.value(node) = index + 1;
                    model.insert(prefix.clone(), (index + 1, node));
                } else {
                    if let Some(node) = trie.find(prefix.as_bytes()) {
                        *trie.value(node) = 0;
                        trie.prune(node);
                    }
                    model.remove(prefix);
                }
                for (prefix, (value, node)) in &model {
                    prop_assert_eq!(trie.find(prefix.as_bytes()), Some(*node));
                    prop_assert_eq!(trie.prefix(*node), prefix.as_bytes());
                    prop_assert_eq!(*trie.value(*node), *value);
                }
                let mut prefixes: Vec<_> = trie.kept().map(|(prefix, _)| prefix).collect();
                prefixes.sort();
                prop_assert!(prefixes.iter().map(Vec::as_slice).eq(model.keys().map(String::as_bytes)));
                // Each node has a value of its own or parts two others.
                prop_assert!(trie.0.len() <= 1 + 2 * model.len());
            }
            for topic in &topics {
                let wanted: Vec<_> = model.iter().filter(|(prefix, _)| topic.starts_with(*prefix)).collect();
                let wanted: Vec<_> = wanted.into_iter().map(|(_, (value, _))| *value).collect();
                prop_assert_eq!(matches(&trie, topic.as_bytes()), wanted);
            }
        }
    }
}
