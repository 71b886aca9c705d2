"""The table of settings: every field once, its limits in its own words, secrets as stars."""

from __future__ import annotations

import re

from streams.settings import SECRETS, Settings
from streams.settings_docs import MASK, documentation, in_force
from tests.unit.streams.fakes import settings


def test_every_field_is_documented_once_with_its_limits() -> None:
    rows = re.findall(r"^\| `AZOTTE_(\w+)` \| (.+?) \| (.+) \|$", documentation(), re.MULTILINE)
    assert [name.lower() for name, _, _ in rows] == list(Settings.model_fields)
    found = {name: (default, what) for name, default, what in rows}
    assert found["PARTITIONS"][0] == "`8`"
    assert found["PARTITIONS"][1].endswith("(from 1 to 1000)")
    assert found["ACCEPT_PAST"] == ("`35d`", found["ACCEPT_PAST"][1])
    assert found["ACCEPT_PAST"][1].endswith("(from 1m to 400d)")
    assert found["UNKNOWN_SUBJECT"][1].endswith("(one of `keep`, `reject`)")
    assert found["CLICKHOUSE_URL"][0] == "–"


def test_what_is_in_force_shows_no_secret() -> None:
    secret = "s3cr3t-word"
    given = settings(
        kafka_sasl_password=secret, kafka_options={"ssl.key.password": secret}, accept_past="7d", tenant_topics={"usage.a": "a"},
        clickhouse_url=f"http://me:{secret}@house:1/db", schema_registry_url=f"http://registry:8081?token={secret}",
        webhooks={"crm": {"url": f"https://h/{secret}", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}},
    )  # fmt: skip
    found = dict(in_force(given))
    assert list(found) == list(Settings.model_fields)
    assert secret not in str(found)
    assert {name: found[name] for name in sorted(SECRETS)} == {
        "clickhouse_url": f"http://me:{MASK}@house:1/db", "kafka_options": f"ssl.key.password={MASK}",
        "kafka_sasl_password": MASK, "schema_registry_url": "http://registry:8081",
        "webhooks": f"crm=(https://h/{MASK} 1 secrets)",
    }  # fmt: skip
    assert (found["accept_past"], found["tenant_topics"], found["schema_folder"]) == ("7d", "usage.a=a", "")
