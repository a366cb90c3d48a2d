"""The bench of rooms runs from end to end without other recordings than the tree's own, and says the same twice."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.rooms_acoustics import build, hear, responses, stand, with_clocks
from bench.rooms_report import missed
from bench.virtual_time import run_virtually

from tests.e2e.test_rooms import ROOT


def run(tmp_path: Path) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "bench" / "rooms.py"), "--cases", "6", "--real", "2", "--json"]
    done = subprocess.run(
        [*command, "--speech", str(tmp_path / "none")], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_short_run_counts_every_case_and_is_the_same_again(tmp_path: Path) -> None:
    one, two = run(tmp_path), run(tmp_path)
    assert one["cases"] == 6
    assert (one["double actions"], one["stuck"]) == (0, 0)
    assert one["speech"] == "examples/recordings"
    assert one["rates"] == two["rates"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"hearth": 0.979}, ["0.979 of 300"]),
        ({"hearth": None, "cases": 0}, ["None of 0"]),
        ({"double actions": 1}, ["1 commands"]),
        ({"stuck": 2, "all cases": 6}, ["6 cases", "2 satellites"]),
    ],
)
def test_a_goal_that_is_missed_is_told(changed: dict[str, Any], told: list[str]) -> None:
    facts = {"hearth": 0.98, "cases": 300, "double actions": 0, "stuck": 0, "all cases": 600, **changed}
    nearer = {"nearer by 6 dB": {"hearth": facts["hearth"], "cases": facts["cases"]}}
    result = {"rates": nearer, "cases": facts["all cases"], **{k: facts[k] for k in ("double actions", "stuck")}}
    found = missed(result)
    assert len(found) == len(told)
    assert all(part in words for part, words in zip(told, found, strict=True))


def test_a_voice_is_loudest_in_its_own_room_and_weaker_by_a_closed_door() -> None:
    random = np.random.default_rng(3)
    lost: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(12):
        house = build(random, 2)
        if house.satellites[1].room - house.satellites[0].room != 1:
            continue
        room = house.satellites[0].room
        ways = responses(house, room, stand(random, house, room))
        own, next_door = (10 * np.log10(float(np.sum(np.square(way)))) for way in ways)
        lost[house.doors[room].loss_db > 0].append(own - next_door)
    assert min(lost[False]) > 3, "dB through an open door"
    assert min(lost[True]) > max(lost[False]) + 10


def test_a_clock_that_is_wrong_by_100_ppm_stretches_the_sound() -> None:
    sound = np.zeros(160_000, np.float32)
    sound[100_000] = 1.0
    assert int(np.argmax(hear(sound, np.ones(1, np.float32), 100.0))) == pytest.approx(99_990, abs=1)


def test_clocks_of_satellites_are_seconds_wrong_and_nothing_else_of_a_house_is_another() -> None:
    house = build(np.random.default_rng(3), 4)
    wrong = with_clocks(np.random.default_rng(4), house)
    assert replace(wrong, satellites=tuple(replace(s, clock_off_s=0.0) for s in wrong.satellites)) == house
    offsets = [satellite.clock_off_s for satellite in wrong.satellites]
    assert len(set(offsets)) == 4
    assert max(offsets) - min(offsets) > 1
    assert all(abs(offset) <= 5 for offset in offsets)


def test_a_state_from_which_nothing_leads_is_found_out() -> None:
    import asyncio

    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="never happens"):
        run_virtually(forever())
