//! Where the time goes: the pieces that proving and verifying consist of, each alone, of the sizes that the argument
//! fixes. What a whole takes beyond its pieces is the work on field elements between them and stands as the rest.

use argument::TableSettings;
use curve::{
    Domain, Engine, FixedBase, G1, G1_BYTES, G1Affine, G2Affine, PreparedG2, Scalar, SecretBase, linear_combinations,
    pairings_agree,
};
use serde_json::{Value, json};

use crate::figures::{engine_name, rounded};
use crate::interleaved::{Interleaved, Medians};
use crate::ours::{Batch, Example};

/// Digit columns, vectors and digits of 16 rows of 96 bits over one vector of n entries.
const COLUMNS: usize = 1;
const VECTORS: usize = 1;
const DIGITS: usize = 192;
const N: usize = 256;

/// How many points W_z + u·W_ωz and F are combinations of.
const TERMS: [usize; 2] = [2, 2 * COLUMNS + VECTORS + 7];
/// Polynomials that go to the coset for the quotient, and the quotient that comes back.
const TRANSFORMED: usize = 2 * (COLUMNS + VECTORS) + 5;
/// Commitments to values of full length at every place: φ_T, acc, q, W_z, W_ωz.
const FULL_COMMITMENTS: usize = 5;
/// Multiples of Z_H in d_j, m, φ_j, φ_T, acc, q, W_z, W_ωz.
const BLINDED: [usize; 8] = [2, 2, 2, 2, 4, 3, 3, 3];

/// What verifying consists of, alone or in a batch.
const OF_VERIFYING: [&str; 4] = ["decoding", "hashing", "sums", "pairing"];
/// What proving consists of.
const OF_PROVING: [&str; 5] = ["input commitments", "commitments", "blinding", "transforms", "own check"];

/// Operands of the pieces.
pub struct Pieces<'a> {
    example: &'a Example,
    encoded: Vec<[u8; G1_BYTES]>,
    points: Vec<G1Affine>,
    factors: Vec<Scalar>,
    digits: Vec<Scalar>,
    table: FixedBase,
    hiding: SecretBase,
    domain: Domain,
    generator: (G1, PreparedG2),
}

impl<'a> Pieces<'a> {
    /// Operands for an example of the shape above and for batches of up to `batch` proofs of it.
    pub fn new(example: &'a Example, batch: usize) -> Self {
        let most = N.max(batch * (TERMS[0] + TERMS[1]));
        let factors = Scalar::from_wide_be_bytes(&[0x5a; 64]).powers(most + 1).split_off(1);
        let multiples: Vec<G1> =
            factors.iter().map(|factor| G1::from(G1Affine::generator()).multiply_secret(factor)).collect();
        let points = G1::batch_to_affine(&multiples).expect("no power is 0");
        Self {
            example,
            encoded: points.iter().map(G1Affine::to_bytes).collect(),
            table: FixedBase::new(&points[..N], TableSettings::from_environment().window),
            hiding: SecretBase::new(&points[..4]),
            points,
            digits: (0..DIGITS as u64).map(|at| Scalar::from(at * 151 % 256)).collect(),
            factors,
            domain: Domain::new(N),
            generator: (G1Affine::generator().into(), PreparedG2::from(&G2Affine::generator())),
        }
    }

    /// Adds the pieces of verifying `count` proofs of a batch together.
    pub fn add_verifying<'b>(
        &'b self,
        tasks: &mut Interleaved<'b>,
        engine: Engine,
        batch: &'b Batch<'b>,
        count: usize,
    ) {
        let named = |piece| name(engine, &format!("{count} {piece}"));
        // W_z, W_ωz and all points of F but the generator arrive encoded.
        let encoded = count * (TERMS[1] - 1);
        tasks.add(named("decoding"), engine, move || self.decode(encoded));
        tasks.add(named("hashing"), engine, move || batch.replay(count));
        tasks.add(named("sums"), engine, move || self.sum(count));
        tasks.add(named("pairing"), engine, || self.check_pairing());
    }

    /// Adds the pieces of proving, but for the check, which is a verification.
    pub fn add_proving<'b>(&'b self, tasks: &mut Interleaved<'b>, engine: Engine) {
        tasks.add(name(engine, "input commitments"), engine, || self.example.commit());
        tasks.add(name(engine, "commitments"), engine, || self.commit());
        tasks.add(name(engine, "blinding"), engine, || self.blind());
        tasks.add(name(engine, "transforms"), engine, || self.transform());
    }

    fn decode(&self, count: usize) {
        assert!(G1Affine::decode_each(&self.encoded[..count]).iter().all(Result::is_ok), "good points");
    }

    fn sum(&self, count: usize) {
        linear_combinations(&TERMS.map(|terms| (&self.points[..count * terms], &self.factors[..count * terms])));
    }

    fn check_pairing(&self) {
        let (g1, g2) = &self.generator;
        assert!(pairings_agree(g1, g2, g1, g2), "equal pairs");
    }

    /// d_j and m, whose values are below 256; φ_j − 1/β, which is 0 at padding; the full ones.
    fn commit(&self) {
        let zeros = || std::iter::repeat_n(&Scalar::ZERO, N - DIGITS);
        for _ in 0..=COLUMNS {
            self.table.combine(self.digits.iter().chain(zeros()));
        }
        for _ in 0..COLUMNS {
            self.table.combine(self.factors[..DIGITS].iter().chain(zeros()));
        }
        for _ in 0..FULL_COMMITMENTS {
            self.table.combine(&self.factors[..N]);
        }
    }

    fn blind(&self) {
        for blinders in BLINDED {
            self.hiding.combine(&self.factors[..blinders]);
        }
    }

    fn transform(&self) {
        for _ in 0..TRANSFORMED {
            let mut values = self.factors[..N].to_vec();
            self.domain.to_coset(&mut values);
        }
    }
}

fn name(engine: Engine, piece: &str) -> String {
    format!("{} part {piece}", engine_name(engine))
}

/// The table of one engine: what takes how long in proving, verifying, and verifying each proof of a batch.
pub fn table(medians: &Medians, engine: Engine, batch: usize) -> Value {
    let whole = |task: &str| medians.of(&format!("{} {task}", engine_name(engine)));
    let verifying = |count: usize, whole: f64| {
        let pieces = OF_VERIFYING.map(|piece| medians.of(&name(engine, &format!("{count} {piece}"))));
        split(whole / count as f64, &OF_VERIFYING, &pieces.map(|piece| piece / count as f64))
    };
    let proving = OF_PROVING.map(|piece| match piece {
        "own check" => whole("verify"),
        _ => medians.of(&name(engine, piece)),
    });
    json!({
        "prove": split(whole("prove"), &OF_PROVING, &proving),
        "verify": verifying(1, whole("verify")),
        "batch": verifying(batch, whole("batch")),
    })
}

/// The pieces in order, the rest, and the whole.
fn split(whole: f64, names: &[&str], pieces: &[f64]) -> Value {
    let rest = whole - pieces.iter().sum::<f64>();
    let rows = names.iter().zip(pieces.iter().copied()).map(|(name, piece)| json!([name, rounded(piece)]));
    rows.chain([json!(["rest", rounded(rest)]), json!(["whole", rounded(whole)])]).collect()
}
