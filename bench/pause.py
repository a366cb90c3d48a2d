"""The pause after a wake word: how often its tail is taken for a command, which then ends before the speaker begins.

    python bench/pause.py [--words DIR|TAR…] [--json]

Each wake word, alone in a quiet room, is followed by 2.4 s without speech. `ended` is a command that was over in that
time, because the server took what it hears of the wake word for one. `0.3 s kept` is a server that hears everything
since 0.3 s before the detection, as of satellites that do not say where the word ended; `word's end` is what is built
in. The word's name is the file's, up to a hyphen: `okay_nabu-rms.flac`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import sound  # noqa: E402 - found only now
from hearth_core.audio import RATE  # noqa: E402
from hearth_core.command import Detection, EndReason  # noqa: E402
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector  # noqa: E402
from hearth_satellite import events  # noqa: E402
from hearth_satellite.loudness import word_end_ms  # noqa: E402
from hearth_satellite.ring import Ring  # noqa: E402
from hearth_satellite.wake import MicroWakeWord  # noqa: E402
from hearth_server import opening  # noqa: E402

CHUNK = 1024
CHUNK_MS = 32
PAUSE_S = 2.4


def room(seconds: float, seed: int) -> sound.Samples:
    """Return a quiet room."""
    return np.random.default_rng(seed).normal(0, 8, round(seconds * RATE)).astype(np.float32)


def hear(path: Path) -> tuple[bytes, bytes] | None:
    """Return the sound up to the detection that is sent, and what follows it; None if nothing is detected."""
    word = sound.load(path)
    pcm = sound.pcm(np.concatenate([room(1.5, 1), word, room(PAUSE_S, 2)]))
    wake = MicroWakeWord([path.stem.partition("-")[0]])
    ring = Ring(wake.preroll_s)
    for start in range(0, len(pcm), CHUNK):
        ring.add(pcm[start : start + CHUNK])
        if wake.feed(pcm[start : start + CHUNK]) is not None:
            return b"".join(ring.last(wake.preroll_s)), pcm[start + CHUNK :]
    return None


def ends(sent: bytes, skip_ms: int, detector: SileroDetector) -> bool:
    """Say whether a server that leaves the first so many milliseconds out takes the rest for a command."""
    endpointer = Endpointer(EndpointSettings(), detector)
    for start in range(-(-skip_ms // CHUNK_MS) * CHUNK, len(sent), CHUNK):
        if endpointer.feed(sent[start : start + CHUNK]) is not None:
            break
    return endpointer.end is EndReason.SILENCE


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = sorted((ROOT / "tests" / "data" / "satellite").glob("*-*.flac"))
    parser.add_argument("--words", type=Path, nargs="+", default=words)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    detector = SileroDetector()
    found = {"words": 0, "detected": 0, "0.3 s kept": 0, "word's end": 0}
    with tempfile.TemporaryDirectory() as unpacked:
        for path in sound.find(arguments.words, Path(unpacked)):
            found["words"] += 1
            heard = hear(path)
            if heard is None:
                continue
            found["detected"] += 1
            lead, after = heard
            end = word_end_ms(lead)
            for kind, facts in (("0.3 s kept", {}), ("word's end", {} if end is None else {"word_end_ms": end})):
                opened = events.beginning(Detection(path.stem.partition("-")[0]), "", len(lead) // 32, facts)[1]
                found[kind] += ends(lead + after, opening.read(opened).skip_ms, detector)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, count in found.items():
        print(f"{name:12} {count:4}" + (" ended in the pause" if "'" in name or "kept" in name else ""))


if __name__ == "__main__":
    main()
