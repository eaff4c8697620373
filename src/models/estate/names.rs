//! Names as observations carry them.

/// A table of names; positions are what observations carry.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<String>);

impl Names {
    pub fn intern(&mut self, name: &str) -> u16 {
        let found = self.0.iter().position(|known| known == name);
        let index = found.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        u16::try_from(index).expect("validation bounds the number of names")
    }

    pub fn find(&self, name: &str) -> Option<u16> {
        self.0.iter().position(|known| known == name).and_then(|index| u16::try_from(index).ok())
    }

    pub fn text(&self, index: u16) -> &str {
        &self.0[usize::from(index)]
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
