"""The texts for people name fields that records have, and Slack's are JSON whatever the values are."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest

from rating.times import parse_time
from schemas.webhooks import TYPES
from streams.cli.webhook_samples import sample
from tests.tidy.source import ROOT

FOLDER = ROOT / "deploy" / "notifications"


def values(kind: str, **changed: Any) -> dict[str, str]:
    """The fields of a record as the README's receiver has them before they are escaped."""
    _, body = sample(kind, parse_time("2026-11-22T10:00:00Z"))
    data = json.loads(body)["data"] | changed
    return {name: each if isinstance(each, str) else json.dumps(each) for name, each in data.items()}


def test_every_type_has_both_texts_and_no_other_has() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        "README.md", *(f"{kind}.{end}" for kind in TYPES for end in ("txt", "json")),
    }  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_an_e_mail_has_a_subject_and_a_text(kind: str) -> None:
    text = string.Template((FOLDER / f"{kind}.txt").read_text("utf-8")).substitute(values(kind))
    subject, empty, *lines = text.splitlines()
    assert subject.startswith("Subject: ")
    assert "sample" in subject
    assert empty == ""
    assert lines
    assert "$" not in text


@pytest.mark.parametrize("kind", TYPES)
def test_slacks_body_is_json_whatever_a_name_holds(kind: str) -> None:
    odd = 'a"b\\c'
    escaped = {name: json.dumps(each)[1:-1] for name, each in values(kind, account=odd).items()}
    text = string.Template(Path(FOLDER / f"{kind}.json").read_text("utf-8")).substitute(escaped)
    body = json.loads(text)
    assert odd in body["text"]
    assert odd in body["blocks"][0]["text"]["text"]
