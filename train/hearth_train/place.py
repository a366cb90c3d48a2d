"""Where the work of a training lies, `HEARTH_TRAIN` or ~/.cache/hearth-train, and how a file gets there whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(os.environ.get("HEARTH_TRAIN", "~/.cache/hearth-train")).expanduser()
SPEECH: Final = Path(os.environ.get("HEARTH_SPEECH", Path(__file__).parents[3] / "shared" / "speech"))

AUDIO: Final = ROOT / "audio"  # recordings as they came
VOICES: Final = ROOT / "voices"  # programs that speak
PCM: Final = ROOT / "pcm"  # shards of audio
FEATURES: Final = ROOT / "features"  # shards of features
RUNS: Final = ROOT / "runs"  # checkpoints, curves, logs


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Yield a path to write to; what is there when the block ends becomes the file, in one step.

    A block that is interrupted or raises leaves the file as it was: what goes on from it takes it for done. The path
    has another ending than the file, so that nothing finds it by the file's.
    """
    partial = file.with_name(f"{file.name}.partial")
    try:
        yield partial
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
