"""The scalar field F of BLS12-381: roots of unity, Fourier transforms, batch inversion.

Elements are Python integers in [0, r).
"""

from collections.abc import Sequence

from py_ecc.optimized_bls12_381.optimized_curve import curve_order

MODULUS: int = curve_order
"""r, the prime order of the groups."""

GENERATOR = 7
"""A generator of the multiplicative group of F."""

SCALAR_BYTES = 32


def root_of_unity(n: int) -> int:
    """ω = 7^((r−1)/n), of exact order n; n is a power of two ≤ 2^32."""
    return pow(GENERATOR, (MODULUS - 1) // n, MODULUS)


def domain(n: int) -> list[int]:
    """H = 1, ω, …, ω^(n−1), in this order."""
    root = root_of_unity(n)
    elements = [1]
    for _ in range(n - 1):
        elements.append(elements[-1] * root % MODULUS)
    return elements


def inverse(value: int) -> int:
    """value^(−1) mod r; raises ZeroDivisionError for 0."""
    return inverse_all([value])[0]


def inverse_all(values: Sequence[int]) -> list[int]:
    """The inverses of all values with one exponentiation (Montgomery's trick); raises ZeroDivisionError for a 0."""
    prefix_products = [1]
    for value in values:
        prefix_products.append(prefix_products[-1] * value % MODULUS)
    if prefix_products[-1] == 0:
        raise ZeroDivisionError("zero has no inverse in the field")
    running = pow(prefix_products[-1], MODULUS - 2, MODULUS)
    inverses = [0] * len(values)
    for i in reversed(range(len(values))):
        inverses[i] = running * prefix_products[i] % MODULUS
        running = running * values[i] % MODULUS
    return inverses


def fourier(values: Sequence[int], root: int) -> list[int]:
    """Evaluates the polynomial with these coefficients at 1, root, root², …; the length is the order of root."""
    n = len(values)
    if n == 1:
        return list(values)
    square = root * root % MODULUS
    even, odd = fourier(values[::2], square), fourier(values[1::2], square)
    result = [0] * n
    power = 1
    for i in range(n // 2):
        term = power * odd[i] % MODULUS
        result[i] = (even[i] + term) % MODULUS
        result[i + n // 2] = (even[i] - term) % MODULUS
        power = power * root % MODULUS
    return result


def inverse_fourier(values: Sequence[int]) -> list[int]:
    """The coefficients of the polynomial of degree < n with these values on H; n is a power of two."""
    n = len(values)
    scale = inverse(n)
    return [c * scale % MODULUS for c in fourier(values, inverse(root_of_unity(n)))]
