"""One test run installs at a time, whoever else waits: a desk has several checkouts."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .python314 import InstallError

LOCK_S = 1800  # a cold install on a slow machine and line


@contextmanager
def alone(lock: Path, wait_s: float = LOCK_S) -> Iterator[None]:
    """Keep others who name the same lock waiting until the block is done.

    Raises:
        InstallError: another has been at it for longer than may be waited.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_s
    with lock.open("w") as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise InstallError(
                        f"another run has been installing for {wait_s:g} s", remedy=f"Remove {lock}"
                    ) from None
                time.sleep(0.5)
        yield
