"""Where a process's web pages are: the socket, listened at before anything starts, and Faust's web server on it.

Two processes that start at once with one port may both find it free; only one can listen. So nothing is probed: whoever
listens has it, and the other is told before it has done anything.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from aiohttp.web import BaseSite, SockSite
from faust.web.drivers.aiohttp import Web

from streams.kafka import Stop

TRIED = 100
BACKLOG = 1_024


def listen(host: str, port: int, tried: int = 1, name: str = "web") -> socket.socket:
    """Listen at the first free port of so many from this one on; 0 is any. The settings are `NAME_host` and `NAME_port`.

    Raises `Stop`.
    """
    for each in range(port, port + tried):
        try:
            return _listen(host, each)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or each == port + tried - 1:
                raise Stop(_words(name, host, each, error)) from None
    raise AssertionError("at least one port is tried")


def _listen(host: str, port: int) -> socket.socket:
    family, kind, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def _words(name: str, host: str, port: int, error: OSError) -> str:
    setting = f"AZOTTE_{name.upper()}"
    if error.errno == errno.EADDRINUSE:
        return f"{name} port {port} is taken: set {setting}_PORT to a free port, or to 0 for any"
    if error.errno == errno.EACCES:
        return f"{name} port {port} is the system's: set {setting}_PORT to one above 1023, or to 0 for any"
    return f"{name}_host {host} cannot be used ({error.strerror}): set {setting}_HOST to an address of this machine"


def url(listening: socket.socket) -> str:
    """The address to ask."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Pages(Web):
    """Faust's web server on a socket that is there already, its app's `listening`."""

    def _create_site(self) -> BaseSite:
        app: Any = self.app
        return SockSite(self._runner, app.listening)
