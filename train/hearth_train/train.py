"""Stage 4: train the encoder for so many minutes, on so many cores; goes on where it was interrupted.

    python -m hearth_train.train --run micro --minutes 240 [--workers 2] [--start-from MODEL.pt] [--prune SHARE]
    python -m hearth_train.train --run micro --minutes 20 --device cuda --batch 600
    python -m hearth_train.train --run one-voice --minutes 4 --overfit kathleen

On processors one process a core, each with batches of its own from shards of features; gradients are averaged at every
step. `--bfloat16` is twice as fast where the processor multiplies that (avx512_bf16, amx), and slower elsewhere. On a
GPU one process, whose batches are made of the audio itself (`waves`). The learning rate follows the share of the
minutes that is used, so a run always ends annealed. The weights that count are an exponential average.
`--consistency` lets the encoder hear each batch twice, with other noises, levels and masks, and asks for one answer
(CR-CTC, Yao et al. 2024).
`--teacher` (as often as one likes) has it give what these models, of runs or shipped ones, give on average for the same
sounds, and nothing else (distillation of an ensemble, Hinton et al. 2015; the same view for all, Beyer et al. 2022).
`--rivals` asks besides that each utterance be told from others that differ in one word (`rivals`), discriminatively.
`--overfit` is a check of the encoder, not a model: it learns one corpus by heart, unchanged, and tells its phone errors
on that; more than a few per cent, and something is wrong with the encoder or the rate.
Writes RUNS/<run>/: checkpoint.pt (to go on), model.pt (the average), log.jsonl, curves.png, run.jsonl (settings, data,
commit of each sitting).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it
from torch.nn.utils.rnn import pad_sequence

from hearth_core.errors import InputError

from . import place, saved
from .augment import Strengths, augment
from .curves import plot
from .data import Batch, batches
from .evaluate import learnt, phone_errors
from .model import SYMBOLS, Encoder, Shape, stacked
from .pronounce import Word
from .rivals import Rivals
from .sparsity import Pruning

SAVE_EVERY_S: Final = 30.0
JUDGE_EVERY_S: Final = 300.0
PRIORS_KEPT: Final = 0.99  # of the priors that a step keeps
PRIOR_WEIGHT: Final = 0.8  # as in the search
PHONE_BONUS: Final = 1.0
MASKS_OF_TWO: Final = 5  # masks in time where there are two hearings: what one has lost, the other tells


@dataclass(frozen=True, slots=True)
class Settings:
    """A run; times in minutes, rates per step."""

    minutes: float = 240.0
    steps: int = 0  # if not 0, the run has so many, however long they take
    workers: int = 2
    batch_s: float = 36.0  # of a worker, padded
    rate: float = 2e-3
    warm_up: float = 0.03  # of the minutes
    full_strength: tuple[float, float] = (0.04, 0.35)  # augmentation grows between these shares of the minutes
    middle_loss: float = 0.3
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.998  # of the averaged weights that a step keeps
    prune: float = 0.0  # share of the blocks' weights that is zero in the end
    only: str = ""  # the corpus that is learnt, unchanged; all with augmentation if empty
    consistency: float = 0.0  # weight of the difference between two hearings of a batch; 0: one hearing
    noise: float = Strengths().noise_chance
    teachers: tuple[str, ...] = ()  # files of models that it is to be like; their texts count no more then
    rivals: int = 0  # other readings of each utterance that it has to be told from
    rivals_loss: float = 5.0  # a phone, beside CTC's of each head
    waves: bool = False  # batches are made of the audio itself
    real: float = 1.0  # how much more often real recordings are drawn, with `waves`
    device: str = "cpu"
    bfloat16: bool = False  # products in 16 bits
    seed: int = 1


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run", default="micro")
    parser.add_argument("--minutes", type=float, default=Settings().minutes)
    parser.add_argument("--workers", type=int, default=Settings().workers)
    parser.add_argument("--rate", type=float, default=Settings().rate)
    parser.add_argument("--start-from", type=Path, help="begin with a model's weights, at full augmentation")
    parser.add_argument("--prune", type=float, default=0.0, help="share of the weights that becomes zero")
    parser.add_argument("--overfit", default="", metavar="CORPUS", help="learn one corpus by heart")
    parser.add_argument("--shape", default="{}", help="JSON of what differs from the usual Shape")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--bfloat16", action="store_true", help="faster, if the processor can do it")
    parser.add_argument("--batch", type=float, default=Settings().batch_s, help="seconds (default: %(default)s)")
    parser.add_argument("--consistency", type=float, default=0.0, help="weight of a second hearing, e.g. 0.2")
    parser.add_argument("--average", type=float, default=Settings().average, help="(default: %(default)s)")
    parser.add_argument("--noise", type=float, default=Settings().noise, help="chance of it (default: %(default)s)")
    parser.add_argument("--teacher", type=Path, action="append", default=[], help="a model to be like; may be repeated")
    parser.add_argument("--rivals", type=int, default=0, help="other readings to tell each utterance from, e.g. 16")
    parser.add_argument("--waves", action="store_true", help="make batches of the audio itself, as on a GPU")
    parser.add_argument("--real", type=float, default=1.0, help="draw real recordings more often, with waves")
    options = parser.parse_args()
    try:
        for file in (*options.teacher, *filter(None, (options.start_from,))):
            saved.read(file)  # told here, not by a worker
    except InputError as error:
        sys.exit(f"train: {error}")
    settings = Settings(
        minutes=options.minutes,
        workers=options.workers if options.device == "cpu" else 1,
        rate=options.rate,
        prune=options.prune,
        batch_s=options.batch,
        consistency=options.consistency,
        average=options.average,
        noise=options.noise,
        teachers=tuple(map(str, options.teacher)),
        rivals=options.rivals,
        waves=options.waves or options.device == "cuda",
        real=options.real,
        device=options.device,
        bfloat16=options.bfloat16 or options.device == "cuda",
    )
    if options.start_from:
        settings = replace(settings, full_strength=(-1.0, 0.0))
    if options.overfit:
        settings = replace(settings, only=options.overfit, full_strength=(1.0, 2.0), weight_decay=0.0)
    folder = place.RUNS / options.run
    folder.mkdir(parents=True, exist_ok=True)
    shape = Shape(**json.loads(options.shape))
    git = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    changes = subprocess.run(["git", "diff", "HEAD"], capture_output=True, check=False).stdout
    facts = {
        "settings": asdict(settings),
        "strengths": asdict(Strengths()),
        "shape": shape.facts(),
        "commit": commit,
        "changes": zlib.crc32(changes) if changes else 0,  # of the tree since that commit
        "from": str(options.start_from),
        "data": {index.stem: zlib.crc32(index.read_bytes()) for index in sorted(place.FEATURES.rglob("*.json"))},
    }
    with (folder / "run.jsonl").open("a") as sittings:
        sittings.write(json.dumps(facts) + "\n")
    start(settings, shape, folder, options.start_from)


def start(settings: Settings, shape: Shape, folder: Path, start_from: Path | None = None) -> None:
    """Train, or go on; returns when the minutes are used."""
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ["MASTER_PORT"] = str(_free_port())
    if settings.workers == 1:
        work(0, settings, shape, folder, start_from)
    else:
        mp.spawn(work, (settings, shape, folder, start_from), nprocs=settings.workers)  # type: ignore[attr-defined,no-untyped-call]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def work(rank: int, settings: Settings, shape: Shape, folder: Path, start_from: Path | None) -> None:
    """Train on one core."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=settings.workers)
    torch.manual_seed(settings.seed)
    state = State(settings, shape, folder, start_from, rank)
    generator = torch.Generator(settings.device).manual_seed(settings.seed * 1000 + rank + state.step * 10)
    source = _source(settings, settings.seed + rank + 100 * state.step)
    watch = _Watch(state) if rank == 0 else None
    share = state.share()
    while share < 1:
        loss, seconds = state.learn(next(source), generator, share)
        # One clock for all: they must agree on the rate, and on the end.
        clock = torch.tensor([time.monotonic() - state.began if rank == 0 else 0.0])
        dist.broadcast(clock, 0)
        state.elapsed = state.before + float(clock)
        share = state.share()
        if watch:
            watch.tell(loss, seconds * settings.workers, share)
    if watch:
        watch.end()
    dist.destroy_process_group()


