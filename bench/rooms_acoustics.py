"""The house of `bench/rooms.py`: rooms in a row, doors between them, and what a microphone in each hears of a speaker.

Within a room the sound goes by an image-source impulse response (pyroomacoustics). Into the next it goes through the
door, which is heard as a source of its own: what arrives in the middle of the opening is radiated again from there. Of
a diffuse sound a quarter falls on an opening of S m², and goes on into half a sphere: a source of sqrt(S/2π)/2 times
the pressure at 1 m. An open door has 1.6 m², a closed one lets through 20 to 26 dB less, and of tones above 500 Hz
another 6 dB an octave less. Walls carry nothing: a house whose walls carry more than its closed doors is not modelled.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyroomacoustics
import scipy.signal
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Place = tuple[float, float, float]

RATE: Final = 16_000
HEIGHT_M: Final = 2.5
_DOOR_M2: Final = 1.6
_MAX_ORDER: Final = 12  # reflections; with the absorption of a furnished room the next ones are 30 dB down
_DOOR_LOWPASS_HZ: Final = 500.0


@dataclass(frozen=True, slots=True)
class Room:
    """A box of air; `x0_m` is where it begins in the row, `absorption` the part of energy that a wall takes."""

    x0_m: float
    width_m: float
    depth_m: float
    absorption: float


@dataclass(frozen=True, slots=True)
class Door:
    """The door between a room and the next, in the middle of the wall; `loss_db` is 0 where it is open."""

    y_m: float
    loss_db: float


@dataclass(frozen=True, slots=True)
class Noise:
    """A noise beside a satellite: `level_dbfs` at its microphone, before its gain."""

    level_dbfs: float
    kind: int  # which recording of noise, -1 for a fridge


@dataclass(frozen=True, slots=True)
class Placed:
    """A satellite: where it stands, and what its microphone, its clock and its network are like.

    Its clock runs `clock_ppm` too fast, and is `clock_off_s` ahead of the server's, as without a time server.
    """

    room: int
    at: Place
    gain_db: float
    noise: Noise | None
    clock_ppm: float
    network_s: float  # one way, the usual
    jitter_s: float  # the mean of what comes on top
    clock_off_s: float = 0.0


@dataclass(frozen=True, slots=True)
class House:
    """Rooms in a row, doors between them, satellites in them."""

    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    satellites: tuple[Placed, ...]


def build(random: np.random.Generator, satellites: int) -> House:
    """Return a house with so many satellites, each in a room of its own; in every third a room more has none."""
    count = satellites + int(random.random() < 1 / 3 and satellites < 4)
    rooms: list[Room] = []
    x_m = 0.0
    for _ in range(count):
        width_m, depth_m = random.uniform(2.5, 6.0), random.uniform(3.0, 6.0)
        rooms.append(Room(x_m, width_m, depth_m, random.uniform(0.2, 0.5)))
        x_m += width_m
    doors = [
        Door(
            random.uniform(0.8, min(one.depth_m, other.depth_m) - 0.8),
            0.0 if random.random() < 0.6 else random.uniform(20.0, 26.0),
        )
        for one, other in itertools.pairwise(rooms)
    ]
    loud = int(random.integers(satellites)) if random.random() < 0.5 else -1
    placed = []
    for index, room in enumerate(sorted(random.choice(count, satellites, replace=False).tolist())):
        noise = Noise(random.uniform(-58.0, -44.0), int(random.integers(-1, 4))) if index == loud else None
        placed.append(
            Placed(
                room,
                _somewhere(random, rooms[room], 0.4, (0.8, 1.5)),
                float(np.clip(random.normal(0.0, 3.0), -6.0, 6.0)),
                noise,
                random.uniform(-100.0, 100.0),
                random.uniform(0.002, 0.02) if random.random() < 0.7 else random.uniform(0.02, 0.3),
                random.uniform(0.0, 0.02),
            )
        )
    return House(tuple(rooms), tuple(doors), tuple(placed))


def with_clocks(random: np.random.Generator, house: House) -> House:
    """Return the house with clocks of satellites that are up to 5 s wrong."""
    return replace(house, satellites=tuple(replace(s, clock_off_s=random.uniform(-5.0, 5.0)) for s in house.satellites))


def stand(random: np.random.Generator, house: House, room: int) -> Place:
    """Return a place for a speaker, at least 0.5 m from the walls and from a satellite."""
    while True:
        place = _somewhere(random, house.rooms[room], 0.5, (1.1, 1.75))
        near = [s.at for s in house.satellites if s.room == room]
        if all(np.hypot(place[0] - at[0], place[1] - at[1]) >= 0.5 for at in near):
            return place


def _somewhere(random: np.random.Generator, room: Room, margin_m: float, heights_m: tuple[float, float]) -> Place:
    return (
        random.uniform(margin_m, room.width_m - margin_m),
        random.uniform(margin_m, room.depth_m - margin_m),
        random.uniform(*heights_m),
    )


def responses(house: House, room: int, speaker: Place) -> list[Sound]:
    """Return the impulse response from a speaker in a room to each satellite, by the way of the doors between."""
    found: dict[int, Sound] = {}
    for direction in (-1, 1):
        here, source, through = room, speaker, np.ones(1, np.float32)
        while True:
            step = _in_room(house, here, source, direction)
            for index, satellite in enumerate(house.satellites):
                if satellite.room == here and index not in found:
                    found[index] = _convolve(through, step[index])
            if -1 not in step:
                break
            door = house.doors[here if direction > 0 else here - 1]
            through = _through(door, _convolve(through, step[-1]))
            here += direction
            source = (0.05 if direction > 0 else house.rooms[here].width_m - 0.05, door.y_m, 1.0)
    return [found[index] for index in range(len(house.satellites))]


def _in_room(house: House, index: int, source: Place, direction: int) -> dict[int, Sound]:
    """Return the responses to the satellites of a room by number, as -1 to the door in that direction."""
    room = house.rooms[index]
    targets = {number: s.at for number, s in enumerate(house.satellites) if s.room == index}
    if 0 <= index + direction < len(house.rooms):
        door = house.doors[index if direction > 0 else index - 1]
        targets[-1] = (room.width_m - 0.05 if direction > 0 else 0.05, door.y_m, 1.0)
    if not targets:
        return {}
    box = pyroomacoustics.ShoeBox(
        [room.width_m, room.depth_m, HEIGHT_M],
        fs=RATE,
        materials=pyroomacoustics.Material(room.absorption),
        max_order=_MAX_ORDER,
    )
    box.add_source(list(source))
    box.add_microphone_array(np.array(list(targets.values())).T)
    box.compute_rir()
    return {number: np.asarray(rir[0], np.float32) for number, rir in zip(targets, box.rir, strict=True)}


def _through(door: Door, response: Sound) -> Sound:
    """Return what is radiated from the other side of a door."""
    radiated = response * np.float32(np.sqrt(_DOOR_M2 / (2 * np.pi)) / 2)
    if door.loss_db:
        low = scipy.signal.butter(1, _DOOR_LOWPASS_HZ, fs=RATE, output="sos")
        radiated = scipy.signal.sosfilt(low, radiated) * 10 ** (-door.loss_db / 20)
    return np.asarray(radiated, np.float32)


def _convolve(one: Sound, other: Sound) -> Sound:
    return np.asarray(scipy.signal.fftconvolve(one, other), np.float32)


def hear(sound: Sound, response: Sound, clock_ppm: float) -> Sound:
    """Return a sound as a microphone with such a clock takes it up."""
    heard = _convolve(sound, response)[: len(sound)]
    at = np.arange(len(heard)) * (1 + clock_ppm * 1e-6)
    return np.asarray(np.interp(at, np.arange(len(heard)), heard), np.float32)
