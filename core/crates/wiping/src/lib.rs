//! An allocator for tests: it looks at every block of memory when it is freed, and counts the secrets still there.
//!
//! Beside `curve`, the only crate with `unsafe` code; nothing that is shipped depends on it. It sees the heap alone:
//! copies on the stack and in registers are beyond a test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Secrets are known by eight of their bytes, as they lie in memory.
pub const MARK_BYTES: usize = 8;

const MOST_MARKS: usize = 32;

/// Install it as the global allocator of a test that runs alone in its process.
pub struct Watching;

static MARKS: [AtomicU64; MOST_MARKS] = [const { AtomicU64::new(0) }; MOST_MARKS];
static FOUND: [AtomicU32; MOST_MARKS] = [const { AtomicU32::new(0) }; MOST_MARKS];
static WATCHED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every request goes to the system's allocator unchanged; a block is only read before it is given back. A block
// that grows is allocated anew and freed here, which is what `GlobalAlloc::realloc` does unless it is overridden.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`. Zeros, because what is freed is read in full.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHED.load(Ordering::Relaxed) > 0 {
            // SAFETY: the block has this many bytes, all initialised since `alloc`, and is still the caller's.
            look_at(unsafe { core::slice::from_raw_parts(block, layout.size()) });
        }
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Allocates nothing: it runs inside the allocator.
fn look_at(block: &[u8]) {
    let watched = WATCHED.load(Ordering::Relaxed);
    for bytes in block.windows(MARK_BYTES) {
        let word = u64::from_ne_bytes(bytes.try_into().expect("windows of this length"));
        for (mark, found) in MARKS.iter().zip(&FOUND).take(watched) {
            if mark.load(Ordering::Relaxed) == word {
                found.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Runs something and says how often each mark was found in what it freed.
///
/// # Panics
/// With too many marks, or one of low entropy that would be found by chance.
pub fn found_while(marks: &[[u8; MARK_BYTES]], run: impl FnOnce()) -> Vec<u32> {
    assert!(marks.len() <= MOST_MARKS, "more marks than there is room for");
    for ((mark, place), found) in marks.iter().zip(&MARKS).zip(&FOUND) {
        assert!(
            mark.iter().filter(|byte| **byte != 0).count() > MARK_BYTES / 2,
            "a mark that would be found by chance"
        );
        place.store(u64::from_ne_bytes(*mark), Ordering::Relaxed);
        found.store(0, Ordering::Relaxed);
    }
    WATCHED.store(marks.len(), Ordering::Relaxed);
    run();
    WATCHED.store(0, Ordering::Relaxed);
    FOUND.iter().take(marks.len()).map(|found| found.load(Ordering::Relaxed)).collect()
}
