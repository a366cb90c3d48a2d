"""Lines of games are unpacked to the sample."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bench.spoken_games import queen, unpacked, write
from numpy.typing import NDArray

from hearth_core.errors import InputError

PCM = bytes([128, 130, 126] * 1000)


def packed(pcm: bytes, period: int) -> bytes:
    """Return sound that repeats, packed: its first period as it is, then one that is copied from so far behind."""
    # A table: how many codes, and how long each is. One code of one bit each: literal of 2 bits, distance of 2, length
    # of 12 bits, whose highest bit is not written.
    head = [(0, 2)]
    for bits in (2, 2, 12):
        head += [(bits + 1, 5), *[(0, 4)] * bits, (1, 4)]
    head += [(2, 16), (0, 1), (period & 1, 1)]
    tail = [(0, 1), ((period - 1) & 1, 1), (0, 1), ((len(pcm) - period - 2) & 0x7FF, 11), (0, 1), (0, 1)]
    # Words are read two bytes at a time, and one ahead: the bytes stand behind the word that is being read.
    words = [0]
    at = 0
    literal_at = 0
    for part in (head, tail):
        for value, count in part:
            for bit in range(count):
                if at // 16 == len(words):
                    words.append(0)
                words[at // 16] |= (value >> bit & 1) << at % 16
                at += 1
        literal_at = literal_at or at
    split = literal_at // 16 + 1
    stream = b"".join(word.to_bytes(2, "little") for word in words[:split]) + pcm[:period]
    stream += b"".join(word.to_bytes(2, "little") for word in [*words[split:], 0, 0])
    return b"RNC\x01" + struct.pack(">IIHHBB", len(pcm), len(stream), 0, 0, 0, 1) + stream


def test_what_is_packed_is_unpacked() -> None:
    assert unpacked(packed(PCM, 3)) == PCM


@pytest.mark.parametrize("data", [b"", b"RNC\x02" + bytes(40), b"RNC\x01" + b"\xff" * 40, packed(PCM, 3)[:30]])
def test_what_is_not_packed_so_is_told(data: bytes) -> None:
    with pytest.raises(InputError, match="packed"):
        unpacked(data)


def line(samples: NDArray[np.float32], rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")
    return file.getvalue()


def test_the_lines_of_both_games_are_written(tmp_path: Path) -> None:
    game, to = tmp_path / "game", tmp_path / "to"
    game.mkdir()
    tone = (np.sin(np.arange(11_025) / 10) / 2).astype(np.float32)
    spoken, noise = line(tone, 11_025), b"no sound at all"
    first = 2 + 2 * 21
    table = struct.pack(">12sBII", b"020001P2.SB", 0, first, len(spoken))
    table += struct.pack(">12sBII", b"116SSSSS.SB", 0, first + len(spoken), len(noise))
    (game / "queen.1c").write_bytes(b"QT" + table + spoken + noise)
    number, music = (50_001).to_bytes(2, "little"), (60_001).to_bytes(2, "little")
    data = bytes(22) + packed(PCM, 3)
    place = (0).to_bytes(3, "little") + len(data).to_bytes(3, "little")
    (game / "sky.dnr").write_bytes((2).to_bytes(4, "little") + number + place + music + place)
    (game / "sky.dsk").write_bytes(data)
    assert [name for name, _, _ in queen(game)] == ["020001P2"]
    assert write(tmp_path, to).keys() == {"sky", "queen"}
    written = {file.relative_to(to).as_posix(): soundfile.info(file) for file in to.rglob("*.flac")}
    assert {name: info.samplerate for name, info in written.items()} == {
        "queen/020001P2.flac": 16_000,
        "sky/50001.flac": 16_000,
    }
    assert written["queen/020001P2.flac"].frames == 16_000


def test_a_folder_without_games_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the games"):
        write(tmp_path, tmp_path / "to")
