"""The gateway asked by wrk, where it is there: <https://github.com/wg/wrk>, 4.1 or newer.

wrk sends as fast as it is answered, so a script gives each connection a wait between its requests.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from typing import NamedTuple

CONNECTIONS = 64
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_TIME = r"([\d.]+)(us|ms|s|m)"
_SCRIPT = """
local number = 0
function delay() return {wait_ms} end
function request()
  number = number + 1
  return wrk.format("GET", string.format("{path}", number % {accounts}), {{Authorization = "Bearer {key}"}})
end
"""


class Told(NamedTuple):
    """What wrk printed: requests a second, and seconds of half, of 99 % and of the slowest."""

    per_s: float
    p50: float
    p99: float
    slowest: float


def run(
    address: str, path: str, accounts: int, key: str, rate: int, seconds: int, folder: pathlib.Path
) -> Told | None:
    """Ask about `rate` times a second; `path` has `%d` for an account's number. `None` where there is no wrk."""
    program = shutil.which("wrk")
    if program is None:
        return None
    script = folder / "ask.lua"
    wait_ms = 1_000 * CONNECTIONS // rate
    script.write_text(_SCRIPT.format(wait_ms=wait_ms, path=path, accounts=accounts, key=key), "utf-8")
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), address]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    return read(done.stdout)


def read(text: str) -> Told:
    """What wrk printed. Raises `ValueError` where requests failed, or where it says something else."""
    for wrong in ("Non-2xx", "Socket errors"):
        if wrong in text:
            raise ValueError(f"requests failed:\n{text}")
    per_s = re.search(r"Requests/sec:\s+([\d.]+)", text)
    half, most = re.search(rf"50%\s+{_TIME}", text), re.search(rf"99%\s+{_TIME}", text)
    slowest = re.search(rf"Latency\s+{_TIME}\s+{_TIME}\s+{_TIME}", text)
    if per_s is None or half is None or most is None or slowest is None:
        raise ValueError(f"wrk printed what cannot be read:\n{text}")
    return Told(float(per_s[1]), _s(*half.groups()), _s(*most.groups()), _s(*slowest.groups()[4:]))


def _s(number: str, unit: str) -> float:
    return float(number) * _SECONDS[unit]
