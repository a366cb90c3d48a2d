"""A stage that ends in the middle of any file that it writes goes on to what it would have made at once."""

import itertools
import json
import shutil
import sys
import tarfile
from collections.abc import Callable, Generator, Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from hearth_core.audio import RATE
from hearth_train import (
    align,
    features,
    gather,
    kokoro,
    noises,
    place,
    pseudo_label,
    saved,
    shard,
    synthesise,
    train,
)
from hearth_train.kokoro import Job
from hearth_train.model import Encoder, Shape
from hearth_train.pronounce import phones
from hearth_train.shard import Utterance
from hearth_train.synthesise import Voice

ROWS = (("made-train", "train", "go"), ("noise", "train", ""), ("others", "train", ""))


class InterruptedWriteError(Exception):
    """The power is gone."""


class Pen:
    """Lets a stage write so many files; of the next one it writes half, and ends there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = sys.maxsize
        for of, name in ((np, "save"), (torch, "save"), (Path, "write_text")):
            monkeypatch.setattr(of, name, self._counted(getattr(of, name)))

    def _counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            self.left -= 1
            written = write(*given, **more)
            if self.left < 0:
                file = next(Path(each) for each in given if isinstance(each, (str, Path)))
                file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
                raise InterruptedWriteError
            return written

        return counted


class Threads:
    """In the place of processes, which would not know of the test's folders."""

    def __init__(self, _: str) -> None:
        pass

    def Pool(self, jobs: int) -> ThreadPool:
        assert jobs == 1, "one after the other"
        return ThreadPool(1)


class Listener:
    """In the place of pocketsphinx: hears a word by how long it takes."""

    def __init__(self, **_: Any) -> None:
        self.hypstr = ""

    def start_utt(self) -> None:
        pass

    def process_raw(self, pcm: bytes, *, full_utt: bool) -> None:
        assert full_utt
        self.hypstr = "kitchen" if len(pcm) > 2 * RATE else "light"

    def end_utt(self) -> None:
        pass

    def hyp(self) -> "Listener":
        return self


def recording(samples: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-3000, 3000, samples).astype(np.int16)


