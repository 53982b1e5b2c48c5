//! No secret is left in memory that is given back: openings, row values, digits, residues, blindings, signing keys.

use argument::{Effort, Integer, Opening, Row, Setup, Statement, challenges, prove_seeded, row_values};
use curve::Scalar;
use curve::signatures::SigningKey;
use wiping::{MARK_BYTES, Watching, found_while};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

type Mark = [u8; MARK_BYTES];

const N: usize = 256;
const ENTRY: i128 = 0x1a2b_3c4d_5e6f_7081;
const NEGATIVE: i128 = 0x2f1e_2d3c_4b5a_6978;
const AUXILIARY: i128 = 0x00d1_c2b3_a495_8677_6859_4a3b_2c1d_0e1f;
const WEIGHT: i128 = 0x0d0b_0907;
const BLINDINGS: [[u8; 32]; 2] = [[0x3b; 32], [0x4d; 32]];

/// The second eight bytes of a residue as the field keeps it: in Montgomery form, least significant word first.
fn residue(scalar: Scalar) -> Mark {
    // x·2^256 modulo r are the words of x; the canonical integer of x·2^256 is read off its encoding.
    let integer = (scalar * Scalar::from(2).pow(256)).to_be_bytes();
    let mut words = integer;
    words.reverse();
    words[8..16].try_into().unwrap()
}

fn low(value: i128) -> Mark {
    (value as u64).to_le_bytes()
}

fn high(value: i128) -> Mark {
    ((value >> 64) as u64).to_le_bytes()
}

/// One row: ENTRY·WEIGHT − (−NEGATIVE)·WEIGHT + auxiliary.
fn row_value() -> i128 {
    (ENTRY - NEGATIVE) * WEIGHT + AUXILIARY
}

fn statement() -> Statement {
    let weights = vec![vec![(0, WEIGHT), (1, WEIGHT)], vec![(2, 1)]];
    Statement::new(N, 2, 1, vec![Row { bits: 128, constant: Integer::ZERO, weights }]).unwrap()
}

fn openings() -> [Opening; 2] {
    let input = [(0, Integer::from(ENTRY)), (1, Integer::from(-NEGATIVE))];
    [
        Opening::new(N, input, &BLINDINGS[0]).unwrap(),
        Opening::new(N, [(2, Integer::from(AUXILIARY))], &BLINDINGS[1]).unwrap(),
    ]
}

fn scalar(value: i128) -> Scalar {
    Integer::from(value).to_scalar()
}

fn marks() -> Vec<(&'static str, Mark)> {
    let blinding = |number: usize| Scalar::from_be_bytes(&BLINDINGS[number]).unwrap();
    vec![
        ("an entry", low(ENTRY)),
        ("an entry below 0", low(-NEGATIVE)),
        ("the absolute value of an entry", low(NEGATIVE)),
        ("an entry, as a residue", residue(scalar(ENTRY))),
        ("an entry below 0, as a residue", residue(scalar(-NEGATIVE))),
        ("the absolute value of an entry, as a residue", residue(scalar(NEGATIVE))),
        ("an auxiliary entry", high(AUXILIARY)),
        ("an auxiliary entry, as a residue", residue(scalar(AUXILIARY))),
        ("the value of the row, or its digits", low(row_value())),
        ("the value of the row, or its digits, upper half", high(row_value())),
        ("a blinding as bytes", BLINDINGS[0][..MARK_BYTES].try_into().unwrap()),
        ("a blinding", residue(blinding(0))),
        ("the blinding of an auxiliary vector", residue(blinding(1))),
    ]
}

fn nothing_left(what: &str, marks: &[(&str, Mark)], run: impl FnOnce()) {
    let words: Vec<Mark> = marks.iter().map(|(_, mark)| *mark).collect();
    let found = found_while(&words, run);
    let left: Vec<_> = marks.iter().zip(&found).filter(|(_, count)| **count > 0).map(|((name, _), _)| *name).collect();
    assert!(left.is_empty(), "{what} left behind: {left:?}");
}

/// The first value of the running sum that is not 0, of a proof whose challenges are known.
fn accumulator(proof: &[u8], statement: &Statement, commitments: &[[u8; 48]]) -> Scalar {
    let drawn = challenges(statement, commitments, b"", proof).unwrap();
    let digits = row_value().to_le_bytes();
    let zeros = (N - digits.len() + digits.iter().filter(|digit| **digit == 0).count()) as u64;
    let inverse = |digit: u8| (drawn.beta - Scalar::from(u64::from(digit))).invert().unwrap();
    let rows = Scalar::from(u64::from(digits[0])) - scalar(WEIGHT) * scalar(ENTRY);
    inverse(digits[0]) - Scalar::from(zeros) * inverse(0) + drawn.alpha * rows
}

/// One test, because all threads of a process share the allocator.
#[test]
fn no_secret_is_left_in_memory_that_is_freed() {
    let planted = found_while(&[low(ENTRY)], || drop(vec![0_u8; 3].into_iter().chain(low(ENTRY)).collect::<Vec<u8>>()));
    assert_eq!(planted, [1], "a secret in a vector that is not wiped is found, at any place");

    let (setup, statement) = (Setup::global().unwrap(), statement());
    let commitments = openings().map(|opening| opening.commitment(setup).unwrap());
    let marks = marks();
    nothing_left("openings", &marks, || assert_eq!(openings()[0].n(), N));
    nothing_left("clones of openings", &marks, || drop(vec![openings()].clone()));
    nothing_left("commitments", &marks, || assert!(openings().iter().all(|one| one.commitment(setup).is_ok())));
    nothing_left("values of rows", &marks, || {
        let [input, auxiliary] = openings();
        drop(row_values(&statement, &[&input, &auxiliary]).unwrap());
    });

    let prove = || {
        let [input, auxiliary] = openings();
        prove_seeded(setup, &statement, &[&input, &auxiliary], b"", &Effort::default(), [1; 32])
    };
    let sum = accumulator(&prove().unwrap(), &statement, &commitments[..1]);
    let marks = [&marks[..], &[("the running sum", residue(sum))]].concat();
    nothing_left("proving", &marks, || drop(prove().unwrap()));

    let narrow = Row { bits: 8, constant: Integer::ZERO, weights: vec![vec![(0, WEIGHT)], vec![(2, 1)]] };
    let refusing = Statement::new(N, 2, 1, vec![narrow]).unwrap();
    nothing_left("a refused proof", &marks, || {
        let [input, auxiliary] = openings();
        prove_seeded(setup, &refusing, &[&input, &auxiliary], b"", &Effort::default(), [1; 32]).unwrap_err();
    });

    let secret: [u8; 32] = core::array::from_fn(|at| 0x31 + at as u8);
    let mut reversed = secret;
    reversed.reverse();
    let keys = [secret, reversed].map(|bytes| ("a signing key", bytes[..MARK_BYTES].try_into().unwrap()));
    nothing_left("signing", &keys, || {
        let key = Box::new(SigningKey::from_bytes(&secret).unwrap());
        let copies = (Box::new(key.clone()), Box::new(key.to_bytes()));
        assert_eq!(copies.0.sign(b"message"), key.sign(b"message"));
    });
}
