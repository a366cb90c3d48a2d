"""The audio of a training, small enough to be taken to a machine with a GPU: Opus, in folders that can be sent.

    python -m hearth_train.pack FOLDER [--mib 50]       here: makes FOLDER/1, FOLDER/2, ...
    python -m hearth_train.pack --unpack FOLDER         there: its shards of audio, ready for hearth_train.train

Needs opusenc (Debian: opus-tools). At 20 kbit/s an hour is 9 MB; what it loses is less than what `features` takes away.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from hearth_core.audio import RATE

from . import place
from .shard import path_of

KINDS: Final = ("", "dev", "real", "synthetic")
BITRATE: Final = 20  # kbit/s
EXACT: Final = {"rooms"}  # no speech: they stay as they are


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mib", type=float, default=50.0, help="most in one folder (default: %(default)s)")
    parser.add_argument("--unpack", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    from rich.progress import track

    if options.unpack:
        found = sorted(options.folder.rglob("*.json"))
        with get_context("spawn").Pool(options.jobs) as pool:
            for _ in track(pool.imap_unordered(partial(unpack, options.folder), found), "unpack", len(found)):
                pass
        return
    made = options.folder / "all"
    indexes = [index for kind in KINDS for index in sorted((place.PCM / kind).glob("*.json"))]
    with get_context("spawn").Pool(options.jobs) as pool:
        for _ in track(pool.imap_unordered(partial(pack, made), indexes), "pack", len(indexes)):
            pass
    print(f"{spread(made, options.folder, options.mib * 2**20)} folders in {options.folder}")


def pack(to: Path, index: Path) -> None:
    """Make one shard small."""
    folder = to / index.parent.relative_to(place.PCM)
    if (folder / index.name).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if index.stem in EXACT:
        shutil.copy(index.with_suffix(".npy"), folder)
    else:
        import soundfile

        with tempfile.TemporaryDirectory() as scratch:
            wav = Path(scratch) / "audio.wav"
            soundfile.write(wav, np.load(index.with_suffix(".npy"), mmap_mode="r"), RATE)
            coded = folder / f"{index.stem}.opus"
            command = ["opusenc", "--quiet", "--speech", "--comp", "2", "--bitrate", str(BITRATE)]
            subprocess.run([*command, str(wav), str(coded)], check=True)
    with place.whole(path_of(folder, index.stem)) as file:
        shutil.copy(index, file)


def unpack(folder: Path, index: Path) -> None:
    """Make one shard whole again."""
    kind = index.parent.relative_to(folder)
    to = place.PCM / (kind.relative_to(kind.parts[0]) if kind.parts else kind)  # without the number of its folder
    to.mkdir(parents=True, exist_ok=True)
    path_of(to, index.stem).unlink(missing_ok=True)  # not there until it is whole
    coded = index.with_suffix(".opus")
    if coded.exists():
        import soundfile

        np.save(to / f"{index.stem}.npy", soundfile.read(coded, dtype="int16")[0])
    else:
        shutil.copy(index.with_suffix(".npy"), to)
    with place.whole(path_of(to, index.stem)) as file:
        shutil.copy(index, file)


def spread(made: Path, folder: Path, most: float) -> int:
    """Link the shards into numbered folders of at most so many bytes; return how many there are."""
    number, size = 1, 0
    for index in sorted(made.rglob("*.json")):
        files = list(index.parent.glob(f"{index.stem}.*"))
        more = sum(file.stat().st_size for file in files)
        if size and size + more > most:
            number, size = number + 1, 0
        size += more
        to = folder / str(number) / index.parent.relative_to(made)
        to.mkdir(parents=True, exist_ok=True)
        for file in files:
            (to / file.name).unlink(missing_ok=True)
            (to / file.name).hardlink_to(file)
    return number


if __name__ == "__main__":
    main()
