"""What `make install` says where a machine lacks something: one sentence with the remedy, from any Python."""

from __future__ import annotations

import ast
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
BOOTSTRAP = ROOT / "deploy" / "bootstrap.py"
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "requirements.lock", ".venv/installed"])
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(BOOTSTRAP), run_name="__main__")
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("azotte: ")
    assert said.count("\n") == 1
    return said


def pip(folder: Path, script: str) -> None:
    """An environment that is there, whose pip is this shell script."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\n{script}\n')
    python.chmod(0o755)
    (folder / "requirements.lock").write_text("a==1 \\\n" * 45)


def test_a_python_that_is_too_old(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert "Python 3.11 or newer is needed, this is 3.9" in sentence(capsys)


def test_old_pythons_can_read_it() -> None:
    tree = ast.parse(BOOTSTRAP.read_text())
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Match)
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, new)]
    assert BOOTSTRAP.read_text().isascii()


def test_a_python_without_venv(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert "apt-get install python3-venv" in sentence(capsys)


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full: free about"),
        ("Max retries exceeded with url: /simple", "check the network, then run it again"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "the locked packages cannot be installed (THESE PACKAGES"),
    ],
)
def test_pip_s_failure_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, remedy: str
) -> None:
    pip(tmp_path, f"echo '{output}'; exit 1")
    assert remedy in sentence(capsys)


def test_the_long_fetch_shows_how_far_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pip(
        tmp_path,
        "n=0; while [ $n -lt 45 ]; do n=$((n+1)); echo Collecting a==$n; done; echo Installing collected packages: a",
    )
    runpy.run_path(str(BOOTSTRAP), run_name="__main__")
    shown = capsys.readouterr().out
    assert "  20 of 45 packages\n  40 of 45 packages\n  unpacking ...\n" in shown
    assert (tmp_path / ".venv" / "installed").exists()
    assert not (tmp_path / ".venv" / "unfinished").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_what_it_started_and_the_next_run_begins_anew(
    tmp_path: Path, number: signal.Signals
) -> None:
    os.mkfifo(tmp_path / "started")
    pip(tmp_path, "sleep 300 & echo $! > started; wait")
    making = subprocess.Popen(
        [sys.executable, BOOTSTRAP, *sys.argv[1:]],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    sleeping = int((tmp_path / "started").read_text())
    making.send_signal(number)
    _, said = making.communicate(timeout=30)
    assert making.returncode == 1
    assert said == "azotte: interrupted: nothing goes on in the background, and the next run begins anew\n"
    assert not running(sleeping)
    assert (tmp_path / ".venv" / "unfinished").exists()


def test_ctrl_c_while_a_process_starts_ends_that_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pip(tmp_path, "sleep 300")
    started: list[subprocess.Popen[bytes]] = []
    begin = subprocess.Popen

    def interrupted(command: Any, **more: Any) -> subprocess.Popen[bytes]:
        started.append(begin(command, **more))
        if "install" in command:
            os.kill(os.getpid(), signal.SIGINT)
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    assert "interrupted: nothing goes on in the background" in sentence(capsys)
    assert not running(started[-1].pid)
    assert started[-1].returncode is not None


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_make_says_that_there_is_no_python() -> None:
    made = subprocess.run(
        ["make", "--always-make", "install", "PYTHON=no-such-python"],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode != 0
    assert made.stderr.startswith("azotte: there is no no-such-python here: install Python 3.11 or newer")


def test_make_down_installs_nothing_in_order_to_stop_nothing(tmp_path: Path) -> None:
    made = subprocess.run(
        ["make", "--no-print-directory", "--file", ROOT / "Makefile", "down"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stdout) == (0, "nothing is installed here, so nothing runs\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--find-links" not in text
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pinned) > 30
    assert all("==" in line and line.endswith("\\") for line in pinned)


def test_locks_agree_with_each_other() -> None:
    def versions(lock: str) -> dict[str, str]:
        lines = (ROOT / lock).read_text().splitlines()
        pairs = (
            line.split(";")[0].strip(" \\").split("==") for line in lines if "==" in line and line[0] != " "
        )
        return {name.strip(): version.strip() for name, version in pairs}

    least, more, most = (versions(lock) for lock in LOCKS)
    assert least.items() <= more.items() <= most.items()
