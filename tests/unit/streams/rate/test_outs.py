"""What rating tells of a tenant goes to one partition of the log, whatever partition it comes from."""

from __future__ import annotations

from typing import Any

import pytest

from rating.effects import Effect
from rating.placement import partition_of
from rating.records import TenantUsage
from schemas import topics
from schemas.log import decode_record
from streams.patience import Patience
from streams.rate.outs import Outs
from streams.settings import Settings

TOLD: dict[str, Any] = {"tenant": "acme", "partition": 2, "account": "", "number": 7, "part": 0,
        "figures": [["USD", "tokens", ["eu"], 5, "", "", "1000"]]}  # fmt: skip


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_tenants_usage_goes_to_the_partition_of_the_tenant(count: int) -> None:
    outs = Outs(Settings(topic_prefix="x."), count, Patience("rate", lambda: False))
    (out,) = outs.of(2, [Effect(topics.LOG.name, "acme/", TOLD)])
    assert (out.topic, out.partition, out.key) == ("x.rating.log.v1", partition_of("acme", "", count), None)
    assert out.value is not None
    assert decode_record(out.value) == TenantUsage(**TOLD)


def test_all_else_stays_on_its_partition() -> None:
    (out,) = Outs(Settings(), 8, Patience("rate", lambda: False)).of(
        2, [Effect(topics.THRESHOLDS.name, "acme/", {"id": "t"})]
    )
    assert (out.topic, out.partition, out.key) == ("billing.thresholds.v1", 2, b"acme/")
