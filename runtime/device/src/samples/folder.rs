//! Lists a folder of samples in a stated order.
//!
//! | found | what happens |
//! | --- | --- |
//! | `.jpg`, `.jpeg`, `.png`, `.webp`, `.bmp`, `.npy` in any case | a sample |
//! | a plain file of another name that begins like one of these | a sample |
//! | a name that starts with a dot, `Thumbs.db`, `desktop.ini`, `__MACOSX` | passed over silently |
//! | any other file, or a file beside the class folders | passed over, listed in [`Dataset::skipped`] |
//! | a class folder without samples | refused by name |
//! | a folder inside a class folder | refused by name: its files would be learned under the wrong class |
//! | a symbolic link | what it points to; a broken one is refused by name |

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::SampleProblem;
use super::kind::Kind;
use crate::Error;
use crate::os::fs;

/// The most classes of a data set: what a head can have.
pub const MAX_CLASSES: usize = headstart::head::MAX_CLASSES;
/// The most samples of a data set.
pub const MAX_SAMPLES: usize = 1 << 20;
/// The most bytes of a class's name: what a head record keeps.
pub const MAX_CLASS_NAME_BYTES: usize = headstart::head::MAX_LABEL_BYTES;

/// One sample of a folder: where its file is and which class it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledFile {
    /// Path of the sample's file.
    pub path: PathBuf,
    /// Index into [`Dataset::classes`]; 0 in a flat folder.
    pub label: usize,
}

/// The samples of a folder.
///
/// Classes stand in the byte order of their names, and so do the files of each class: the order of
/// the file system has no say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Class names; empty for a flat folder.
    pub classes: Vec<String>,
    /// The samples, class by class.
    pub samples: Vec<LabelledFile>,
    /// Files that were passed over because neither their name nor their content is a sample's; worth a warning.
    pub skipped: Vec<PathBuf>,
}

impl Dataset {
    /// Lists a folder that has one folder a class.
    ///
    /// # Errors
    /// [`Error::Sample`] for a folder that is missing, has no class folders, an empty or a nested
    /// one, or too many of anything.
    pub fn labelled(root: &Path) -> Result<Self, Error> {
        let mut listing = list(root)?;
        if listing.folders.is_empty() {
            return Err(Error::sample(root, SampleProblem::NoClasses));
        }
        if listing.folders.len() > MAX_CLASSES {
            return Err(Error::sample(
                root,
                SampleProblem::TooMany { what: "classes", limit: MAX_CLASSES },
            ));
        }
        listing.others.append(&mut listing.files);
        let mut dataset =
            Self { classes: Vec::new(), samples: Vec::new(), skipped: listing.others };
        for folder in listing.folders {
            let name = folder.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
            let length = 1..=MAX_CLASS_NAME_BYTES;
            if !length.contains(&name.len()) || name.chars().any(char::is_control) {
                return Err(Error::sample(
                    &folder,
                    SampleProblem::ClassName { limit: MAX_CLASS_NAME_BYTES },
                ));
            }
            let inside = list(&folder)?;
            if let Some(nested) = inside.folders.into_iter().next() {
                return Err(Error::sample(&nested, SampleProblem::NestedFolder));
            }
            dataset.add(root, &folder, inside.files, inside.others)?;
            dataset.classes.push(name);
        }
        Ok(dataset)
    }

    /// Lists samples without their labels: of one folder a class, or of a flat folder.
    ///
    /// A folder with at least one (visible) folder in it is read as class folders, any other one as
    /// flat.
    ///
    /// # Errors
    /// As [`labelled`](Self::labelled).
    pub fn unlabelled(root: &Path) -> Result<Self, Error> {
        let listing = list(root)?;
        if !listing.folders.is_empty() {
            return Self::labelled(root);
        }
        let mut dataset = Self { classes: Vec::new(), samples: Vec::new(), skipped: Vec::new() };
        dataset.add(root, root, listing.files, listing.others)?;
        Ok(dataset)
    }

