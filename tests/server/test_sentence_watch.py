"""Watching the folders of sentences."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hearth_intents.sentence_folders import SentenceFolders
from hearth_server.sentence_watch import tell_problems, watching

GOOD = "language: en\nintents: {Go: {data: [{sentences: [go]}]}}\n"


async def test_change_is_told_and_a_folder_taken_away_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "own.yaml").write_text(GOOD)
    folders = SentenceFolders("en", [tmp_path], builtin=False)
    folders.load()
    changed = asyncio.Event()
    async with watching(folders, changed.set, look_s=0.01), asyncio.timeout(30):
        (tmp_path / "own.yaml").write_text(GOOD.replace("[go]", "[go away]"))
        await changed.wait()
        (tmp_path / "own.yaml").write_text("bad: [")
        folders.load()
        tell_problems(folders)
        tell_problems(folders)
    told = [record.getMessage() for record in caplog.records if "own.yaml" in record.getMessage()]
    assert len(told) == 1
    assert told[0].endswith("its last good text stays in use")
