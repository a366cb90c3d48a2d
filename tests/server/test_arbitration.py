"""Which satellite answers, played through with a clock that jumps: always one answer, from the right room."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from bench.virtual_time import run_virtually

from hearth_core.command import EndReason
from hearth_core.errors import EngineError, PeerError
from hearth_server.arbitration import Rules
from hearth_server.hearing import Verdict, WakeFacts
from hearth_server.inbox import STARVED_S
from tests.server.satellite_house import (
    CHUNK_S,
    DOOR,
    FAR,
    FLOOR,
    LIGHT,
    NEAR,
    NOTHING,
    RATE,
    SAID,
    House,
    answers,
    as_heard,
    speech,
    virtually,
)


@virtually
async def test_a_satellite_alone_answers_without_waiting() -> None:
    house = House({"kitchen": LIGHT})
    verdict = await house.hears("kitchen", as_heard(SAID, NEAR, 1))
    assert isinstance(verdict, Verdict)
    assert verdict.transcription is not None
    assert verdict.transcription.text == LIGHT[0]
    assert verdict.decision is None
    assert house.decided_s["kitchen"] == pytest.approx(verdict.transcription.audio_seconds, abs=2 * CHUNK_S)
    assert house.recogniser.asked == ["kitchen"]


@virtually
async def test_the_nearer_answers_though_it_came_second_and_only_the_first_may_chime() -> None:
    house = House({"kitchen": ("turn on the light", 0.5), "hall": LIGHT})
    kitchen, hall = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, FAR, 1)), house.hears("hall", as_heard(SAID, NEAR, 2), late_s=0.1)
    )
    assert [v.context.area_id for v in answers(kitchen, hall)] == ["area of hall"]
    assert isinstance(kitchen, Verdict)
    assert kitchen.answered_by == "hall"
    assert [house.hearings[name].granted for name in ("kitchen", "hall")] == [True, False]


@virtually
async def test_a_trusted_text_of_the_first_spares_another_recognition_but_the_room_is_the_nearer() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT})
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, FAR, 1)), house.hears("hall", as_heard(SAID, NEAR, 2), late_s=0.05)
    )
    (answer,) = answers(*verdicts)
    assert answer.context.area_id == "area of hall"
    assert house.recogniser.asked == ["kitchen"]


@virtually
async def test_a_doubtful_text_is_recognised_again_where_it_was_heard_best() -> None:
    house = House({"kitchen": ("turn on the night", 0.4), "hall": LIGHT})
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, FAR, 1)), house.hears("hall", as_heard(SAID, NEAR, 2), late_s=0.05)
    )
    (answer,) = answers(*verdicts)
    assert answer.transcription is not None
    assert answer.transcription.text == LIGHT[0]
    assert house.recogniser.asked == ["kitchen", "hall"]


@pytest.mark.parametrize("late_s", [0.0, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("first", ["near", "far"])
def test_a_late_stream_is_never_a_second_answer(late_s: float, first: str) -> None:
    async def play() -> None:
        house = House({"near": LIGHT, "far": LIGHT})
        verdicts = await asyncio.gather(
            house.hears("near", as_heard(SAID, NEAR, 1), late_s=0.0 if first == "near" else late_s),
            house.hears("far", as_heard(SAID, FAR, 2), late_s=late_s if first == "near" else 0.0),
        )
        (answer,) = answers(*verdicts)
        assert answer.context.satellite == "near"

    run_virtually(play())


@virtually
async def test_a_link_that_dies_in_the_middle_leaves_the_next_best() -> None:
    for dies, lives in (("near", "far"), ("far", "near")):
        house = House({"near": LIGHT, "far": LIGHT})
        verdicts = await asyncio.gather(
            house.hears("near", as_heard(SAID, NEAR, 1), dies_s=1.0 if dies == "near" else None),
            house.hears("far", as_heard(SAID, FAR, 2), late_s=0.05, dies_s=1.0 if dies == "far" else None),
        )
        (answer,) = answers(*verdicts)
        assert answer.context.satellite == lives


@virtually
async def test_all_links_dead_is_no_answer_and_no_waiting_state() -> None:
    house = House({"near": LIGHT, "far": LIGHT})
    verdicts = await asyncio.gather(
        house.hears("near", as_heard(SAID, NEAR, 1), dies_s=1.0),
        house.hears("far", as_heard(SAID, FAR, 2), dies_s=0.5),
    )
    assert answers(*verdicts) == []
    assert house.clock() < 2


@virtually
async def test_a_stream_that_stops_without_a_word_is_left_when_it_starves() -> None:
    for name, other in (("near", "far"), ("far", "near")):
        house = House({"near": LIGHT, "far": LIGHT})
        full = {"near": as_heard(SAID, NEAR, 1), "far": as_heard(SAID, FAR, 2)}
        full[name] = full[name][: RATE * 2]
        verdicts = await asyncio.gather(*(house.hears(n, pcm) for n, pcm in full.items()))
        (answer,) = answers(*verdicts)
        assert answer.context.satellite == other
        assert house.clock() < STARVED_S + 5


@virtually
async def test_the_only_satellite_whose_audio_stops_is_told_what_failed() -> None:
    house = House({"near": LIGHT})
    verdict = await house.hears("near", as_heard(SAID, NEAR, 1)[: RATE * 2])
    assert isinstance(verdict, PeerError)


@virtually
async def test_what_the_next_best_heard_counts_when_the_best_heard_nothing() -> None:
    house = House({"near": NOTHING, "far": LIGHT})
    verdicts = await asyncio.gather(
        house.hears("near", as_heard(SAID, NEAR, 1)), house.hears("far", as_heard(SAID, FAR, 2), late_s=0.05)
    )
    (answer,) = answers(*verdicts)
    assert answer.transcription is not None
    assert answer.transcription.text == LIGHT[0]


@virtually
async def test_a_recogniser_that_fails_at_one_satellite_does_not_take_the_command_from_the_other() -> None:
    house = House({"near": EngineError("broken"), "far": LIGHT})
    near, far = await asyncio.gather(
        house.hears("near", as_heard(SAID, NEAR, 1)), house.hears("far", as_heard(SAID, FAR, 2), late_s=0.05)
    )
    assert isinstance(near, Verdict), "no error sounds where the other one answers"
    assert [v.context.satellite for v in answers(near, far)] == ["far"]


@virtually
async def test_one_that_is_cut_does_not_end_the_command_of_one_that_hears_on() -> None:
    said = speech(3, seconds=4.0)
    whole, cut = as_heard(said, NEAR, 1), as_heard(said, FAR, 2)[: int(1.5 * RATE) * 2]
    house = House({"near": LIGHT, "far": ("turn on", 0.6)})
    verdicts = await asyncio.gather(house.hears("far", cut, stops=True), house.hears("near", whole, late_s=0.05))
    (answer,) = answers(*verdicts)
    assert (answer.context.satellite, answer.transcription and answer.transcription.text) == ("near", LIGHT[0])
    assert house.clock() > 4.0


@virtually
async def test_different_commands_in_two_rooms_at_once_are_both_answered() -> None:
    house = House({"kitchen": LIGHT, "hall": DOOR})
    for seconds in (1.5, 3.0):
        verdicts = await asyncio.gather(
            house.hears("kitchen", as_heard(speech(5, seconds), NEAR, 1)),
            house.hears("hall", as_heard(speech(6, 2.2), NEAR, 2), late_s=0.2),
        )
        said = {v.context.satellite: v.transcription and v.transcription.text for v in answers(*verdicts)}
        assert said == {"kitchen": LIGHT[0], "hall": DOOR[0]}
        await asyncio.sleep(10)


@virtually
async def test_other_sound_with_almost_the_same_words_is_the_same_command_heard_badly() -> None:
    house = House({"kitchen": LIGHT, "hall": ("turn on the night", 0.9)})
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(speech(5), NEAR, 1)), house.hears("hall", as_heard(speech(6), NEAR, 2))
    )
    assert len(answers(*verdicts)) == 1


@virtually
async def test_what_is_the_same_command_is_so_whichever_of_the_two_is_heard_to_its_end_first() -> None:
    for kitchen_s, hall_s in ((3.5, 1.5), (1.5, 3.5)):
        house = House({"kitchen": LIGHT, "hall": ("turn on the night", 0.9)})
        verdicts = await asyncio.gather(
            house.hears("kitchen", as_heard(speech(5, kitchen_s), NEAR, 1)),
            house.hears("hall", as_heard(speech(6, hall_s), FAR, 2)),
        )
        assert len(answers(*verdicts)) == 1, kitchen_s


@virtually
async def test_a_television_beside_another_satellite_is_not_answered() -> None:
    house = House({"kitchen": LIGHT, "hall": NOTHING})
    kitchen, hall = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, NEAR, 1)),
        house.hears("hall", as_heard(speech(7, 6.0), NEAR, 2), late_s=0.1),
    )
    assert [v.context.satellite for v in answers(kitchen, hall)] == ["kitchen"]
    assert isinstance(hall, Verdict)


@virtually
async def test_a_command_is_answered_once_though_a_television_held_the_first_satellite() -> None:
    house = House({"hall": NOTHING, "kitchen": LIGHT})
    hall, kitchen = await asyncio.gather(
        house.hears("hall", as_heard(speech(7, 2.0), NEAR, 2)),
        house.hears("kitchen", as_heard(SAID, FAR, 1), late_s=0.1),
    )
    assert [v.context.satellite for v in answers(kitchen, hall)] == ["kitchen"]


@virtually
async def test_a_detection_after_the_window_is_a_new_command() -> None:
    house = House({"kitchen": LIGHT, "hall": DOOR})
    long = as_heard(speech(8, 5.0), NEAR, 1)
    verdicts = await asyncio.gather(
        house.hears("kitchen", long), house.hears("hall", as_heard(speech(9), NEAR, 2), late_s=1.5)
    )
    assert len(answers(*verdicts)) == 2
    assert house.hearings["hall"].granted


@virtually
async def test_a_link_that_stalled_beyond_the_window_is_still_no_second_answer() -> None:
    house = House({"kitchen": LIGHT, "hall": ("turn off the light", 0.9)})
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, NEAR, 1)), house.hears("hall", as_heard(SAID, FAR, 2), late_s=1.6)
    )
    assert [v.context.satellite for v in answers(*verdicts)] == ["kitchen"]


@virtually
async def test_the_same_command_said_again_is_done_again() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT})
    first = await house.hears("kitchen", as_heard(SAID, NEAR, 1))
    again = await house.hears("hall", as_heard(SAID, NEAR, 2))
    assert len(answers(first, again)) == 2


@virtually
async def test_a_straggler_after_the_verdict_falls_silent() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT}, Rules(window_s=3.0))
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(speech(1, 0.9), NEAR, 1)),
        house.hears("hall", as_heard(speech(1, 0.9), NEAR, 2), late_s=1.9),
    )
    assert [v.context.satellite for v in answers(*verdicts)] == ["kitchen"]
    assert not house.hearings["hall"].granted


@virtually
async def test_satellites_of_different_groups_do_not_hear_each_other() -> None:
    house = House({"kitchen": LIGHT, "barn": LIGHT})
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, NEAR, 1)),
        house.hears("barn", as_heard(SAID, NEAR, 2), group="barn"),
    )
    assert len(answers(*verdicts)) == 2
    assert all(hearing.granted for hearing in house.hearings.values())


@virtually
async def test_the_network_delay_that_pings_show_is_taken_off_the_window() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT})
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, NEAR, 1)),
        house.hears("hall", as_heard(SAID, FAR, 2), late_s=1.2, wake=WakeFacts(delay_s=0.3)),
    )
    assert len(answers(*verdicts)) == 1
    assert not house.hearings["hall"].granted


@virtually
async def test_silence_everywhere_is_told_once() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT})
    quiet = as_heard(np.zeros(7 * RATE), 0, 1)
    verdicts = await asyncio.gather(house.hears("kitchen", quiet), house.hears("hall", quiet, late_s=0.1))
    (told,) = answers(*verdicts)
    assert told.transcription is not None
    assert told.transcription.end is EndReason.NO_SPEECH


@virtually
async def test_the_decision_says_why() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT})
    verdicts = await asyncio.gather(
        house.hears("kitchen", as_heard(SAID, FAR, 1), wake=WakeFacts(score=0.9)),
        house.hears("hall", as_heard(SAID, NEAR, 2), late_s=0.1, wake=WakeFacts(score=0.99)),
    )
    (answer,) = answers(*verdicts)
    rooms = answer.facts()["rooms"]
    assert (rooms["winner"], rooms["first"]) == ("hall", "kitchen")
    hall, kitchen = rooms["satellites"]["hall"], rooms["satellites"]["kitchen"]
    assert 10 < hall["level_dbfs"] - kitchen["level_dbfs"] < 14, "8000 over 2000 are 12 dB"
    assert hall["points"] - kitchen["points"] == pytest.approx(rooms["margin"], abs=0.2)
    assert kitchen["likeness"] > 0.8
    assert kitchen["wake_score"] == 0.9
    assert "snr" in hall["parts"]


@virtually
async def test_a_reply_is_no_command_of_another_room_though_somebody_speaks_there_at_once() -> None:
    house = House({"kitchen": ("yes", 0.9), "hall": DOOR, "bath": LIGHT})
    kitchen, hall, bath = await asyncio.gather(
        house.hears("kitchen", as_heard(speech(11, 0.5), FLOOR * 10, 1), alone=True),
        house.hears("hall", as_heard(speech(12), NEAR, 2), late_s=0.1),
        house.hears("bath", as_heard(speech(12), FAR, 3), late_s=0.2),
    )
    assert {v.context.satellite for v in answers(kitchen, hall, bath)} == {"kitchen", "hall"}
    assert [house.hearings[name].granted for name in ("kitchen", "hall", "bath")] == [True, True, False]
    assert house.decided_s["kitchen"] < house.decided_s["hall"], "nobody is waited for"


@pytest.mark.parametrize("late_s", [0.0, 0.8, 3.0])
def test_a_wake_word_before_a_reply_does_not_make_another_room_answer(late_s: float) -> None:
    async def play() -> None:
        house = House({"kitchen": LIGHT, "hall": LIGHT})
        said = speech(13, 2.0)
        asked = np.concatenate((np.zeros(int(late_s * RATE)), said))
        verdicts = await asyncio.gather(
            house.hears("kitchen", as_heard(asked, FAR, 1), alone=True),
            house.hears("hall", as_heard(said, NEAR, 2), late_s=late_s),
        )
        assert [v.context.satellite for v in answers(*verdicts)] == ["kitchen"]
        assert isinstance(verdicts[1], Verdict)
        assert verdicts[1].answered_by == "kitchen"

    run_virtually(play())


@virtually
async def test_a_satellite_that_was_asked_does_not_do_again_what_is_said_elsewhere() -> None:
    house = House({"kitchen": DOOR, "hall": DOOR})
    said = as_heard(SAID, NEAR, 2)
    heard = as_heard(np.concatenate((np.zeros(2 * RATE), SAID, np.zeros(RATE))), FAR, 1)
    verdicts = await asyncio.gather(
        house.hears("kitchen", heard[: 2 * RATE * 5], alone=True, stops=True),
        house.hears("hall", said[: 2 * RATE * 3], late_s=2.0, stops=True),
    )
    assert len(answers(*verdicts)) == 1


def test_whatever_happens_there_is_one_verdict_each_and_never_two_answers_to_one_command() -> None:
    async def play(seed: int) -> None:
        random = np.random.default_rng(seed)
        names = [f"room {n}" for n in range(int(random.integers(2, 5)))]
        texts: dict[str, tuple[str, float] | Exception] = {}
        for name in names:
            texts[name] = (NOTHING, LIGHT, ("turn on the night", 0.5), EngineError("broken"))[int(random.integers(4))]
        house = House(texts)
        said = speech(seed, float(random.uniform(0.6, 3.0)))

        def heard(index: int) -> bytes:
            pcm = as_heard(said, float(random.uniform(600, 9000)), seed * 10 + index)
            return pcm[: int(random.uniform(0.3, 1.0) * len(pcm)) // 2 * 2] if random.random() < 0.2 else pcm

        verdicts = await asyncio.gather(
            *(
                house.hears(
                    name,
                    heard(index),
                    late_s=float(random.uniform(0, 0.6)),
                    dies_s=float(random.uniform(0, 3)) if random.random() < 0.2 else None,
                    stops=bool(random.random() < 0.5),
                )
                for index, name in enumerate(names)
            )
        )
        assert len(answers(*verdicts)) <= 1, f"seed {seed}"
        assert not any(isinstance(v, TimeoutError) for v in verdicts), f"seed {seed}"
        await asyncio.sleep(60)
        assert not house.arbitration._tasks, "no round goes on for ever"

    for seed in range(60):
        run_virtually(play(seed))
