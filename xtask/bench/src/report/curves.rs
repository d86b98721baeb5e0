//! What a request costs as work grows, in pictures and in figures.

use std::fmt::Write as _;

use plotters::{
    coord::combinators::{BindKeyPoints as _, IntoLogRange as _},
    drawing::IntoDrawingArea as _,
    prelude::{
        ChartBuilder, Circle, Color as _, LineSeries, PathElement, RGBColor, SVGBackend, SeriesLabelPosition,
        TRANSPARENT, WHITE,
    },
};

use crate::{
    curve::{CURVES, Curve},
    round::CaseResult,
    statistics::Spread,
};

/// The folder of the pictures, beside the page.
pub(crate) const FOLDER: &str = "benchmarks";

/// A picture that the page shows.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Its file in [`FOLDER`].
    pub(crate) file: String,
    /// What is in it.
    pub(crate) svg: String,
}

/// What the requests of one contender cost.
struct Line {
    name: &'static str,
    /// How much work there was, and the microseconds that a request took; at least one.
    points: Vec<(f64, f64)>,
}

/// The section with the pictures and their figures; nothing when none of the cases was run.
pub(super) fn section(results: &[CaseResult]) -> String {
    let mut section = String::new();
    for curve in shown(results) {
        let Curve { name, title, axis, .. } = curve;
        // A `String` takes whatever is written.
        let _ = writeln!(
            section,
            "\n![{title}: microseconds for each request, by {axis}]({FOLDER}/{name}.svg)\n"
        );
        section.push_str(&figures(curve, &lines(curve, results)));
    }
    if section.is_empty() { section } else { format!("\n## As work grows\n{section}") }
}

/// The pictures themselves.
///
/// # Errors
///
/// When one cannot be drawn.
pub(crate) fn pictures(results: &[CaseResult]) -> anyhow::Result<Vec<Picture>> {
    let picture = |curve: &Curve| {
        Ok(Picture { file: format!("{}.svg", curve.name), svg: draw(curve, &lines(curve, results))? })
    };
    shown(results).map(picture).collect()
}

/// The curves of which more than one point is there.
fn shown(results: &[CaseResult]) -> impl Iterator<Item = &'static Curve> {
    CURVES.iter().filter(|curve| lines(curve, results).iter().any(|line| line.points.len() > 1))
}

fn lines(curve: &Curve, results: &[CaseResult]) -> Vec<Line> {
    let (_, last) = curve.points[curve.points.len() - 1];
    // Those of the largest case: more take part in the smallest.
    let Some(result) = results.iter().find(|result| result.case.name == last) else { return Vec::new() };
    let line = |name: &'static str| {
        let points = curve.points.iter().filter_map(|(amount, case)| {
            let result = results.iter().find(|result| result.case.name == *case)?;
            let contender = result.contenders.iter().find(|contender| contender.name == name)?;
            let rate = Spread::of(contender.rates().into_iter().flatten())?;
            Some((f64::from(*amount), 1e6 / rate.median))
        });
        Line { name, points: points.collect() }
    };
    let lines = result.contenders.iter().map(|contender| line(contender.name));
    lines.filter(|line| !line.points.is_empty()).collect()
}

/// A table of microseconds.
fn figures(curve: &Curve, lines: &[Line]) -> String {
    let mut table = format!("| {} |", curve.axis);
    lines.iter().for_each(|line| table.push_str(&format!(" {} |", line.name)));
    table.push_str("\n|---|");
    lines.iter().for_each(|_| table.push_str("---|"));
    for (amount, _) in curve.points {
        table.push_str(&format!("\n| {} |", with_commas(*amount)));
        for line in lines {
            match line.points.iter().find(|(x, _)| *x == f64::from(*amount)) {
                Some((_, cost)) => table.push_str(&format!(" {cost:.1} us |")),
                None => table.push_str(" |"),
            }
        }
    }
    table.push('\n');
    table
}

fn with_commas(number: u32) -> String {
    let digits = number.to_string();
    let places = digits.chars().enumerate().map(|(index, digit)| (digits.len() - index, digit));
    places.fold(String::new(), |mut text, (left, digit)| {
        if left % 3 == 0 && !text.is_empty() {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

/// Colours that those who see no red from green tell apart, too (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// Width and height, in pixels.
const SIZE: (u32, u32) = (760, 420);

fn decade(power: f64) -> f64 {
    10_f64.powf(power)
}

fn draw(curve: &Curve, lines: &[Line]) -> anyhow::Result<String> {
    let costs = || lines.iter().flat_map(|line| &line.points).map(|(_, cost)| *cost);
    let (least, most) = (costs().fold(f64::MAX, f64::min), costs().fold(0.0, f64::max));
    let (first, last) = (f64::from(curve.points[0].0), f64::from(curve.points[curve.points.len() - 1].0));
    let amounts = curve.points.iter().map(|(amount, _)| f64::from(*amount)).collect();
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(curve.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            // Room beside the first and the last point.
            .build_cartesian_2d(
                (first * 0.8..last * 1.25).log_scale().with_key_points(amounts),
                (decade(least.log10().floor())..decade(most.log10().ceil())).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc(curve.axis)
            .y_desc("microseconds for each request")
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&|amount| with_commas(amount.round() as u32))
            .y_label_formatter(&|cost| cost.to_string())
            .draw()?;
        for (line, colour) in lines.iter().zip(COLOURS.into_iter().cycle()) {
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
            chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .label_font(("sans-serif", 13))
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::{CASES, names},
        round::{ContenderResult, Outcome},
    };

    fn results(cases: &[(&str, f64)]) -> Vec<CaseResult> {
        let result = |(name, rate): &(&str, f64)| {
            let case = *CASES.iter().find(|case| case.name == *name).unwrap();
            let rounds = vec![Some(Outcome::Load { rate: *rate, lost: 0.0 })];
            CaseResult {
                case,
                contenders: vec![ContenderResult { name: names::FRAMEWORK, rounds, trouble: None }],
            }
        };
        cases.iter().map(result).collect()
    }

    #[test]
    fn a_picture_and_its_figures_show_what_a_request_costs() {
        let results = results(&[("request-1", 1e5), ("connections-16", 2e5), ("connections-1000", 5e4)]);
        let section = section(&results);
        assert!(section.contains("(benchmarks/connections.svg)"), "{section}");
        assert!(!section.contains("payload.svg"), "{section}");
        for row in ["| 1 | 10.0 us |", "| 4 | |", "| 16 | 5.0 us |", "| 1,000 | 20.0 us |"] {
            assert!(section.contains(row), "{section}");
        }
        let pictures = pictures(&results).unwrap();
        assert_eq!(pictures.iter().map(|it| it.file.as_str()).collect::<Vec<_>>(), ["connections.svg"]);
        assert_eq!(pictures[0].svg.matches("<circle").count(), 3, "{}", pictures[0].svg);
    }

    #[test]
    fn a_point_alone_is_no_picture() {
        assert_eq!(section(&results(&[("request-1", 1e5)])), "");
        assert!(pictures(&results(&[("connections-1000", 1e5)])).unwrap().is_empty());
    }
}
