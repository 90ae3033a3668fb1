//! Builds the index of a snapshot's tables.

use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;

use super::edges::Edges;
use super::lists::{Bundle, Class, Entry, LONG, Lists, MAYBE, Probe};
use super::near::AllowsOf;
use super::numbers::Numbers;
use super::principals::{GUESSED, bit};
use super::trie::{self, EMPTY, Node, Trie};
use super::{Activation, Index, NONE, TooMany, at, small};
use crate::id::PolicyId;
use crate::metadata::{AccessPolicy, PolicyActivation, Tables};
use crate::policy::{Action, Effect, Mode, PolicyKind, ResourcePattern, Window, oracle};

/// A list of more rows than this is probed: reading so many entries costs about as much as probing with what a caller
/// commonly holds.
const MOST_WALKED: usize = 24;

impl Index {
    /// Puts every row where requests that it speaks of will look.
    pub(crate) fn build(tables: &Tables) -> Result<Self, TooMany> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let mut builder = Builder::new(tables);
        let policies = tables.access_policies.iter().enumerate();
        for (row, policy) in policies.filter(|(_, row)| row.mode == Mode::Enforce) {
            builder.add(small(row)?, policy)?;
        }
        Ok(Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            principals: builder.numbers.finish(tables)?,
            activated: builder.activated,
            allows_of: AllowsOf::new(builder.allows_of),
            trie: Trie {
                edges: Edges::new(&builder.edges)?,
                nodes: Box::from(builder.nodes),
            },
            lists: lists(builder.bundles, builder.entries)?,
            columns: builder.columns,
        })
    }
}

