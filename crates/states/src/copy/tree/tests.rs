//! How entries are found, shared and let go of.

use super::*;

fn entry(key: u32, value: u8) -> Entry {
    let mut bytes = vec![0xce];
    bytes.extend(key.to_be_bytes());
    bytes.push(value);
    Entry::new(&bytes, 5)
}

fn removing(key: u32) -> Entry {
    Entry::removing(entry(key, 0).key())
}

fn filled(keys: u32) -> Tree {
    let mut tree = Tree::default();
    for key in 0..keys {
        assert!(tree.insert(entry(key, 1)).is_none());
    }
    tree
}

/// Keys with their values; all of them must be found, and be held by leaves that are not too long.
#[track_caller]
fn entries(tree: &Tree) -> Vec<(u32, u8)> {
    let mut entries = Vec::new();
    for entry in tree.iter() {
        assert_eq!(tree.get(entry).map(Entry::bytes), Some(entry.bytes()));
        let key = u32::from_be_bytes(entry.key()[1..].try_into().unwrap());
        entries.push((key, entry.value().unwrap()[0]));
    }
    assert_eq!(entries.len(), tree.len());
    entries.sort_unstable();
    entries
}

/// The nodes of a tree that another does not share, and the entries of leaves among them.
fn unshared(node: &Node, other: &Node) -> (usize, usize) {
    match (node, other) {
        (Node::Branch(ours), Node::Branch(theirs)) if Arc::ptr_eq(ours, theirs) => (0, 0),
        (Node::Leaf(ours), Node::Leaf(theirs)) if Arc::ptr_eq(ours, theirs) => (0, 0),
        (Node::Branch(ours), Node::Branch(theirs)) => {
            let below = ours.iter().zip(theirs.iter()).map(|(ours, theirs)| unshared(ours, theirs));
            below.fold((1, 0), |(nodes, entries), below| (nodes + below.0, entries + below.1))
        }
        (Node::Leaf(ours), _) => (1, ours.len()),
        (Node::Branch(_), Node::Leaf(_)) => panic!("the leaf was split"),
    }
}

#[test]
fn all_are_found_among_many_and_a_clone_keeps_what_it_had() {
    let mut tree = filled(10_000);
    let before = tree.clone();
    for key in 0..10_000 {
        match key % 3 {
            0 => assert_eq!(tree.remove(&removing(key)).unwrap().value(), Some(&[1][..])),
            1 => assert_eq!(tree.insert(entry(key, 2)).unwrap().value(), Some(&[1][..])),
            _ => {}
        }
        assert!(tree.remove(&removing(20_000 + key)).is_none(), "it is not there");
    }
    let expected = (0..10_000).filter(|key| key % 3 > 0).map(|key| (key, if key % 3 == 1 { 2 } else { 1 }));
    assert_eq!(entries(&tree), expected.collect::<Vec<_>>());
    assert_eq!(entries(&before), (0..10_000).map(|key| (key, 1)).collect::<Vec<_>>());
}

#[test]
fn a_change_of_a_cloned_tree_copies_a_few_nodes_however_large_it_is() {
    for keys in [1_000, 100_000] {
        let before = filled(keys);
        for key in (0..keys).step_by(97) {
            let mut tree = before.clone();
            tree.insert(entry(key, 2));
            let (nodes, entries) = unshared(&tree.root, &before.root);
            assert!((1..=7).contains(&nodes) && entries <= LEAF_MAX, "{nodes} nodes, {entries} entries");
        }
    }
}

#[test]
fn keys_with_the_same_hash_are_told_apart() {
    let hash = 0x0123_4567_89ab_cdef;
    let mut tree = filled(1_000);
    let same = |key| entry(key, 3).with_hash(hash);
    for key in 2_000..2_200 {
        assert!(tree.insert(same(key)).is_none());
    }
    assert_eq!(entries(&tree).len(), 1_200);
    for key in 2_000..2_200 {
        assert_eq!(
            tree.remove(&removing(key).with_hash(hash)).map(|old| old.key().to_vec()),
            Some(same(key).key().to_vec())
        );
    }
    assert_eq!(entries(&tree), entries(&filled(1_000)));
}

#[test]
fn what_is_removed_leaves_nothing_behind() {
    let mut tree = filled(10_000);
    for key in 0..10_000 {
        tree.remove(&removing(key)).unwrap();
    }
    assert_eq!(tree.len(), 0);
    match tree.root {
        Node::Leaf(entries) => assert_eq!(entries.capacity(), 0),
        Node::Branch(_) => panic!("nodes are left"),
    }
}
