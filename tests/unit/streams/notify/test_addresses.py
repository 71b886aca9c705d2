"""Addresses are checked in words that show neither where they lead nor what signs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.webhooks import Webhook
from streams.notify.addresses import ADDRESSES_MAX
from streams.settings import load_settings
from streams.settings_docs import MASK, in_force
from streams.settings_errors import SettingsInvalid

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://me:pw@hooks.example:8443/services/T0KEN"
GOOD: dict[str, Any] = {"url": URL, "secrets": [SECRET]}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("AZOTTE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def webhook(kind: str, tenant: str) -> Webhook:
    return Webhook("1", kind, tenant, f"{tenant}/a", b"")


def test_an_address_comes_from_the_file_or_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "azotte.toml").write_text(
        f'[webhooks.crm]\nurl = "{URL}"\nsecrets = ["{SECRET}"]\ntypes = ["signal.on"]\ntenants = ["acme"]\n'
    )
    crm = load_settings().webhooks["crm"]
    assert crm.url.get_secret_value() == URL
    assert [len(key) for key in crm.keys] == [24]
    assert crm.wants(webhook("signal.on", "acme"))
    assert not crm.wants(webhook("signal.off", "acme"))
    assert not crm.wants(webhook("signal.on", "other"))
    monkeypatch.setenv("AZOTTE_WEBHOOKS", json.dumps({"all": GOOD}))
    everything = load_settings().webhooks["all"]
    assert everything.wants(webhook("period.closed", "any"))


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZOTTE_WEBHOOKS", json.dumps({"crm": {**GOOD, "types": ["signal.on"]}}))
    settings = load_settings()
    shown = dict(in_force(settings))["webhooks"]
    assert shown == f"crm=(https://hooks.example:8443/{MASK} 1 secrets signal.on)"
    for text in (shown, repr(settings), str(settings.webhooks), settings.model_dump_json()):
        assert not [word for word in ("T0KEN", "pw", "MfKQ9r8G") if word in text]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "is not a table of addresses"),
        ({"Crm": GOOD}, "has address 'Crm': name it with small letters, digits, - and _"),
        ({"crm": URL}, "address crm is not a table with url and secrets"),
        ({"crm": {**GOOD, "secret": SECRET}}, "address crm has secret, which is no field; did you mean secrets?"),
        ({"crm": {"secrets": [SECRET]}}, "address crm, url: is not http(s)://host[:port]/path"),
        ({"crm": {**GOOD, "url": "ftp://T0KEN"}}, "address crm, url: is not http(s)://"),
        ({"crm": {**GOOD, "url": "https://h:T0KEN/"}}, "address crm, url: is not http(s)://"),
        ({"crm": {**GOOD, "url": "https:///T0KEN"}}, "address crm, url: is not http(s)://"),
        ({"crm": {**GOOD, "url": "https://h/T0KEN x"}}, "address crm, url: is not http(s)://"),
        ({"crm": {"url": URL}}, "address crm, secrets: is not a list of texts"),
        ({"crm": {"url": URL, "secrets": []}}, "address crm, secrets: give 1 to 5"),
        ({"crm": {"url": URL, "secrets": ["MfKQ9r8G"]}}, "address crm, secrets: one is not whsec_ and then 24 to 64"),
        ({"crm": {**GOOD, "types": "signal.on"}}, "address crm, types: is not a list of texts"),
        ({"crm": {**GOOD, "types": ["signal.no"]}}, "address crm, types: 'signal.no' is none; did you mean signal.on?"),
        ({"crm": {**GOOD, "tenants": [1]}}, "address crm, tenants: is not a list of texts"),
        ({f"a{each}": GOOD for each in range(ADDRESSES_MAX + 1)}, "has 21 addresses, more than 20"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_without_secrets(
    given: object, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZOTTE_WEBHOOKS", json.dumps(given))
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    text = str(caught.value)
    assert text.startswith("AZOTTE_WEBHOOKS ")
    assert told in text
    assert not [word for word in ("T0KEN", "pw@", "MfKQ9r8G") if word in text]


def test_notify_alone_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZOTTE_STAGES", "notify")
    with pytest.raises(SettingsInvalid, match="stages notify needs an address in webhooks"):
        load_settings()
    monkeypatch.setenv("AZOTTE_WEBHOOKS", json.dumps({"crm": GOOD}))
    assert load_settings().stages == "notify"
