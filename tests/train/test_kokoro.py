"""What the neural voice is to say, and by whom; the voice itself is no part of the tests, it takes a core a second."""

import itertools
import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from hearth_core.audio import read_recording, write_wav
from hearth_train import kokoro
from hearth_train.kokoro import LONGEST
from hearth_train.pronounce import phones

LETTERS = "abdfhijklmnpstuvwzðŋɑɔəɛɜɡɪɹʃʊʌʒʤʧθæAIOQWYᵊˈˌ "


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Speakers with tables as long as the model's, and its letters."""
    monkeypatch.setattr(kokoro, "FOLDER", tmp_path)
    for cached in (kokoro._vocabulary, kokoro._style):
        cached.cache_clear()
    (tmp_path / "vocab.json").write_text(json.dumps({"vocab": {letter: n for n, letter in enumerate(LETTERS, 1)}}))
    source = tmp_path / "source"
    source.mkdir()
    for number, name in enumerate(("af_one", "am_two", "bf_three", "ff_four")):
        np.full((510, 1, 256), number, "<f4").tofile(source / f"{name}.bin")
    kokoro.keep_styles(source)
    return tmp_path


def test_the_styles_of_short_texts_are_kept(folder: Path) -> None:
    table = kokoro._style("am_two")
    assert table.shape == (LONGEST + 1, 1, 256)
    assert table.dtype == np.float16
    assert (table == 1).all()


def test_everybody_speaks_and_foreigners_only_beside_others(folder: Path) -> None:
    jobs = list(itertools.islice(kokoro.plan(Random(1), ["turn on the light"]), 120))
    assert {voice for job in jobs for voice, _ in job.voices} == {"af_one", "am_two", "bf_three", "ff_four"}
    for job in jobs:
        assert job.voices[0][0] != "ff_four"
        assert sum(weight for _, weight in job.voices) == pytest.approx(1)
        assert 0 < len(job.symbols) <= LONGEST
        assert phones(job.text)


def test_it_is_written_in_the_speakers_variety(folder: Path) -> None:
    def letters(text: str, *, british: bool) -> str:
        return "".join(LETTERS[n - 1] for n in kokoro.written(text, british=british))

    assert "O" in letters("go home", british=False)
    assert "Q" in letters("go home", british=True)
    assert "ʧ" in letters("kitchen", british=False)
    assert "I" in letters("light", british=False)


def test_everybody_says_a_text_at_each_speed(folder: Path, tmp_path: Path) -> None:
    jobs = list(kokoro.everybody("alexa"))
    assert [job.voices for job in jobs[::3]] == [[("af_one", 1.0)], [("am_two", 1.0)], [("bf_three", 1.0)]]
    assert {job.speed for job in jobs} == set(kokoro.SPEEDS)
    assert all(job.symbols for job in jobs)
    write_wav(tmp_path / "alexa.wav", np.array([0, 1000, -32768], "<i2").tobytes())
    assert np.frombuffer(read_recording(tmp_path / "alexa.wav"), "<i2").tolist() == [0, 1000, -32768]
