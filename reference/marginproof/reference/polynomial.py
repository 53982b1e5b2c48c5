"""Polynomials over F as lists of coefficients, lowest degree first."""

from collections.abc import Sequence

from marginproof.reference.field import MODULUS, fourier, inverse_fourier, root_of_unity

Polynomial = list[int]


def interpolate(values: Sequence[int]) -> Polynomial:
    """The polynomial of degree < n with these n values on H."""
    return inverse_fourier([value % MODULUS for value in values])


def evaluate(polynomial: Sequence[int], point: int) -> int:
    """The value at a point, by Horner's rule."""
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * point + coefficient) % MODULUS
    return value


def combine(*terms: tuple[int, Sequence[int]]) -> Polynomial:
    """The sum of factor · polynomial over the given pairs."""
    result = [0] * max(len(polynomial) for _, polynomial in terms)
    for factor, polynomial in terms:
        for i, coefficient in enumerate(polynomial):
            result[i] += factor * coefficient
    return [coefficient % MODULUS for coefficient in result]


def multiply(left: Sequence[int], right: Sequence[int]) -> Polynomial:
    """The product, by Fourier transforms of a size that holds its degree."""
    length = len(left) + len(right) - 1
    size = 1 << (length - 1).bit_length()
    root = root_of_unity(size)
    left_values = fourier([*left, *[0] * (size - len(left))], root)
    right_values = fourier([*right, *[0] * (size - len(right))], root)
    product = inverse_fourier([a * b % MODULUS for a, b in zip(left_values, right_values, strict=True)])
    return product[:length]


def scale_argument(polynomial: Sequence[int], factor: int) -> Polynomial:
    """p(factor · X): with factor ω the next value on H."""
    result, power = [], 1
    for coefficient in polynomial:
        result.append(coefficient * power % MODULUS)
        power = power * factor % MODULUS
    return result


def blind(polynomial: Sequence[int], blinders: Sequence[int], n: int) -> Polynomial:
    """Adds blinders(X) · Z_H(X): other coefficients, the same values on H."""
    padded_low = [*polynomial, *[0] * (n + len(blinders) - len(polynomial))]
    shifted = [*[0] * n, *blinders]
    return combine((1, padded_low), (-1, blinders), (1, shifted))


def divide_by_vanishing(polynomial: Sequence[int], n: int) -> Polynomial:
    """The quotient by Z_H = X^n − 1; raises ArithmeticError if the polynomial does not vanish on H."""
    remainder = list(polynomial)
    quotient = [0] * (len(polynomial) - n)
    for i in reversed(range(len(quotient))):
        quotient[i] = remainder[i + n]
        remainder[i] = (remainder[i] + quotient[i]) % MODULUS
    if any(remainder[:n]):
        raise ArithmeticError("the polynomial does not vanish on the domain")
    return quotient


def divide_by_linear(polynomial: Sequence[int], point: int) -> Polynomial:
    """The quotient by X − point; raises ArithmeticError if the polynomial does not vanish at the point."""
    quotient = [0] * (len(polynomial) - 1)
    carry = 0
    for i in reversed(range(len(polynomial))):
        value = (polynomial[i] + carry * point) % MODULUS
        if i == 0:
            if value:
                raise ArithmeticError("the polynomial does not vanish at the point")
            break
        quotient[i - 1] = carry = value
    return quotient
