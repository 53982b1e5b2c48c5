//! Tables of multiples: in constant time or not they give the same sums, and bytes of a table are read as that table or
//! not at all.

use arbitrary::Unstructured;
use curve::{FixedBase, Scalar, SecretBase};

use crate::groups::{flip_bits, point, scalar};

pub(crate) fn run(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let points = [point(bytes)?, point(bytes)?];
    let factors = [scalar(bytes)?, scalar(bytes)?];
    let window = bytes.int_in_range(3..=7)?;
    let table = FixedBase::new(&points, window);
    let sum = table.combine(&factors);
    assert_eq!(SecretBase::new(&points).combine(&factors), sum);
    let encoded = table.to_bytes();
    let read = FixedBase::from_pinned_bytes(window, &encoded).expect("the table's own bytes");
    assert_eq!((read.combine(&factors), read.to_bytes()), (sum, encoded.clone()));
    assert_eq!(encoded.len(), FixedBase::encoded_length(points.len(), window));
    let mut other = encoded;
    if bytes.arbitrary()? {
        flip_bits(bytes, &mut other)?;
    } else {
        other = bytes.arbitrary()?;
    }
    if let Some(changed) = FixedBase::from_pinned_bytes(window, &other) {
        assert_eq!(changed.to_bytes(), other);
        // What the multiples are a digest vouches for, and not this decoder: only the sum of nothing is known.
        let nothing = vec![Scalar::ZERO; other.len() / FixedBase::encoded_length(1, window)];
        assert!(changed.combine(&nothing).is_infinity());
    }
    Ok(())
}
