//! The group operations against their definitions.

use curve::{
    Domain, FixedBase, G1, G1Affine, G2Affine, PointError, PreparedG2, Scalar, batch_divide, batch_invert,
    linear_combination, pairings_agree, sum_small_multiples,
};
use proptest::prelude::*;

fn point(seed: u64) -> G1Affine {
    G1Affine::generator().multiply_secret(&Scalar::from(seed)).to_affine().unwrap()
}

/// Σ by doubling and adding single points: slow and obvious.
fn slowly(points: &[G1Affine], factors: &[Scalar]) -> G1 {
    points.iter().zip(factors).fold(G1::infinity(), |sum, (point, factor)| sum + point.multiply_secret(factor))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_of_small_multiples(bits in 0_u32..64, raw in proptest::collection::vec(any::<u64>(), 0..70)) {
        let factors: Vec<u64> = raw.iter().map(|factor| factor >> bits).collect();
        let points: Vec<G1Affine> = (1..=factors.len() as u64).map(point).collect();
        let scalars: Vec<Scalar> = factors.iter().map(|factor| Scalar::from(*factor)).collect();
        let expected = slowly(&points, &scalars);
        prop_assert_eq!(sum_small_multiples(&points, &factors), expected);
        prop_assert_eq!(linear_combination(&points, &scalars), expected);
    }

    #[test]
    fn linear_combinations(seed in any::<[u8; 32]>(), length in 0_usize..50) {
        let mut wide = [0; 64];
        wide[..32].copy_from_slice(&seed);
        let factors = Scalar::from_wide_be_bytes(&wide).powers(length);
        let points: Vec<G1Affine> = (1..=length as u64).map(point).collect();
        let expected = slowly(&points, &factors);
        prop_assert_eq!(linear_combination(&points, &factors), expected);
        prop_assert_eq!(FixedBase::new(&points, FixedBase::DEFAULT_WINDOW).combine(&factors), expected);
    }
}

#[test]
fn fixed_bases_at_the_edges() {
    let points = [point(3), point(3), -point(3), point(5), point(5), point(7)];
    let base = FixedBase::new(&points, FixedBase::DEFAULT_WINDOW);
    let (one, last) = (Scalar::one(), -Scalar::one());
    for factors in [
        [Scalar::ZERO; 6],
        [one; 6],
        [last; 6],
        [last, one, one, Scalar::from(127), Scalar::from(128), Scalar::from(129)],
        [Scalar::from(u64::MAX), Scalar::from(255), Scalar::from(256), last, last, Scalar::from(0x8080_8080)],
        [one, Scalar::ZERO, one, one, last, Scalar::ZERO],
    ] {
        assert_eq!(base.combine(&factors), slowly(&points, &factors));
    }
}

#[test]
fn fixed_bases_return_from_their_bytes() {
    let points = [point(3), point(5)];
    let factors = [-Scalar::one(), Scalar::from(77)];
    for window in [3, FixedBase::DEFAULT_WINDOW, 7] {
        let base = FixedBase::new(&points, window);
        let bytes = base.to_bytes();
        let again = FixedBase::from_pinned_bytes(window, &bytes).unwrap();
        for base in [&base, &again] {
            assert_eq!(base.combine(&factors), slowly(&points, &factors));
        }
        assert_eq!(again.to_bytes(), bytes);
        assert_eq!(again.bytes(), base.bytes());
        assert_eq!(again.points(), points);
        assert_eq!(bytes.len(), FixedBase::encoded_length(points.len(), window));

        let refused = |bytes: &[u8]| FixedBase::from_pinned_bytes(window, bytes).is_none();
        assert!(refused(&bytes[..bytes.len() - 1]));
        assert!(refused(&bytes[..bytes.len() - 96]));
        assert!(refused(&[&bytes[..], &bytes[..96]].concat()));
        assert!(refused(&[&bytes[..], &[0]].concat()));
        for wrong in [0, 0xff] {
            let mut changed = bytes.clone();
            changed[96..][..48].fill(wrong);
            assert!(refused(&changed));
        }
    }
}