    /// Keeps at most `count` samples of each class.
    ///
    /// The files of a class are ranked by `SHA-256(seed as 8 little-endian bytes ‖ class name ‖
    /// 0x00 ‖ file name)` and the lowest `count` are kept, in the order that they had. So the
    /// choice depends on names and seed alone, and adding a class or a file moves none of the
    /// others.
    pub fn limit(&mut self, count: usize, seed: u64) {
        let mut kept = Vec::with_capacity(self.samples.len());
        for class in self.samples.chunk_by(|a, b| a.label == b.label) {
            let name = self.classes.get(class[0].label).map_or("", String::as_str);
            let mut ranked: Vec<_> =
                class.iter().enumerate().map(|(at, s)| (rank(seed, name, &s.path), at)).collect();
            ranked.sort_unstable();
            ranked.truncate(count);
            let mut places: Vec<_> = ranked.into_iter().map(|(_, at)| at).collect();
            places.sort_unstable();
            kept.extend(places.into_iter().map(|at| class[at].clone()));
        }
        self.samples = kept;
    }

    fn add(
        &mut self,
        root: &Path,
        folder: &Path,
        files: Vec<PathBuf>,
        others: Vec<PathBuf>,
    ) -> Result<(), Error> {
        if files.is_empty() {
            return Err(Error::sample(
                folder,
                SampleProblem::EmptyFolder { skipped: others.len() },
            ));
        }
        if self.samples.len() + files.len() > MAX_SAMPLES {
            return Err(Error::sample(
                root,
                SampleProblem::TooMany { what: "samples", limit: MAX_SAMPLES },
            ));
        }
        let label = self.classes.len();
        self.samples.extend(files.into_iter().map(|path| LabelledFile { path, label }));
        self.skipped.extend(others);
        Ok(())
    }
}

fn rank(seed: u64, class: &str, path: &Path) -> [u8; 32] {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(class.as_bytes());
    hash.update([0]);
    hash.update(name);
    hash.finalize().into()
}

/// What one folder holds, each list in byte order.
#[derive(Default)]
struct Listing {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    others: Vec<PathBuf>,
}

fn list(folder: &Path) -> Result<Listing, Error> {
    let unreadable = |path: &Path, e| Error::sample(path, SampleProblem::Unreadable(e));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| unreadable(folder, e))? {
        let entry = entry.map_err(|e| unreadable(folder, e))?;
        if names.len() >= MAX_SAMPLES {
            return Err(Error::sample(
                folder,
                SampleProblem::TooMany { what: "entries", limit: MAX_SAMPLES },
            ));
        }
        if !is_clutter(&entry.file_name()) {
            names.push(entry.file_name());
        }
    }
    names.sort_unstable_by(|a, b| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
    let mut listing = Listing::default();
    for name in names {
        let path = folder.join(name);
        let metadata = fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
        if metadata.is_dir() {
            listing.folders.push(path);
        } else if Kind::of_name(&path).is_some()
            // Opening a pipe would wait for its writer.
            || metadata.is_file() && Kind::of_front(&path).is_some()
        {
            listing.files.push(path);
        } else {
            listing.others.push(path);
        }
    }
    Ok(listing)
}

