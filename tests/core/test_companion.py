"""Requests and notes between two sides that may each be wrong, late or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.event import Event

from hearth_core import companion_client as client
from hearth_core.companion import MAX_REQUESTS, PREFIX, Dialogue, RefusedError, pack, refusal_of, unpack
from hearth_core.companion_client import Identity, SecuredPortError
from hearth_core.errors import BusError, PeerError, WireError
from hearth_core.wire import Connection, serve


class Wire:
    """Two dialogues back to back."""

    peer = "the other side"

    def __init__(self) -> None:
        self.other: Dialogue | None = None
        self.sent: list[Event] = []

    async def write(self, event: Event) -> None:
        self.sent.append(event)
        if self.other is not None:
            await self.other.receive(event)


def pair(handlers: Mapping[str, Any]) -> tuple[Dialogue, Wire]:
    there, here = Wire(), Wire()
    asking, answering = Dialogue(there, {}), Dialogue(here, handlers)
    there.other, here.other = answering, asking
    return asking, here


async def test_a_request_gets_its_result() -> None:
    async def double(fields: Mapping[str, Any], payload: bytes) -> Mapping[str, Any]:
        return {"value": fields["value"] * 2, "bytes": len(payload)}

    asking, _ = pair({"double": double})
    answers = await asyncio.gather(*(asking.request("double", {"value": n}, b"xy") for n in range(5)))
    assert [answer["value"] for answer in answers] == [0, 2, 4, 6, 8]
    assert answers[0]["bytes"] == 2


@pytest.mark.parametrize(
    ("raised", "reason"),
    [(RefusedError("busy", "later", retry_s=3), "busy"), (BusError("away"), "bus"), (ZeroDivisionError(), "internal")],
)
async def test_a_refusal_arrives_with_its_reason(raised: Exception, reason: str) -> None:
    async def fail(fields: Mapping[str, Any], payload: bytes) -> None:
        raise raised

    asking, _ = pair({"fail": fail})
    with pytest.raises(RefusedError) as refused:
        await asking.request("fail")
    assert refused.value.reason == reason
    assert refused.value.retry_s == (3 if reason == "busy" else 0)


async def test_an_answer_that_is_late_is_nobodys() -> None:
    asking, here = pair({})
    here.other = None
    with pytest.raises(PeerError, match="did not answer"):
        await asking.request("anything", timeout=0.01)
    await asking.receive(Event("hearth-reply", {"id": 1, "result": {}}))


async def test_a_dialogue_that_ends_answers_those_who_wait() -> None:
    async def hang(fields: Mapping[str, Any], payload: bytes) -> None:
        await asyncio.Event().wait()

    asking, _ = pair({"hang": hang})
    waiting = asyncio.create_task(asking.request("hang"))
    await asyncio.sleep(0)
    await asking.close()
    with pytest.raises(PeerError, match="lost"):
        await waiting
    with pytest.raises(PeerError, match="closed"):
        await asking.request("hang")


async def test_more_than_a_home_can_ask_is_refused() -> None:
    begun = asyncio.Event()

    async def hang(fields: Mapping[str, Any], payload: bytes) -> None:
        await begun.wait()

    asking, _ = pair({"hang": hang})
    waiting = [asyncio.create_task(asking.request("hang")) for _ in range(MAX_REQUESTS + 1)]
    with pytest.raises(RefusedError, match="too many"):
        await waiting[-1]
    begun.set()
    await asyncio.gather(*waiting[:-1])


async def test_notes_are_taken_in_their_order_whatever_they_do() -> None:
    seen: list[int] = []

    async def take(fields: Mapping[str, Any], payload: bytes) -> None:
        await asyncio.sleep(0.01 if fields["n"] == 0 else 0)
        seen.append(fields["n"])
        if fields["n"] == 1:
            raise ZeroDivisionError

    asking, _ = pair({"take": take})
    for n in range(3):
        await asking.note("take", {"n": n})
    async with asyncio.timeout(5):
        while len(seen) < 3:
            await asyncio.sleep(0.01)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("number", ["1", 1.5, True, [], {}])
async def test_an_id_that_is_no_number_ends_the_dialogue(number: object) -> None:
    _, here = pair({})
    with pytest.raises(WireError):
        await Dialogue(here, {}).receive(Event("hearth-ask", {"id": number}))


async def test_other_events_are_none_of_its_business() -> None:
    assert not await Dialogue(Wire(), {}).receive(Event("transcript", {"id": 1}))
    assert await Dialogue(Wire(), {}).receive(Event("hearth-unheard-of", {}))


@given(st.dictionaries(st.text(max_size=20), st.none() | st.integers() | st.text(max_size=400) | st.booleans()))
def test_a_refusal_of_anything_is_a_refusal(data: dict[str, Any]) -> None:
    refusal = refusal_of(data)
    assert refusal.message
    assert len(refusal.message) <= 300


@given(st.binary(max_size=2000))
def test_junk_is_no_home(junk: bytes) -> None:
    with pytest.raises(WireError):
        unpack(junk)


def test_a_bomb_is_not_unpacked() -> None:
    import zlib

    with pytest.raises(WireError, match="larger"):
        unpack(zlib.compress(b"[" + b" " * (40 * 2**20) + b"]"))


def test_a_home_survives_the_way() -> None:
    home = b'{"names": ["K\xc3\xbcche", "\xf0\x9f\x92\xa1"]}'
    assert unpack(b"".join(pack(home))) == {"names": ["Küche", "💡"]}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"server_id": "a b", "name": "x", "version": "1", "protocol": 1, "language": "en"},
        {"server_id": "ab", "name": "x\n", "version": "1", "protocol": 1, "language": "en"},
        {"server_id": "ab", "name": "x", "version": "1", "protocol": "1", "language": "en"},
        {"server_id": "ab", "name": "x", "version": 1, "protocol": 1, "language": "en"},
        {"server_id": "ab", "name": "x" * 301, "version": "1", "protocol": 1, "language": "en"},
    ],
)
def test_what_is_no_identity_is_told(data: dict[str, Any]) -> None:
    with pytest.raises(WireError, match="Hearth server"):
        Identity.of(data)


@pytest.mark.parametrize("closed", [True, False])
async def test_a_port_for_tls_that_is_closed_is_told_from_somebody_else_on_it(closed: bool) -> None:
    told: dict[str, Any] = {
        "server_id": "a1", "name": "n", "version": "1", "protocol": 1, "language": "en", "fingerprint": "0" * 64,
    }  # fmt: skip

    async def server(connection: Connection) -> None:
        while await connection.read(5) is not None:
            await connection.write(Event(PREFIX + "identity", told))

    async with await serve("127.0.0.1", 0, server) as listener, await serve("127.0.0.1", 0, server) as gone:
        told["tls_port"] = gone.port  # who answers there speaks no TLS
        if closed:
            await gone.close()
        with pytest.raises(PeerError) as failed:
            async with client.opened("127.0.0.1", listener.port, "t", "a1", "home", told["fingerprint"]):
                pass
    assert isinstance(failed.value, SecuredPortError) == closed
    if isinstance(failed.value, SecuredPortError):
        assert failed.value.port == told["tls_port"]
        assert str(told["tls_port"]) in failed.value.message
        assert str(told["tls_port"]) in failed.value.remedy
