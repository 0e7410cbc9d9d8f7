//! The way people → groups → roles, as a picture of streams.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::model::isolated;

use super::subject::{Subjects, anchor};

/// How many groups, and how many roles, the picture has; the others are one stream.
const MOST: usize = 12;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 26.0;
const NODE: f64 = 10.0;
const GAP: f64 = 14.0;
const LEFT: f64 = 96.0;
const MIDDLE: f64 = 400.0;
const RIGHT: f64 = 660.0;

/// The picture; nothing if nobody holds a role.
pub(in crate::report) struct FlowDiagram {
    pub(in crate::report) height: f64,
    pub(in crate::report) width: f64,
    pub(in crate::report) nodes: Vec<FlowNode>,
    pub(in crate::report) streams: Vec<FlowStream>,
    /// The same in words.
    pub(in crate::report) rows: Vec<(String, String, usize)>,
}

/// People, a group or another way, or a role.
pub(in crate::report) struct FlowNode {
    pub(in crate::report) x: f64,
    pub(in crate::report) y: f64,
    pub(in crate::report) height: f64,
    pub(in crate::report) width: f64,
    pub(in crate::report) text_x: f64,
    pub(in crate::report) text_y: f64,
    pub(in crate::report) text_anchor: &'static str,
    pub(in crate::report) name: String,
    pub(in crate::report) whole_name: String,
    pub(in crate::report) class: &'static str,
    pub(in crate::report) count: usize,
}

/// People who go one way.
pub(in crate::report) struct FlowStream {
    pub(in crate::report) path: String,
    pub(in crate::report) width: f64,
    pub(in crate::report) class: &'static str,
    pub(in crate::report) label: String,
}

/// What a stream goes through, or to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FlowStop {
    class: &'static str,
    name: String,
    /// Tells it from others of the same name.
    id: String,
}

impl FlowStop {
    fn new(class: &'static str, name: &str, id: &str) -> Self {
        Self { class, name: name.to_owned(), id: id.to_owned() }
    }
}

impl FlowDiagram {
    pub(in crate::report) fn new(subjects: &Subjects) -> Self {
        let mut people: BTreeMap<(FlowStop, FlowStop), BTreeSet<usize>> = BTreeMap::new();
        let mut by_way: BTreeMap<FlowStop, BTreeSet<usize>> = BTreeMap::new();
        let mut by_role: BTreeMap<FlowStop, BTreeSet<usize>> = BTreeMap::new();
        let roles: BTreeSet<_> = subjects.roles.iter().map(|it| anchor(&it.info)).collect();
        for (person, subject) in subjects.people.iter().enumerate() {
            for held in subject.holds.iter().map(|number| &subjects.grants[*number]) {
                let resource = &held.entitlement.resource;
                let role = anchor(resource);
                if !roles.contains(&role) {
                    continue;
                }
                let through = held.path.through().iter();
                let through = through.map(|given| {
                    let name = given.resource.reference.distinct_name();
                    let name = if name.is_empty() { given.id.as_str() } else { &name };
                    FlowStop::new("through", name, &given.id)
                });
                let by_hand = held.path.is_direct().then(|| FlowStop::new("direct", "by hand", ""));
                let mut ways: Vec<_> = by_hand.into_iter().chain(through).collect();
                if let (true, Some(word)) = (ways.is_empty(), held.path.membership()) {
                    ways.push(FlowStop::new("word", word, ""));
                }
                let role = FlowStop::new("role", &resource.reference.distinct_name(), &role);
                for way in ways {
                    by_way.entry(way.clone()).or_default().insert(person);
                    by_role.entry(role.clone()).or_default().insert(person);
                    people.entry((way, role.clone())).or_default().insert(person);
                }
            }
        }
        let everybody: BTreeSet<_> = by_role.values().flatten().copied().collect();
        let ways = shown(by_way, "through");
        let roles = shown(by_role, "role");
        let mut streams: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
        for ((way, role), people) in people {
            let key = (position(&ways, &way), position(&roles, &role));
            streams.entry(key).or_default().extend(people);
        }
        Self::draw(everybody.len(), &ways, &roles, &streams)
    }

