"""The part of an amount that a part of a period takes: `P(x, [a, b))` of the contract.

Parts that meet sum to the whole however the period is cut, since each is the difference of two rounded
prefixes.
"""

from __future__ import annotations

from rating.numbers import half_even


def part(x: int, a: int, b: int, start: int, end: int) -> int:
    """`P(x, [a, b))` of the nominal period `[start, end)`; `x` and the result in 10⁻¹², times in µs."""
    length = end - start
    return half_even(x * (b - start), length) - half_even(x * (a - start), length)
