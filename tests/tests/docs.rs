//! The documents tell the truth of today: every quoted piece of code stands in the file that it is
//! quoted from, and every link leads somewhere.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn documents() -> Vec<PathBuf> {
    let markdown =
        |folder: PathBuf| std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = markdown(root())
        .chain(markdown(root().join("docs")))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files
}

/// Lines without their indentation, so that a quotation may stand further left.
fn squeezed(text: &str) -> String {
    text.lines().map(|line| line.trim().to_owned() + "\n").collect()
}

#[test]
fn quoted_code_stands_in_its_file() {
    let mut quotations = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for part in text.split("```rust file=").skip(1) {
            let (file, rest) = part.split_once('\n').unwrap();
            let (code, _) = rest.split_once("```").unwrap();
            let source = std::fs::read_to_string(root().join(file.trim()))
                .unwrap_or_else(|error| panic!("{}: {file}: {error}", document.display()));
            assert!(
                squeezed(&source).contains(&squeezed(code)),
                "{} quotes what {file} no longer says:\n{code}",
                document.display()
            );
            quotations += 1;
        }
    }
    assert!(quotations > 10, "only {quotations} quotations found");
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for part in text.split("](").skip(1) {
            let link = part.split([')', '#']).next().unwrap_or_default();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}", document.display());
            links += 1;
        }
    }
    assert!(links > 5, "only {links} links found");
}
