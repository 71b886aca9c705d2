"""Signatures are those of Standard Webhooks, to the byte; a receiver of either secret takes them."""

from __future__ import annotations

import base64

import pytest

from sinks.webhooks.signing import headers, key_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_the_published_example() -> None:
    """The vector that the specification's own libraries test with."""
    found = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}', [key_of(SECRET)])
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "content-type": "application/json",
    }


def test_each_secret_signs_while_they_rotate() -> None:
    alone = [headers("a", 1, b"{}", [key_of(each)])["webhook-signature"] for each in (SECRET, OTHER)]
    both = headers("a", 1, b"{}", [key_of(SECRET), key_of(OTHER)])["webhook-signature"]
    assert both.split(" ") == alone
    assert alone[0] != alone[1]


@pytest.mark.parametrize("changed", [("b", 1, b"{}"), ("a", 2, b"{}"), ("a", 1, b"{ }")])
def test_id_time_and_body_are_signed(changed: tuple[str, int, bytes]) -> None:
    keys = [key_of(SECRET)]
    assert headers(*changed, keys)["webhook-signature"] != headers("a", 1, b"{}", keys)["webhook-signature"]


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_" + "A" * 31, "whsec_" + "AAAA" * 22,
     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa w"],
)  # fmt: skip
def test_a_secret_that_is_none_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match="is not whsec_ and then 24 to 64 bytes") as caught:
        key_of(secret)
    assert not secret or len(secret) < 7 or secret not in str(caught.value)
