//! Folders and files in memory.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// The bytes of a file, which whoever opened it shares.
pub(super) type Content = Arc<Mutex<Vec<u8>>>;

/// Something that has a name.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Which one it is: another one of the same name has another number.
    pub(super) number: u64,
    /// When it came or got this name, in changes of the tree.
    pub(super) changed: u64,
    /// `None` for a folder.
    pub(super) content: Option<Content>,
}

/// All of them, by their paths from the root; the root itself has none.
pub(super) struct Tree {
    nodes: BTreeMap<PathBuf, Node>,
    changes: u64,
}

static TREE: Mutex<Tree> = Mutex::new(Tree { nodes: BTreeMap::new(), changes: 0 });

/// The tree, for one call.
pub(super) fn tree() -> MutexGuard<'static, Tree> {
    TREE.lock().unwrap_or_else(|e| e.into_inner())
}

/// The names from the root on. A path that leaves the root ends there.
pub(super) fn from_root(path: &Path) -> PathBuf {
    let mut names = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => drop(names.pop()),
            _ => {}
        }
    }
    names
}

impl Tree {
    /// What has this path.
    pub(super) fn find(&self, path: &Path) -> Result<Node> {
        let path = from_root(path);
        if path.as_os_str().is_empty() {
            return Ok(Node { number: 0, changed: 0, content: None });
        }
        match self.nodes.get(&path) {
            Some(node) => Ok(node.clone()),
            None => {
                let above = path.ancestors().skip(1).find_map(|above| self.nodes.get(above));
                let is_file = above.is_some_and(|node| node.content.is_some());
                Err(if is_file { ErrorKind::NotADirectory } else { ErrorKind::NotFound }.into())
            }
        }
    }

    /// Adds something in a folder that is there.
    pub(super) fn add(&mut self, path: &Path, content: Option<Content>) -> Result<Node> {
        if self.find(path).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.refuse_without_folder(path)?;
        self.changes += 1;
        let node = Node { number: self.changes, changed: self.changes, content };
        self.nodes.insert(from_root(path), node.clone());
        Ok(node)
    }

    /// Removes a file, or an empty folder.
    pub(super) fn remove(&mut self, path: &Path, is_folder: bool) -> Result<()> {
        let node = self.find(path)?;
        match (node.content.is_none(), is_folder) {
            (true, false) => return Err(ErrorKind::IsADirectory.into()),
            (false, true) => return Err(ErrorKind::NotADirectory.into()),
            (true, true) if !self.names(path)?.is_empty() => {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
            _ => {}
        }
        self.nodes.remove(&from_root(path));
        Ok(())
    }

    /// Gives a file another name, and takes the place of a file that has it.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        let node = self.find(from)?;
        if node.content.is_none() {
            return Err(Error::new(ErrorKind::Unsupported, "folders keep their names here"));
        }
        self.refuse_without_folder(to)?;
        if self.find(to).is_ok_and(|there| there.content.is_none()) {
            return Err(ErrorKind::IsADirectory.into());
        }
        self.nodes.remove(&from_root(from));
        self.changes += 1;
        self.nodes.insert(from_root(to), Node { changed: self.changes, ..node });
        Ok(())
    }

    /// Paths of what a folder holds, as its path and their names.
    pub(super) fn names(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        if self.find(folder)?.content.is_some() {
            return Err(ErrorKind::NotADirectory.into());
        }
        let root = from_root(folder);
        let below = self.nodes.keys().filter(|path| path.parent() == Some(&root));
        Ok(below.filter_map(|path| Some(folder.join(path.file_name()?))).collect())
    }

    fn refuse_without_folder(&self, path: &Path) -> Result<()> {
        let path = from_root(path);
        let Some(above) = path.parent() else { return Err(ErrorKind::InvalidInput.into()) };
        match self.find(above)?.content {
            None => Ok(()),
            Some(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }
}