#[test]
fn lists_of_factors_are_combined_apart() {
    let points = [point(3), point(3), point(5)];
    let base = FixedBase::new(&points, 4);
    let lists = [[1, 2, 3], [0, 0, 0], [7, 7, 7]].map(|list| list.map(Scalar::from));
    let sums = base.combine_each(&lists);
    assert_eq!(sums, lists.map(|factors| slowly(&points, &factors)));
    assert!(base.combine_each(Vec::<[&Scalar; 3]>::new()).is_empty());
}

#[test]
fn equal_and_opposite_points_add_up() {
    let (p, q) = (point(3), -point(3));
    let two = [Scalar::from(5), Scalar::from(6)];
    assert_eq!(linear_combination(&[p, p], &two), p.multiply_secret(&Scalar::from(11)));
    assert!(linear_combination(&[p, q], &[Scalar::from(5), Scalar::from(5)]).is_infinity());
    let many = vec![p; 300];
    assert_eq!(sum_small_multiples(&many, &[1; 300]), p.multiply_secret(&Scalar::from(300)));
    let alternating: Vec<G1Affine> = (0..300).map(|index| if index % 2 == 0 { p } else { q }).collect();
    assert!(sum_small_multiples(&alternating, &[9; 300]).is_infinity());
}

fn evaluated(coefficients: &[Scalar], at: Scalar) -> Scalar {
    coefficients.iter().rev().fold(Scalar::ZERO, |sum, coefficient| sum * at + *coefficient)
}

#[test]
fn values_move_to_the_coset_and_return() {
    for size in [2, 4, 16, 256] {
        let domain = Domain::new(size);
        let coefficients: Vec<Scalar> = (0..size as u64).map(|index| Scalar::from(index * index + 3)).collect();
        let on_domain: Vec<Scalar> = domain.elements().iter().map(|x| evaluated(&coefficients, *x)).collect();
        let on_coset: Vec<Scalar> = domain.coset_elements().map(|x| evaluated(&coefficients, x)).collect();
        let mut values = on_domain.clone();
        assert_eq!(domain.to_coset(&mut values), coefficients[size - 1]);
        assert_eq!(values, on_coset);
        domain.from_coset(&mut values);
        assert_eq!(values, on_domain);
    }
}

#[test]
fn elements_of_domain_and_coset() {
    let domain = Domain::new(16);
    for (element, inverse) in domain.elements().iter().zip(domain.inverses()) {
        assert_eq!((element.pow(16), *element * *inverse), (Scalar::one(), Scalar::one()));
    }
    assert_ne!(domain.generator().pow(8), Scalar::one());
    for element in domain.coset_elements() {
        assert_eq!(element.pow(16) - Scalar::one(), domain.coset_vanishing());
    }
    assert!(!domain.coset_vanishing().is_zero());
}

#[test]
fn lagrange_points_interpolate() {
    // τ = 11: Σ values · L_i(τ) is the polynomial at τ.
    let domain = Domain::new(16);
    let coefficients: Vec<Scalar> = (0..16_u64).map(|index| Scalar::from(index * index + 3)).collect();
    let values: Vec<Scalar> = domain.elements().iter().map(|x| evaluated(&coefficients, *x)).collect();
    let mut lagrange: Vec<G1> =
        Scalar::from(11).powers(16).iter().map(|power| G1Affine::generator().multiply_secret(power)).collect();
    domain.lagrange_points(&mut lagrange);
    let points = G1::batch_to_affine(&lagrange).unwrap();
    let at_tau = evaluated(&coefficients, Scalar::from(11));
    assert_eq!(linear_combination(&points, &values), G1Affine::generator().multiply_secret(&at_tau));
}

