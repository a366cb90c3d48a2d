"""Token passing by the compiled `passing.c`, where there is one.

It works without Python's lock, so that streams share the cores and nobody waits for them.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from hearth_core.errors import EngineError

from .build_passing import NAME, SOURCE, source_number
from .history import Step
from .passing import ArrayPassing, DecoderLimits, TokenPassing
from .phone_graph import PhoneGraph
from .scores import SYMBOLS
from .tokens import Scores, Tokens

log = logging.getLogger(__name__)

Begin = Callable[[PhoneGraph, DecoderLimits, Scores], TokenPassing]

# Laid out as in `passing.c`.
_TOKEN: Final = np.dtype(
    [
        *(("key", "u8"), ("words", "u8"), ("said", "f8"), ("silent", "f8")),
        *(("node", "i4"), ("step_said", "i4"), ("step_silent", "i4"), ("began", "i4")),
    ]
)
_STEP: Final = np.dtype([("score", "f8"), ("before", "i4"), ("node", "i4"), ("word", "i4"), ("frame", "i4")])
_FIRST_STEPS: Final = 256  # more than a sentence has phones


class _Graph(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("nodes", "arcs", "words", "root")] + [
        (name, ctypes.c_void_p) for name in ("phone", "arc_start", "arc_node", "arc_phone", "arc_word")
    ]


class _Limits(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("phone_bonus", "beam", "peer_beam", "phone_beam")] + [
        (name, ctypes.c_int64) for name in ("max_active", "per_node")
    ]


class Library:
    """The compiled functions.

    Args:
        path: what `build_passing` made.

    Raises:
        OSError: it cannot be loaded, or was made of another text of `passing.c`.
    """

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))
        pointer, int64, int32 = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
        self.fits = _function(library, "graph_fits", ctypes.c_int, pointer)
        self.new = _function(library, "new", pointer, pointer, pointer, pointer)
        self.copy = _function(library, "copy", pointer, pointer)
        self.free = _function(library, "free", None, pointer)
        self.feed = _function(library, "feed", ctypes.c_int, pointer, pointer, int64, int32)
        self.tokens = _function(library, "tokens", pointer, pointer, pointer)
        self.path = _function(library, "path", int64, pointer, int32, pointer, int64)
        if _function(library, "source", ctypes.c_uint32)() != source_number():
            raise OSError(f"{path} was made of another {SOURCE.name}")
        self._graphs: weakref.WeakKeyDictionary[PhoneGraph, _Graph] = weakref.WeakKeyDictionary()

    def graph(self, graph: PhoneGraph) -> _Graph:
        """Return where a graph's arrays are; whether they fit is looked at the first time.

        Raises:
            EngineError: a number in it leads to nowhere.
        """
        known = self._graphs.get(graph)
        if known is None:
            arcs = graph.arc_node, graph.arc_phone, graph.arc_word
            arrays = graph.phone, graph.arc_start, *arcs
            sizes = graph.nodes, len(graph.arc_node), len(graph.words), int(graph.root[0])
            known = _Graph(*sizes, *(array.ctypes.data for array in arrays))
            plain = all(array.dtype == np.int32 and array.flags.c_contiguous for array in arrays)
            equal = len(graph.arc_start) == graph.nodes + 1 and len({len(array) for array in arcs}) == 1
            if not (plain and equal and self.fits(ctypes.byref(known))):
                raise EngineError("the graph of the home's phones is broken")
            for array in arrays:
                array.flags.writeable = False
            self._graphs[graph] = known
        return known


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
    try:
        function = getattr(library, f"hearth_{name}")
    except AttributeError as error:
        raise OSError(f"the library has no hearth_{name}") from error
    function.restype, function.argtypes = result, arguments
    return function


class CompiledPassing:
    """Token passing in C, as `ArrayPassing` does it.

    Args:
        library: the compiled functions.
        graph: the grammar.
        limits: how to decode.
        bonus: shape (words + 1,), nats for each word, and in the end 0 for no word.

    Raises:
        EngineError: the graph is broken, or these are no numbers of its words.
    """

    def __init__(self, library: Library, graph: PhoneGraph, limits: DecoderLimits, bonus: Scores) -> None:
        where = library.graph(graph)
        bonus = np.ascontiguousarray(bonus, dtype=np.float64)
        if bonus.shape != (len(graph.words) + 1,):
            raise EngineError("a decoder needs one bonus for each word")
        beams = limits.beam, limits.peer_beam, limits.phone_beam
        given = _Limits(limits.phone_bonus, *beams, limits.max_active, limits.per_node)
        self._begin(library, graph, library.new(ctypes.byref(where), ctypes.byref(given), bonus.ctypes.data))

    def _begin(self, library: Library, graph: PhoneGraph, search: int | None) -> None:
        if not search:
            raise MemoryError
        self._library = library
        self._graph = graph  # whose arrays the search reads
        self._search = search
        self._one = threading.Lock()  # the library is not for two threads at once, and without Python's lock
        weakref.finalize(self, library.free, search).atexit = False

    @property
    def active(self) -> int:
        """How many tokens are alive."""
        return len(self._alive())

    @property
    def tokens(self) -> Tokens:
        """The tokens that are alive."""
        alive = self._alive()
        score = np.stack((alive["said"], alive["silent"]))
        step = np.stack((alive["step_said"], alive["step_silent"]))
        return Tokens(alive["node"], alive["words"], alive["key"], alive["began"], score, step)

    def copy(self) -> CompiledPassing:
        """Return tokens in the same state that go on by themselves."""
        other = CompiledPassing.__new__(CompiledPassing)
        with self._one:
            search = self._library.copy(self._search)
        other._begin(self._library, self._graph, search)
        return other

    def feed(self, scores: Scores, frame: int) -> None:
        """Hear frames, shape (frames, 40), of which the first has this number.

        Raises:
            ValueError: another shape.
            MemoryError: there is none left; the utterance cannot be gone on with.
        """
        scores = np.ascontiguousarray(scores, dtype=np.float64)
        if scores.ndim != 2 or scores.shape[1] != SYMBOLS:
            raise ValueError(f"scores of shape {scores.shape}")
        with self._one:
            heard = self._library.feed(self._search, scores.ctypes.data, len(scores), frame)
        if not heard:
            raise MemoryError

    def path(self, step: int) -> list[Step]:
        """Return all steps up to one of a token's, the first first."""
        room = _FIRST_STEPS
        while True:
            steps = np.empty(room, dtype=_STEP)
            with self._one:
                count = self._library.path(self._search, step, steps.ctypes.data, room)
            if count <= room:
                break
            room = count
        return [
            Step(before, node, word, frame, score) for score, before, node, word, frame in steps[:count][::-1].tolist()
        ]

    def _alive(self) -> Any:
        count = ctypes.c_int64()
        with self._one:
            at = self._library.tokens(self._search, ctypes.byref(count))
            return np.frombuffer(ctypes.string_at(at, count.value * _TOKEN.itemsize), dtype=_TOKEN)


@cache
def installed() -> Library | None:
    """Return the library that came with Hearth, None if it was not compiled for this machine."""
    path = SOURCE.with_name(NAME)
    if not path.exists():
        log.info("the search of the engine micro is not compiled: it takes several times the CPU (docs/micro.md)")
        return None
    try:
        return Library(path)
    except OSError as error:
        log.warning("the search of the engine micro runs uncompiled: %s", error)
        return None


def passing(graph: PhoneGraph, limits: DecoderLimits, bonus: Scores) -> TokenPassing:
    """Return tokens at the beginning of a graph, by the compiled functions where they are there."""
    library = installed()
    return CompiledPassing(library, graph, limits, bonus) if library else ArrayPassing(graph, limits, bonus)
