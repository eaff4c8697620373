//! From plotters' text to an accessible drawing that takes its colours from the page.

use super::Plot;
use super::canvas::{Paint, WIDTH};

/// Light and dark values of every colour: Okabe and Ito's palette, which colour-blind readers can tell apart, with the
/// pale ones darkened for a light ground and all lightened for a dark one. At least 3:1 against the ground.
const PALETTE: [(&str, &str, &str); 14] = [
    ("--series-1", "#0072b2", "#56b4e9"),
    ("--series-2", "#d55e00", "#f0883e"),
    ("--series-3", "#008a64", "#2fbf95"),
    ("--series-4", "#b8568f", "#e08bc0"),
    ("--series-5", "#8a7000", "#e6cf45"),
    ("--series-6", "#3f8fc4", "#3d8fd1"),
    ("--series-7", "#6b4fa0", "#b49be0"),
    ("--series-8", "#5a6570", "#c3ccd4"),
    ("--nothing", "#b3b9bf", "#4d555e"),
    ("--surface", "#ffffff", "#14181d"),
    ("--ink", "#1b2025", "#e6e9ec"),
    ("--muted", "#58626c", "#a3adb8"),
    ("--grid", "#e1e5e9", "#2b323a"),
    ("--band", "#5a6570", "#aab4bf"),
];

/// The custom properties as CSS declarations, for light and for dark.
pub fn palette() -> (String, String) {
    let declare = |value: fn(&(&str, &str, &str)) -> String| PALETTE.iter().map(value).collect::<Vec<_>>().join(";");
    (declare(|(name, light, _)| format!("{name}:{light}")), declare(|(name, _, dark)| format!("{name}:{dark}")))
}

/// What every text in a drawing needs: a halo that keeps it legible over lines.
pub const TEXT_STYLE: &str = "paint-order:stroke;stroke:var(--surface);stroke-width:7px;stroke-linejoin:round";

/// For a page that defines the palette and styles `svg text`.
pub fn inline(plot: &Plot, id: &str) -> String {
    let (title, description) = (escaped(&plot.title), escaped(&plot.caption));
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{title}</title>\
         <desc id=\"{id}-desc\">{description}</desc>\n{}</svg>\n",
        plot.height,
        drawing(plot)
    )
}

/// A file of its own: title above, legend below, palette inside.
pub fn file(plot: &Plot) -> String {
    const TITLE: u32 = 90;
    let (legend, legend_height) = legend(plot, plot.height + TITLE + 20);
    let height = plot.height + TITLE + 20 + legend_height;
    let (light, dark) = palette();
    let (title, description) = (escaped(&plot.title), escaped(&plot.caption));
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\">\
         <title id=\"title\">{title}</title><desc id=\"desc\">{description}</desc>\n\
         <style>svg{{{light};font-family:system-ui,sans-serif}}\
         @media (prefers-color-scheme:dark){{svg{{{dark}}}}}text{{{TEXT_STYLE}}}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"var(--surface)\"/>\n\
         <text x=\"40\" y=\"58\" font-size=\"38\" font-weight=\"600\" fill=\"var(--ink)\">{title}</text>\n\
         <g transform=\"translate(0,{TITLE})\">\n{}</g>\n{legend}</svg>\n",
        drawing(plot)
    )
}

fn legend(plot: &Plot, top: u32) -> (String, u32) {
    const LINE: u32 = 54;
    let (mut x, mut y) = (150, top);
    let mut text = String::new();
    for (property, label) in &plot.legend {
        let width = 80 + label.chars().count() as u32 * 17;
        if x + width > WIDTH && x > 150 {
            (x, y) = (150, y + LINE);
        }
        text.push_str(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"28\" height=\"28\" rx=\"4\" fill=\"var({property})\"/>\
             <text x=\"{}\" y=\"{}\" font-size=\"29\" fill=\"var(--ink)\">{}</text>\n",
            x + 40,
            y + 24,
            escaped(label)
        ));
        x += width;
    }
    (text, y - top + LINE)
}

fn drawing(plot: &Plot) -> String {
    elements(&plot.body)
}

/// The elements that plotters drew, without its root element, fixed colours and font.
pub fn elements(drawn: &str) -> String {
    let start = drawn.find('>').map_or(0, |end| end + 1);
    let end = drawn.rfind("</svg>").unwrap_or(drawn.len());
    let mut text = drawn[start..end].trim_start().replace(" font-family=\"sans-serif\"", "");
    for color in Paint::all() {
        let (r, g, b) = (color.stand_in().0, color.stand_in().1, color.stand_in().2);
        // Text cannot contain these: its quotes are escaped.
        for attribute in ["fill", "stroke"] {
            let fixed = format!("{attribute}=\"#{r:02X}{g:02X}{b:02X}\"");
            text = text.replace(&fixed, &format!("{attribute}=\"var({})\"", color.property()));
        }
    }
    text.replace(" opacity=\"1\"", "")
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
