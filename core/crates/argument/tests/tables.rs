//! Tables on disk: whatever lies in the cache, the same tables come out and the proof is made.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use argument::{Integer, Opening, Setup, Statement, TableSettings, prove, verify};
use support::row;

/// A directory of its own for one test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("marginproof-tables-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The cache lies one level deeper, so that it does not exist at first.
    fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// The only file of the cache.
    fn file(&self) -> PathBuf {
        let mut files: Vec<_> = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.pop().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Commits, proves and verifies as a process does that starts with this cache; gives the commitment.
fn prove_with(cache: &Path, n: usize) -> [u8; 48] {
    let settings = TableSettings { directory: Some(cache.into()), ..TableSettings::default() };
    prove_in(&Setup::new(settings).unwrap(), n)
}

fn prove_in(setup: &Setup, n: usize) -> [u8; 48] {
    let statement = Statement::new(n, 1, 1, vec![row(16, 0, &[&[(0, 1), (n as u32 - 1, 2)]])]).unwrap();
    let entries = [(0, Integer::from(77)), (n as u32 - 1, Integer::from(99))];
    let opening = Opening::new(n, entries, &[3; 32]).unwrap();
    let proof = prove(setup, &statement, &[&opening], b"").unwrap();
    let commitment = opening.commitment(setup).unwrap();
    verify(Setup::global().unwrap(), &statement, &[commitment], b"", &proof).unwrap();
    commitment
}

#[test]
fn a_process_reads_what_another_wrote() {
    let folder = Folder::new("written");
    let made = prove_with(&folder.cache(), 256);
    let (file, before) = (folder.file(), fs::read(folder.file()).unwrap());
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(prove_with(&folder.cache(), 256), made);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), modified, "a good file is not written again");
}

#[cfg(unix)]
#[test]
fn the_cache_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("private");
    prove_with(&folder.cache(), 256);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.cache()), 0o700);
    assert_eq!(mode(&folder.file()), 0o600);
}

#[test]
fn a_wrong_file_is_made_anew() {
    let folder = Folder::new("wrong");
    let commitment = prove_with(&folder.cache(), 256);
    let file = folder.file();
    let good = fs::read(&file).unwrap();
    let changed = |at: usize, bit: u8| {
        let mut bytes = good.clone();
        bytes[at] ^= bit;
        bytes
    };
    // Points of the group in the wrong places: only the digest tells.
    let swapped = [&good[good.len() / 2..], &good[..good.len() / 2]].concat();
    let wrong = [
        vec![],
        good[..good.len() - 1].to_vec(),
        good[..good.len() - 96].to_vec(),
        [&good[..], &[0]].concat(),
        changed(0, 1),
        changed(good.len() / 2, 0x10),
        changed(good.len() - 1, 0x80),
        swapped,
        vec![0; good.len()],
    ];
    for bytes in wrong {
        fs::write(&file, &bytes).unwrap();
        assert_eq!(prove_with(&folder.cache(), 256), commitment);
        assert_eq!(fs::read(folder.file()).unwrap(), good, "the cache holds the right tables again");
    }
}

#[test]
fn the_file_of_another_size_is_made_anew() {
    let (folder, other) = (Folder::new("size"), Folder::new("other-size"));
    let commitment = prove_with(&folder.cache(), 512);
    let good = fs::read(folder.file()).unwrap();
    prove_with(&other.cache(), 256);
    let small = fs::read(other.file()).unwrap();
    for bytes in [small.clone(), [&small[..], &small[..]].concat()] {
        fs::write(folder.file(), bytes).unwrap();
        assert_eq!(prove_with(&folder.cache(), 512), commitment);
        assert_eq!(fs::read(folder.file()).unwrap(), good);
    }
}

#[test]
fn what_is_no_file_is_left_alone() {
    let folder = Folder::new("directory");
    let commitment = prove_with(&folder.cache(), 256);
    let file = folder.file();
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(prove_with(&folder.cache(), 256), commitment);
    assert!(folder.file().is_dir(), "and no temporary file stays behind");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_neither_read_nor_followed() {
    let folder = Folder::new("link");
    let commitment = prove_with(&folder.cache(), 256);
    let (file, target) = (folder.file(), folder.0.join("target"));
    let good = fs::read(&file).unwrap();
    for content in [b"somebody's file", &good[..]] {
        fs::write(&target, content).unwrap();
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&target, &file).unwrap();
        assert_eq!(prove_with(&folder.cache(), 256), commitment);
        assert_eq!(fs::read(&target).unwrap(), content);
        assert!(fs::symlink_metadata(folder.file()).unwrap().is_file(), "the link gave way to the file");
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_nothing_but_time() {
    let folder = Folder::new("unwritable");
    let commitment = prove_with(&folder.cache(), 256);
    let blocked = folder.0.join("file");
    fs::write(&blocked, b"").unwrap();
    assert_eq!(prove_with(&blocked, 256), commitment);
    assert_eq!(prove_with(&blocked.join("below"), 256), commitment);
    assert_eq!(fs::read(&blocked).unwrap(), b"");
}

#[cfg(unix)]
#[test]
fn a_read_only_directory_is_read_and_not_needed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("read-only");
    fs::create_dir(folder.cache()).unwrap();
    let mode = |bits| fs::set_permissions(folder.cache(), fs::Permissions::from_mode(bits)).unwrap();
    mode(0o500);
    let commitment = prove_with(&folder.cache(), 256);
    assert_eq!(prove_with(&folder.cache(), 256), commitment);
    mode(0o700);
}

#[test]
fn processes_that_start_together_share_one_file() {
    let folder = Folder::new("together");
    let commitments: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| prove_with(&folder.cache(), 256))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(commitments.iter().all(|commitment| *commitment == commitments[0]));
    let good = fs::read(folder.file()).unwrap();
    prove_with(&folder.cache(), 256);
    assert_eq!(fs::read(folder.file()).unwrap(), good);
}

#[test]
fn tables_of_every_window_give_the_same_commitments() {
    let folder = Folder::new("windows");
    let default = prove_in(Setup::global().unwrap(), 256);
    let default_window = TableSettings::default().window;
    let mut sizes = Vec::new();
    for window in (3..=7).filter(|window| *window != default_window) {
        let setup = Setup::new(TableSettings { window, directory: Some(folder.cache()) }).unwrap();
        assert_eq!(prove_in(&setup, 256), default, "{window}");
        sizes.push(setup.table_bytes(256));
    }
    assert!(sizes.is_sorted_by(|more, less| more > less));
    assert!(!folder.cache().exists(), "only the default window has files");
    assert!(Setup::global().unwrap().table_bytes(256) <= 16 << 20);
}

#[test]
fn verifying_makes_no_tables() {
    let folder = Folder::new("verifying");
    let setup = Setup::new(TableSettings { directory: Some(folder.cache()), ..TableSettings::default() }).unwrap();
    for case in support::cases().into_iter().filter(|case| case.valid) {
        let statement = case.statement().unwrap();
        verify(&setup, &statement, &case.commitments()[..case.inputs], &case.context(), &case.proof()).unwrap();
    }
    assert!(!folder.cache().exists(), "the first commitment makes tables and writes them");
}
