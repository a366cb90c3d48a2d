"""A whole run in small: recordings and a manifest in, a model file out that the runtime takes; and it goes on."""

import json
import tarfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile
import torch

from hearth_core.audio import RATE
from hearth_core.errors import InputError
from hearth_core.log_mel import MELS, STACK
from hearth_train import evaluate, export, features, gather, noises, place, saved, shard, train
from hearth_train.data import batches, fits
from hearth_train.model import SYMBOLS, Encoder, Shape
from hearth_train.shard import Utterance

TINY = Shape(channels=16, hidden=32, blocks=2, behind=3)
HEADER = "corpus\tfile\tsplit\tspeaker\tseconds\ttext\n"
# Two tones stand for two words: what is to be learnt, not speech.
SAID = {"go": 400, "yes": 1500}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AUDIO", "VOICES", "PCM", "FEATURES", "RUNS"):
        monkeypatch.setattr(place, name, tmp_path / name.lower())
    monkeypatch.setattr(place, "SPEECH", tmp_path / "speech")
    noises._sounds.cache_clear()
    evaluate.development.cache_clear()
    return tmp_path


def corpus(folder: Path, name: str, split: str, texts: list[str]) -> str:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    rows = ""
    with tarfile.open(folder / f"{name}.tar", "w") as tar:
        for number, text in enumerate(texts):
            time = np.arange(RATE) / RATE
            tone = sum(np.sin(2 * np.pi * SAID.get(word, 800) * time) for word in text.split() or ["noise"])
            sound = np.concatenate((np.zeros(RATE // 2), tone * 0.1, np.zeros(RATE // 2)))
            file = folder / f"{number}_{name}.flac"
            soundfile.write(file, sound + rng.normal(0, 0.001, len(sound)), RATE)
            tar.add(file, f"{name}/{file.name}")
            rows += f"{name}\t{file.name}\t{split}\tone\t{len(sound) / RATE:.2f}\t{text}\n"
    return rows


@pytest.fixture
def recordings(work: Path) -> Path:
    speech = work / "speech"
    rows = corpus(speech, "made-train", "train", ["go", "yes", "go", "yes", "room 101"])
    rows += corpus(speech, "noise", "train", [""]) + corpus(speech, "others", "train", ["", ""])
    rows += "".join(corpus(speech, name, "dev", ["go", "yes"]) for name in gather.DEV)
    (speech / "manifest.tsv").write_text(HEADER + rows)
    return speech


def test_a_run_from_recordings_to_a_model(recordings: Path, work: Path) -> None:
    gather.main()
    audio = shard.read(shard.path_of(place.PCM / "real", "made-train"))
    assert [utterance.text for utterance in audio.utterances] == ["go", "yes", "go", "yes"]
    assert len(audio.piece(0)) < 1.8 * RATE  # some of its silence is gone

    for index in (place.PCM / "real").glob("*.json"):
        features.make((index, 0))
        features.make((index, 1))
    background = [(Utterance("hum", "made", "", "", ()), features.mel(np.zeros(RATE, np.int16)))]
    shard.write(place.FEATURES, "background", background)

    folder = place.RUNS / "small"
    folder.mkdir(parents=True)
    settings = train.Settings(steps=6, workers=1, batch_s=20)
    train.start(settings, TINY, folder)
    first = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    assert first["step"] == 6
    assert {f"per {name}" for name in gather.DEV} <= first.keys()
    assert (folder / "curves.png").stat().st_size > 1000

    train.start(train.Settings(steps=9, workers=1, batch_s=20, consistency=0.2), TINY, folder)
    second = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    assert second["step"] == 9  # it went on
    train.start(train.Settings(steps=12, workers=1, batch_s=20, rivals=4), TINY, folder)
    assert json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["step"] == 12

    encoder = saved.read(folder / "model.pt")
    heard = export.calibration()
    export.write_model(encoder, work / "float.onnx", heard, quantised=False)
    export.write_model(encoder, work / "int8.onnx", heard)
    said = heard[0][:30]
    with torch.no_grad():
        whole = encoder(torch.from_numpy(said)[None], torch.tensor([len(said)]))[0][0].numpy()
    np.testing.assert_allclose(run(work / "float.onnx", said), whole, atol=1e-4)
    assert np.abs(np.exp(run(work / "int8.onnx", said)) - np.exp(whole)).max() < 0.1
    card = json.loads(session(work / "int8.onnx").get_modelmeta().custom_metadata_map["hearth"])
    assert card["delay"] == TINY.delay
    assert len(card["priors"]) == SYMBOLS

    pupil = place.RUNS / "pupil"
    pupil.mkdir()
    teachers = (str(folder / "model.pt"), str(work / "int8.onnx"))
    settings = train.Settings(steps=20, workers=1, batch_s=20, teachers=teachers, rate=1e-2)
    train.start(settings, TINY, pupil)
    apart = [divergence(model, encoder, said) for model in (Encoder(TINY).eval(), saved.read(pupil / "model.pt"))]
    assert apart[1] < 0.7 * apart[0]  # it has come to give what they give


def divergence(model: Encoder, teacher: Encoder, heard: np.ndarray) -> float:
    frames = torch.tensor([len(heard)])
    with torch.no_grad():
        given, wanted = (each(torch.from_numpy(heard)[None], frames)[0] for each in (model, teacher))
    return float(train.apart(given, wanted, frames)) / len(heard)


def session(file: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


def run(file: Path, heard: np.ndarray) -> np.ndarray:
    flushed = np.concatenate((heard, np.zeros((TINY.delay, STACK * MELS), np.float32)))[None]
    given = {
        "features": flushed,
        "start": np.array([0]),
        "end": np.array([len(heard)]),
        "cache": np.zeros((1, TINY.blocks, TINY.channels, TINY.behind + 1), np.float32),
    }
    out: np.ndarray = session(file).run(["log_probs"], given)[0][0, TINY.delay :]
    return out


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("corpus\tfile\tsplit\n", "no column seconds, speaker, text"),
        (HEADER + "made-train\tmissing.flac\ttrain\tone\t1.0\tgo\n", "missing.flac is missing"),
        (HEADER + "made-train\t0_made-train.flac\ttrain\tone\t9.0\tgo\n", "has 2.00 s, not 9.0"),
    ],
)
def test_a_wrong_manifest_is_told(recordings: Path, manifest: str, told: str) -> None:
    (recordings / "manifest.tsv").write_text(manifest)
    with pytest.raises(InputError, match=told):
        gather.main()


def test_no_manifest_is_told(work: Path) -> None:
    with pytest.raises(InputError, match="HEARTH_SPEECH"):
        gather.read_manifest(work / "manifest.tsv")


def test_a_shard_is_what_was_written(tmp_path: Path) -> None:
    utterance = Utterance("a", "made", "one", "go", (15, 25))
    pieces = [np.arange(5, dtype=np.int16), np.arange(3, dtype=np.int16)]
    shard.write(tmp_path, "two", [(utterance, piece) for piece in pieces])
    read = shard.read(shard.path_of(tmp_path, "two"))
    assert read.utterances == (utterance, utterance)
    assert [read.piece(i).tolist() for i in range(len(read))] == [piece.tolist() for piece in pieces]


def test_what_ctc_cannot_say_is_left_out(work: Path) -> None:
    assert not fits(4, (1, 2, 3))
    assert not fits(6, (1, 1, 1))
    assert fits(7, (1, 2, 3))
    mel = np.zeros((300, MELS), np.float16)
    items = [
        (Utterance("long", "made", "", "", tuple([1] * 60)), mel),
        (Utterance("good", "made", "", "", (1, 2)), mel),
    ]
    shard.write(place.FEATURES / "real", "made-0", items)
    shard.write(place.FEATURES, "background", items)
    batch = next(batches(1, 30))
    assert set(batch.phone_counts.tolist()) <= {2, 4}
    assert int(batch.phone_counts.sum()) == len(batch.phones)
    assert batch.mel.shape == batch.background.shape


def test_two_hearings_differ_by_both_divergences() -> None:
    rng = np.random.default_rng(1)
    first, second = (torch.from_numpy(np.log(rng.dirichlet(np.ones(4), (2, 5)))) for _ in range(2))
    both = (first.exp() * (first - second)).sum(-1) + (second.exp() * (second - first)).sum(-1)
    told = train.difference(first, second, torch.tensor([5, 3]))
    torch.testing.assert_close(told, (both[0].sum() + both[1, :3].sum()) / 2)
    assert float(train.difference(first, first, torch.tensor([5, 5]))) == 0
