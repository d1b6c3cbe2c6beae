//! Reports a head that was put back.

/// A head that was put back by itself. With it, everything is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// The commit that held the head.
    pub commit: u32,
    /// The file that could not be used, and why.
    pub problem: String,
}

impl std::fmt::Display for Mended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { commit, problem } = self;
        write!(f, "{problem}; the head of commit {commit} is put back, and nothing is lost")
    }
}
