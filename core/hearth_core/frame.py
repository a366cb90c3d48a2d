"""Wyoming frames between bytes and events: bounded, without any input or output of its own.

A frame is a JSON line `{type, data?, data_length?, payload_length?, version?}`, then `data_length` bytes of JSON merged
over `data`, then `payload_length` bytes. The wyoming package's own reader takes any length and answers junk with None,
KeyError, AttributeError, TypeError or IncompleteReadError (1.10.2); here every malformed frame is one `WireError`,
raised before anything is allocated for it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Hashable
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from wyoming.event import Event, Eventable, write_event

from .errors import WireError

E = TypeVar("E", bound=Eventable)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may ask of a connection; a connection never holds more than one frame of this size and one read."""

    # Headers are some hundred bytes; peers that put `data` into the line fit a transcript with its n-best in 64 KiB.
    header_bytes: int = 64 * 1024
    # The largest in the field is the `info` of a text-to-speech server with all its voices: some hundred kilobytes.
    data_bytes: int = 1024 * 1024
    # 1 MiB is 32 s of 16 kHz s16le mono in one chunk; usual chunks last 0.03 to 0.1 s.
    payload_bytes: int = 1024 * 1024
    # From the first byte of a frame to its last, counted while waiting for them: a full frame of 2 MiB at 2 Mbit/s.
    frame_s: float = 10.0
    # For a peer to take one frame; a satellite's network may stall for some seconds and recover, a dead one does not.
    write_s: float = 10.0


@dataclass(slots=True)
class _Header:
    """A header line that was accepted; lengths in bytes."""

    type: str
    data: dict[str, Any]
    data_length: int
    payload_length: int


def _shown(value: object) -> str:
    """Return what a peer sent as it may appear in a log line: short, printable, on one line."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Decoder:
    """Bytes in, in pieces of any size; events out.

    After a `WireError` the position of the next frame is unknown: every further call raises it again.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0  # no newline before this position, so that a slow line is not searched from its start
        self._header: _Header | None = None
        self._error: WireError | None = None

    @property
    def in_frame(self) -> bool:
        """True if a frame has begun that is not complete."""
        return bool(self._buffer) or self._header is not None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the stream."""
        self._buffer += chunk

    def next_event(self) -> Event | None:
        """Return the next complete event, None if more bytes are needed.

        Raises:
            WireError: the stream is not Wyoming or a frame is over the limits.
        """
        if self._error is not None:
            raise self._error
        try:
            return self._next_event()
        except WireError as error:
            self._error = error
            self._buffer.clear()
            raise

    def _next_event(self) -> Event | None:
        if self._header is None:
            line = self._line()
            if line is None:
                return None
            self._header = self._read_header(line)
        header = self._header
        if len(self._buffer) < header.data_length + header.payload_length:
            return None
        data = header.data
        if header.data_length:
            data = {**data, **_object(self._take(header.data_length), "data section")}
        payload = self._take(header.payload_length) if header.payload_length else None
        self._header = None
        return Event(type=header.type, data=data, payload=payload)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n", self._searched)
        if (len(self._buffer) if end < 0 else end) > self._limits.header_bytes:
            raise WireError(f"a header line is longer than {self._limits.header_bytes} bytes")
        if end < 0:
            self._searched = len(self._buffer)
            return None
        self._searched = 0
        return self._take(end + 1)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _read_header(self, line: bytes) -> _Header:
        raw = _object(line, "header")
        kind = raw.get("type")
        if not isinstance(kind, str) or not kind:
            raise WireError("a header has no type" if kind is None else f"a header's type is {_shown(kind)}")
        data = raw.get("data")
        if data is not None and not isinstance(data, dict):
            raise WireError(f"the data of {_shown(kind)} is not an object")
        return _Header(
            kind,
            data or {},
            _length(raw, "data_length", self._limits.data_bytes),
            _length(raw, "payload_length", self._limits.payload_bytes),
        )


def _length(raw: dict[str, Any], key: str, most: int) -> int:
    value = raw.get(key)
    if value is None:
        return 0
    if type(value) is not int or value < 0:  # a bool is an int to isinstance
        raise WireError(f"{key} is {_shown(value)}, not a length")
    if value > most:
        raise WireError(f"{key} is {_shown(value)}, more than {most}")
    return value


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        text = raw.decode()
        value = json.loads(text)
        if "\\u" in text:  # half a surrogate pair is JSON, but no text: whoever prints or sends it on would fail
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, too deep, a number of thousands of digits
        raise WireError(f"a {what} is not JSON: {_shown(raw[:40])}") from error
    if not isinstance(value, dict):
        raise WireError(f"a {what} is not an object: {_shown(raw[:40])}")
    return value


def encode(event: Event | Eventable, limits: Limits) -> bytes:
    """Return the frame of an event.

    Raises:
        WireError: it is over the limits that the other side has, or its data is not JSON.
    """
    plain = event if isinstance(event, Event) else event.event()
    payload_size = len(plain.payload or b"")
    if payload_size > limits.payload_bytes:
        raise WireError(f"the payload of {_shown(plain.type)} is over {limits.payload_bytes} bytes")
    frame = io.BytesIO()
    try:
        write_event(plain, frame)
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"the data of {_shown(plain.type)} cannot be sent: {_shown(str(error))}") from error
    raw = frame.getvalue()
    header_size = raw.index(b"\n")
    if header_size > limits.header_bytes:
        raise WireError(f"the header of {_shown(plain.type)} is over {limits.header_bytes} bytes")
    if len(raw) - header_size - 1 - payload_size > limits.data_bytes:
        raise WireError(f"the data of {_shown(plain.type)} is over {limits.data_bytes} bytes")
    return raw


def parse(kind: type[E], event: Event) -> E:
    """Return the event as its wyoming class, its fields of the types that the class declares.

    The classes' own `from_event` raises KeyError, TypeError and more on junk, and takes a number for a text; a number
    may be whole or not where the class says int, because peers send fractions of milliseconds.

    Raises:
        WireError: it is another event, or a field is missing or of a wrong type.
    """
    if not kind.is_type(event.type):
        raise WireError(f"{_shown(event.type)} came where {kind.__name__} was expected")
    try:
        parsed = kind.from_event(event)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        reason = f"{type(error).__name__}: {_shown(str(error))}"
        raise WireError(f"the data of {_shown(event.type)} cannot be read: {reason}") from error
    wrong = _misfit(parsed)
    if wrong:
        raise WireError(f"{wrong} of {_shown(event.type)} has a wrong type")
    if not isinstance(parsed, kind):
        raise WireError(f"{_shown(event.type)} is not {kind.__name__}")
    return parsed


@lru_cache(maxsize=256)
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _misfit(value: Any) -> str | None:
    """Return the name of the first field that is not of its declared type, None if all are."""
    kind: type = type(value)
    hints = _hints(kind)
    for field in fields(value):
        if not _fits(getattr(value, field.name), hints[field.name]):
            return field.name
    return None


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin is dict:
        key, item = arguments
        return isinstance(value, dict) and all(_fits(k, key) and _fits(v, item) for k, v in value.items())
    if hint is Any:
        return True
    if hint in (int, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is None:
        return isinstance(value, NoneType)
    if isinstance(hint, type) and is_dataclass(hint):
        return isinstance(value, hint) and _misfit(value) is None
    return isinstance(value, origin or hint)
