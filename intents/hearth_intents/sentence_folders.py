"""An author's folders of sentences while they are being written: read again on change, never worse than before."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from hearth_core.errors import SentenceError

from .sentence_file import SentenceFile
from .sentences import Sentences, authors_files, load_sentences

Fingerprint = tuple[tuple[str, int, int, int], ...]


class SentenceFolders:
    """The sentences of a language with those of some folders.

    A file that is bad now counts with its last good text; one that is deleted is gone.

    Args:
        language: code.
        folders: as for `load_sentences`.
        builtin: as for `load_sentences`.
    """

    def __init__(self, language: str, folders: Iterable[Path], *, builtin: bool = True) -> None:
        self._language = language
        self._folders = tuple(folders)
        self._builtin = builtin
        self._kept: dict[Path, SentenceFile] = {}
        self._loaded: Fingerprint | None = None
        self._last: Fingerprint | None = None
        self._current: Sentences | None = None
        self._told: set[str] = set()
        self._loading = threading.Lock()  # whoever comes second gets what the first has read

    def changed(self) -> bool:
        """Return whether the files differ from those read, and have come to rest since the last call.

        Called again and again, at the pace at which news is wanted. A file that is half written is not read.
        """
        now = self._fingerprint()
        at_rest, self._last = now == self._last, now
        return at_rest and now != self._loaded

    def load(self) -> Sentences:
        """Return the sentences as they are now; read anew only if a file differs from when it was read last.

        Raises:
            SentenceError: nobody has sentences in the language, or a folder is not there.
        """
        with self._loading:
            return self._load()

    def _load(self) -> Sentences:
        now = self._fingerprint()
        if self._current is not None and now == self._loaded:
            return self._current
        self._loaded = now  # first, so that a folder that cannot be read is told once, not at every look
        found = load_sentences(self._language, self._folders, builtin=self._builtin, kept=self._kept)
        self._kept = {file.path: file for file in found.files}
        self._current = found
        self._told &= {str(problem) for problem in found.problems}
        return found

    def keeps(self, error: SentenceError) -> bool:
        """Return whether the file of an error is still used, with its last good text."""
        return getattr(error, "path", None) in self._kept

    def news(self) -> tuple[SentenceError, ...]:
        """Return the problems that were not there at the last call; one that went and came back is news again."""
        problems = self._current.problems if self._current else ()
        fresh = tuple(problem for problem in problems if str(problem) not in self._told)
        self._told = {str(problem) for problem in problems}
        return fresh

    def _fingerprint(self) -> Fingerprint:
        found = []
        for path in authors_files(self._language, (folder for folder in self._folders if folder.is_dir())):
            try:
                facts = path.stat()
                found.append((str(path), facts.st_mtime_ns, facts.st_size, facts.st_ino))
            except OSError:  # deleted meanwhile, or not ours to read: reading it says which
                found.append((str(path), 0, 0, 0))
        return (*sorted(found), *((str(f), -1, 0, 0) for f in self._folders if not f.is_dir()))
