"""The queue between socket and recogniser never blocks for good and never grows."""

from __future__ import annotations

import asyncio

import pytest

from hearth_core.command import Context
from hearth_core.errors import PeerError
from hearth_server.hearing import Ear, Hearing, WakeFacts
from hearth_server.inbox import AT_ONCE_BYTES, AudioInbox
from tests.fakes import stand_still


async def test_audio_comes_out_in_order_and_ends() -> None:
    inbox = AudioInbox()
    for pcm in (b"ab", b"", b"cd"):
        await inbox.put(pcm)
    await inbox.end()
    assert [pcm async for pcm in inbox] == [b"abcd"]


async def test_what_waits_is_taken_at_once_but_not_more_than_a_thread_should_hold() -> None:
    inbox = AudioInbox()
    chunk = bytes(range(256)) * 8  # 64 ms
    for _ in range(10):
        await inbox.put(chunk)
    await inbox.end()
    pieces = [pcm async for pcm in inbox]
    assert b"".join(pieces) == chunk * 10
    assert len(pieces) < 10
    assert all(AT_ONCE_BYTES <= len(piece) < AT_ONCE_BYTES + len(chunk) for piece in pieces[:-1])


async def test_what_has_come_does_not_wait_for_more() -> None:
    inbox = AudioInbox()
    reader = aiter(inbox)
    for pcm in (b"ab", b"cd"):
        await inbox.put(pcm)
        assert await anext(reader) == pcm


async def test_a_full_inbox_makes_the_sender_wait() -> None:
    inbox = AudioInbox(chunks=1)
    await inbox.put(b"ab")
    waiting = asyncio.create_task(inbox.put(b"cd"))
    await asyncio.sleep(0)
    assert not waiting.done()
    reader = aiter(inbox)
    assert await anext(reader) == b"ab"
    await waiting


async def test_a_sender_that_waits_goes_on_when_the_reader_has_heard_enough() -> None:
    inbox = AudioInbox(chunks=1)
    await inbox.put(b"ab")
    waiting = asyncio.create_task(inbox.put(b"cd"))
    await asyncio.sleep(0)
    inbox.close()
    await asyncio.wait_for(waiting, 1)
    for _ in range(10):
        await inbox.put(b"ef")
    await inbox.end()


async def test_silence_on_the_line_is_an_error() -> None:
    inbox = AudioInbox(starved_s=0.01)
    with pytest.raises(PeerError):
        await anext(aiter(inbox))


async def test_standing_still_is_no_silence_on_the_line() -> None:
    inbox = AudioInbox()
    heard = asyncio.ensure_future(anext(aiter(inbox)))
    await asyncio.sleep(0)
    stand_still(1000.0)
    asyncio.get_running_loop().call_later(0.001, inbox._queue.put_nowait, b"ab")
    assert await heard == b"ab"


async def test_what_a_satellite_has_sent_before_anybody_listens_is_taken_at_once() -> None:
    hearing = Hearing(Ear("one"), WakeFacts(), Context(), 0.0, granted=True)
    chunk = bytes(range(256)) * 8
    for _ in range(10):
        hearing.put(chunk)
    hearing.complete()
    for _ in range(2):  # from the beginning, for whoever listens
        pieces = [pcm async for pcm in hearing.audio()]
        assert b"".join(pieces) == chunk * 10
        assert all(AT_ONCE_BYTES <= len(piece) < AT_ONCE_BYTES + len(chunk) for piece in pieces[:-1])
