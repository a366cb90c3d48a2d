"""What the card's calibration is fitted on is what the engine makes of the same sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench import calibrate, commands, cut
from hearth_core.audio import read_recording
from hearth_server.asr.micro.confidence import Calibration

TIMER = Path(__file__).parents[1] / "data" / "home-commands" / "00005_set_a_timer_for_5_minutes.flac"


def test_the_engine_is_as_sure_as_the_fit_says_also_where_a_number_is_said() -> None:
    house, pcm = calibrate.House(commands.Setup("micro", demo=True)), read_recording(TIMER)
    house.add("clean", TIMER, commands.Item(TIMER, text="set a timer for 5 minutes"), pcm)
    (heard,), settings = house.heard["clean"], house.engine.judge.settings
    reading = house.reading(heard, settings)
    assert reading is not None
    assert house.choices.numbers(reading.text.split()) == 1
    card = house.engine.model.card.calibration
    made = Calibration(float(card["slope"]), float(card["offset"]))
    chance = made.chance(calibrate.fit_of(house, heard, reading).score)
    stream = house.engine.open()
    stream.feed(cut.given(house.engine, pcm))
    readings = stream.finish()
    stream.close()
    best = readings[0].confidence
    assert best == pytest.approx(chance * reading.posterior, abs=0.002)
    assert best is not None
    ((sure, right),) = calibrate.meant([house], settings, {True: made, False: made})
    assert right
    assert best < sure <= chance, "several sentences that mean it are added up"


def test_each_half_is_judged_by_what_the_other_taught() -> None:
    rng = np.random.default_rng(0)
    found = [
        calibrate.Fit(f"{number}.flac", rng.normal(number % 2, 0.3), 0.0, number % 2 == 1) for number in range(200)
    ]
    first = [each for each in found if calibrate.in_first_half(each.name)]
    assert 70 < len(first) < 130
    made = calibrate.halves(found)
    without = calibrate.halves([each for each in found if each not in first[:50]])
    assert made[True] == without[True]
    assert made[False] != without[False]
