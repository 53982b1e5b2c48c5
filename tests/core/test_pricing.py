import math

import pytest

from marginproof.core import CoreError, black76_price, normal_cdf


def test_the_published_value_passes_through() -> None:
    assert black76_price(True, 100.0, 100.0, 0.6, 0.5) == pytest.approx(16.79959714273636, abs=1e-12)
    assert black76_price(False, 90.0, 100.0, 0.0, 1.0) == 10.0
    assert normal_cdf(0.0) == 0.5


@pytest.mark.parametrize("forward", [0.0, -1.0, math.nan, math.inf])
def test_arguments_outside_the_domain(forward: float) -> None:
    with pytest.raises(CoreError) as refused:
        black76_price(True, forward, 100.0, 0.6, 0.5)
    assert refused.value.code == "PRICING_DOMAIN"
