"""The last seconds of sound, so that a command begins where it was said and not where it was noticed."""

from __future__ import annotations

from collections import deque

from hearth_core.audio import BYTES_PER_SECOND


class Ring:
    """Keeps whole chunks, at least so many seconds of them once there were as many, and never a chunk more.

    Args:
        seconds: how much sound to keep.
    """

    def __init__(self, seconds: float) -> None:
        self._most = seconds * BYTES_PER_SECOND
        self._chunks: deque[bytes] = deque()
        self._bytes = 0

    def add(self, pcm: bytes) -> None:
        """Keep a chunk, and forget what is older than wanted."""
        self._chunks.append(pcm)
        self._bytes += len(pcm)
        while self._chunks and self._bytes - len(self._chunks[0]) >= self._most:
            self._bytes -= len(self._chunks.popleft())

    def last(self, seconds: float) -> list[bytes]:
        """Return the newest chunks, oldest first: at least so many seconds if there are, and no chunk more."""
        found: deque[bytes] = deque()
        missing = seconds * BYTES_PER_SECOND
        for pcm in reversed(self._chunks):
            if missing <= 0:
                break
            found.appendleft(pcm)
            missing -= len(pcm)
        return list(found)

    def clear(self) -> None:
        """Forget all."""
        self._chunks.clear()
        self._bytes = 0
