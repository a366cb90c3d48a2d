"""Who is let in to a server and who is not: codes, tokens, TLS and strangers, through a real socket."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from wyoming.event import Event
from wyoming.info import Describe

from hearth_core import companion_client as client
from hearth_core.companion import PROTOCOL, RefusedError
from hearth_core.errors import PeerError
from hearth_core.trust import make_certificate, server_context
from hearth_core.wire import Connection, connect, serve
from hearth_server import server as hearth
from hearth_server.companion.pairing import MAX_WRONG

from .assistant import Assistant


async def secured(served: tuple[hearth.Server, list[str]]) -> Connection:
    """Return a stranger's connection over TLS."""
    identity = await client.identify("127.0.0.1", served[0].listener.port)
    assert identity.fingerprint
    return await connect(f"tcp://127.0.0.1:{identity.tls_port}", fingerprint=identity.fingerprint)


async def test_five_wrong_codes_lock_and_say_so(served: tuple[hearth.Server, list[str]]) -> None:
    server, codes = served
    port = server.listener.port
    identity = await client.identify("127.0.0.1", port)
    await client.request_code("127.0.0.1", port)
    for _ in range(MAX_WRONG):
        with pytest.raises(RefusedError) as refused:
            await client.pair("127.0.0.1", port, "abcdef", "guesser", identity)
    assert refused.value.reason == "locked"
    with pytest.raises(RefusedError):
        await client.pair("127.0.0.1", port, codes[0], "owner", identity)


@pytest.mark.parametrize(("passes_on", "reason"), [(True, "wrong-code"), (False, "not-proven")])
async def test_who_stands_between_the_two_is_noticed_when_they_are_paired(
    served: tuple[hearth.Server, list[str]], tmp_path: Path, passes_on: bool, reason: str
) -> None:
    server, codes = served
    port = server.listener.port
    real = await client.identify("127.0.0.1", port)
    cert, key = tmp_path / "theirs.pem", tmp_path / "theirs.key"
    own = make_certificate(cert, key, "Hearth")

    async def between(connection: Connection) -> None:
        said = await connection.read(30.0)
        assert said is not None
        assert codes[0] not in json.dumps(said.data)
        answer: Event | None = Event("hearth-paired", {"token": "a token of theirs", "proof": "0" * 64})
        if passes_on:
            async with await connect(f"tcp://127.0.0.1:{real.tls_port}", fingerprint=real.fingerprint) as onward:
                await onward.write(said)
                answer = await onward.read(30.0)
        assert answer is not None
        await connection.write(answer)
        await connection.read(30.0)

    await client.request_code("127.0.0.1", port)
    async with await serve("127.0.0.1", 0, between, tls=server_context(cert, key)) as relay:
        forged = replace(real, fingerprint=own, tls_port=relay.port)
        with pytest.raises(RefusedError) as refused:
            await client.pair("127.0.0.1", port, codes[0], "house", forged)
    assert refused.value.reason == reason
    assert json.loads((tmp_path / "companion.json").read_text())["pairings"] == []


async def test_in_the_clear_nobody_is_let_in_while_there_is_tls(
    served: tuple[hearth.Server, list[str]], assistant: Assistant
) -> None:
    assistant.fingerprint = ""
    with pytest.raises(RefusedError, match="speaks TLS now") as refused:  # the token is not even said
        async with assistant.inside():
            pass
    assert refused.value.reason == "unknown-token"
    async with await connect(f"tcp://127.0.0.1:{assistant.port}") as connection:
        await connection.write(Event("hearth-hello", {"token": assistant.token, "protocol": PROTOCOL, "role": "home"}))
        answer = await connection.read(30.0)
    assert answer is not None
    assert (answer.type, (answer.data or {}).get("code")) == ("hearth-refused", "unknown-token")
    identity = replace(await client.identify("127.0.0.1", assistant.port), fingerprint="", tls_port=0)
    await client.request_code("127.0.0.1", assistant.port)
    with pytest.raises(RefusedError):
        await client.pair("127.0.0.1", assistant.port, served[1][-1], "house", identity)


async def test_a_token_that_was_given_in_the_clear_opens_nothing_over_tls(
    served: tuple[hearth.Server, list[str]], assistant: Assistant, tmp_path: Path
) -> None:
    file = tmp_path / "companion.json"
    kept = json.loads(file.read_text())
    assert [pairing["secured"] for pairing in kept["pairings"]] == [True]
    kept["pairings"][0]["secured"] = False
    file.write_text(json.dumps(kept))
    with pytest.raises(RefusedError) as refused:
        async with assistant.inside():
            pass
    assert refused.value.reason == "unknown-token"


@pytest.mark.parametrize(
    ("token", "protocol", "role", "reason"),
    [
        ("wrong", PROTOCOL, "home", "unknown-token"),
        (None, PROTOCOL, "home", "unknown-token"),
        ("wrong", PROTOCOL + 1, "home", "protocol"),
        ("wrong", "1", "home", "protocol"),
        ("wrong", PROTOCOL, "root", "input"),
    ],
)
async def test_strangers_are_refused_with_a_reason(
    served: tuple[hearth.Server, list[str]], token: str | None, protocol: object, role: str, reason: str
) -> None:
    async with await secured(served) as connection:
        await connection.write(Event("hearth-hello", {"token": token, "protocol": protocol, "role": role}))
        answer = await connection.read(5.0)
        assert answer is not None
        assert (answer.type, answer.data["code"]) == ("hearth-refused", reason)


@pytest.mark.parametrize("method", ["ask", "home", "states", "announce", "set", "reload", "policy", "unpair"])
async def test_who_is_not_paired_gets_nothing(served: tuple[hearth.Server, list[str]], method: str) -> None:
    async with await connect(f"tcp://127.0.0.1:{served[0].listener.port}") as connection:
        await connection.write(Event(f"hearth-{method}", {"id": 1, "text": "turn on the kitchen light"}))
        answer = await connection.read(5.0)
        assert answer is not None
        assert (answer.type, answer.data["code"]) == ("hearth-refused", "unknown-token")


async def test_a_stranger_who_goes_on_asking_is_cut_off(served: tuple[hearth.Server, list[str]]) -> None:
    async with await connect(f"tcp://127.0.0.1:{served[0].listener.port}") as connection:
        with pytest.raises(PeerError):  # noqa: PT012
            for _ in range(30):
                await connection.write(Event("hearth-ask", {"id": 1}))
            while await connection.read(5.0) is not None:
                pass
            raise PeerError("closed")


async def test_a_plain_wyoming_client_sees_nothing_of_it(served: tuple[hearth.Server, list[str]]) -> None:
    async with await connect(f"tcp://127.0.0.1:{served[0].listener.port}") as connection:
        await connection.write(Describe().event())
        answer = await connection.read(5.0)
        assert answer is not None
        assert answer.type == "info"
        assert "hearth-" not in json.dumps(answer.data)


async def test_an_unpaired_home_assistant_is_out(assistant: Assistant) -> None:
    async with assistant.inside() as dialogue:
        await dialogue.request("unpair")
    with pytest.raises(RefusedError) as refused:
        async with assistant.inside():
            pass
    assert refused.value.reason == "unknown-token"


async def test_another_server_at_the_address_does_not_get_the_token(assistant: Assistant) -> None:
    assistant.server_id = "0" * 32
    with pytest.raises(RefusedError) as refused:
        async with assistant.inside():
            pass
    assert refused.value.reason == "another-server"
