"""The currencies are pinned with the digits of their minor units."""

from __future__ import annotations

import pytest

from rating.currencies import CURRENCIES, minor_digits


@pytest.mark.parametrize(
    ("code", "digits"),
    [("USD", 2), ("EUR", 2), ("JPY", 0), ("CLP", 0), ("KWD", 3), ("TND", 3), ("CLF", 4), ("UYW", 4)],
)
def test_minor_digits(code: str, digits: int) -> None:
    assert minor_digits(code) == digits


def test_the_list_holds_codes_only() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert len(CURRENCIES) == 167
    assert "XAU" not in CURRENCIES


def test_what_is_no_currency_has_no_minor_unit() -> None:
    with pytest.raises(KeyError):
        minor_digits("ZZZ")
