//! Rows of every kind, with faults now and then.

use arbitrary::Unstructured;
use argument::statement::Term;
use argument::{Integer, Row};

/// One of the usual values; one time in sixteen anything.
pub(crate) fn one_of<T: Copy + for<'a> arbitrary::Arbitrary<'a>>(
    bytes: &mut Unstructured<'_>,
    usual: &[T],
) -> arbitrary::Result<T> {
    if bytes.ratio(15, 16)? { Ok(*bytes.choose(usual)?) } else { bytes.arbitrary() }
}

/// An integer of up to 384 bits, its length as likely short as long.
pub(crate) fn integer(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Integer> {
    let length = bytes.int_in_range(0..=2 * Integer::BYTES)?.min(Integer::BYTES);
    let fill = if bytes.arbitrary()? { 0xff } else { 0 };
    let mut encoded = [fill; Integer::BYTES];
    for byte in &mut encoded[..length / 2] {
        *byte = bytes.arbitrary()?;
    }
    Ok(Integer::from_le_bytes(&encoded))
}

/// A row over so many vectors, mostly.
pub(crate) fn row(bytes: &mut Unstructured<'_>, vectors: usize) -> arbitrary::Result<Row> {
    let bits = one_of(bytes, &[8, 16, 64, 96, 128])?;
    let constant = integer(bytes)?;
    let lists = if bytes.ratio(15, 16)? { vectors } else { bytes.int_in_range(0..=4)? };
    let weights = (0..lists).map(|_| terms(bytes)).collect::<arbitrary::Result<_>>()?;
    Ok(Row { bits, constant, weights })
}

fn terms(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Term>> {
    let mut terms = Vec::new();
    let mut index: u32 = 0;
    for _ in 0..bytes.int_in_range(0..=4_u8)? {
        index = if bytes.ratio(15, 16)? {
            index.saturating_add(bytes.int_in_range(0..=3)?)
        } else {
            one_of(bytes, &[0, 255, 256])?
        };
        terms.push((index, weight(bytes)?));
        index = index.saturating_add(1);
    }
    Ok(terms)
}

fn weight(bytes: &mut Unstructured<'_>) -> arbitrary::Result<i128> {
    const LIMIT: i128 = 1 << 64;
    Ok(match bytes.int_in_range(0..=5_u8)? {
        0 => 1,
        1 => -1,
        2 => i128::from(bytes.arbitrary::<i16>()?),
        3 => one_of(bytes, &[LIMIT - 1, 1 - LIMIT, LIMIT, -LIMIT, i128::MIN, i128::MAX])?,
        _ => i128::from(bytes.arbitrary::<u64>()?) * if bytes.arbitrary()? { 1 } else { -1 },
    })
}
