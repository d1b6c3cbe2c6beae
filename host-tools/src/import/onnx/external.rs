//! Weights that stand in a file beside the model.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use rten_onnx::onnx::StringStringEntryProto;

use crate::error::Problem;

/// Where a model's external data may come from: the model's own folder and nowhere else.
#[derive(Clone, Copy, Debug)]
pub(super) struct External<'a> {
    folder: Option<&'a Path>,
}

impl<'a> External<'a> {
    /// Data out of `folder`; out of nowhere for a model that did not come from a file.
    pub(super) fn new(folder: Option<&'a Path>) -> Self {
        Self { folder }
    }

    /// The `length` bytes that the entries of tensor `name` point to.
    ///
    /// # Errors
    ///
    /// [`Problem::Tensor`] if the location is absolute, has a `..`, leads out of the folder through
    /// a link, is no file, or is too short.
    pub(super) fn read(
        &self,
        name: &str,
        entries: &[StringStringEntryProto],
        length: usize,
    ) -> Result<Vec<u8>, Problem> {
        let refuse = |what: String| Problem::tensor(name, what);
        let entry = |key: &str| {
            entries
                .iter()
                .find(|entry| entry.key.as_deref() == Some(key))
                .and_then(|entry| entry.value.as_deref())
        };
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => text.trim().parse::<u64>().map(Some).map_err(|_| {
                refuse(format!("the {key} of its external data is no number: {text:?}"))
            }),
        };
        let location = entry("location")
            .ok_or_else(|| refuse("its external data has no location".to_owned()))?;
        let offset = number("offset")?.unwrap_or(0);
        if let Some(stated) = number("length")?.filter(|&stated| stated != length as u64) {
            return Err(refuse(format!(
                "has {stated} bytes of external data, its shape needs {length}"
            )));
        }

        let outside = || {
            refuse(format!(
                "its external data {location:?} is outside the model's folder; \
                 put it beside the model and name it without a path"
            ))
        };
        let relative = Path::new(location);
        let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !relative.components().all(is_plain) {
            return Err(outside());
        }
        let Some(folder) = self.folder else {
            return Err(refuse(format!(
                "its data is in another file ({location:?}), and this model has no folder"
            )));
        };
        let unreadable = |error: std::io::Error| {
            refuse(format!("its external data {location:?} cannot be read: {error}"))
        };
        let folder = folder.canonicalize().map_err(unreadable)?;
        let path = folder.join(relative).canonicalize().map_err(unreadable)?;
        if !path.starts_with(&folder) {
            return Err(outside());
        }
        // Checked before it is opened: opening a pipe would wait for its writer.
        let metadata = path.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refuse(format!("its external data {location:?} is not a file")));
        }
        if offset.checked_add(length as u64).is_none_or(|end| end > metadata.len()) {
            return Err(refuse(format!(
                "needs {length} bytes of {location:?} from byte {offset}, which has {}",
                metadata.len()
            )));
        }
        let mut file = File::open(&path).map_err(unreadable)?;
        file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> Vec<StringStringEntryProto> {
        pairs
            .iter()
            .map(|&(key, value)| StringStringEntryProto {
                key: Some(key.to_owned()),
                value: Some(value.to_owned()),
            })
            .collect()
    }

    #[test]
    fn data_comes_from_the_models_folder_only() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("model");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("w.bin"), [1, 2, 3, 4, 5, 6]).unwrap();
        std::fs::write(outer.path().join("secret"), [9; 8]).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        let absolute = outer.path().join("secret").display().to_string();
        let external = External::new(Some(&folder));
        let read = |pairs: &[(&str, &str)], length| external.read("w", &entries(pairs), length);

        let inside = read(&[("location", "./w.bin"), ("offset", "2"), ("length", "4")], 4);
        assert_eq!(inside.unwrap(), [3, 4, 5, 6]);

        let refused: &[(&[(&str, &str)], usize)] = &[
            (&[], 4),
            (&[("location", "../secret")], 4),
            (&[("location", &absolute)], 4),
            (&[("location", "link")], 4),
            (&[("location", ".")], 0),
            (&[("location", "missing")], 4),
            (&[("location", "w.bin")], 7),
            (&[("location", "w.bin"), ("offset", "3")], 4),
            (&[("location", "w.bin"), ("offset", "18446744073709551615")], 4),
            (&[("location", "w.bin"), ("offset", "-1")], 4),
            (&[("location", "w.bin"), ("length", "5")], 4),
        ];
        for (pairs, length) in refused {
            let outcome = read(pairs, *length);
            assert!(matches!(outcome, Err(Problem::Tensor { .. })), "{pairs:?}: {outcome:?}");
        }
        assert!(
            External::new(None).read("w", &entries(&[("location", "w.bin")]), 4).is_err(),
            "a model without a folder"
        );
    }
}