def _source(settings: Settings, seed: int) -> Iterator[Batch]:
    if settings.only or not settings.waves:
        return batches(seed, settings.batch_s, settings.only)
    from .waves import Waves

    return Waves(settings.device, settings.real).batches(seed, settings.batch_s)


class State:
    """Everything that a run goes on from."""

    def __init__(self, settings: Settings, shape: Shape, folder: Path, start_from: Path | None, rank: int = 0) -> None:
        self.settings = settings
        self.folder = folder
        self.encoder = Encoder(shape).to(settings.device)
        self.averaged = Encoder(shape).to(settings.device)
        self.pruning = Pruning(self.encoder, settings.prune)
        self.rivals = Rivals(np.random.default_rng(settings.seed + 17 * rank)) if settings.rivals else None
        self.teachers = [saved.read(Path(file)).to(settings.device) for file in settings.teachers]
        self.log_priors = torch.zeros(SYMBOLS, device=settings.device)
        self.step = 0
        self.before = 0.0  # seconds of earlier sittings
        if start_from:
            self.encoder.load_state_dict(saved.read(start_from).state_dict())
        self.averaged.load_state_dict(self.encoder.state_dict())
        self.averaged_pruning = Pruning(self.averaged, settings.prune)
        decayed = [p for p in self.encoder.parameters() if p.dim() > 1]
        others = [p for p in self.encoder.parameters() if p.dim() <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=settings.rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        if self.checkpoint.exists():
            kept = saved.load(self.checkpoint)
            self.encoder.load_state_dict(kept["encoder"])
            self.averaged.load_state_dict(kept["model"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.step, self.before = kept["step"], kept["elapsed"]
        self.elapsed = self.before
        if self.step:
            for pruning in (self.pruning, self.averaged_pruning):
                pruning.apply(self.share())  # knows again which weights are gone: they are the smallest
        self.began = time.monotonic()

    @property
    def checkpoint(self) -> Path:
        """Where it is kept."""
        return self.folder / "checkpoint.pt"

    def share(self) -> float:
        """Return how much of the run is over, 0 to 1."""
        if self.settings.steps:
            return self.step / self.settings.steps
        return self.elapsed / 60 / self.settings.minutes

    def learn(self, batch: Batch, generator: torch.Generator, share: float) -> tuple[Tensor, float]:
        """Take one step; return the loss per phone, shape (), and the seconds heard."""
        settings = self.settings
        first, last = settings.full_strength
        strength = min(1.0, max(0.0, (share - first) / (last - first)))
        warm = min(1.0, (share + 1e-3) / settings.warm_up)
        rate = settings.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * min(1.0, share))) / 2)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        hearings, full = [batch.background], Strengths(noise_chance=settings.noise)
        if settings.consistency:
            hearings.append(batch.background.roll(1, 0))
            full = replace(full, time_masks=MASKS_OF_TWO)
        with torch.no_grad():
            heard = torch.cat([stacked(augment(batch.mel, behind, generator, strength, full)) for behind in hearings])
        with torch.autocast(settings.device, torch.bfloat16, enabled=settings.bfloat16):
            frames = batch.frames.repeat(len(hearings))
            end, middle = self.encoder(heard, frames)
            wanted = taught(self.teachers, heard, frames).chunk(len(hearings)) if self.teachers else ()
        ends, middles = end.float().chunk(len(hearings)), middle.float().chunk(len(hearings))
        if self.teachers:
            losses = [apart(e, w, batch.frames) for e, w in zip(ends, wanted, strict=True)]
        else:
            losses = [ctc(e, batch) + settings.middle_loss * ctc(m, batch) for e, m in zip(ends, middles, strict=True)]
        total = torch.stack(losses).mean()
        count = float(batch.phone_counts.sum())
        self.optimiser.zero_grad()
        loss = total
        if settings.consistency:
            loss = loss + settings.consistency * difference(ends[0], ends[1], batch.frames)
        if self.rivals:
            self._hear_priors(ends[0], batch.frames)
            others = [self.rivals.of(words, settings.rivals) for words in batch.words]
            loss = loss + settings.rivals_loss * contrast(ends[0], batch, others, self.log_priors)
        (loss / count).backward()  # type: ignore[no-untyped-call]
        self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), settings.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        self.pruning.apply(share)
        self.step += 1
        keep = min(settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.encoder.parameters()), 1 - keep)
        if settings.prune:
            self.averaged_pruning.apply(share)
        return total.detach() / count, heard.shape[0] * batch.mel.shape[1] / 100

    def save(self) -> None:
        """Write the checkpoint and the model, each whole or not at all."""
        kept = {
            "encoder": self.encoder.state_dict(),
            "model": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "elapsed": self.elapsed,
            "shape": self.encoder.shape.facts(),
        }
        with place.whole(self.checkpoint) as partial:
            torch.save(kept, partial)
        with place.whole(self.folder / "model.pt") as partial:
            torch.save({"model": kept["model"], "shape": kept["shape"]}, partial)

    def _hear_priors(self, log_probs: Tensor, frames: Tensor) -> None:
        """Keep up with how often the encoder says each symbol."""
        with torch.no_grad():
            number = torch.arange(log_probs.shape[1], device=log_probs.device)
            heard = log_probs[number[None] < frames[:, None].to(log_probs.device)].exp().mean(0)
            kept = PRIORS_KEPT if self.log_priors.any() else 0.0
            self.log_priors = (kept * self.log_priors.exp() + (1 - kept) * heard).log()

    def _average_gradients(self) -> None:
        if self.settings.workers == 1:
            return
        gradients = [p.grad for p in self.encoder.parameters() if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(flat)
        flat /= self.settings.workers
        offset = 0
        for gradient in gradients:
            gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
            offset += gradient.numel()


def ctc(log_probs: Tensor, batch: Batch) -> Tensor:
    """Return the sum of the CTC losses of a batch."""
    return F.ctc_loss(
        log_probs.transpose(0, 1), batch.phones, batch.frames, batch.phone_counts, reduction="sum", zero_infinity=True
    )


@torch.no_grad()
def taught(teachers: Sequence[Encoder], heard: Tensor, frames: Tensor) -> Tensor:
    """Return what teachers give together: the mean of their log posteriors, normalised; shapes as `Encoder`'s."""
    mean = torch.stack([teacher(heard, frames)[0].float() for teacher in teachers]).mean(0)
    return F.log_softmax(mean, -1)


def apart(log_probs: Tensor, target: Tensor, frames: Tensor) -> Tensor:
    """Return the divergence of log posteriors from what was to be given, summed over frames; as `difference`'s."""
    number = torch.arange(log_probs.shape[1], device=log_probs.device)
    counts = (number[None] < frames[:, None].to(log_probs.device)).to(log_probs.dtype)
    return (F.kl_div(log_probs, target, reduction="none", log_target=True).sum(-1) * counts).sum()


def contrast(log_probs: Tensor, batch: Batch, rivals: Sequence[Sequence[Word]], log_priors: Tensor) -> Tensor:
    """Return how unsure it is that each utterance's words were said and no rival: nats, summed over the batch.

    All are scored as the search does, without the priors and with its bonus for a phone (`asr/micro/decoder.py`), and
    over all their paths: maximum mutual information (Bahl et al. 1986) with these rivals in the place of all sentences.

    Args:
        log_probs: log posteriors, shape (batch, frames, SYMBOLS).
        batch: what was said.
        rivals: of each utterance, other sequences of phones.
        log_priors: shape (SYMBOLS,).
    """
    said = [[sum(words, ()), *others] for words, others in zip(batch.words, rivals, strict=True)]
    rows = torch.tensor([row for row, each in enumerate(said) for _ in each])
    counts = torch.tensor([len(phones) for each in said for phones in each])
    phones = torch.tensor([phone for each in said for phones in each for phone in phones], device=log_probs.device)
    scores = log_probs - PRIOR_WEIGHT * log_priors
    # The loss of one that does not fit into the frames is 0 here; torch's gradient takes scores for posteriors, which
    # cancels in the difference.
    losses = F.ctc_loss(
        scores.transpose(0, 1)[:, rows], phones, batch.frames[rows], counts, reduction="none", zero_infinity=True
    )
    reached = torch.where(losses == 0, -torch.inf, PHONE_BONUS * counts.to(losses) - losses)
    each_row = torch.split(reached, [len(each) for each in said])
    table = pad_sequence(list(each_row), batch_first=True, padding_value=-torch.inf)
    return -F.log_softmax(table, 1)[:, 0].sum()


def difference(first: Tensor, second: Tensor, frames: Tensor) -> Tensor:
    """Return how far two hearings are apart, each the other's target: the mean of both divergences, summed over frames.

    Args:
        first: log posteriors, shape (batch, frames, SYMBOLS); `second` of the same recordings.
        frames: shape (batch,), how many of them count.
    """
    return (apart(first, second.detach(), frames) + apart(second, first.detach(), frames)) / 2


class _Watch:
    """Tells how it goes: a bar, a log, curves, checkpoints."""

    def __init__(self, state: State) -> None:
        from rich.progress import Progress, TextColumn

        self._state = state
        self._saved = self._judged = time.monotonic()
        self._told = 0.0
        self._heard = 0.0
        self._loss: Tensor | float = 0.0  # a tensor, so that a GPU need not be waited for at every step
        self._steps = 0
        self._progress = Progress(*Progress.get_default_columns(), TextColumn("{task.fields[told]}"))
        self._task = self._progress.add_task("train", total=1.0, told="")
        self._progress.start()

    def tell(self, loss: Tensor, seconds: float, share: float) -> None:
        self._heard += seconds
        self._loss = self._loss + loss
        self._steps += 1
        now = time.monotonic()
        if now - self._told > 1:
            self._told = now
            told = f"step {self._state.step}, loss {float(self._loss) / self._steps:.3f} a phone"
            self._progress.update(self._task, completed=share, told=told)
        if now - self._judged > JUDGE_EVERY_S:
            self._judge()
        elif now - self._saved > SAVE_EVERY_S:
            self._saved = now
            self._state.save()
            self._write({})

    def end(self) -> None:
        self._judge()
        self._progress.stop()

    def _judge(self) -> None:
        state = self._state
        state.save()
        only = state.settings.only
        self._write(learnt(state.averaged, only) if only else phone_errors(state.averaged, most=100))
        self._judged = self._saved = time.monotonic()

    def _write(self, more: dict[str, float]) -> None:
        state = self._state
        if not self._steps:  # a run that was over already
            return
        row = {
            "step": state.step,
            "minutes": round(state.elapsed / 60, 2),
            "loss": round(float(self._loss) / max(1, self._steps), 4),
            "heard_h": round(self._heard / 3600, 3),
            **more,
        }
        self._heard = self._loss = 0.0
        self._steps = 0
        with (state.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        plot(state.folder / "log.jsonl", state.folder / "curves.png")


if __name__ == "__main__":
    main()
