//! The reader of `golden/pytorch.bin`; `golden/README.md` has the format and the cases.

use std::collections::BTreeMap;

/// Every record of the golden file by its name, `case/what`.
pub struct Golden(BTreeMap<String, Vec<f32>>);

impl Golden {
    /// Reads the file beside this package.
    ///
    /// # Panics
    /// If it is missing or malformed: a test has nothing to go on then.
    pub fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/pytorch.bin");
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut rest = bytes.strip_prefix(b"MOTEGOLD").expect("the magic");
        assert_eq!(u32::from_le_bytes(take(&mut rest)), 1, "the version");
        let mut records = BTreeMap::new();
        while !rest.is_empty() {
            let length = usize::from(u16::from_le_bytes(take(&mut rest)));
            let (name, tail) = rest.split_at(length);
            rest = tail;
            let count = u32::from_le_bytes(take(&mut rest));
            let values = (0..count).map(|_| f32::from_le_bytes(take(&mut rest))).collect();
            let name = String::from_utf8(name.to_vec()).expect("a name in UTF-8");
            assert!(records.insert(name, values).is_none(), "a name is there twice");
        }
        Golden(records)
    }

    /// One record.
    ///
    /// # Panics
    /// If there is no such record.
    pub fn get(&self, name: &str) -> &[f32] {
        self.0.get(name).unwrap_or_else(|| panic!("the golden file has no {name}"))
    }

    /// One record, in rows of `K`.
    ///
    /// # Panics
    /// If there is no such record or it does not divide into such rows.
    pub fn rows<const K: usize>(&self, name: &str) -> &[[f32; K]] {
        let (rows, rest) = self.get(name).as_chunks();
        assert!(rest.is_empty(), "{name} is not made of rows of {K}");
        rows
    }

    /// One record of classes.
    ///
    /// # Panics
    /// If there is no such record or it holds something else.
    pub fn labels(&self, name: &str) -> Vec<u8> {
        self.get(name)
            .iter()
            .map(|&label| {
                assert_eq!(label, f32::from(label as u8), "{name} holds classes");
                label as u8
            })
            .collect()
    }

    /// The names of all records.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn take<const K: usize>(rest: &mut &[u8]) -> [u8; K] {
    let (head, tail) = rest.split_first_chunk().expect("the golden file ends inside a record");
    *rest = tail;
    *head
}
