//! The graph as a picture of its own: columns by documented step, rows by depth.

use super::{Graph, Node};
use crate::ui::picture::{Area, STYLE, fit};
use maud::{Markup, PreEscaped, html};
use std::collections::BTreeMap;

/// From one column to the next.
const COLUMN: usize = 196;
/// Nodes of one step and depth lie beside each other in as many columns at most.
const BESIDE: usize = 2;
/// Between a column's border and its boxes.
const MARGIN: usize = 10;
const BOX_WIDTH: usize = COLUMN - 2 * MARGIN - 8;
const BOX_HEIGHT: usize = 36;
/// Between two boxes, below each other.
const GAP: usize = 12;
/// The rows begin below the headings.
const TOP: usize = 62;

/// Where every node lies, and how large the picture is.
struct Layout {
    areas: Vec<Area>,
    /// For each documented step: where it begins, and how many columns it has.
    steps: Vec<(usize, usize)>,
    width: usize,
    height: usize,
}

impl Layout {
    /// A row is as high as its fullest step.
    fn new(nodes: &[Node], steps: usize) -> Self {
        let mut full: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
        let mut columns = vec![1; steps];
        for node in nodes {
            let phase = usize::from(node.phase);
            let number = full.entry(node.depth).or_default().entry(phase).or_default();
            *number += 1;
            if let Some(wide) = columns.get_mut(phase) {
                *wide = (*number).min(BESIDE).max(*wide);
            }
        }
        let mut tops = BTreeMap::new();
        let mut height = TOP;
        for (depth, numbers) in &full {
            tops.insert(*depth, height);
            let rows = |(phase, number): (&usize, &usize)| {
                number.div_ceil(columns.get(*phase).copied().unwrap_or(1))
            };
            height += numbers.iter().map(rows).max().unwrap_or(0) * (BOX_HEIGHT + GAP);
        }
        let mut width = 0;
        let mut step = |wide: usize| {
            let from = width;
            width += wide * COLUMN;
            (from, wide)
        };
        let steps: Vec<(usize, usize)> = columns.into_iter().map(&mut step).collect();
        let mut taken: BTreeMap<(usize, u8), usize> = BTreeMap::new();
        let place = |node: &Node| {
            let before = taken.entry((node.depth, node.phase)).or_default();
            let (left, wide) = steps.get(usize::from(node.phase)).copied().unwrap_or((0, 1));
            let (row, column) = (*before / wide, *before % wide);
            *before += 1;
            let top = tops.get(&node.depth).copied().unwrap_or(TOP);
            let (x, y) = (left + column * COLUMN + MARGIN + 4, top + row * (BOX_HEIGHT + GAP));
            Area { x, y, w: BOX_WIDTH, h: BOX_HEIGHT }
        };
        let areas = nodes.iter().map(place).collect();
        Self { areas, steps, width, height: height + GAP }
    }
}

impl Graph {
    /// A file of its own.
    pub fn svg(&self) -> String {
        self.drawing(true).into_string()
    }

    /// The picture as a part of a page, which brings the style sheet.
    pub fn embedded(&self) -> Markup {
        self.drawing(false)
    }

    fn drawing(&self, alone: bool) -> Markup {
        let layout = Layout::new(&self.nodes, self.phases().count());
        let Layout { width, height, .. } = layout;
        let caption = self.caption();
        let namespace = alone.then_some("http://www.w3.org/2000/svg");
        html! {
            svg.picture xmlns=[namespace] viewBox=(format!("0 0 {width} {height}"))
                width=(width) height=(height) role="img" aria-label=(caption) {
                @if alone { style { (PreEscaped(STYLE)) } }
                defs {
                    marker id="tip-edge" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"
                        markerHeight="7" orient="auto" { path.tip-edge d="M0 0L8 4L0 8z" {} }
                }
                rect.paper width=(width) height=(height) {}
                text.head x=(MARGIN) y="20" { (caption) }
                @for ((_, heading, _), (x, wide)) in self.phases().zip(&layout.steps) {
                    @let room = wide * COLUMN - 8;
                    rect.band x=(x + 4) y="32" width=(room) height=(height - 36) rx="6" {}
                    text.small x=(x + MARGIN + 4) y="50" { (fit(&heading, room - 2 * MARGIN, 10)) }
                }
                @for (at, node) in self.nodes.iter().enumerate() {
                    @for need in &node.drawn {
                        @if let (Some(from), Some(to)) = (layout.areas.get(*need), layout.areas.get(at)) {
                            path.edge d=(edge(from, to)) marker-end="url(#tip-edge)" {}
                        }
                    }
                }
                @for (node, area) in self.nodes.iter().zip(&layout.areas) { (boxed(node, area)) }
            }
        }
    }
}

fn boxed(node: &Node, area: &Area) -> Markup {
    let Area { x, y, w, h } = *area;
    let said = format!("{} {}", node.word, node.what);
    html! {
        g.(node.tone.class()) {
            title { (node.id) ": " (node.title) " (" (said.trim()) ")" }
            rect.box x=(x) y=(y) width=(w) height=(h) rx="5" {}
            text x=(x + 8) y=(y + 15) { (node.id) }
            text.small x=(x + 8) y=(y + 29) { (fit(said.trim(), w - 12, 10)) }
        }
    }
}

/// Downwards inside a column, sideways from one column to another.
fn edge(from: &Area, to: &Area) -> String {
    if from.x == to.x {
        let (x1, y1, x2, y2) = (from.x + from.w / 2, from.y + from.h, to.x + to.w / 2, to.y);
        // Past boxes in between, along the column's border.
        if y2.saturating_sub(y1) > GAP {
            let (side, left) = (from.x.saturating_sub(8), from.x);
            let (out, back) = (from.y + from.h / 2, to.y + to.h / 2);
            return format!(
                "M{left} {out}C{side} {out} {side} {out} {side} {}L{side} {}C{side} {back} {side} {back} {left} {back}",
                out + 8,
                back.saturating_sub(8)
            );
        }
        return format!("M{x1} {y1}L{x2} {y2}");
    }
    let forward = from.x < to.x;
    let (x1, x2) = if forward { (from.x + from.w, to.x) } else { (from.x, to.x + to.w) };
    let (y1, y2) = (from.y + from.h / 2, to.y + to.h / 2);
    let bend = 40;
    let (c1, c2) = if forward {
        (x1 + bend, x2.saturating_sub(bend))
    } else {
        (x1.saturating_sub(bend), x2 + bend)
    };
    format!("M{x1} {y1}C{c1} {y1} {c2} {y2} {x2} {y2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_box_lies_on_another_and_all_lie_inside() {
        let catalog = escrr_steps::catalog::catalog().unwrap();
        let graph = Graph::new(&catalog, None, "the job");
        let layout = Layout::new(&graph.nodes, graph.phases().count());
        for (at, one) in layout.areas.iter().enumerate() {
            assert!(one.x + one.w <= layout.width && one.y + one.h <= layout.height, "{one:?}");
            for other in layout.areas.iter().skip(at + 1) {
                let apart = one.x + one.w <= other.x
                    || other.x + other.w <= one.x
                    || one.y + one.h <= other.y
                    || other.y + other.h <= one.y;
                assert!(apart, "{one:?} {other:?}");
            }
        }
        // What is needed never lies below what needs it.
        for (node, area) in graph.nodes.iter().zip(&layout.areas) {
            assert!(node.needs.iter().all(|need| layout.areas[*need].y < area.y), "{}", node.id);
        }
    }
}
