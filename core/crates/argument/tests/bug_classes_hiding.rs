//! Classes of faults in hiding, as docs/bug-classes.md numbers them.

mod support;

use argument::proof::{EncodedPoint, ProofBytes};
use argument::{Opening, Setup, Statement, challenges, prove};
use curve::{Domain, G1, G1Affine, Scalar, linear_combination};
use support::example::powers_of_tau;
use support::{Seeded, opening, row};

const N: usize = 256;
const SECRET: u64 = 200;

/// [L_i(τ)]₁, and [Z_H(τ)]₁.
fn basis() -> (Vec<G1Affine>, G1Affine) {
    let powers = powers_of_tau(N + 1);
    let mut lagrange: Vec<G1> = powers[..N].iter().map(|point| G1::from(*point)).collect();
    Domain::new(N).lagrange_points(&mut lagrange);
    let vanishing = (G1::from(powers[N]) + -G1::from(powers[0])).to_affine().unwrap();
    (G1::batch_to_affine(&lagrange).unwrap(), vanishing)
}

/// The value at a point outside H of the polynomial of degree below n with these values on H.
fn at(point: Scalar, values: &[Scalar]) -> Scalar {
    let domain = Domain::new(N);
    let sum: Scalar = values
        .iter()
        .zip(domain.elements())
        .map(|(value, element)| *value * *element * (point - *element).invert().unwrap())
        .sum();
    vanishing(point) * domain.size_inverse() * sum
}

fn vanishing(point: Scalar) -> Scalar {
    point.pow(N as u64) - Scalar::one()
}

/// What an onlooker guesses of one polynomial: its values on H, and where it was opened.
struct Guess {
    name: &'static str,
    commitment: EncodedPoint,
    values: Vec<Scalar>,
    opened: Option<(Scalar, [u8; 32])>,
}

impl Guess {
    /// Whether the guess can be confirmed: without blinders, or with one that the opening gives away.
    fn confirmed(&self, lagrange: &[G1Affine], multiple: G1Affine) -> bool {
        let plain = linear_combination(lagrange, &self.values);
        let found = |sum: G1| sum.to_affine().is_some_and(|point| point.to_bytes() == self.commitment);
        let Some((point, value)) = &self.opened else { return found(plain) };
        let excess = Scalar::from_be_bytes(value).unwrap() - at(*point, &self.values);
        let blinder = excess * vanishing(*point).invert().unwrap();
        found(plain) || found(plain + linear_combination(&[multiple], &[blinder]))
    }
}

/// The true values of all polynomials of the proof of 0 ≤ x < 2^8, as somebody who guesses x knows them.
fn guesses(statement: &Statement, secret: &Opening, x: u64) -> Vec<Guess> {
    let setup = Setup::global().unwrap();
    let inputs = [secret.commitment(setup).unwrap()];
    let bytes = prove(setup, statement, &[secret], b"").unwrap();
    let drawn = challenges(statement, &inputs, b"", &bytes).unwrap();
    let proof = ProofBytes::split(statement, &bytes).unwrap();
    let next = Domain::new(N).generator() * drawn.z;
    let mut digits = vec![Scalar::ZERO; N];
    digits[0] = Scalar::from(x);
    let mut counts = vec![Scalar::ZERO; N];
    counts[0] = Scalar::from(N as u64 - 1);
    counts[x as usize] += Scalar::one();
    let inverse = |entry: Scalar| (drawn.beta - entry).invert().unwrap();
    let inverses: Vec<Scalar> = digits.iter().map(|digit| inverse(*digit)).collect();
    let table: Vec<Scalar> =
        counts.iter().enumerate().map(|(entry, count)| *count * inverse(Scalar::from(entry as u64))).collect();
    let mut running = Scalar::ZERO;
    let mut sums = Vec::with_capacity(N);
    for (digit, entry) in inverses.iter().zip(&table) {
        sums.push(running);
        running += *digit - *entry;
    }
    let guess = |name, commitment, values, opened| Guess { name, commitment, values, opened };
    vec![
        guess("C", inputs[0], digits.clone(), None),
        guess("d", proof.digits[0], digits, Some((drawn.z, proof.digit_evaluations[0]))),
        guess("m", proof.multiplicities, counts, None),
        guess("φ", proof.inverses[0], inverses, None),
        guess("φ_T", proof.table_inverse, table, None),
        guess("acc", proof.accumulator, sums, Some((next, proof.accumulator_evaluation))),
    ]
}

fn statement() -> Statement {
    Statement::new(N, 1, 1, vec![row(8, 0, &[&[(0, 1)]])]).unwrap()
}

#[test]
fn not_hiding_who_guesses_the_witness_cannot_confirm_it() {
    let secret = opening(N, &[(0, i128::from(SECRET))], &mut Seeded(4));
    let (lagrange, multiple) = basis();
    for guess in guesses(&statement(), &secret, SECRET) {
        assert!(!guess.confirmed(&lagrange, multiple), "{}", guess.name);
    }
    // The same method does confirm a commitment that is not blinded.
    let mut values = vec![Scalar::ZERO; N];
    values[0] = Scalar::from(SECRET);
    let commitment = linear_combination(&lagrange, &values).to_affine().unwrap().to_bytes();
    assert!(Guess { name: "", commitment, values, opened: None }.confirmed(&lagrange, multiple));
}

#[test]
fn not_hiding_trying_all_small_values_finds_none() {
    let secret = opening(N, &[(0, i128::from(SECRET))], &mut Seeded(5));
    let (lagrange, multiple) = basis();
    let first = &lagrange[..1];
    let found = guesses(&statement(), &secret, SECRET).into_iter().take(2).any(|mut guess| {
        (0..256).any(|candidate| {
            guess.values[0] = Scalar::from(candidate);
            guess.values.truncate(1);
            guess.opened = None;
            guess.confirmed(first, multiple)
        })
    });
    assert!(!found);
}

#[test]
fn salt_reuse_equal_vectors_have_unlinkable_commitments_and_proofs() {
    let setup = Setup::global().unwrap();
    let vectors = [1, 2].map(|seed| opening(N, &[(0, 77)], &mut Seeded(seed)));
    let [one, two] = vectors.each_ref().map(|vector| vector.commitment(setup).unwrap());
    assert_ne!(one, two);
    let statement = statement();
    let [first, second] = vectors.each_ref().map(|vector| prove(setup, &statement, &[vector], b"epoch").unwrap());
    let shared = first.chunks(16).zip(second.chunks(16)).filter(|(a, b)| a == b).count();
    assert_eq!(shared, 0);
}
