"""The parts of a sentence about a setting: names that are close, values that are short, what is no JSON."""

from __future__ import annotations

import pytest

from streams.settings import Settings
from streams.settings_errors import did_you_mean, is_duration, misspelt_variable, unreadable

FIELDS = Settings.model_fields


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("partition", "; did you mean partitions?"),
        ("accept_pats", "; did you mean accept_past?"),
        ("colour", ""),
    ],
)
def test_a_name_that_is_close_is_offered(name: str, told: str) -> None:
    assert did_you_mean(name, FIELDS) == told


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("AZOTTE_PARTITION", "AZOTTE_PARTITIONS"), ("AZOTTE_TOPICS_PREFIX", "AZOTTE_TOPIC_PREFIX"), ("AZOTTE_CONFIGS", "AZOTTE_CONFIG"),
        ("AZOTTE_PARTITIONS", None), ("AZOTTE_CONFIG", None), ("AZOTTE_FAULT", None), ("AZOTTE_TEST_DATA", None), ("OTHER_PARTITION", None),
    ],
)  # fmt: skip
def test_a_variable_that_is_misspelt_is_told(
    variable: str, meant: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {variable: "1"})
    found = misspelt_variable(FIELDS)
    assert found == (
        None
        if meant is None
        else f"the environment has {variable}, which is no setting; did you mean {meant}?"
    )


def test_what_is_no_json_names_its_variable() -> None:
    assert unreadable('error parsing value for field "tenant_topics" from source') == (
        'AZOTTE_TENANT_TOPICS is not a JSON object: write it like {"name": "value"}'
    )
    assert unreadable("odd").startswith("a setting of the environment is not")


def test_durations_are_told_from_numbers() -> None:
    assert is_duration(FIELDS["accept_past"])
    assert not is_duration(FIELDS["partitions"])
