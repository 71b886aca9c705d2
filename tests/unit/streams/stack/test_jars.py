"""Kafka's jars: pinned by checksum, fetched only where missing, refused where another file comes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from streams.stack import jars
from streams.stack.errors import StackError
from streams.stack.jars import Jar

CONTENT = b"a jar"
JAR = Jar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def _one_jar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "pinned", lambda: [JAR])


class Repository:
    """Maven as jgo shows it: hands out one file, or fails."""

    def __init__(self, folder: Path, content: bytes, fault: Exception | None = None) -> None:
        self._file = folder / "fetched"
        self._file.write_bytes(content)
        self._fault = fault
        self.asked = 0

    def __call__(self, repo_cache: Path) -> Repository:
        return self

    def project(self, group: str, artifact: str) -> Repository:
        return self

    def at_version(self, version: str) -> Repository:
        return self

    def artifact(self, packaging: str) -> Repository:
        return self

    def resolve(self) -> Path:
        self.asked += 1
        if self._fault is not None:
            raise self._fault
        return self._file


def use(monkeypatch: pytest.MonkeyPatch, repository: Repository) -> None:
    monkeypatch.setattr("jgo.maven.MavenContext", repository)


def test_the_lock_pins_kafka_and_everything_by_checksum() -> None:
    pinned = jars.pinned()
    assert len({jar.filename for jar in pinned}) == len(pinned) > 40
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in pinned)
    kafka = {jar.version for jar in pinned if jar.group == "org.apache.kafka"}
    assert kafka == {jars.KAFKA_VERSION}


@pytest.mark.usefixtures("_one_jar")
def test_what_is_missing_is_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository = Repository(tmp_path, CONTENT)
    use(monkeypatch, repository)
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        path = jars.fetch(tmp_path / "jars", lambda done, of: seen.append((done, of)))
        assert [each.read_bytes() for each in path] == [CONTENT]
    assert (repository.asked, seen) == (1, [(0, 1), (1, 1)])


@pytest.mark.usefixtures("_one_jar")
def test_a_broken_file_is_fetched_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, Repository(tmp_path, CONTENT))
    folder = tmp_path / "jars"
    folder.mkdir()
    (folder / JAR.filename).write_bytes(CONTENT[:3])
    assert jars.missing(folder) == [JAR]
    jars.fetch(folder)
    assert not jars.missing(folder)


@pytest.mark.usefixtures("_one_jar")
def test_another_file_than_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, Repository(tmp_path, b"something else"))
    with pytest.raises(StackError, match=r"thing-1\.0\.jar is not the pinned file"):
        jars.fetch(tmp_path / "jars")
    assert list((tmp_path / "jars").iterdir()) == []


@pytest.mark.usefixtures("_one_jar")
@pytest.mark.parametrize("fault", [OSError("no route"), RuntimeError("404")])
def test_no_network_is_one_sentence_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Exception
) -> None:
    use(monkeypatch, Repository(tmp_path, CONTENT, fault))
    with pytest.raises(StackError, match=r"cannot be fetched .* check the network"):
        jars.fetch(tmp_path / "jars")
