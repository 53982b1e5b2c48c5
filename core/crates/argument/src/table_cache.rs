//! Tables of multiples on disk. Making them takes ten times as long as reading them back, and they are a pure function
//! of the pinned setup: their digests stand in the source, and a file with another digest counts as no file at all.
//!
//! Nothing here can fail a proof. What cannot be read is made anew, and what cannot be written is left unwritten.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use curve::FixedBase;
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use sha2::{Digest, Sha256};

use crate::setup::{DOMAIN_SIZES, position};

/// The directory of the cache files; `off` keeps tables in memory only. Without it, `marginproof` in the user's cache
/// directory.
pub const DIRECTORY_SETTING: &str = "MARGINPROOF_CACHE_DIR";

/// The window of the tables, 3 to 7; anything else counts as not set. Only tables of the default window have files.
pub const WINDOW_SETTING: &str = "MARGINPROOF_TABLE_WINDOW";

/// SHA-256 of the tables of [`DOMAIN_SIZES`] with the default window. When points or encoding change on purpose, the
/// test `digests_are_those_of_the_tables` prints the new ones.
const DIGESTS: [&str; DOMAIN_SIZES.len()] = [
    "c05825ce4f12b592b47e62d9cb34ed8d3b5dd89c20c3cf3103745303c146805f",
    "dffc2536f58614b93d90b123266f388ac34662de67e83b9e748837a8026559ae",
    "60d3f621f6af005cacbf6a9ea94b74c903f30390dbd7075a64e2d0b5e396ec4a",
    "ce1eb85f3479bd31c7a1098d117951928154519e9640ba11bd1976ec215ba333",
];

/// How much memory the tables take and where they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSettings {
    /// Bits of each half of a factor that a table takes at a time, 3 to 7. Memory in MiB, scalar / vector engine:
    ///
    /// | window | n = 256 | 512 | 1024 | 2048 |
    /// |---|---|---|---|---|
    /// | 3 | 1.55 / 4.30 | 3.09 / 8.59 | 6.19 / 17.2 | 12.4 / 34.4 |
    /// | 4 | 1.16 / 3.22 | 2.32 / 6.45 | 4.64 / 12.9 | 9.28 / 25.8 |
    /// | 5 | 0.91 / 2.54 | 1.83 / 5.08 | 3.66 / 10.2 | 7.31 / 20.3 |
    /// | 6 (default, the fastest) | 0.77 / 2.15 | 1.55 / 4.30 | 3.09 / 8.59 | 6.19 / 17.2 |
    /// | 7 | 0.67 / 1.86 | 1.34 / 3.71 | 2.67 / 7.42 | 5.34 / 14.8 |
    pub window: u32,
    /// Where the cache files lie; nothing keeps tables in memory only.
    pub directory: Option<PathBuf>,
}

impl Default for TableSettings {
    /// The default window, in memory only.
    fn default() -> Self {
        Self { window: FixedBase::DEFAULT_WINDOW, directory: None }
    }
}

impl TableSettings {
    /// From [`DIRECTORY_SETTING`] and [`WINDOW_SETTING`].
    pub fn from_environment() -> Self {
        let window = std::env::var(WINDOW_SETTING).ok().and_then(|text| text.parse().ok());
        Self {
            window: window.filter(|bits| FixedBase::WINDOWS.contains(bits)).unwrap_or(FixedBase::DEFAULT_WINDOW),
            directory: directory(std::env::var_os(DIRECTORY_SETTING).map(PathBuf::from)),
        }
    }

    /// The table for n, if its file is there and has the pinned digest.
    pub(crate) fn read(&self, n: usize) -> Option<FixedBase> {
        let length = FixedBase::encoded_length(n, self.window);
        let bytes = read_exactly(&self.file(n)?, length).ok()?;
        if digest(&bytes) != DIGESTS[position(n)] {
            return None;
        }
        FixedBase::from_pinned_bytes(self.window, &bytes)
    }

    /// Writes the table for n, or leaves it.
    pub(crate) fn write(&self, n: usize, table: &FixedBase) {
        if let Some(file) = self.file(n) {
            // A cache that cannot be written is no cache; the next process makes its tables again.
            let _ = replace(&file, &table.to_bytes());
        }
    }

    /// Named by n and digest, so that versions with other tables do not overwrite each other's.
    fn file(&self, n: usize) -> Option<PathBuf> {
        let directory = self.directory.as_ref().filter(|_| self.window == FixedBase::DEFAULT_WINDOW)?;
        Some(directory.join(format!("lagrange-{n}-{}.table", &DIGESTS[position(n)][..16])))
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn directory(setting: Option<PathBuf>) -> Option<PathBuf> {
    match setting {
        Some(path) if path.as_os_str() == "off" => None,
        Some(path) if !path.as_os_str().is_empty() => Some(path),
        _ => Some(choose_native_strategy().ok()?.cache_dir().join("marginproof")),
    }
}

/// Reads a regular file of this length; what is anything else is not opened.
fn read_exactly(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let found = path.symlink_metadata()?;
    if !found.is_file() || found.len() != length as u64 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(length + 1);
    File::open(path)?.take(length as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a new file beside the old one and renames it: a reader sees all of it or none, and writers do not mix.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    create_private_directory(directory)?;
    let mut unique = [0; 8];
    getrandom::fill(&mut unique)?;
    let temporary = path.with_extension(format!("{:016x}", u64::from_be_bytes(unique)));
    let written = create_private(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Fails when something has that name already, be it a symbolic link.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Setup;

    #[test]
    fn digests_are_those_of_the_tables() {
        let setup = Setup::new(TableSettings::default()).unwrap();
        let made = DOMAIN_SIZES.map(|n| digest(&setup.basis(n).table().to_bytes()));
        assert_eq!(made, DIGESTS);
    }

    #[test]
    fn the_environment_names_the_directory() {
        assert_eq!(directory(Some("off".into())), None);
        assert_eq!(directory(Some("/a/b".into())), Some("/a/b".into()));
        assert_eq!(directory(Some("".into())), directory(None));
        assert!(directory(None).is_none_or(|path| path.ends_with("marginproof")));
    }

    #[test]
    fn tables_of_another_window_have_no_file() {
        let settings = |window| TableSettings { window, directory: Some("/a".into()) };
        assert!(settings(FixedBase::DEFAULT_WINDOW).file(256).is_some());
        assert!(settings(FixedBase::DEFAULT_WINDOW - 1).file(256).is_none());
        let sizes: std::collections::BTreeSet<_> = DOMAIN_SIZES.map(|n| settings(6).file(n)).into();
        assert_eq!(sizes.len(), DOMAIN_SIZES.len());
    }
}
