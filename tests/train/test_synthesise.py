"""The voices' shards."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from hearth_core.errors import EngineError
from hearth_train import place, shard, synthesise
from hearth_train.synthesise import Voice, speak_part


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(place, "PCM", tmp_path)
    monkeypatch.setattr(synthesise, "PART", 3)
    monkeypatch.setattr(synthesise, "texts", lambda rng, read: iter(["turn on the light"] * 9))
    return tmp_path / "synthetic"


def test_a_voice_that_speaks_nothing_is_told_and_leaves_no_shard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesise, "speak", lambda *_: np.zeros(0, np.int16))
    with pytest.raises(EngineError, match=r"flite slt speaks nothing.*train/voices\.sh") as raised:
        speak_part([], (Voice("flite", "slt", 0.1), 0))
    assert not shard.path_of(folder, "flite-slt-0").exists()
    assert "speaks nothing" in str(pickle.loads(pickle.dumps(raised.value))), "it comes from another process"


def test_a_voice_that_fails_on_some_texts_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds = iter([np.zeros(0, np.int16), np.ones(3200, np.int16), np.zeros(0, np.int16)])
    monkeypatch.setattr(synthesise, "speak", lambda *_: next(sounds))
    speak_part([], (Voice("flite", "slt", 0.1), 0))
    assert len(shard.read(shard.path_of(folder, "flite-slt-0")).utterances) == 1
