"""A slot is one worker's, and the next worker's once it is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams import slot
from streams.slot import NoSlot, take


def test_workers_take_the_first_slots_that_are_free(tmp_path: Path) -> None:
    one, two, three = take(tmp_path), take(tmp_path), take(tmp_path)
    assert [each.number for each in (one, two, three)] == [0, 1, 2]
    assert one.folder == tmp_path / "slots" / "0"
    two.close()
    again = take(tmp_path)
    assert again.number == 1
    for each in (one, three, again):
        each.close()


def test_what_lies_in_a_slot_stays_there(tmp_path: Path) -> None:
    first = take(tmp_path)
    (first.folder / "ids").mkdir()
    first.close()
    second = take(tmp_path)
    assert (second.folder / "ids").is_dir()
    second.close()


def test_a_slot_is_free_when_its_process_is_gone(tmp_path: Path) -> None:
    pid = os.fork()
    if not pid:
        os._exit(take(tmp_path).number)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    mine = take(tmp_path)
    assert mine.number == 0
    mine.close()


def test_a_home_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoSlot, match="set AZOTTE_HOME to a folder that can be written"):
        take(tmp_path / "file")


def test_there_is_a_last_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot, "SLOTS_MAX", 2)
    held = [take(tmp_path), take(tmp_path)]
    with pytest.raises(NoSlot, match="2 workers already: give this one an AZOTTE_HOME of its own"):
        take(tmp_path)
    for each in held:
        each.close()
