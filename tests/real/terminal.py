"""A real terminal, in which a command asks and is answered as by a person."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

WAIT_S = 60.0
AGAIN_S = 3.0


class Terminal:
    """A command with a terminal of its own.

    Args:
        command: it and its arguments.
        env: its environment.
        cwd: its folder.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self.seen = ""
        self._read = 0  # of what was seen, up to what was expected last
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            command, env={"TERM": "xterm", "COLUMNS": "100", **env}, cwd=cwd,
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=_take_the_terminal,
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait until something is seen, after what was expected before; return it.

        Raises:
            AssertionError: the command ends without it, or too much time passes.
        """
        until = time.monotonic() + WAIT_S
        while (found := re.compile(pattern, re.DOTALL).search(self.seen, self._read)) is None:
            if not self._look(until):
                raise AssertionError(
                    f"{pattern!r} is not seen after {self.seen[: self._read]!r}: {self.seen[self._read :]!r}"
                )
        self._read = found.end()
        return found

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{text}\n".encode())

    def interrupt(self) -> int:
        """Press Ctrl and C, return the exit code; pressed again, as by a person, for Python's readline may miss one."""
        until = time.monotonic() + WAIT_S
        while self._process.poll() is None and time.monotonic() < until:
            with suppress(OSError):  # it has ended meanwhile
                os.write(self._ours, b"\x03")
            again = time.monotonic() + AGAIN_S
            while self._look(again):
                pass
        return self.end()

    def end(self) -> int:
        """Wait for the end of the command; return its exit code."""
        until = time.monotonic() + WAIT_S
        while self._look(until):
            pass
        return self._process.wait(WAIT_S)

    def _look(self, until: float) -> bool:
        """See more of what is written; return False if there is no more."""
        if not select.select([self._ours], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        try:
            read = os.read(self._ours, 4096)
        except OSError:  # Linux says so when nobody holds the terminal any more
            return False
        self.seen += read.decode(errors="replace").replace("\r\n", "\n")
        return bool(read)


def _take_the_terminal() -> None:
    """Let the command's terminal be that of its session, so that Ctrl and C reaches it; and be heeded.

    A shell has what it starts in the background ignore it, the tests and all that they start.
    """
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