/// What desktops and tools leave in folders.
fn is_clutter(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b".")
        || [&b"thumbs.db"[..], b"desktop.ini", b"__macosx"]
            .iter()
            .any(|clutter| bytes.eq_ignore_ascii_case(clutter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        root
    }

    fn names(dataset: &Dataset) -> Vec<(usize, String)> {
        dataset
            .samples
            .iter()
            .map(|s| (s.label, s.path.file_name().unwrap().to_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn classes_and_files_stand_in_byte_order() {
        let root = tree(&["b/2.png", "b/10.JPG", "a/z.jpeg", "a/Y.Npy", "B/x.png"]);
        let dataset = Dataset::labelled(root.path()).unwrap();
        assert_eq!(dataset.classes, ["B", "a", "b"]);
        let expected = [(0, "x.png"), (1, "Y.Npy"), (1, "z.jpeg"), (2, "10.JPG"), (2, "2.png")];
        assert_eq!(names(&dataset), expected.map(|(l, n)| (l, n.to_owned())));
    }

    #[test]
    fn clutter_is_silent_and_other_files_are_listed() {
        let root = tree(&[
            "LICENSE",
            "loose.png",
            ".git/x.png",
            "a/.DS_Store",
            "a/Thumbs.db",
            "a/1.png",
            "a/notes.txt",
        ]);
        let dataset = Dataset::labelled(root.path()).unwrap();
        assert_eq!(names(&dataset), [(0, "1.png".to_owned())]);
        let skipped: Vec<_> =
            dataset.skipped.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(skipped, ["LICENSE", "loose.png", "notes.txt"]);
    }

    #[test]
    fn an_empty_class_folder_is_refused_by_name() {
        let root = tree(&["a/1.png", "empty_one/notes.txt"]);
        let error = Dataset::labelled(root.path()).unwrap_err();
        assert!(
            matches!(&error, Error::Sample { path, problem: SampleProblem::EmptyFolder { skipped: 1 } }
            if path.ends_with("empty_one"))
        );
        assert!(error.to_string().contains("empty_one"));
    }

    #[test]
    fn a_nested_folder_is_refused_by_name() {
        let root = tree(&["train/cat/1.png", "train/0.png"]);
        let error = Dataset::labelled(root.path()).unwrap_err();
        assert!(matches!(&error, Error::Sample { path, problem: SampleProblem::NestedFolder }
            if path.ends_with("train/cat")));
    }

    #[test]
    fn a_name_that_no_head_can_keep_is_refused() {
        for name in ["a\tb", &"x".repeat(65)] {
            let root = tree(&[&format!("{name}/1.png")]);
            let error = Dataset::labelled(root.path()).unwrap_err();
            assert!(
                matches!(error, Error::Sample { problem: SampleProblem::ClassName { .. }, .. }),
                "{name}"
            );
        }
    }

    #[test]
    fn a_folder_without_classes_is_refused_for_data_and_flat_for_calibration() {
        let root = tree(&["2.png", "1.png", "notes.txt"]);
        let error = Dataset::labelled(root.path()).unwrap_err();
        assert!(matches!(error, Error::Sample { problem: SampleProblem::NoClasses, .. }));
        let flat = Dataset::unlabelled(root.path()).unwrap();
        assert!(flat.classes.is_empty());
        assert_eq!(names(&flat), [(0, "1.png".to_owned()), (0, "2.png".to_owned())]);
    }

    #[test]
    fn a_broken_link_is_refused_by_name() {
        let root = tree(&["a/1.png"]);
        std::os::unix::fs::symlink("nowhere", root.path().join("a/lost.png")).unwrap();
        let error = Dataset::labelled(root.path()).unwrap_err();
        assert!(error.to_string().contains("lost.png"));
    }

    #[test]
    fn the_limit_is_a_class_and_depends_on_seed_and_names_alone() {
        let files: Vec<String> =
            (0..60).map(|i| format!("{}/{i}.png", ["a", "b", "c"][i % 3])).collect();
        let mut references: Vec<&str> = files.iter().map(String::as_str).collect();
        let chosen = |files: &[&str], seed| {
            let root = tree(files);
            let mut dataset = Dataset::labelled(root.path()).unwrap();
            dataset.limit(5, seed);
            names(&dataset)
        };
        let first = chosen(&references, 7);
        assert_eq!(first.len(), 15);
        references.reverse();
        assert_eq!(chosen(&references, 7), first);
        assert_ne!(chosen(&references, 8), first);
        let without_c: Vec<&str> =
            references.iter().copied().filter(|f| !f.starts_with('c')).collect();
        assert_eq!(chosen(&without_c, 7), first[..10]);
    }
}
