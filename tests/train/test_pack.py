"""What is packed for another machine is there what it was here, but for what Opus takes away."""

from pathlib import Path

import numpy as np
import pytest

from hearth_core.audio import RATE
from hearth_train import pack, place, shard
from hearth_train.shard import Utterance
from tests.real import parts


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two shards of tones and one of impulse responses."""
    parts.program("opusenc", "opus-tools")
    monkeypatch.setattr(place, "PCM", tmp_path / "here")
    time = np.arange(RATE) / RATE
    for kind, hertz in (("real", 400), ("synthetic", 700)):
        tone = (8000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
        said = Utterance(kind, "made", "one", "go", (15, 25))
        shard.write(place.PCM / kind, kind, [(said, tone), (said, tone[: RATE // 2])])
    room = np.array([1.0, 0.25], np.float32)
    shard.write(place.PCM, "rooms", [(Utterance("room", "rooms", "", "", ()), room)])
    return tmp_path


def test_a_pack_is_taken_apart_on_the_other_side(audio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = place.PCM
    for index in sorted(here.rglob("*.json")):
        pack.pack(audio / "pack" / "all", index)
        pack.pack(audio / "pack" / "all", index)  # what is there is not made again
    assert pack.spread(audio / "pack" / "all", audio / "pack", 4000) == 3, "one shard a folder, so small are they"
    monkeypatch.setattr(place, "PCM", audio / "there")
    for number in ("1", "2", "3"):
        for index in (audio / "pack" / number).rglob("*.json"):
            pack.unpack(audio / "pack", index)
    assert {f.relative_to(place.PCM) for f in place.PCM.rglob("*")} == {f.relative_to(here) for f in here.rglob("*")}
    for kind in ("real", "synthetic"):
        was, found = (shard.read(shard.path_of(folder / kind, kind)) for folder in (here, place.PCM))
        assert found.utterances == was.utterances
        assert len(found.data) == len(was.data)
        assert np.corrcoef(found.piece(0), was.piece(0))[0, 1] > 0.95
    rooms = shard.read(shard.path_of(place.PCM, "rooms"))
    assert rooms.piece(0).tolist() == [1.0, 0.25], "no speech, so to the letter"
