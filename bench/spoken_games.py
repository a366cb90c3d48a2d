"""Speech for `bench/false_commands.py` and `bench/wake.py`: what actors say in two games that Debian carries.

    apt-get download beneath-a-steel-sky flight-of-the-amazon-queen
    for file in *.deb; do dpkg-deb -x $file games; done
    python bench/spoken_games.py games --to DIR

Writes 16 kHz FLAC, a file for each line: 1.9 hours into DIR/sky, 1.7 into DIR/queen. Both games are freeware that may
be given away, not sold (their licences are in the packages); nothing of them is in Hearth, and no training has heard
them.

Sources: the formats are as ScummVM's engines `sky` and `queen` and its tools describe them. `sky.dnr` lists the files
of `sky.dsk`; lines are 11,025 Hz u8, mostly packed by Rob Northen's method 1. `queen.1c` begins with the table of its
files; lines are MP3.
"""

from __future__ import annotations

import argparse
import io
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from hearth_core.audio import RATE
from hearth_core.errors import HearthError, InputError

_SKY_RATE = 11_025
_SKY_HEADER = 22  # bytes before the samples
_SKY_LINES = range(50_000, 59_000)  # numbers of its files; music and noises have others
_LEAST_S = 0.2
_PACKED = b"RNC\x01"
_QUEEN_ENTRY = struct.Struct(">12sBII")  # name, bundle, offset, size
_QUEEN_LINE = re.compile(rb"\d{6}\w*\.SB")

Samples = NDArray[np.float32]


_DAMAGED = InputError("a packed line is damaged", remedy="Get the game again")


class _Bits:
    """Bits of a packed file, lowest first, in words of 16; whole bytes stand between them."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._bits, self._count = self._word(), 16

    def _word(self) -> int:
        if self._at > len(self._data) + 2:  # the last words may be read ahead
            raise _DAMAGED
        return int.from_bytes(self._data[self._at : self._at + 2], "little")

    def peek(self, count: int) -> int:
        return self._bits & ((1 << count) - 1)

    def take(self, count: int) -> int:
        value = self.peek(count)
        self._bits >>= count
        self._count -= count
        if self._count < 16:
            self._at += 2
            self._bits |= self._word() << self._count
            self._count += 16
        return value

    def take_bytes(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        self._at += count
        self._count -= 16
        self._bits = self.peek(self._count) | self._word() << self._count
        self._count += 16
        return found


class _Huffman:
    """A table of codes: each stands for how many bits a number has, which follow."""

    def __init__(self, bits: _Bits) -> None:
        lengths = [bits.take(4) for _ in range(bits.take(5))]
        self._codes: list[tuple[int, int, int]] = []  # length, code, value
        code = 0
        for length in range(1, max(lengths, default=0) + 1):
            for value, own in enumerate(lengths):
                if own == length:
                    self._codes.append((length, int(f"{code:0{length}b}"[::-1], 2), value))
                    code += 1
            code <<= 1

    def read(self, bits: _Bits) -> int:
        for length, code, value in self._codes:
            if bits.peek(length) == code:
                bits.take(length)
                return value if value < 2 else 1 << (value - 1) | bits.take(value - 1)
        raise _DAMAGED


def unpacked(data: bytes) -> bytes:
    """Return what was packed by Rob Northen's method 1.

    Raises:
        InputError: it was not, or is damaged.
    """
    if data[:4] != _PACKED or len(data) < 18:
        raise InputError("this is not packed by Rob Northen's method 1")
    size = int.from_bytes(data[4:8], "big")
    bits, out = _Bits(data, 18), bytearray()
    bits.take(2)
    while len(out) < size:
        literal, distance, length = _Huffman(bits), _Huffman(bits), _Huffman(bits)
        for left in range(bits.take(16), 0, -1):
            if count := literal.read(bits):
                out += bits.take_bytes(count)
            if left == 1:
                break
            back, count = distance.read(bits) + 1, length.read(bits) + 2
            if back > len(out):
                raise _DAMAGED
            while count > 0:
                piece = out[-back:][:count] if back > count else out[-back:]
                out += piece[:count]
                count -= len(piece)
    return bytes(out[:size])


def sky(folder: Path) -> Iterator[tuple[str, Samples, int]]:
    """Yield the lines of Beneath a Steel Sky: name, samples and rate."""
    table, disk = (folder / "sky.dnr").read_bytes(), (folder / "sky.dsk").read_bytes()
    for at in range(4, len(table) - 7, 8):
        number = int.from_bytes(table[at : at + 2], "little")
        offset, size = (int.from_bytes(table[at + k : at + k + 3], "little") for k in (2, 5))
        if number not in _SKY_LINES:
            continue
        begin = (offset & 0x7FFFFF) << 4 if offset & 0x800000 else offset
        data = disk[begin : begin + (size & 0x3FFFFF)][_SKY_HEADER:]
        pcm = unpacked(data) if data.startswith(_PACKED) else data
        samples = np.frombuffer(pcm, np.uint8).astype(np.float32) / np.float32(128) - np.float32(1)
        yield str(number), samples, _SKY_RATE


def queen(folder: Path) -> Iterator[tuple[str, Samples, int]]:
    """Yield the lines of Flight of the Amazon Queen: name, samples and rate."""
    data = (folder / "queen.1c").read_bytes()
    first = _QUEEN_LINE.search(data)
    at = first.start() if first else len(data)
    while len(data) - at >= _QUEEN_ENTRY.size:
        name, _, offset, size = _QUEEN_ENTRY.unpack_from(data, at)
        at += _QUEEN_ENTRY.size
        if offset >= len(data) or not re.fullmatch(rb"[\x21-\x7e]+\x00*", name):
            return  # the table is over
        if _QUEEN_LINE.match(name):
            sound, rate = soundfile.read(io.BytesIO(data[offset : offset + size]), always_2d=True)
            yield name.split(b".")[0].decode(), sound.mean(axis=1).astype(np.float32), rate


GAMES = {"sky": ("sky.dsk", sky), "queen": ("queen.1c", queen)}


def write(folder: Path, to: Path) -> dict[str, float]:
    """Write the lines of the games that are somewhere in a folder; return the hours of each.

    Raises:
        InputError: there is none.
    """
    hours: dict[str, float] = {}
    for game, (file, lines) in GAMES.items():
        for found in sorted(folder.rglob(file))[:1]:
            (to / game).mkdir(parents=True, exist_ok=True)
            seconds = 0.0
            for name, samples, rate in track(lines(found.parent), game, console=Console(stderr=True)):
                if len(samples) >= _LEAST_S * rate:
                    pcm = np.clip(soxr.resample(samples, rate, RATE), -1, 1)
                    soundfile.write(to / game / f"{name}.flac", pcm, RATE)
                    seconds += len(pcm) / RATE
            hours[game] = round(seconds / 3600, 2)
    if not hours:
        raise InputError(f"none of the games is in {folder}", remedy="Unpack their Debian packages there")
    return hours


def main() -> int:
    """Write and say how much; the exit code is 2 if there is nothing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the packages were unpacked")
    parser.add_argument("--to", type=Path, required=True, help="folder for the recordings")
    options = parser.parse_args()
    try:
        print(write(options.folder, options.to))
    except (HearthError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
