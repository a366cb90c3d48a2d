"""Compile `passing.c` where a C compiler is at hand: python build_passing.py [FOLDER]

It runs when a wheel of Hearth is built, or an editable install, and needs the standard library alone. Without a
compiler nothing is made, and Hearth searches in numpy.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

SOURCE = Path(__file__).with_name("passing.c")
NAME = "libpassing.so"  # on macOS too; without "lib" Python would take it for the module
# Nothing that rounds in another way than numpy: no fused products, no reordered sums.
FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-shared", "-fPIC")


def compiler() -> list[str]:
    """Return the command of a C compiler, `CC` or `cc`; empty if there is none."""
    command = shlex.split(os.environ.get("CC") or "cc")
    return command if os.name == "posix" and command and shutil.which(command[0]) else []


def source_number() -> int:
    """Return a number of the source; a library that was made of another text is not used."""
    return zlib.crc32(SOURCE.read_bytes())


def build(folder: Path) -> Path | None:
    """Compile into a folder; return the library, None if no compiler is there or it fails, which is told."""
    command = compiler()
    if not command:
        print("hearth: no C compiler, the search of the engine micro runs in numpy", file=sys.stderr)
        return None
    library = folder / NAME
    with tempfile.TemporaryDirectory(dir=folder) as work:
        made = Path(work) / NAME
        call = [*command, *FLAGS, f"-DSOURCE_NUMBER={source_number()}u", str(SOURCE), "-o", str(made), "-lm"]
        done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - the user's compiler
        if done.returncode:
            print(f"hearth: {SOURCE.name} does not compile, numpy is used: {done.stderr}", file=sys.stderr)
            return None
        made.replace(library)  # whole or not at all: a server may be loading it
    return library


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE.parent))
