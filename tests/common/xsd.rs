//! XML Schema, as much as `tests/schemas/junit-10.xsd` uses: which elements and attributes there are, which must be
//! there, where text may stand. The order of elements is free in it. What is not known here is a panic.

use roxmltree::{Document, Node};

const XS: &str = "http://www.w3.org/2001/XMLSchema";

/// What is wrong with a document, each with its line.
pub fn problems(document: &str, schema: &str) -> Vec<String> {
    let (document, schema) = match (Document::parse(document), Document::parse(schema)) {
        (Ok(document), Ok(schema)) => (document, schema),
        (Err(why), _) | (_, Err(why)) => return vec![why.to_string()],
    };
    let mut found = Vec::new();
    for node in document.descendants().filter(Node::is_element) {
        let line = document.text_pos_at(node.range().start).row;
        check(node, schema.root_element(), &mut |problem| found.push(format!("line {line}: {problem}")));
    }
    found
}

fn check(node: Node<'_, '_>, schema: Node<'_, '_>, tell: &mut dyn FnMut(String)) {
    let name = node.tag_name().name();
    let declared =
        schema.children().find(|one| one.has_tag_name((XS, "element")) && one.attribute("name") == Some(name));
    let Some(declared) = declared else { return tell(format!("there is no element {name}")) };
    let children: Vec<&str> = node.children().filter(Node::is_element).map(|child| child.tag_name().name()).collect();
    if let Some(simple) = declared.attribute("type") {
        assert_eq!(simple, "xs:string", "the type of {name} is not known here");
        if !children.is_empty() || node.attributes().len() > 0 {
            tell(format!("{name} is a text"));
        }
        return;
    }
    let complex = declared.children().find(|one| one.has_tag_name((XS, "complexType"))).expect("it has a type");
    let attributes: Vec<Node<'_, '_>> = complex.children().filter(|one| one.has_tag_name((XS, "attribute"))).collect();
    for attribute in node.attributes() {
        match attributes.iter().find(|one| one.attribute("name") == Some(attribute.name())) {
            Some(known) => {
                assert_eq!(
                    known.attribute("type"),
                    Some("xs:string"),
                    "the type of {} is not known here",
                    attribute.name()
                );
            }
            None => tell(format!("{name} has no attribute {}", attribute.name())),
        }
    }
    for required in attributes.iter().filter(|one| one.attribute("use") == Some("required")) {
        let wanted = required.attribute("name").expect("attributes have names");
        if node.attribute(wanted).is_none() {
            tell(format!("{name} lacks {wanted}"));
        }
    }
    let allowed: Vec<&str> = complex.descendants().filter_map(|one| one.attribute("ref")).collect();
    for child in children.into_iter().filter(|child| !allowed.contains(child)) {
        tell(format!("{name} has no {child}"));
    }
    let mixed = complex.attribute("mixed") == Some("true");
    let texts = node.children().filter(Node::is_text).filter_map(|text| text.text());
    if !mixed && texts.into_iter().any(|text| !text.trim().is_empty()) {
        tell(format!("{name} has text"));
    }
}
