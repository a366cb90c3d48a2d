"""Where the work of a training lies: outside the tree, `HEARTH_TRAIN` or ~/.cache/hearth-train."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(os.environ.get("HEARTH_TRAIN", "~/.cache/hearth-train")).expanduser()
SPEECH: Final = Path(os.environ.get("HEARTH_SPEECH", Path(__file__).parents[3] / "shared" / "speech"))

AUDIO: Final = ROOT / "audio"  # recordings as they came
VOICES: Final = ROOT / "voices"  # programs that speak
PCM: Final = ROOT / "pcm"  # shards of audio
FEATURES: Final = ROOT / "features"  # shards of features
RUNS: Final = ROOT / "runs"  # checkpoints, curves, logs
