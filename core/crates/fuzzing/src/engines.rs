//! Both engines compute what the definition says.

use std::sync::OnceLock;

use arbitrary::Unstructured;
use curve::{
    Engine, FixedBase, G1, G1_BYTES, G1Affine, G2Affine, PointError, PreparedG2, Scalar, linear_combinations,
    pairings_agree, sum_small_multiples,
};

use crate::groups::{encoded_point, point, scalar};

/// Enough for several rounds of eight lanes.
const MOST_POINTS: usize = 40;

/// What is computed.
struct Task {
    points: Vec<G1Affine>,
    factors: Vec<Scalar>,
    other_factors: Vec<Scalar>,
    small_factors: Vec<u64>,
    window: u32,
    encodings: Vec<[u8; G1_BYTES]>,
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    combinations: Vec<G1>,
    fixed_base: Vec<G1>,
    small_multiples: G1,
    decoded: Vec<Result<G1Affine, PointError>>,
    pairings_agree: bool,
}

pub(crate) fn run(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let task = Task::draw(bytes)?;
    let before = Engine::active();
    for engine in [Engine::Scalar, Engine::Vector] {
        if engine.select() {
            assert_eq!(task.compute(), task.by_definition(), "{engine:?}");
        }
    }
    assert!(before.select(), "the engine that was at work");
    Ok(())
}

impl Task {
    fn draw(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let count = bytes.int_in_range(0..=MOST_POINTS)?;
        let points = (0..count).map(|_| few_points(bytes)).collect::<arbitrary::Result<_>>()?;
        let factors = (0..count).map(|_| few_factors(bytes)).collect::<arbitrary::Result<_>>()?;
        let other_factors = (0..count).map(|_| few_factors(bytes)).collect::<arbitrary::Result<_>>()?;
        let largest = if bytes.arbitrary()? { u64::MAX } else { 255 };
        let small_factors = (0..count).map(|_| bytes.int_in_range(0..=largest)).collect::<arbitrary::Result<_>>()?;
        let window = bytes.int_in_range(3..=7)?;
        let encodings = (0..bytes.int_in_range(0..=18_u8)?).map(|_| encoded_point(bytes));
        let encodings = encodings.collect::<arbitrary::Result<_>>()?;
        Ok(Self { points, factors, other_factors, small_factors, window, encodings })
    }

    /// By the fast ways, with the engine that is selected.
    fn compute(&self) -> Outcome {
        let lists = [&self.factors, &self.other_factors];
        let combinations = linear_combinations(&lists.map(|factors| (self.points.as_slice(), factors.as_slice())));
        let generator = prepared_generator();
        Outcome {
            pairings_agree: pairings_agree(&combinations[0], generator, &combinations[1], generator),
            combinations,
            fixed_base: FixedBase::new(&self.points, self.window).combine_each(lists),
            small_multiples: sum_small_multiples(&self.points, &self.small_factors),
            decoded: G1Affine::decode_each(&self.encodings),
        }
    }

    /// One multiplication for each point, one decoding for each encoding.
    fn by_definition(&self) -> Outcome {
        let sum = |factors: &[Scalar]| {
            let products = self.points.iter().zip(factors).map(|(point, factor)| point.multiply_secret(factor));
            products.fold(G1::infinity(), |sum, product| sum + product)
        };
        let small: Vec<Scalar> = self.small_factors.iter().copied().map(Scalar::from).collect();
        let combinations = vec![sum(&self.factors), sum(&self.other_factors)];
        Outcome {
            pairings_agree: combinations[0] == combinations[1],
            fixed_base: combinations.clone(),
            combinations,
            small_multiples: sum(&small),
            decoded: self.encodings.iter().map(G1Affine::from_bytes).collect(),
        }
    }
}

fn prepared_generator() -> &'static PreparedG2 {
    static PREPARED: OnceLock<PreparedG2> = OnceLock::new();
    PREPARED.get_or_init(|| PreparedG2::from(&G2Affine::generator()))
}

/// Mostly one of few points and their opposites: equal and opposite points are where formulas have exceptions.
fn few_points(bytes: &mut Unstructured<'_>) -> arbitrary::Result<G1Affine> {
    static FEW: OnceLock<Vec<G1Affine>> = OnceLock::new();
    let few = FEW.get_or_init(|| {
        let multiples = (1..=16).map(|factor| G1Affine::generator().multiply_secret(&Scalar::from(factor)));
        let multiples: Vec<G1> = multiples.flat_map(|multiple| [multiple, -multiple]).collect();
        G1::batch_to_affine(&multiples).expect("multiples below r")
    });
    if bytes.ratio(7, 8)? { Ok(*bytes.choose(few)?) } else { point(bytes) }
}

/// Often equal ones, so that buckets fill up.
fn few_factors(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Scalar> {
    if bytes.arbitrary()? { Ok(Scalar::from(bytes.int_in_range(0..=3)?)) } else { scalar(bytes) }
}
