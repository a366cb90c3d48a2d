"""From a satellite's events to what the choice of the room hears of it; the clock jumps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bench.virtual_time import run_virtually
from wyoming.audio import AudioChunk
from wyoming.event import Event
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.wake import Detection

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.command import Context
from hearth_server.arbitration import Arbitration
from hearth_server.hearing import WORD_S, Ear, Hearing, Verdict
from hearth_server.satellite_part import SatellitePart
from tests.server.satellite_house import CHUNK_S, FAR, LIGHT, NEAR, SAID, House, answers, as_heard, virtually

CHUNK = bytes(range(1, 65)) * 16  # 32 ms


def part(arbitration: Arbitration, name: str) -> SatellitePart:
    return SatellitePart(arbitration, Ear(name), lambda event: Context(satellite=name))


def detection(**context: Any) -> Event:
    return Detection("alexa", context=context).event()


def run(wake_word: str | None, **context: Any) -> Event:
    event = RunPipeline(PipelineStage.ASR, PipelineStage.TTS, wake_word_name=wake_word).event()
    event.data["context"] = context
    return event


def chunk(at_ms: int | None, rate: int = 16_000) -> AudioChunk:
    return AudioChunk(rate, 2, 1, CHUNK, timestamp=at_ms)


def heard(hearing: Hearing) -> bytes:
    return b"".join(hearing._chunks)


@virtually
async def test_the_wake_word_s_own_sound_is_not_heard_and_a_plain_satellite_s_is_all_heard() -> None:
    house = House({"kitchen": LIGHT})
    kitchen = part(house.arbitration, "kitchen")
    kitchen.hear(chunk(0))
    kitchen.detected(detection())
    hearing = kitchen.opened(run("alexa", lead_ms=364))
    for at_ms in (0, 32, 64, 96, None):
        kitchen.hear(chunk(at_ms))
    assert heard(hearing) == CHUNK * 3, "from 364 - 300 ms on"
    assert hearing.word.pcm == CHUNK * 2, "but kept, to tell how loud its speaker is"
    assert hearing.word.tail_s == 0.3
    kitchen.hear(chunk(None))
    assert heard(hearing) == CHUNK * 4
    kitchen.detected(detection())
    plain = kitchen.opened(run(None))
    kitchen.hear(chunk(0))
    assert heard(plain) == CHUNK
    await house.arbitration.close()


@pytest.mark.parametrize("clock", [(-5000, 0), (5000, 0), (1_790_000_000_000, 0), (-2000, 9000), (5000, -60_000)])
def test_where_the_wake_word_ends_is_not_taken_from_the_satellite_s_clock(clock: tuple[int, int]) -> None:
    async def play() -> None:
        house = House({"kitchen": LIGHT})
        kitchen = part(house.arbitration, "kitchen")
        kitchen.detected(detection())
        hearing = kitchen.opened(run("alexa", lead_ms=364))
        off_ms, set_by_ms = clock
        for at_ms in (0, 32, 64, 96):
            kitchen.hear(chunk(at_ms + off_ms + (set_by_ms if at_ms > 32 else 0)))
        assert heard(hearing) == CHUNK * 2
        assert hearing.word.pcm == CHUNK * 2
        await house.arbitration.close()

    run_virtually(play())


async def played(offsets_s: dict[str, float]) -> dict[str, Any]:
    """Return which of two satellites answers, and why, where each satellite's clock is so many seconds off."""
    house = House({"near": LIGHT, "far": LIGHT})

    async def satellite(name: str, pcm: bytes, late_s: float) -> Verdict:
        def clock_ms() -> int:
            return round(1000 * (house.clock() + offsets_s.get(name, 0.0)))

        await asyncio.sleep(late_s)
        own = part(house.arbitration, name)
        own.detected(Detection("alexa", timestamp=clock_ms(), context={"wake_score": 0.9}).event())
        hearing = own.opened(run("alexa", lead_ms=364))
        for start in range(0, len(pcm), len(CHUNK)):
            own.hear(AudioChunk(16_000, 2, 1, pcm[start : start + len(CHUNK)], timestamp=clock_ms()))
            await asyncio.sleep(CHUNK_S)
        return await hearing.verdict

    verdicts = await asyncio.gather(
        satellite("far", as_heard(SAID, FAR, 1), 0.0), satellite("near", as_heard(SAID, NEAR, 2), 0.05)
    )
    (answer,) = answers(*verdicts)
    await house.arbitration.close()
    rooms: dict[str, Any] = answer.facts()["rooms"]
    return rooms


