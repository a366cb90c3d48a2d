"""What docs/time.md says can be said, can be said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hearth_core.command import ResponseKind
from hearth_server.understanding import Understanding
from tests.schedule_fakes import KITCHEN, NOW, rigged

PAGE = (Path(__file__).parents[3] / "docs" / "time.md").read_text(encoding="utf-8")
SAYABLE = [
    sentence
    for line in PAGE.partition("## What can be said")[2].partition("## The rules")[0].splitlines()
    if line.startswith("- ")
    for sentence in re.findall(r'"([^"]+)"', line)
]
# They need something that rings, or was set, to be more than understood.
PRELUDE = ("set a pizza timer for five minutes", "set a 5 minute timer", "wake me at seven am")


def test_the_page_has_sentences() -> None:
    assert len(SAYABLE) > 25


@pytest.mark.parametrize("sentence", SAYABLE)
async def test_a_sentence_of_the_page_is_understood(
    demo_understanding: Understanding, tmp_path: Path, sentence: str
) -> None:
    async with rigged(demo_understanding, tmp_path / "s.db", latitude=52.5, longitude=13.4) as rig:
        for each in PRELUDE:
            await rig.say(each, replace(KITCHEN, now=NOW))
        response = await rig.say(sentence, replace(KITCHEN, now=NOW))
    assert response.kind is not ResponseKind.NOT_UNDERSTOOD
    assert "sun rises" not in response.text


@pytest.mark.parametrize(
    "sentence", re.findall(r'"([^"]+)"', PAGE.partition("**A time that cannot be read**")[2][:160])
)
async def test_a_time_of_the_page_that_cannot_be_read_is_asked(
    demo_understanding: Understanding, tmp_path: Path, sentence: str
) -> None:
    async with rigged(demo_understanding, tmp_path / "s.db") as rig:
        response = await rig.say(f"lock the front door {sentence}", replace(KITCHEN, now=NOW))
    assert response.kind is ResponseKind.QUESTION
