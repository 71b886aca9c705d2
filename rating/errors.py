"""The errors of the kernel, a small tree.

    RatingError                 everything below; none is worth trying again with the same input
    ├── NumberError             a text or number that is not an exact quantity or amount (the user's)
    ├── PriceError              a price document that cannot be priced (the user's)
    │   └── QuoteError          usage that a quote cannot price (the user's)
    ├── TimeError               a text that is not a time, a duration or a time zone (the user's)
    ├── Overflow                an exact result that does not fit the widths that tables and topics have
    └── Refused                 a command that cannot be applied; its text is the `error_detail`

What users send yields the first three as values at the border; `Overflow` in rating parks the account.
"""


class RatingError(Exception):
    """Anything the kernel refuses."""


class NumberError(RatingError):
    """A number that cannot be read exactly; the text names it and the remedy."""


class PriceError(RatingError):
    """A price or usage that cannot be priced."""


class QuoteError(PriceError):
    """Usage that a quote cannot price; the text names the field, the value and the remedy."""


class TimeError(RatingError):
    """Not a time, a duration or a time zone."""


class Overflow(RatingError):
    """An exact result beyond 38 integer digits of an amount or 26 of a quantity."""


class Refused(RatingError):
    """A command that cannot be applied to the account as it is."""
