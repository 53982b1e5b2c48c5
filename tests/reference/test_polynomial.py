"""Field and polynomial arithmetic against their definitions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.reference.field import MODULUS, domain, fourier, inverse, inverse_all, inverse_fourier, root_of_unity
from marginproof.reference.polynomial import (
    blind,
    combine,
    divide_by_linear,
    divide_by_vanishing,
    evaluate,
    interpolate,
    multiply,
    scale_argument,
)

scalars = st.integers(0, MODULUS - 1)
polynomials = st.lists(scalars, min_size=1, max_size=20)
quick = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.mark.parametrize("n", [2, 256, 2048, 1 << 32])
def test_roots_have_exact_order(n: int) -> None:
    root = root_of_unity(n)
    assert pow(root, n, MODULUS) == 1
    assert pow(root, n // 2, MODULUS) == MODULUS - 1


@quick
@given(st.lists(st.integers(1, MODULUS - 1), max_size=20))
def test_inverses(values: list[int]) -> None:
    assert all(a * b % MODULUS == 1 for a, b in zip(values, inverse_all(values), strict=True))


def test_zero_has_no_inverse() -> None:
    with pytest.raises(ZeroDivisionError):
        inverse(0)
    with pytest.raises(ZeroDivisionError):
        inverse_all([1, MODULUS, 2])


@quick
@given(st.lists(scalars, min_size=16, max_size=16))
def test_fourier_evaluates_on_the_domain_and_back(coefficients: list[int]) -> None:
    values = fourier(coefficients, root_of_unity(16))
    assert values == [evaluate(coefficients, element) for element in domain(16)]
    assert inverse_fourier(values) == coefficients


@quick
@given(polynomials, polynomials, scalars)
def test_products_and_combinations(left: list[int], right: list[int], point: int) -> None:
    a, b = evaluate(left, point), evaluate(right, point)
    assert evaluate(multiply(left, right), point) == a * b % MODULUS
    assert evaluate(combine((3, left), (-5, right)), point) == (3 * a - 5 * b) % MODULUS
    assert evaluate(scale_argument(left, 9), point) == evaluate(left, 9 * point % MODULUS)


@quick
@given(st.lists(scalars, min_size=8, max_size=8), st.lists(scalars, min_size=1, max_size=4), scalars)
def test_blinding_keeps_the_values_on_the_domain(values: list[int], blinders: list[int], point: int) -> None:
    plain = interpolate(values)
    hidden = blind(plain, blinders, 8)
    assert [evaluate(hidden, element) for element in domain(8)] == values
    vanishing = pow(point, 8, MODULUS) - 1
    assert evaluate(hidden, point) == (evaluate(plain, point) + evaluate(blinders, point) * vanishing) % MODULUS


@quick
@given(polynomials, scalars)
def test_divisions_are_exact_or_refused(quotient: list[int], point: int) -> None:
    by_vanishing = multiply(quotient, [MODULUS - 1, *[0] * 7, 1])
    assert divide_by_vanishing(by_vanishing, 8) == quotient
    with pytest.raises(ArithmeticError):
        divide_by_vanishing(combine((1, by_vanishing), (1, [0, 1])), 8)
    by_linear = multiply(quotient, [-point % MODULUS, 1])
    assert divide_by_linear(by_linear, point) == quotient
    with pytest.raises(ArithmeticError):
        divide_by_linear(combine((1, by_linear), (1, [1])), point)
