"""Kafka's jars: fetched once from Maven Central through jgo, each checked against a pinned SHA-256.

`deploy/kafka/jars.lock` names every jar, `group:artifact:version sha256` a line. No POM is read when they are fetched,
so nothing can change what is on the class path; `python -m streams.stack.jars` writes the lock anew from `ROOTS`.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from streams.stack.errors import StackError

LOCK = Path(__file__).parents[2] / "deploy" / "kafka" / "jars.lock"
KAFKA_VERSION = "4.3.1"
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",)
ADDED = ("org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",)
"""Jars beside Kafka's own, taken alone: their dependencies would override Kafka's versions."""
FETCHES_AT_ONCE = 8


class Jar(NamedTuple):
    """One pinned jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def pinned() -> list[Jar]:
    """Every jar of the lock, in the order of the class path."""
    lines = (line.split() for line in LOCK.read_text().splitlines() if line and not line.startswith("#"))
    found = []
    for coordinate, sha256 in lines:
        group, artifact, version = coordinate.split(":")
        found.append(Jar(group, artifact, version, sha256))
    return found


def missing(folder: Path) -> list[Jar]:
    """The jars that are not in the folder, or not as pinned."""
    return [jar for jar in pinned() if not _holds(folder / jar.filename, jar)]


def fetch(folder: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> list[Path]:
    """The class path, complete and checked; fetches what is missing. Raises `StackError` without a network."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = missing(folder)
    if wanted:
        progress(0, len(wanted))
        with tempfile.TemporaryDirectory(dir=folder) as scratch, ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
            fetches = [pool.submit(_fetch, jar, folder, Path(scratch)) for jar in wanted]
            try:
                for done, fetched in enumerate(as_completed(fetches), 1):
                    fetched.result()
                    progress(done, len(wanted))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return [folder / jar.filename for jar in pinned()]


def _fetch(jar: Jar, folder: Path, scratch: Path) -> None:
    from jgo.maven import MavenContext

    try:
        context = MavenContext(repo_cache=scratch)
        got = (
            context.project(jar.group, jar.artifact)
            .at_version(jar.version)
            .artifact(packaging="jar")
            .resolve()
        )
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise StackError(
            f"{jar.filename} cannot be fetched from Maven Central ({type(error).__name__}): check the network, "
            "then run it again; what is here already is kept"
        ) from None
    if not _holds(got, jar):
        raise StackError(
            f"{jar.filename} is not the pinned file (its SHA-256 differs): run it again, and mistrust the network"
        )
    partial = folder / f".{jar.filename}.part"
    shutil.copyfile(got, partial)
    partial.replace(folder / jar.filename)


def _holds(path: Path, jar: Jar) -> bool:
    return path.is_file() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _resolved(scratch: Path) -> Iterable[str]:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=scratch)
    inputs, transitive = context.resolver.resolve([context.create_dependency(root) for root in ROOTS])
    found = [f"{each.groupId}:{each.artifactId}:{each.version}" for each in (*inputs, *transitive)]
    for coordinate in (*found, *ADDED):
        group, artifact, version = coordinate.split(":")
        path = context.project(group, artifact).at_version(version).artifact(packaging="jar").resolve()
        yield f"{coordinate} {_sha256(path)}"


def main() -> None:
    """Resolve anew and write the lock."""
    with tempfile.TemporaryDirectory() as scratch:
        lines = list(_resolved(Path(scratch)))
    head = f"# Apache Kafka {KAFKA_VERSION} and all it needs. Written by `python -m streams.stack.jars`.\n"
    LOCK.write_text(head + "\n".join(lines) + "\n")
    sys.stdout.write(f"{len(lines)} jars pinned in {LOCK}\n")


if __name__ == "__main__":
    main()
