"""Addresses that webhooks go to, as the settings have them. The URL is a secret too: Slack's holds a token.

[webhooks.crm]
url = "https://crm.example/hooks/azotte"
secrets = ["whsec_…"]                    # the first is the one to verify with; more while they rotate
types = ["threshold.breached"]           # all, unless given
tenants = ["acme"]                       # all, unless given
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from schemas.catalog.base import suggestion
from schemas.webhooks import TYPES, Webhook
from sinks.webhooks.signing import key_of

ADDRESSES_MAX = 20
"""Each has a consumer and a thread of its own."""
SECRETS_MAX = 5
_FIELDS = ("url", "secrets", "types", "tenants")


@dataclass(frozen=True, slots=True)
class Address:
    """One address, checked. No types or tenants: all of them."""

    url: SecretStr
    secrets: tuple[SecretStr, ...]
    types: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Where it is, without what may be secret: fit to print."""
        parts = urlsplit(self.url.get_secret_value())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def keys(self) -> list[bytes]:
        """What signs."""
        return [key_of(each.get_secret_value()) for each in self.secrets]

    def wants_type(self, name: str) -> bool:
        """Whether webhooks of the type go there."""
        return not self.types or name in self.types

    def wants(self, webhook: Webhook) -> bool:
        """Whether this one goes there."""
        return self.wants_type(webhook.type) and (not self.tenants or webhook.tenant in self.tenants)


def read_addresses(value: object) -> object:
    """The setting. Raises `ValueError`: a sentence that shows neither URL nor secret."""
    if not isinstance(value, Mapping):
        raise ValueError("is not a table of addresses")
    if len(value) > ADDRESSES_MAX:
        raise ValueError(f"has {len(value)} addresses, more than {ADDRESSES_MAX}")
    return {name: _address(name, each) for name, each in value.items()}


def _address(name: str, value: object) -> Address:
    if isinstance(value, Address):
        return value
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name) is None:
        raise ValueError(f"has address {name!r}: name it with small letters, digits, - and _")
    if not isinstance(value, Mapping):
        raise ValueError(f"address {name} is not a table with url and secrets")
    for field in value:
        if field not in _FIELDS:
            meant = suggestion(str(field), _FIELDS)
            raise ValueError(f"address {name} has {field}, which is no field{_meant(meant)}")
    try:
        url = _url(value.get("url"))
        secrets = _texts("secrets", value.get("secrets"))
        if not 1 <= len(secrets) <= SECRETS_MAX:
            raise ValueError(f"secrets: give 1 to {SECRETS_MAX}, `azotte webhooks secret` makes one")
        for each in secrets:
            _checked(each)
        types = _texts("types", value.get("types", []))
        for each in types:
            if each not in TYPES:
                meant = suggestion(each, TYPES)
                raise ValueError(f"types: {each!r} is none{_meant(meant) or ': one of ' + ', '.join(TYPES)}")
        tenants = _texts("tenants", value.get("tenants", []))
    except ValueError as error:
        raise ValueError(f"address {name}, {error}") from None
    return Address(SecretStr(url), tuple(SecretStr(each) for each in secrets), tuple(types), tuple(tenants))


def _meant(name: str | None) -> str:
    return f"; did you mean {name}?" if name else ""


def _checked(secret: str) -> None:
    try:
        key_of(secret)
    except ValueError as error:
        raise ValueError(f"secrets: one {error}") from None


def _texts(field: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{field}: is not a list of texts")
    return list(value)


def _url(value: Any) -> str:
    wrong = ValueError("url: is not http(s)://host[:port]/path")
    if not isinstance(value, str) or re.search(r"[\s\x00-\x1f]", value):
        raise wrong
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not host:
        raise wrong
    return value
