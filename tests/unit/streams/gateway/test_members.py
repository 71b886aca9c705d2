"""What a gateway tells the broker of itself is where others find it."""

from __future__ import annotations

from streams.gateway.members import address_of, client_id


def test_a_member_says_where_it_answers() -> None:
    assert address_of(client_id("http://10.0.0.7:6070")) == "http://10.0.0.7:6070"


def test_other_members_do_not() -> None:
    assert address_of("rdkafka") is None
    assert address_of(client_id("")) is None
