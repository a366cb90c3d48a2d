"""The cases of `bench/rooms.py`: a command in a house, as each satellite hears it and its wake word model takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hearth_satellite.loudness import Loudness as WakeLoudness
from hearth_satellite.wake import MicroWakeWord

from .rooms_acoustics import RATE, House, Placed, Sound, build, hear, responses, stand, with_clocks
from .rooms_speech import Said, Speech, load_noises, pink

COMMANDS_PER_HOUSE: Final = 12
CHUNK: Final = 512
_LEAD_S: Final = 2.6  # of the room before the wake word
_TAIL_S: Final = 1.2
# Less than a satellite sends: the end of these wake words is taken for a command of its own by recogniser and
# end-pointer.
PREROLL_S: Final = 0.1
_TWO_PEOPLE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Heard:
    """What one satellite makes of a case."""

    satellite: int
    pcm: bytes  # from the preroll on
    detected_s: float  # on the house's clock
    score: float | None
    noise_dbfs: float | None
    true_dbfs: float  # of the speaker in the right room, before gain and noise
    says: str  # which of the commands is louder here


@dataclass(slots=True)
class Case:
    """One moment in a house and what became of it."""

    satellites: int
    number: int  # how many commands the house has heard before
    two_people: bool
    right_rooms: dict[str, int]  # text -> room
    heard: list[Heard] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)  # satellite, text
    first: int | None = None
    loudest: int | None = None
    nearest: int | None = None
    lead_db: float | None = None  # of the nearest over the next
    decided_after_s: float = 0.0
    recognised: int = 0
    stuck: bool = False
    evidence: list[dict[str, Any]] = field(default_factory=list)


def simulate(seed: int, cases: int, speech: Speech) -> Iterator[tuple[Case, House, list[Said]]]:
    """Yield cases, house after house, each as its satellites hear it."""
    random = np.random.default_rng(seed)
    clocks = np.random.default_rng([seed, 1])  # their own, so that the houses are the same with right clocks
    noises = load_noises(speech.folder)
    done = 0
    while done < cases:
        house = with_clocks(clocks, build(random, int(random.integers(2, 5))))
        wake = str(random.choice(sorted(speech.wake)))
        for number in range(min(COMMANDS_PER_HOUSE, cases - done)):
            done += 1
            two = bool(random.random() < _TWO_PEOPLE)
            places = random.choice([s.room for s in house.satellites], 1 + two, replace=False)
            said = [speech.say(random, wake) for _ in places]
            while two and said[1].text == said[0].text:
                said[1] = speech.say(random, wake)
            yield _heard(random, house, [int(p) for p in places], said, wake, noises, number), house, said


def _heard(
    random: np.random.Generator,
    house: House,
    rooms: Sequence[int],
    said: Sequence[Said],
    wake: str,
    noises: Sequence[Sound],
    number: int,
) -> Case:
    case = Case(len(house.satellites), number, len(said) > 1, {s.text: r for s, r in zip(said, rooms, strict=True)})
    length = int(_LEAD_S * RATE) + max(len(s.sound) for s in said) + int((_TAIL_S + 0.3) * RATE)
    voices: list[list[Sound]] = []
    for room, one in zip(rooms, said, strict=True):
        padded = np.zeros(length, np.float32)
        at = int((_LEAD_S + random.uniform(0, 0.3) * (len(said) > 1)) * RATE)
        padded[at : at + len(one.sound)] = one.sound
        way = responses(house, room, stand(random, house, room))
        voices.append([hear(padded, r, s.clock_ppm) for r, s in zip(way, house.satellites, strict=True)])
    for index, satellite in enumerate(house.satellites):
        levels = [10 * np.log10(float(np.mean(np.square(v[index]))) + 1e-15) for v in voices]
        mixed = sum(v[index] for v in voices) + _noise(random, satellite, noises, length)
        mixed = np.clip(mixed * 10 ** (satellite.gain_db / 20), -1.0, 32767 / 32768)
        found = _detect(np.rint(mixed * 32768).astype("<i2"), wake)
        if found is not None:
            at_s, score, noise_dbfs, pcm = found
            case.heard.append(
                Heard(index, pcm, at_s, score, noise_dbfs, float(levels[0]), said[int(np.argmax(levels))].text)
            )
    if len(said) == 1 and case.heard:
        ranked = sorted(case.heard, key=lambda h: -h.true_dbfs)
        case.nearest = ranked[0].satellite
        case.lead_db = ranked[0].true_dbfs - ranked[1].true_dbfs if len(ranked) > 1 else None
    return case


def _noise(random: np.random.Generator, satellite: Placed, noises: Sequence[Sound], length: int) -> Sound:
    noise = pink(random, length) * 10 ** (random.uniform(-72.0, -64.0) / 20)
    noise += random.normal(0.0, 10 ** (-78 / 20), length)  # the microphone's own
    if satellite.noise is not None:
        loud = 10 ** (satellite.noise.level_dbfs / 20)
        if satellite.noise.kind < 0 or not noises:
            noise += loud * _fridge(random, length)
        else:
            recorded = noises[satellite.noise.kind % len(noises)]
            at = int(random.integers(max(1, len(recorded) - length)))
            noise += loud * np.resize(recorded[at : at + length], length)
    return noise.astype(np.float32)


def _fridge(random: np.random.Generator, length: int) -> Sound:
    """Return a compressor: harmonics of the mains over pink noise, at a level of 1."""
    t = np.arange(length) / RATE
    hum = sum(np.sin(2 * np.pi * (50 * k * t + random.random())) / k for k in (1, 2, 3, 4, 6, 8))
    both = hum / np.std(hum) + pink(random, length)
    return np.asarray(both / np.std(both), np.float32)


def _detect(
    samples: np.ndarray[Any, np.dtype[np.int16]], wake: str
) -> tuple[float, float | None, float | None, bytes] | None:
    """Return when the real wake word model detects, its score, the room's noise, and what is streamed from then on."""
    model, room = MicroWakeWord([wake]), WakeLoudness()
    for start in range(0, len(samples) - CHUNK, CHUNK):
        pcm = samples[start : start + CHUNK].tobytes()
        room.hear(pcm)
        detection = model.feed(pcm)
        if detection is not None:
            end = start + CHUNK
            streamed = samples[max(0, end - int(PREROLL_S * RATE)) :].tobytes()
            return end / RATE, detection.score, room.facts().get("noise_dbfs"), streamed
    return None