def put(kind: str, name: str, text: str = "go") -> None:
    """Write a shard of two recordings."""
    items = [
        (Utterance(f"{name}-{n}", "made", "one", text, phones(text) or ()), recording(RATE // 4 * (n + 3), n))
        for n in range(2)
    ]
    shard.write(place.PCM / kind, name, items)


def gathering(work: Path, _: pytest.MonkeyPatch) -> Callable[[], None]:
    place.SPEECH.mkdir()
    rows = ["corpus\tfile\tsplit\tspeaker\tseconds\ttext"]
    for name, split, text in (*ROWS, *((name, "dev", "go") for name in gather.DEV)):
        file = place.SPEECH / f"{name}.wav"
        soundfile.write(file, recording(RATE, 1), RATE)
        with tarfile.open(place.SPEECH / f"{name}.tar", "w") as tar:
            tar.add(file, f"{name}/{file.name}")
        rows.append(f"{name}\t{file.name}\t{split}\tone\t1.0\t{text}")
    (place.SPEECH / "manifest.tsv").write_text("\n".join(rows) + "\n")
    return gather.main


def labelling(work: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr("pocketsphinx.Decoder", Listener)
    put("voices", "first")
    put("voices", "second")
    return pseudo_label.main


def synthesising(work: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def speak(voice: Voice, text: str, rng: Random) -> np.ndarray:
        return recording(2000 + 10 * len(text), rng.randrange(1000))

    monkeypatch.setattr(synthesise, "speak", speak)
    monkeypatch.setattr(synthesise, "PART", 3)
    monkeypatch.setattr(synthesise, "VOICES", (Voice("flite", "slt", 0.5), Voice("pico", "en-GB", 0.5)))
    put("real", "made")
    return synthesise.main


def planning(work: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr(kokoro, "written", lambda text, *, british: [1 + len(text) % 50])
    (work / "kokoro" / "voices").mkdir(parents=True)
    for name in ("af_one", "bm_two", "ff_three"):
        (work / "kokoro" / "voices" / f"{name}.npy").touch()
    put("real", "made")
    monkeypatch.setattr(sys, "argv", ["kokoro", "plan", "--hours", "0.01"])

    def planned() -> None:
        if not (kokoro.FOLDER / "plan.json").exists():  # as run.sh has it
            kokoro.main()

    return planned


def speaking(work: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    (work / "kokoro").mkdir()
    jobs = [{"text": "go", "symbols": [1], "voices": [["af_one", 1.0]], "speed": 1 + n / 10} for n in range(6)]
    (work / "kokoro" / "plan.json").write_text(json.dumps(jobs))

    def speak(job: Job) -> np.ndarray:
        return recording(2000, round(10 * job.speed))

    monkeypatch.setattr(kokoro, "speak", speak)
    monkeypatch.setattr(kokoro, "PART", 2)
    monkeypatch.setattr(sys, "argv", ["kokoro", "speak", "--jobs", "1"])
    return kokoro.main


def featuring(work: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    room = np.array([0.1, 1.0, 0.0, 0.5], np.float32)
    monkeypatch.setattr(features, "ROOMS", 1)
    monkeypatch.setattr(features, "rooms", lambda: [room])
    sounds = [("made", "hum", recording(RATE, 5).astype(np.float32))]
    monkeypatch.setattr(noises, "background", lambda rng: iter(sounds))
    monkeypatch.setattr(noises, "anything", lambda samples, rng: rng.normal(0, 1000, samples).astype(np.float32))
    put("real", "made")
    put("synthetic", "voice-0")
    return features.main


def aligning(work: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    for kind, name in (("real", "made"), *(("synthetic", f"voice-{n}") for n in range(3))):
        put(kind, name, "the apple")
    first = work.parent / "first"
    if not first.exists():
        first.mkdir()
        train.State(train.Settings(steps=1), TINY, first, None).save()
    monkeypatch.setattr(sys, "argv", ["align", "--jobs", "1", "--with", str(first / "model.pt")])
    return align.main


TINY = Shape(channels=16, hidden=32, blocks=2, behind=3)
STAGES = (gathering, labelling, synthesising, planning, speaking, featuring, aligning)


@pytest.fixture
def pen(monkeypatch: pytest.MonkeyPatch) -> Pen:
    for module in (synthesise, kokoro, features, align):
        monkeypatch.setattr(module, "get_context", Threads)
    monkeypatch.setattr(sys, "argv", ["stage", "--jobs", "1"])
    return Pen(monkeypatch)


def settle(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the work lie here."""
    for name in ("AUDIO", "VOICES", "PCM", "FEATURES", "RUNS", "SPEECH"):
        monkeypatch.setattr(place, name, work / name.lower())
    monkeypatch.setattr(kokoro, "FOLDER", work / "kokoro")
    work.mkdir()
    return work


def content(work: Path) -> dict[str, bytes]:
    """Return what the stage has made of the recordings."""
    made = (file for file in sorted(work.rglob("*")) if file.is_file() and place.SPEECH.name not in file.parts)
    return {str(file.relative_to(work)): file.read_bytes() for file in made}


@pytest.mark.parametrize("stage", STAGES, ids=[stage.__name__ for stage in STAGES])
def test_a_stage_goes_on(
    stage: Callable[[Path, pytest.MonkeyPatch], Callable[[], None]],
    pen: Pen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if stage is synthesising:
        monkeypatch.setattr(sys, "argv", ["synthesise", "--hours", "0.01", "--jobs", "1"])
    stage(settle(tmp_path / "at once", monkeypatch), monkeypatch)()
    wanted = content(tmp_path / "at once")
    for written in itertools.count():
        work = settle(tmp_path / str(written), monkeypatch)
        run = stage(work, monkeypatch)
        pen.left = written
        try:
            run()
        except InterruptedWriteError:
            pen.left = sys.maxsize
            run()
            assert content(work) == wanted
            shutil.rmtree(work)
        else:
            break
        finally:
            pen.left = sys.maxsize
    assert written > (0 if stage is planning else 3)


def test_who_was_listened_to_is_not_listened_to_again(
    pen: Pen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = aligning(settle(tmp_path / "work", monkeypatch), monkeypatch)
    heard: list[str] = []

    def posteriors(encoder: Encoder, audio: shard.Shard) -> Iterator[np.ndarray]:
        heard.append(audio.utterances[0].name)
        return listened(encoder, audio)

    listened = align.posteriors
    monkeypatch.setattr(align, "posteriors", posteriors)
    pen.left = 1
    with pytest.raises(InterruptedWriteError):
        run()
    pen.left = sys.maxsize
    run()
    run()
    assert heard == ["made-0", "voice-0-0", "voice-0-0", "voice-1-0", "voice-2-0"]
    shutil.rmtree(tmp_path / "first")
    aligning(tmp_path / "work", monkeypatch)()
    assert heard[5:] == ["made-0", "voice-0-0", "voice-1-0", "voice-2-0"], "by another model"


@pytest.mark.parametrize("written", [0, 1])
def test_a_checkpoint_and_a_model_are_never_half(
    written: int, pen: Pen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = train.State(train.Settings(steps=10), TINY, tmp_path, None)
    state.step = 3
    state.save()
    state.step = 4
    pen.left = written
    with pytest.raises(InterruptedWriteError):
        state.save()
    assert train.State(train.Settings(steps=10), TINY, tmp_path, None).step == 3 + written
    assert saved.read(tmp_path / "model.pt").shape == TINY
    assert {file.name for file in tmp_path.iterdir()} == {"checkpoint.pt", "model.pt"}


def test_weights_that_are_pruned_stay_so_when_a_run_goes_on(tmp_path: Path) -> None:
    settings = train.Settings(steps=10, prune=0.5)
    first = train.State(settings, TINY, tmp_path, None)
    first.step = 8
    first.pruning.apply(0.8)
    first.save()
    second = train.State(settings, TINY, tmp_path, None)
    weight = second.encoder.get_parameter("blocks.0.wide.weight")
    gone = weight.detach() == 0
    assert float(gone.float().mean()) == pytest.approx(0.5, abs=0.01)
    with torch.no_grad():
        weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * 0.2)  # a step
    second.pruning.apply(0.8)
    assert torch.equal(weight.detach() == 0, gone)


def test_what_is_interrupted_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("old")

    def write() -> Generator[None, None, None]:
        with place.whole(file) as partial:
            partial.write_text("half of the n")
            yield

    writing = write()
    next(writing)
    assert file.read_text() == "old", "whoever reads meanwhile gets the old one"
    writing.close()
    assert file.read_text() == "old"
    with place.whole(file) as partial:
        partial.write_text("new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]
