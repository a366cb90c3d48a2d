"""What a wheel needs beside the files: the compiled token passing, if a C compiler is at hand.

The library has nothing of Python in it, so one wheel serves every version: py3-none-PLATFORM. Without a compiler, or
with HATCH_BUILD_NO_HOOKS=true, the wheel is py3-none-any, and the search runs in numpy.
"""

from __future__ import annotations

import runpy
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "server/hearth_server/asr/micro"


class CompilePassing(BuildHookInterface):
    """Compiles before a wheel is packed, also for an editable install, which finds the library in the tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say what the wheel is of."""
        if self.target_name != "wheel" or sys.platform != "linux":
            return
        folder = Path(self.root) / FOLDER
        library = runpy.run_path(str(folder / "build_passing.py"))["build"](folder)
        if library is not None:
            build_data["artifacts"].append(f"/{FOLDER}/{library.name}")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
