"""The settings as a table: as they are now, with secrets masked, and as documentation.

`docs/settings.md` is what `documentation` returns; a test keeps it current.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr

from streams.durations import show_duration
from streams.notify.addresses import Address
from streams.settings import SECRETS, Settings
from streams.settings_errors import PREFIX, is_duration

MASK = "********"
_SECTIONS = {
    "home": "The local stack",
    "kafka_bootstrap_servers": "Servers to use instead",
    "topic_prefix": "Topics",
    "accept_past": "What is accepted",
    "stages": "The worker",
    "sink_batch_rows": "The sink",
    "gateway_host": "The gateway",
    "webhooks": "Webhooks",
    "web_host": "Web pages and logs",
}
"""The field that each section of the documentation begins with."""
_HEAD = """# Settings

From the environment, and from one TOML file: the one that `AZOTTE_CONFIG` names, else `azotte.toml` in the working
folder. Its keys are the names below without `AZOTTE_`, in small letters; the environment wins. Durations are a number
with `ms s m h d`. `azotte settings show` prints what is in force, secrets masked.

This page is generated: `azotte settings table > docs/settings.md`.
"""


def documentation() -> str:
    """The Markdown page of all settings."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        if name in _SECTIONS:
            lines += [f"\n## {_SECTIONS[name]}\n", "| setting | unless set | what |", "|---|---|---|"]
        what = str(field.description).replace("|", "\\|")
        limits = _limits(field)
        lines.append(f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {what}{limits} |")
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    return "–" if value in (None, "", {}) else f"`{value}`"


def _limits(field: Any) -> str:
    duration = is_duration(field)
    words = []
    for word, bound in (("ge", "from"), ("le", "to")):
        for item in field.metadata:
            if (limit := getattr(item, word, None)) is not None:
                words.append(f"{bound} {show_duration(limit) if duration else limit}")
    values = getattr(field.annotation, "__args__", ())
    if values and all(isinstance(value, str) for value in values):
        words = ["one of " + ", ".join(f"`{value}`" for value in values)]
    return f" ({' '.join(words)})" if words else ""


def in_force(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each field's name and value as text, secrets masked."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if name == "kafka_options":
            yield name, ", ".join(f"{option}={MASK}" for option in value)
        elif name == "webhooks":
            yield name, ", ".join(f"{each}={_address(address)}" for each, address in value.items())
        elif name in SECRETS:
            yield name, _masked(value)
        elif is_duration(field):
            yield name, show_duration(value)
        elif isinstance(value, dict):
            yield name, ", ".join(f"{key}={item}" for key, item in value.items())
        else:
            yield name, "" if value is None else str(value)


def _address(address: Address) -> str:
    """Where an address is and what it wants; what follows the host may be secret."""
    words = [f"{address.host}/{MASK}", f"{len(address.secrets)} secrets", *address.types, *address.tenants]
    return f"({' '.join(words)})"


def _masked(value: SecretStr | None) -> str:
    """A URL with its password hidden, anything else wholly."""
    if value is None:
        return ""
    found = re.fullmatch(r"(\w+://)(?:([^/]*)@)?([^@?]*)(?:\?.*)?", value.get_secret_value())
    if found is None:
        return MASK
    user = f"{found[2].split(':')[0]}:{MASK}@" if found[2] else ""
    return found[1] + user + found[3]
