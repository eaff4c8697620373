use super::*;
use crate::campaign::outcome::fixture::split_brain;

fn shown(variant: usize) -> Series {
    split_brain().variants[variant].exhibit.as_ref().expect("the fixture shows a run").series.clone()
}

#[test]
fn only_what_has_data_is_drawn_and_the_rest_is_said() {
    let names = |series: &Series| plots(series).0.iter().map(|plot| plot.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&shown(0)), ["policy-versions", "mixed-interactions", "lag", "errors"]);
    let mut quiet = shown(1);
    quiet.lag.clear();
    assert_eq!(names(&quiet), ["policy-versions", "errors"]);
    assert_eq!(plots(&quiet).1.len(), 2);
    assert_eq!(plots(&Series::default()).0.len(), 0);
}

#[test]
fn every_colour_is_a_custom_property_and_no_size_is_fixed() {
    for plot in plots(&shown(0)).0 {
        for text in [plot.inline("a"), plot.file()] {
            assert!(!text.contains("=\"#"), "a fixed colour in {}", plot.name);
            assert!(text.contains("var(--series-"));
            let root = text.split_once('>').expect("an element").0;
            assert!(root.contains("viewBox") && root.contains("role=\"img\"") && !root.contains("width="));
            assert!(text.contains("<title") && text.contains("<desc"));
        }
    }
}

#[test]
fn every_colour_used_is_in_the_palette_for_light_and_dark() {
    let (light, dark) = palette();
    for color in canvas::Paint::all() {
        assert!(light.contains(&format!("{}:", color.property())) && dark.contains(&format!("{}:", color.property())));
    }
}

#[test]
fn what_a_file_names_cannot_become_markup() {
    let mut series = shown(0);
    series.lines[0].0 = "<script>\" fill=\"#F10200".to_owned();
    let text = plots(&series).0[0].inline("a");
    assert!(!text.contains("<script>"));
    assert!(text.contains("&lt;script&gt;&quot; fill=&quot;#F10200"));
}

#[test]
fn captions_tell_what_the_run_shows() {
    let (drawn, _) = plots(&shown(0));
    let caption = |name: &str| drawn.iter().find(|plot| plot.name == name).map(|plot| plot.caption.clone());
    assert!(
        caption("policy-versions").is_some_and(|text| text.contains("divided for 2m 15s of 10m")),
        "{:?}",
        caption("policy-versions")
    );
    assert!(
        caption("lag").is_some_and(|text| text.contains("billing lags most, by 880 records at 8m 5s")),
        "{:?}",
        caption("lag")
    );
}