    fn draw(
        everybody: usize,
        ways: &[(FlowStop, usize)],
        roles: &[(FlowStop, usize)],
        people: &BTreeMap<(usize, usize), BTreeSet<usize>>,
    ) -> Self {
        // A stream's width is how many people go it: all of one column add up to the same.
        let total: usize = people.values().map(BTreeSet::len).sum();
        let rows = ways.len().max(roles.len());
        #[allow(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        let (count, room) = (|count: usize| count as f64, rows as f64 * HEIGHT);
        let scale = room / count(total.max(1));
        let width_of = |of: usize| count(of) * scale;
        let sum = |is_meant: &dyn Fn(usize, usize) -> bool| -> usize {
            let meant = people.iter().filter(|((way, role), _)| is_meant(*way, *role));
            meant.map(|(_, people)| people.len()).sum()
        };
        let height = room + GAP * count(rows.saturating_sub(1)) + 2.0 * NODE;
        let column = |sizes: &[usize]| -> Vec<f64> {
            let whole: f64 = sizes.iter().map(|size| width_of(*size)).sum();
            let gaps = GAP * count(sizes.len().saturating_sub(1));
            let mut y = (height - whole - gaps) / 2.0;
            let step = |size: &usize| {
                let top = y;
                y += width_of(*size) + GAP;
                top
            };
            sizes.iter().map(step).collect()
        };
        let way_sizes: Vec<_> = (0..ways.len()).map(|way| sum(&|it, _| it == way)).collect();
        let role_sizes: Vec<_> = (0..roles.len()).map(|role| sum(&|_, it| it == role)).collect();
        let (left, middle, right) = (column(&[total]), column(&way_sizes), column(&role_sizes));

        let mut streams = Vec::new();
        let mut from = left.first().copied().unwrap_or_default();
        for (way, top) in middle.iter().enumerate() {
            let width = width_of(way_sizes[way]);
            let FlowStop { class, name, .. } = &ways[way].0;
            streams.push(FlowStream {
                path: path(LEFT + NODE, from + width / 2.0, MIDDLE, top + width / 2.0),
                width,
                class,
                label: format!("{} {}", ways[way].1, isolated(name)),
            });
            from += width;
        }
        let (mut out, mut into) = (middle.clone(), right.clone());
        for ((way, role), people) in people {
            let width = width_of(people.len());
            streams.push(FlowStream {
                path: path(
                    MIDDLE + NODE,
                    out[*way] + width / 2.0,
                    RIGHT,
                    into[*role] + width / 2.0,
                ),
                width,
                class: ways[*way].0.class,
                label: format!(
                    "{}: {} {}",
                    isolated(&roles[*role].0.name),
                    people.len(),
                    isolated(&ways[*way].0.name)
                ),
            });
            out[*way] += width;
            into[*role] += width;
        }
        let node = |x, y: f64, size, name: &str, class, count| {
            let height = width_of(size);
            let is_left = x < MIDDLE;
            FlowNode {
                x,
                y,
                height,
                width: NODE,
                text_x: if is_left { x - 8.0 } else { x + NODE + 8.0 },
                text_y: y + height / 2.0,
                text_anchor: if is_left { "end" } else { "start" },
                name: isolated(&shortened(name)).into_owned(),
                whole_name: isolated(name).into_owned(),
                class,
                count,
            }
        };
        let mut nodes: Vec<FlowNode> =
            left.iter().map(|y| node(LEFT, *y, total, "People", "people", everybody)).collect();
        for (x, stops, tops, sizes) in
            [(MIDDLE, ways, middle, way_sizes), (RIGHT, roles, right, role_sizes)]
        {
            for ((stop, count), (y, size)) in stops.iter().zip(tops.into_iter().zip(sizes)) {
                nodes.push(node(x, y, size, &stop.name, stop.class, *count));
            }
        }
        let rows = people
            .iter()
            .map(|((way, role), people)| {
                (ways[*way].0.name.clone(), roles[*role].0.name.clone(), people.len())
            })
            .collect();
        let nodes = if total == 0 { Vec::new() } else { nodes };
        Self { height, width: WIDTH, nodes, streams, rows }
    }
}

/// The largest, with their sizes; the last stands for all others.
fn shown(all: BTreeMap<FlowStop, BTreeSet<usize>>, class: &'static str) -> Vec<(FlowStop, usize)> {
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, people)| std::cmp::Reverse(people.len()));
    let rest = if all.len() > MOST { all.split_off(MOST - 1) } else { Vec::new() };
    let others = FlowStop::new(class, &format!("{} others", rest.len()), "");
    let rest: BTreeSet<usize> = rest.into_iter().flat_map(|(_, people)| people).collect();
    let mut shown: Vec<_> = all.into_iter().map(|(key, people)| (key, people.len())).collect();
    if !rest.is_empty() {
        shown.push((others, rest.len()));
    }
    shown
}

/// Where something stands; what isn't shown is among the others, who stand last.
fn position(shown: &[(FlowStop, usize)], stop: &FlowStop) -> usize {
    let place = shown.iter().position(|(other, _)| other == stop);
    place.unwrap_or(shown.len().saturating_sub(1))
}

/// A curve from one node to another.
fn path(x: f64, y: f64, to_x: f64, to_y: f64) -> String {
    let bend = f64::midpoint(x, to_x);
    format!("M{x:.1} {y:.1}C{bend:.1} {y:.1} {bend:.1} {to_y:.1} {to_x:.1} {to_y:.1}")
}

/// A name that fits beside a node. What differs mostly stands at either end.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 24;
    const END: usize = 8;
    let count = name.chars().count();
    if count <= LONGEST {
        return name.to_owned();
    }
    let start = name.chars().take(LONGEST - END - 1);
    start.chain(['…']).chain(name.chars().skip(count - END)).collect()
}
