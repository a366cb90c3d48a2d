"""Frames: what is Wyoming becomes an event however it is cut; what is not becomes one WireError."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import io
import json
import pkgutil
from typing import Any

import pytest
import wyoming
from hypothesis import given
from hypothesis import strategies as st
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event, Eventable, async_read_event, write_event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info
from wyoming.intent import Entity, Intent
from wyoming.pipeline import PipelineStage, RunPipeline

from hearth_core.errors import WireError
from hearth_core.frame import Decoder, Limits, encode, parse

LIMITS = Limits(header_bytes=512, data_bytes=1024, payload_bytes=2048)


def stock(event: Event) -> bytes:
    """The frame as the wyoming package writes it."""
    out = io.BytesIO()
    write_event(event, out)
    return out.getvalue()


def decode(raw: bytes, size: int | None = None, limits: Limits = LIMITS) -> list[Event]:
    decoder, events = Decoder(limits), []
    for start in range(0, len(raw), size or max(1, len(raw))):
        decoder.feed(raw[start : start + (size or len(raw))])
        while (event := decoder.next_event()) is not None:
            events.append(event)
    return events


def event_classes() -> list[Any]:
    found: list[Any] = []
    for module in pkgutil.iter_modules(wyoming.__path__):
        if module.name in ("http", "util", "zeroconf"):  # not events; zeroconf needs a package of its own
            continue
        for value in vars(importlib.import_module(f"wyoming.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Eventable) and value is not Eventable:
                found.append(value)
    return sorted(set(found), key=lambda kind: kind.__name__)


# What the fields of a name hold where the type alone does not say it.
SAMPLES: dict[str, Any] = {
    "rate": 16000, "width": 2, "channels": 1, "audio": b"\1\2", "text": "turn on the bed light ☀", "name": "okay nabu",
    "id": "timer-1", "total_seconds": 90, "is_active": True, "restart_on_end": False, "language": "en",
    "start_stage": PipelineStage.WAKE, "end_stage": PipelineStage.TTS, "timestamp": 12, "context": {"command_id": "ab"},
    "entities": [Entity(name="area", value="kitchen")],
}  # fmt: skip


def sample(kind: Any) -> Eventable:
    values = {}
    for field in dataclasses.fields(kind):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required or field.name in ("text", "context", "timestamp", "language", "name"):
            values[field.name] = SAMPLES[field.name]
    made: Eventable = kind(**values)
    return made


@pytest.mark.parametrize("kind", event_classes(), ids=lambda kind: kind.__name__)
def test_every_wyoming_event_comes_back_as_it_went(kind: type[Eventable]) -> None:
    sent = sample(kind)
    raw = encode(sent, Limits())
    assert raw == stock(sent.event()), "the bytes are those of the wyoming package"
    for size in (1, 7, None):
        (event,) = decode(raw, size)
        assert parse(kind, event) == sent


def test_introspection_finds_the_events() -> None:
    assert len(event_classes()) >= 40
    assert {AudioChunk, Transcript, Describe, RunPipeline} <= set(event_classes())


def test_the_info_of_a_server_is_parsed() -> None:
    attribution = Attribution(name="Hearth", url="https://example.org")
    model = AsrModel("en", attribution, True, "English", "1", languages=["en"])
    info = Info(asr=[AsrProgram("hearth", attribution, True, "Hearth", "1", models=[model])])
    (event,) = decode(encode(info, Limits()), limits=Limits())
    assert parse(Info, event) == info


def test_several_frames_in_one_piece() -> None:
    events = [Event("a", {"x": 1}), Event("b", {}, b"payload\n{}"), Event("c", {"y": "\n"}, b"\n")]
    assert decode(b"".join(stock(event) for event in events)) == events


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        (b'{"type": "a"}\n', Event("a")),
        (b'{"type": "a", "data": {"x": 1}}\n', Event("a", {"x": 1})),
        (b'{"type": "a", "data": {"x": 1, "y": 1}, "data_length": 8}\n{"x": 2}', Event("a", {"x": 2, "y": 1})),
        (b'{"type": "a", "data": null, "data_length": null, "payload_length": null}\n', Event("a")),
        (b'{"type": "a", "data_length": 0, "payload_length": 0}\n', Event("a")),
        (b'{"type": "a", "unknown": []}\r\n', Event("a")),
        (b'{"type": "a", "data": {"x": "\\ud83d\\ude00"}}\n', Event("a", {"x": "😀"})),
    ],
)
def test_accepted_forms(raw: bytes, event: Event) -> None:
    for size in (1, 3, None):
        assert decode(raw, size) == [event]


JUNK = {
    "junk bytes": b"\x00\xff\x13\x37 not wyoming\n",
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "an empty line": b"\n",
    "a JSON list": b'["type", "describe"]\n',
    "a JSON string": b'"describe"\n',
    "null": b"null\n",
    "no type": b'{"data": {}}\n',
    "a type that is a number": b'{"type": 5}\n',
    "an empty type": b'{"type": ""}\n',
    "a type that is a list": b'{"type": ["a"]}\n',
    "data that is a list": b'{"type": "a", "data": [1]}\n',
    "payload_length of 1e12": b'{"type": "a", "payload_length": 1000000000000}\n',
    "data_length of 1e12": b'{"type": "a", "data_length": 1000000000000}\n',
    "payload_length 1e12 as float": b'{"type": "a", "payload_length": 1e12}\n',
    "payload_length one over": b'{"type": "a", "payload_length": 2049}\n',
    "data_length one over": b'{"type": "a", "data_length": 1025}\n',
    "negative payload_length": b'{"type": "a", "payload_length": -1}\n',
    "negative data_length": b'{"type": "a", "data_length": -5}\n',
    "bool length": b'{"type": "a", "payload_length": true}\n',
    "float length": b'{"type": "a", "payload_length": 2.0}\nab',
    "string length": b'{"type": "a", "payload_length": "2"}\nab',
    "NaN length": b'{"type": "a", "payload_length": NaN}\n',
    "list length": b'{"type": "a", "data_length": [2]}\n{}',
    "data section that is a list": b'{"type": "a", "data_length": 2}\n[]',
    "data section that is not JSON": b'{"type": "a", "data_length": 2}\n{x',
    "data section that is not UTF-8": b'{"type": "a", "data_length": 8}\n{"\xff": 1}',
    "invalid UTF-8": b'{"type": "\xc3\x28"}\n',
    "half a surrogate pair": b'{"type": "a", "data": {"x": "\\ud83d"}}\n',
    "an endless header": b'{"type": "' + b"a" * 600,
    "an endless header of spaces": b" " * 513,
    "a header one byte too long": b'{"type": "' + b"a" * 501 + b'"}\n',
    "a number of many digits": b'{"type": "a", "payload_length": ' + b"9" * 400 + b"}\n",
}


@pytest.mark.parametrize("raw", JUNK.values(), ids=JUNK.keys())
def test_junk_is_a_wire_error_however_it_is_cut(raw: bytes) -> None:
    for size in (1, 5, None):
        with pytest.raises(WireError) as raised:
            decode(raw, size)
        assert len(str(raised.value)) < 200
        assert str(raised.value).isprintable()


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_a_wire_error(opening: bytes) -> None:
    deep = opening * 100_000
    with pytest.raises(WireError, match="JSON"):
        decode(b'{"type": "a", "data_length": %d}\n' % len(deep) + deep, limits=Limits())


def test_digits_without_end_are_a_wire_error() -> None:
    with pytest.raises(WireError, match="JSON"):
        decode(b'{"type": "a", "data": {"x": ' + b"1" * 5000 + b"}}\n", limits=Limits())


def test_a_frame_at_its_limits_is_accepted() -> None:
    header = b'{"type": "a", "data_length": 1024, "payload_length": 2048}'
    header += b" " * (512 - len(header)) + b"\n"
    data = b'{"x": "' + b"a" * 1015 + b'"}'
    (event,) = decode(header + data + b"p" * 2048)
    assert (len(event.data["x"]), len(event.payload or b"")) == (1015, 2048)


def test_lengths_are_checked_before_the_bytes_come() -> None:
    decoder = Decoder(LIMITS)
    decoder.feed(b'{"type": "a", "payload_length": 1000000000000}\n')
    with pytest.raises(WireError, match=r"payload_length is 1000000000000, more than 2048"):
        decoder.next_event()


def test_after_an_error_nothing_is_read_any_more() -> None:
    decoder = Decoder(LIMITS)
    decoder.feed(b"junk\n" + stock(Event("a")))
    for _ in range(2):
        with pytest.raises(WireError):
            decoder.next_event()
        decoder.feed(stock(Event("a")))


def test_a_truncated_frame_is_known_as_such() -> None:
    raw = stock(Event("a", {"x": 1}, b"payload"))
    for cut in range(1, len(raw)):
        decoder = Decoder(LIMITS)
        decoder.feed(raw[:cut])
        assert decoder.next_event() is None
        assert decoder.in_frame
    assert not Decoder(LIMITS).in_frame


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["type", "data", "data_length", "payload_length", "version"]) | st.text(max_size=4)
HEADERS = st.dictionaries(KEYS, JSON, max_size=5).map(lambda header: json.dumps(header).encode() + b"\n")


@given(st.lists(st.binary(max_size=40) | HEADERS, max_size=6).map(b"".join), st.integers(1, 50))
def test_any_bytes_give_events_or_a_wire_error_and_cuts_change_nothing(raw: bytes, size: int) -> None:
    def outcome(size: int) -> tuple[list[Event], str]:
        decoder, events = Decoder(LIMITS), []
        try:
            for start in range(0, len(raw), size):
                decoder.feed(raw[start : start + size])
                while (event := decoder.next_event()) is not None:
                    assert isinstance(event.type, str)
                    assert isinstance(event.data, dict)
                    events.append(event)
        except WireError as error:
            return events, str(error)
        return events, ""

    whole, cut = outcome(max(1, len(raw))), outcome(size)
    assert repr(whole) == repr(cut)  # repr, because NaN is not equal to itself


TEXT_DATA = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20), max_size=4)
EVENTS = st.builds(Event, st.text(min_size=1, max_size=8), TEXT_DATA, st.none() | st.binary(min_size=1, max_size=64))


@given(st.lists(EVENTS, min_size=1, max_size=4), st.integers(1, 100))
def test_agrees_with_the_stock_reader_on_what_is_valid(events: list[Event], size: int) -> None:
    raw = b"".join(encode(event, Limits()) for event in events)

    async def stock_read() -> list[Event | None]:
        reader = asyncio.StreamReader()
        reader.feed_data(raw)
        reader.feed_eof()
        return [await async_read_event(reader) for _ in events]

    assert decode(raw, size, Limits()) == asyncio.run(stock_read()) == events


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event("a", {}, bytes(2049)), "payload"),
        (Event("a" * 600), "header"),
        (Event("a", {"x": "y" * 1020}), "data"),
        (Event("a", {"x": object()}), "cannot be sent"),
        (Event("a", {"x": "\ud800"}), "cannot be sent"),
    ],
)
def test_what_the_other_side_would_refuse_is_not_sent(event: Event, message: str) -> None:
    with pytest.raises(WireError, match=message):
        encode(event, LIMITS)


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (Transcript, Event("transcript", {})),
        (Transcript, Event("transcript", {"text": 5})),
        (Transcript, Event("transcript", {"text": None})),
        (Transcript, Event("transcript", {"text": "on", "context": [1]})),
        (Transcript, Event("audio-start", {"text": "on"})),
        (AudioStart, Event("audio-start", {"rate": "16000", "width": 2, "channels": 1})),
        (AudioStart, Event("audio-start", {"rate": True, "width": 2, "channels": 1})),
        (AudioChunk, Event("audio-chunk", {"rate": 16000, "width": 2})),
        (Intent, Event("intent", {"name": "HassTurnOn", "entities": [{"nome": 1}]})),
        (Intent, Event("intent", {"name": "HassTurnOn", "entities": 5})),
        (Info, Event("info", {"asr": [{"name": "x"}]})),
        (Info, Event("info", {"asr": "x"})),
        (RunPipeline, Event("run-pipeline", {"start_stage": "nowhere", "end_stage": "tts"})),
    ],
)
def test_data_that_does_not_fit_the_event_is_a_wire_error(kind: type[Eventable], event: Event) -> None:
    with pytest.raises(WireError):
        parse(kind, event)


@given(st.sampled_from(event_classes()), st.dictionaries(st.sampled_from(sorted(SAMPLES)), JSON, max_size=6))
def test_parse_never_raises_anything_else(kind: type[Eventable], data: dict[str, Any]) -> None:
    try:
        parsed = parse(kind, Event(sample(kind).event().type, data))
    except WireError:
        return
    assert isinstance(parsed, kind)


def test_fractions_of_milliseconds_are_accepted() -> None:
    event = Event("audio-chunk", {"rate": 16000, "width": 2, "channels": 1, "timestamp": 12.5}, b"")
    assert parse(AudioChunk, event).timestamp == 12.5
