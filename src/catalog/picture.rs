//! The topology as a drawing: services, the topics they publish to, the queues those flow into, the services that
//! handle them; in four columns. What it shows stands in words on the page, too.

use std::collections::{BTreeMap, BTreeSet};

use super::{facts::Facts, html::Html};

/// Where each column begins, and how wide it is.
const COLUMNS: [(usize, usize); 4] = [(0, 150), (200, 220), (470, 330), (850, 150)];
const HEADS: [&str; 4] = ["published by", "topic", "queue", "handled by"];
const LINKS: [&str; 4] = ["#service-", "#topic-", "#queue-", "#service-"];
const WIDTH: usize = 1000;
const HEIGHT: usize = 28;
/// From one box to the next, and from the top to the first.
const STEP: usize = 40;
const TOP: usize = 36;
/// How wide a letter is, in tenths; and the space on both sides of a text.
const LETTER: usize = 73;
const SPACE: usize = 16;

/// What stands in a column: its place in the address of what is told of it.
type Name = String;

/// Boxes by column, each with its row; arrows from column to column.
#[derive(Default)]
struct Drawing {
    boxes: [Vec<Name>; 4],
    arrows: [BTreeSet<(Name, Name)>; 3],
}

/// The drawing, if there is anything to draw.
pub(super) fn of(facts: &Facts) -> Html {
    let drawing = Drawing::of(facts);
    let rows = drawing.boxes.iter().map(Vec::len).max().unwrap_or_default();
    if rows == 0 {
        return Html::default();
    }
    let html = Html::of("<section id=\"picture\"><h2>Picture</h2>\n<div class=\"card drawing\" tabindex=\"0\">");
    let html = html
        .raw("<svg role=\"group\" aria-label=\"From services through topics and queues to services\" viewBox=\"0 0 ");
    let html = html.text(format_args!("{WIDTH} {}", TOP + rows * STEP)).raw("\">\n");
    let html = html.raw("<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" ");
    let html = html.raw("markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8Z\"/></marker></defs>\n");
    let html = html.each(HEADS.iter().zip(COLUMNS), |(head, (x, _))| {
        Html::of("<text class=\"head\" y=\"16\" x=\"").text(x).raw("\">").raw(head).raw("</text>\n")
    });
    html.html(drawing.arrows()).html(drawing.boxes()).raw("</svg></div></section>\n")
}

impl Drawing {
    fn of(facts: &Facts) -> Self {
        let mut drawing = Self::default();
        for sent in &facts.sends {
            drawing.arrows[0].insert((sent.service.clone(), sent.topic.clone()));
        }
        for way in &facts.ways {
            drawing.arrows[1].insert((way.topic.clone(), way.queue.id()));
            drawing.arrows[2].insert((way.queue.id(), way.service.clone()));
        }
        let begins: BTreeSet<&Name> = drawing.arrows[0].iter().map(|(from, _)| from).collect();
        drawing.boxes[0] = begins.into_iter().cloned().collect();
        for column in 1..4 {
            drawing.boxes[column] = drawing.sorted(column);
        }
        drawing
    }

    /// A column's boxes, each about as high as those that lead to it; those that none leads to come last.
    fn sorted(&self, column: usize) -> Vec<Name> {
        let before = rows(&self.boxes[column - 1]);
        let mut from: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        for (source, target) in &self.arrows[column - 1] {
            from.entry(target).or_default().extend(before.get(source));
        }
        // A topic that nobody here publishes to has arrows, too: those that leave it.
        for (source, _) in self.arrows.get(column).into_iter().flatten() {
            from.entry(source).or_default();
        }
        let mut names: Vec<_> = from.into_iter().collect();
        let height = |rows: &[usize]| rows.iter().sum::<usize>().saturating_mul(1_000).checked_div(rows.len());
        names.sort_by_cached_key(|(name, rows)| (height(rows).unwrap_or(usize::MAX), name.to_string()));
        names.into_iter().map(|(name, _)| name.clone()).collect()
    }

    fn arrows(&self) -> Html {
        (0..3).fold(Html::default(), |html, column| {
            let (from, to) = (rows(&self.boxes[column]), rows(&self.boxes[column + 1]));
            html.each(&self.arrows[column], |(source, target)| match (from.get(source), to.get(target)) {
                (Some(from), Some(to)) => arrow(column, *from, *to),
                _ => Html::default(),
            })
        })
    }

    fn boxes(&self) -> Html {
        (0..4).fold(Html::default(), |html, column| {
            html.each(self.boxes[column].iter().enumerate(), |(row, name)| boxed(column, row, name))
        })
    }
}

fn rows(names: &[Name]) -> BTreeMap<&Name, usize> {
    names.iter().enumerate().map(|(row, name)| (name, row)).collect()
}

fn arrow(column: usize, from: usize, to: usize) -> Html {
    let (begin, end) = (COLUMNS[column].0 + COLUMNS[column].1, COLUMNS[column + 1].0);
    let middle = (begin + end) / 2;
    let [from, to] = [from, to].map(|row| TOP + row * STEP + HEIGHT / 2);
    let html = Html::of("<path class=\"arrow\" marker-end=\"url(#arrow)\" d=\"");
    html.text(format_args!("M{begin} {from}C{middle} {from} {middle} {to} {end} {to}")).raw("\"/>\n")
}

fn boxed(column: usize, row: usize, name: &str) -> Html {
    let ((x, width), y) = (COLUMNS[column], TOP + row * STEP);
    let html =
        Html::of("<a href=\"").raw(LINKS[column]).segment(name).raw("\"><title>").text(name).raw("</title><rect");
    let html = html.text(format_args!(" x={x} y={y} width={width} height={HEIGHT} rx=6 ")).raw("/><text");
    let html = html.text(format_args!(" x={} y={}", x + SPACE / 2, y + 18)).raw(">");
    html.text(shortened(name, (width - SPACE) * 10 / LETTER)).raw("</text></a>\n")
}

/// A text of at most so many letters: its middle is left out.
fn shortened(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let (begin, end) = (most / 2, letters.len() - (most - most / 2 - 1));
    letters[..begin].iter().chain(&['…']).chain(&letters[end..]).collect()
}