@pytest.mark.parametrize("offset_s", [-5.0, 5.0])
@pytest.mark.parametrize("wrong", [["near"], ["far"], ["near", "far"]])
def test_the_choice_is_the_same_where_clocks_are_seconds_wrong(wrong: list[str], offset_s: float) -> None:
    right = run_virtually(played({}))
    assert (right["winner"], right["first"]) == ("near", "far")
    assert run_virtually(played({name: offset_s if name == "near" else -offset_s for name in wrong})) == right


@virtually
async def test_a_wake_word_over_a_ringing_timer_tells_no_level() -> None:
    house = House({"kitchen": LIGHT})
    kitchen = part(house.arbitration, "kitchen")
    kitchen.detected(detection())
    hearing = kitchen.opened(run("alexa", lead_ms=364, rang=True))
    for at_ms in (0, 32, 64, 96):
        kitchen.hear(chunk(at_ms))
    assert not hearing.word.pcm
    assert heard(hearing) == CHUNK * 2
    await house.arbitration.close()


@virtually
async def test_of_a_wake_word_without_end_only_seconds_are_kept() -> None:
    house = House({"kitchen": LIGHT})
    kitchen = part(house.arbitration, "kitchen")
    kitchen.detected(detection())
    hearing = kitchen.opened(run("alexa", lead_ms=5000))
    for _ in range(400):
        kitchen.hear(chunk(0))
    assert len(hearing.word.pcm) <= WORD_S * BYTES_PER_SECOND
    assert heard(hearing) == CHUNK * (400 - 147), "what comes after 4.7 s is the command, whatever it says of the time"
    await house.arbitration.close()


@virtually
async def test_each_command_has_its_own_format() -> None:
    house = House({"kitchen": LIGHT})
    kitchen = part(house.arbitration, "kitchen")
    for rate, length in ((16_000, len(CHUNK)), (32_000, len(CHUNK) / 2)):
        hearing = kitchen.opened(run(None))
        for _ in range(50):
            kitchen.hear(chunk(None, rate))
        assert abs(len(heard(hearing)) / 50 - length) < length / 10
    await house.arbitration.close()


@virtually
async def test_a_command_without_a_wake_word_is_not_chosen_about_and_holds_nobody_back() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT, "bath": LIGHT})
    kitchen, hall, bath = (part(house.arbitration, name) for name in ("kitchen", "hall", "bath"))
    reply = kitchen.opened(run(None))
    claims = [p.detected(detection(awaits_claim=True)) for p in (hall, bath)]
    assert [event and event.data["granted"] for event in claims] == [True, False]
    assert [p.opened(run("alexa")).granted for p in (hall, bath)] == [True, False]
    assert part(house.arbitration, "study").opened(run(None)).granted, "nor does it join anybody"
    assert reply.granted
    await house.arbitration.close()


@virtually
async def test_a_wake_word_that_only_the_pipeline_names_is_chosen_about() -> None:
    house = House({"kitchen": LIGHT, "hall": LIGHT})
    kitchen, hall = (part(house.arbitration, name) for name in ("kitchen", "hall"))
    assert kitchen.opened(run("alexa")).granted
    assert not hall.opened(run("alexa")).granted
    await house.arbitration.close()


@virtually
async def test_a_second_detection_before_any_audio_takes_the_first_one_s_place() -> None:
    house = House({"kitchen": LIGHT})
    kitchen = part(house.arbitration, "kitchen")
    kitchen.detected(detection(awaits_claim=True))
    first = kitchen._waking
    second = kitchen.detected(detection(awaits_claim=True))
    assert second is not None
    assert second.data["granted"]
    assert first is not None
    assert first.gone
    kitchen.leave()
    assert kitchen.opened(run(None)).granted
    await house.arbitration.close()