struct Builder<'a> {
    numbers: Numbers<'a>,
    nodes: Vec<Node>,
    edges: FxHashMap<(u32, &'a str), u32>,
    /// How many bundles there are.
    bundles: usize,
    /// Every entry, with the bundle and the class of its list.
    entries: Vec<(u32, Class, Entry)>,
    columns: FxHashMap<u32, Box<[u32]>>,
    /// Each column in lowercase and its number.
    names: FxHashMap<String, u32>,
    /// The first row of each condition.
    conditions: FxHashMap<(u64, Window), Vec<(u32, &'a AccessPolicy)>>,
    activations: FxHashMap<&'a PolicyId, Vec<&'a PolicyActivation>>,
    activated: FxHashMap<u32, Box<[Activation]>>,
    /// Principals and their allow rows.
    allows_of: Vec<(u32, u32)>,
}

impl<'a> Builder<'a> {
    fn new(tables: &'a Tables) -> Self {
        let mut activations: FxHashMap<&PolicyId, Vec<&PolicyActivation>> = FxHashMap::default();
        for row in &tables.policy_activations {
            activations.entry(&row.policy).or_default().push(row);
        }
        Self {
            numbers: Numbers::new(tables),
            nodes: vec![EMPTY; trie::FIRST],
            edges: FxHashMap::default(),
            bundles: 0,
            entries: Vec::with_capacity(tables.access_policies.len()),
            columns: FxHashMap::default(),
            names: FxHashMap::default(),
            conditions: FxHashMap::default(),
            activations,
            activated: FxHashMap::default(),
            allows_of: Vec::new(),
        }
    }

    fn add(&mut self, row: u32, policy: &'a AccessPolicy) -> Result<(), TooMany> {
        let actions = policy.actions.iter();
        let actions = actions.fold(0, |bits, pattern| bits | pattern.bits());
        if policy.kind != PolicyKind::Standing {
            self.activate(row, policy)?;
        }
        let condition = if oracle::is_unconditional(policy) {
            NONE
        } else {
            self.condition(row, policy)
        };
        if let Some(columns) = &policy.columns {
            let numbers = columns.iter().map(|column| {
                let next = small(self.names.len())?;
                Ok(*self.names.entry(crate::text::fold(column)).or_insert(next))
            });
            let numbers: Result<Box<[u32]>, TooMany> = numbers.collect();
            self.columns.insert(row, numbers?);
        }
        for principal in &policy.principals {
            let (principal, maybe) = self.numbers.of(principal)?;
            if policy.effect == Effect::Allow {
                self.allows_of.push((principal, row));
            }
            let entry = Entry {
                row,
                principal,
                marks: if maybe { actions | MAYBE } else { actions },
                condition,
            };
            for resource in &policy.resources {
                let bundle = self.bundle(resource)?;
                let lists = Class::of(policy).iter();
                self.entries
                    .extend(lists.map(|class| (bundle, *class, entry)));
            }
        }
        Ok(())
    }

    /// For whom and when a row that is not standing is activated.
    fn activate(&mut self, row: u32, policy: &AccessPolicy) -> Result<(), TooMany> {
        let rows = self.activations.get(&policy.id).into_iter().flatten();
        let activations = rows.map(|activation| {
            let (principal, maybe) = self.numbers.of_id(&activation.principal)?;
            Ok(Activation {
                principal,
                maybe,
                window: activation.window(),
            })
        });
        let activations: Result<Box<[Activation]>, TooMany> = activations.collect();
        self.activated.insert(row, activations?);
        Ok(())
    }

    /// The first row with the same condition and window; a row that is not standing is asked itself. Many rows with windows of
    /// their own must not be compared with each other.
    fn condition(&mut self, row: u32, policy: &'a AccessPolicy) -> u32 {
        if policy.kind != PolicyKind::Standing {
            return row;
        }
        let key = (policy.when.fingerprint(), policy.window());
        let alike = self.conditions.entry(key).or_default();
        let first = alike
            .iter()
            .find(|(_, known)| oracle::share_condition(known, policy));
        match first {
            Some((first, _)) => *first,
            None => {
                alike.push((row, policy));
                row
            }
        }
    }

    /// The bundle of a pattern; makes the way there.
    fn bundle(&mut self, pattern: &'a ResourcePattern) -> Result<u32, TooMany> {
        let Some((kind, segments, is_subtree)) = pattern.parts() else {
            return self.bundle_at(trie::EVERYTHING, true);
        };
        let mut node = trie::root(kind);
        for segment in segments {
            let next = small(self.nodes.len())?;
            node = match segment {
                Some(name) => *self.edges.entry((node, name)).or_insert(next),
                None => {
                    let here = self.nodes.get_mut(at(node)).ok_or(TooMany)?;
                    if here.star == NONE {
                        here.star = next;
                    }
                    here.star
                }
            };
            if node == next {
                self.nodes.push(EMPTY);
            }
        }
        self.bundle_at(node, is_subtree)
    }

    fn bundle_at(&mut self, node: u32, is_subtree: bool) -> Result<u32, TooMany> {
        let next = small(self.bundles)?;
        let node = self.nodes.get_mut(at(node)).ok_or(TooMany)?;
        let bundle = if is_subtree {
            &mut node.subtree
        } else {
            &mut node.exact
        };
        if *bundle == NONE {
            *bundle = next;
            self.bundles += 1;
        }
        Ok(*bundle)
    }
}

/// Lays the lists of all bundles out one after the other.
fn lists(bundles: usize, mut placed: Vec<(u32, Class, Entry)>) -> Result<Lists, TooMany> {
    placed.sort_by_key(|(bundle, class, _)| (*bundle, *class as u32));
    let mut lists = Lists {
        bundles: Box::default(),
        aside: FxHashMap::default(),
        entries: Box::default(),
        probes: FxHashMap::default(),
    };
    let (mut known, mut entries) = (vec![Bundle::default(); bundles], Vec::new());
    for of_bundle in placed.chunk_by(|one, other| one.0 == other.0) {
        let Some((number, _, _)) = of_bundle.first() else {
            continue;
        };
        let aside = of_bundle.partition_point(|(_, class, _)| !class.place().0);
        let (own, aside) = of_bundle.split_at_checked(aside).unwrap_or_default();
        if let Some(known) = known.get_mut(at(*number)) {
            *known = lay_out(*number, own, &mut entries, &mut lists.probes)?;
        }
        if !aside.is_empty() {
            let bundle = lay_out(*number, aside, &mut entries, &mut lists.probes)?;
            lists.aside.insert(*number, bundle);
        }
    }
    lists.bundles = Box::from(known);
    lists.entries = Box::from(entries);
    Ok(lists)
}

/// Lays some lists of a bundle out, those of one place.
fn lay_out(
    number: u32,
    placed: &[(u32, Class, Entry)],
    entries: &mut Vec<Entry>,
    probes: &mut FxHashMap<Probe, (u32, u32)>,
) -> Result<Bundle, TooMany> {
    let start = small(entries.len())?;
    let mut bundle = Bundle {
        start,
        ends: [start; Class::COUNT],
        ..Bundle::default()
    };
    for rows in placed.chunk_by(|one, other| one.1 == other.1) {
        let Some((_, class, _)) = rows.first() else {
            continue;
        };
        let own = || rows.iter().map(|(_, _, entry)| entry);
        let mut marks = own().fold(0, |all, entry| all | entry.marks);
        if let Some(filter) = bundle.filters.get_mut(usize::from(!class.is_allow())) {
            *filter |= own().fold(0, |all, entry| all | bit(entry.principal));
        }
        if rows.len() > MOST_WALKED {
            marks |= LONG;
            lay_out_long((number, *class), rows, entries, probes)?;
        } else {
            entries.extend(own());
        }
        let (_, place) = class.place();
        if let Some(known) = bundle.marks.get_mut(place) {
            *known = marks;
        }
        // Lists that are not there end where the one before them does.
        let end = small(entries.len())?;
        bundle
            .ends
            .iter_mut()
            .skip(place)
            .for_each(|known| *known = end);
    }
    Ok(bundle)
}

/// A run of entries for each principal and action of a long list; a row of several actions stands in several.
fn lay_out_long(
    (bundle, class): (u32, Class),
    rows: &[(u32, Class, Entry)],
    entries: &mut Vec<Entry>,
    probes: &mut FxHashMap<Probe, (u32, u32)>,
) -> Result<(), TooMany> {
    let mut keyed: Vec<(u32, u32, Entry)> = Vec::new();
    for (_, _, entry) in rows {
        // An unknown group grants nothing, so allows need not be found by it.
        let may_be_meant = entry.marks & MAYBE != 0 && !class.is_allow();
        let guessed = may_be_meant.then_some(GUESSED);
        for principal in guessed.into_iter().chain([entry.principal]) {
            let actions = Action::ALL.iter();
            let spoken_of = actions.filter(|action| entry.marks & action.bit() != 0);
            keyed.extend(spoken_of.map(|action| (principal, *action as u32, *entry)));
        }
    }
    keyed.sort_by_key(|(principal, action, entry)| (*principal, *action, entry.row));
    for run in keyed.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        let start = small(entries.len())?;
        entries.extend(run.iter().map(|(_, _, entry)| *entry));
        if let Some((principal, action, _)) = run.first() {
            let probe = Probe {
                bundle,
                class,
                principal: *principal,
                action: *action,
            };
            probes.insert(probe, (start, small(entries.len())?));
        }
    }
    Ok(())
}
