"""The address of a ClickHouse, read from a URL and shown without its password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class ClickHouse:
    """Where ClickHouse answers over HTTP."""

    scheme: str
    host: str
    port: int
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = "azotte"

    @classmethod
    def parse(cls, url: str) -> ClickHouse:
        """Read `http(s)://user:password@host:port/database`; raises `ValueError` that does not show the password."""
        remedy = "is not http(s)://user:password@host:port/database"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError(remedy) from None
        database = parts.path.strip("/") or "azotte"
        if (
            parts.scheme not in ("http", "https")
            or not host
            or not re.fullmatch(r"[A-Za-z_]\w{0,62}", database)
        ):
            raise ValueError(remedy)
        port = port or (8443 if parts.scheme == "https" else 8123)
        user, password = unquote(parts.username or "default"), unquote(parts.password or "")
        return cls(parts.scheme, host, port, user, password, database)

    @property
    def address(self) -> str:
        """The address without user and password: fit to print."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"
