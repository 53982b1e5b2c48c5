//! Openings from arbitrary entries: refused for a reason, or committed to a point that every verifier takes.

use arbitrary::Unstructured;
use argument::{Code, Integer, Opening, Setup, commit};
use curve::G1Affine;

use crate::rows::{integer, one_of};

pub(crate) fn run(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let n = one_of(bytes, &[256, 512])?;
    let mut entries: Vec<(u32, Integer)> = Vec::new();
    for _ in 0..bytes.int_in_range(0..=8_usize)? {
        let index = if bytes.ratio(7, 8)? { bytes.int_in_range(0..=511)? } else { bytes.arbitrary()? };
        entries.push((index, integer(bytes)?));
    }
    let blinding = bytes.arbitrary()?;
    match Opening::new(n, entries.iter().copied(), &blinding) {
        Ok(opening) => committed(&opening, &entries),
        Err(error) => {
            assert!(matches!(error.code, Code::StatementShape | Code::EntryRange | Code::ScalarRange));
            assert!(error.code != Code::StatementShape || n != 256 && n != 512);
        }
    }
    Ok(())
}

fn committed(opening: &Opening, entries: &[(u32, Integer)]) {
    let setup = Setup::global().expect("the setup compiled in");
    assert!(entries.iter().all(|(index, value)| (*index as usize) < opening.n() && value.bit_length() <= 253));
    let signable = entries.iter().all(|(_, value)| value.bit_length() <= 63);
    match commit(setup, opening) {
        Ok(point) => {
            assert!(signable);
            assert!(G1Affine::from_bytes(&point).is_ok());
            assert_eq!(opening.commitment(setup), Ok(point));
        }
        Err(error) if error.code == Code::PointAtInfinity => assert!(entries.iter().all(|(_, value)| value.is_zero())),
        Err(error) => assert!(!signable && error.code == Code::EntryRange),
    }
}