#[test]
fn field_laws_at_the_edges() {
    let last = -Scalar::one();
    assert_eq!(last + Scalar::one(), Scalar::ZERO);
    assert_eq!(last * last, Scalar::one());
    assert!(Scalar::ZERO.invert().is_none());
    let mut with_zero = [Scalar::from(2), Scalar::ZERO];
    assert!(!batch_invert(&mut with_zero));
    let mut elements = [Scalar::from(2), last, Scalar::from(9)];
    assert!(batch_invert(&mut elements));
    assert_eq!(elements[2] * Scalar::from(9), Scalar::one());
    assert!(batch_divide(Scalar::from(18), &mut elements));
    assert_eq!(elements, [Scalar::from(36), -Scalar::from(18), Scalar::from(162)]);
    let mut bytes = curve::MODULUS_BYTES;
    assert!(Scalar::from_be_bytes(&bytes).is_err());
    bytes[31] = 0;
    assert_eq!(Scalar::from_be_bytes(&bytes), Ok(last));
    assert!(Scalar::from_be_bytes(&[0xff; 32]).is_err());
    assert_eq!(Scalar::from_wide_be_bytes(&[0xff; 64]), Scalar::from(2).pow(512) - Scalar::one());
    assert_eq!(format!("{:?}", Scalar::from(77)), "Scalar(…)");
}

#[test]
fn points_decode_only_from_their_one_encoding() {
    let good = point(7).to_bytes();
    assert_eq!(G1Affine::from_bytes(&good), Ok(point(7)));
    let mut no_flag = good;
    no_flag[0] &= 0x7f;
    assert_eq!(G1Affine::from_bytes(&no_flag), Err(PointError::Encoding));
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    assert_eq!(G1Affine::from_bytes(&infinity), Err(PointError::Infinity));
    for (at, bits) in [(0, 0x20), (47, 1)] {
        let mut other_infinity = infinity;
        other_infinity[at] |= bits;
        assert_eq!(G1Affine::from_bytes(&other_infinity), Err(PointError::Encoding));
    }
    let mut too_large = [0xff; 48];
    too_large[0] = 0x9f;
    assert_eq!(G1Affine::from_bytes(&too_large), Err(PointError::Encoding));
    // x + p: the same x, unreduced.
    const P: [u8; 48] = [
        0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7, 0x64, 0x77,
        0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24, 0x1e, 0xab, 0xff, 0xfe,
        0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
    ];
    let aliased = (1..200).map(point).find_map(|candidate| unreduced(candidate.to_bytes(), &P)).unwrap();
    assert_eq!(G1Affine::from_bytes(&aliased), Err(PointError::Encoding));
    // x = 4 is on the curve, but that point has a cofactor.
    let mut outside = [0; 48];
    (outside[0], outside[47]) = (0x80, 4);
    assert_eq!(G1Affine::from_bytes(&outside), Err(PointError::NotInSubgroup));
}

/// The encoding with x + p in place of x, where that fits 381 bits.
fn unreduced(bytes: [u8; 48], modulus: &[u8; 48]) -> Option<[u8; 48]> {
    let mut sum = bytes;
    let flags = sum[0] & 0xe0;
    sum[0] &= 0x1f;
    let mut carry = 0;
    for (byte, addend) in sum.iter_mut().zip(modulus).rev() {
        let wide = u16::from(*byte) + u16::from(*addend) + carry;
        (*byte, carry) = (wide as u8, wide >> 8);
    }
    (sum[0] < 0x20).then(|| {
        sum[0] |= flags;
        sum
    })
}

#[test]
fn pairings_compare_products() {
    let (g1, g2) = (G1::from(G1Affine::generator()), PreparedG2::from(&G2Affine::generator()));
    assert!(pairings_agree(&g1, &g2, &g1, &g2));
    assert!(!pairings_agree(&g1, &g2, &(g1 + g1), &g2));
    assert!(pairings_agree(&G1::infinity(), &g2, &G1::infinity(), &g2));
    assert!(!pairings_agree(&G1::infinity(), &g2, &g1, &g2));
    assert_eq!(G2Affine::from_bytes(&[0; 96]), Err(PointError::Encoding));
    let mut infinity = [0; 96];
    infinity[0] = 0xc0;
    assert_eq!(G2Affine::from_bytes(&infinity), Err(PointError::Infinity));
}
