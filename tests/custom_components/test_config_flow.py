"""Adding a server, by address and by discovery; pairing; what can go wrong on the way."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import pytest
from custom_components.hearth.const import CONF_CODE, CONF_FALLBACK_AGENT, CONF_FINGERPRINT, CONF_SERVER_ID, DOMAIN
from homeassistant.components import conversation
from homeassistant.config_entries import SOURCE_USER, SOURCE_ZEROCONF
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import Context, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from hearth_core.companion import PROTOCOL, RefusedError
from hearth_core.wire import serve
from tests.custom_components.fake_server import CODE, SERVER_ID, TOKEN, FakeServer, certificate, serving


async def begin(hass: HomeAssistant) -> Any:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})


async def go_on(hass: HomeAssistant, flow: Any, **data: Any) -> Any:
    return await hass.config_entries.flow.async_configure(flow["flow_id"], data)


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def discovery(port: int, server_id: object = SERVER_ID, host: str = "127.0.0.1") -> ZeroconfServiceInfo:
    address = ip_address(host)
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=port,
        hostname="hearth.local.",
        type="_hearth._tcp.local.",
        name="hearth-0123._hearth._tcp.local.",
        properties={"id": server_id, "name": "Test server"},
    )


async def found(hass: HomeAssistant, info: ZeroconfServiceInfo) -> Any:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info)


async def test_address_and_code_make_an_entry(home: HomeAssistant, server: FakeServer) -> None:
    flow = await begin(home)
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "user")
    flow = await go_on(home, flow, host="127.0.0.1", port=server.port)
    assert flow["step_id"] == "pair"
    assert flow["description_placeholders"]["minutes"] == "10"
    done = await go_on(home, flow, code=f"{CODE[:3]} {CODE[3:]}")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["title"] == "Test server"
    assert done["data"] == {
        CONF_HOST: "127.0.0.1",
        CONF_PORT: server.port,
        CONF_TOKEN: TOKEN,
        CONF_SERVER_ID: SERVER_ID,
        CONF_FINGERPRINT: server.fingerprint,
    }
    assert len(server.fingerprint) == 64
    await home.async_block_till_done()
    assert await home.config_entries.async_unload(done["result"].entry_id)


@pytest.mark.parametrize(
    ("reason", "retry_s", "error"),
    [("wrong-code", 0, "wrong_code"), ("locked", 600, "locked"), ("full", 0, "full"), ("moon", 0, "refused")],
)
async def test_a_code_that_is_refused_can_be_given_again(
    home: HomeAssistant, server: FakeServer, reason: str, retry_s: float, error: str
) -> None:
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    server.refuse["pair-code"] = RefusedError(reason, "no", retry_s=retry_s)
    flow = await go_on(home, flow, code="999999")
    assert flow["errors"] == {"base": error}
    if retry_s:
        assert flow["description_placeholders"]["minutes"] == "10"
    server.refuse.clear()
    done = await go_on(home, flow, code=CODE)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await home.async_block_till_done()
    await home.config_entries.async_unload(done["result"].entry_id)


async def test_who_does_not_know_the_code_is_not_paired_with(home: HomeAssistant, server: FakeServer) -> None:
    """Somebody in between has a certificate of its own, and can make no proof for the code."""
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    server.knows_the_code = False
    flow = await go_on(home, flow, code=CODE)
    assert flow["errors"] == {"base": "not_proven"}
    assert not home.config_entries.async_entries(DOMAIN)


async def test_a_closed_port_for_tls_is_named(home: HomeAssistant, server: FakeServer) -> None:
    """A firewall lets the server's own port through, and not the next one: that is not "no server"."""
    server.tls_port = closed_port()
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    flow = await go_on(home, flow, code=CODE)
    assert (flow["step_id"], flow["errors"]) == ("pair", {"base": "tls_port"})
    assert flow["description_placeholders"]["port"] == str(server.tls_port)
    assert server.paired == 0
    # It is opened; the code that the server showed is still good.
    context, _ = certificate()
    async with await serve("127.0.0.1", server.tls_port, server.on_connection, tls=context):
        done = await go_on(home, flow, code=CODE)
        assert done["type"] is FlowResultType.CREATE_ENTRY
        await home.async_block_till_done()
        await home.config_entries.async_unload(done["result"].entry_id)


async def test_somebody_else_on_the_port_for_tls_is_no_closed_port(home: HomeAssistant, server: FakeServer) -> None:
    server.tls_port = server.port  # who answers there speaks no TLS
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    flow = await go_on(home, flow, code=CODE)
    assert flow["errors"] == {"base": "cannot_connect"}


async def test_a_server_without_encryption_is_agreed_to_before_a_code_is_asked_for(home: HomeAssistant) -> None:
    server = FakeServer()
    server.secured = False
    async with serving(server):
        flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
        assert (flow["step_id"], flow["errors"]) == ("in_the_clear", None)
        flow = await go_on(home, flow)
        assert flow["step_id"] == "pair"
        done = await go_on(home, flow, code=CODE)
        assert done["data"][CONF_FINGERPRINT] == ""
        await home.async_block_till_done()
        assert server.dialogue is not None
        await home.config_entries.async_unload(done["result"].entry_id)


async def test_a_code_that_was_too_old_is_shown_anew(home: HomeAssistant, server: FakeServer) -> None:
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    server.refuse["pair-code"] = RefusedError("no-code", "too old")
    assert (await go_on(home, flow, code=CODE))["step_id"] == "pair"


async def test_who_is_locked_out_is_told_before_a_code_is_asked_for(home: HomeAssistant, server: FakeServer) -> None:
    server.refuse["pair"] = RefusedError("locked", "5 wrong codes", retry_s=120)
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    assert (flow["step_id"], flow["errors"]) == ("pair", {"base": "locked"})
    assert flow["description_placeholders"]["minutes"] == "2"


@pytest.mark.parametrize(("protocol", "error"), [(PROTOCOL - 1, "too_old"), (PROTOCOL + 1, "too_new")])
async def test_a_server_of_another_age_is_told(
    home: HomeAssistant, server: FakeServer, protocol: int, error: str
) -> None:
    server.protocol = protocol
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    assert flow["errors"] == {"base": error}


@pytest.mark.parametrize("junk", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"{}\n", b'{"type": "hearth-identity"}\n', b""])
async def test_what_speaks_junk_is_no_server(home: HomeAssistant, junk: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(junk)
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        flow = await go_on(home, await begin(home), host="127.0.0.1", port=port)
    assert flow["errors"]["base"] in ("not_hearth", "cannot_connect")


async def test_what_does_not_answer_in_time_is_told(home: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_core.companion_client.ANSWER_S", 0.05)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        flow = await go_on(home, await begin(home), host="127.0.0.1", port=port)
        assert flow["errors"] == {"base": "cannot_connect"}


async def test_nobody_there_then_somebody(home: HomeAssistant, server: FakeServer) -> None:
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=1)
    assert flow["errors"] == {"base": "cannot_connect"}
    assert (await go_on(home, flow, host="127.0.0.1", port=server.port))["step_id"] == "pair"


async def test_a_server_that_is_there_already_only_gets_its_new_address(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer
) -> None:
    home.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: 1})
    flow = await go_on(home, await begin(home), host="127.0.0.1", port=server.port)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data[CONF_PORT] == server.port
    await home.async_block_till_done()


async def test_a_server_on_the_network_is_one_click_and_a_code(home: HomeAssistant, server: FakeServer) -> None:
    flow = await found(home, discovery(server.port))
    assert (flow["step_id"], server.paired) == ("zeroconf_confirm", 0)
    assert flow["description_placeholders"] == {"name": "Test server", "host": "127.0.0.1"}
    flow = await go_on(home, flow)
    assert flow["step_id"] == "pair"
    done = await go_on(home, flow, code=CODE)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await home.async_block_till_done()
    await home.config_entries.async_unload(done["result"].entry_id)


async def test_a_server_that_moved_is_followed(home: HomeAssistant, entry: MockConfigEntry, server: FakeServer) -> None:
    flow = await found(home, discovery(4711, host="127.0.0.2"))
    assert flow["reason"] == "already_configured"
    assert (entry.data[CONF_HOST], entry.data[CONF_PORT]) == ("127.0.0.2", 4711)
    await home.async_block_till_done()


@pytest.mark.parametrize(
    ("server_id", "port", "reason"),
    [
        ("0" * 32, None, "not_hearth"),
        ("../x", None, "not_hearth"),
        (None, None, "not_hearth"),
        (SERVER_ID, 1, "cannot_connect"),
    ],
)
async def test_announcements_that_are_not_true_are_dropped(
    home: HomeAssistant, server: FakeServer, server_id: object, port: int | None, reason: str
) -> None:
    flow = await found(home, discovery(port or server.port, server_id))
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, reason)


async def test_two_servers_are_two_entries(home: HomeAssistant, entry: MockConfigEntry) -> None:
    other = FakeServer()
    other.server_id = "f" * 32
    async with serving(other):
        flow = await go_on(home, await begin(home), host="127.0.0.1", port=other.port)
        done = await go_on(home, flow, code=CODE)
        assert done["type"] is FlowResultType.CREATE_ENTRY
        await home.async_block_till_done()
        assert len(home.config_entries.async_entries(DOMAIN)) == 2
        await home.config_entries.async_unload(done["result"].entry_id)


async def test_pairing_again_gives_a_new_token(home: HomeAssistant, entry: MockConfigEntry) -> None:
    home.config_entries.async_update_entry(entry, data={**entry.data, CONF_TOKEN: "old"})
    flow = await entry.start_reauth_flow(home)
    assert flow["step_id"] == "reauth_confirm"
    flow = await go_on(home, flow)
    assert flow["step_id"] == "pair"
    flow = await go_on(home, flow, code=CODE)
    assert flow["reason"] == "reauth_successful"
    assert entry.data[CONF_TOKEN] == TOKEN
    await home.async_block_till_done()
    await home.config_entries.async_unload(entry.entry_id)


async def test_pairing_again_needs_the_server(home: HomeAssistant, entry: MockConfigEntry) -> None:
    home.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: 1})
    flow = await go_on(home, await entry.start_reauth_flow(home))
    assert flow["errors"] == {"base": "cannot_connect"}


async def test_pairing_again_does_not_give_the_encryption_up(home: HomeAssistant, entry: MockConfigEntry) -> None:
    """An impostor knows the id, which the network is told, and has no certificate to be known by."""
    impostor = FakeServer()
    impostor.secured = False
    async with serving(impostor):
        home.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: impostor.port})
        flow = await go_on(home, await entry.start_reauth_flow(home))
        assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "no_longer_encrypted")
        assert (impostor.paired, entry.data[CONF_TOKEN]) == (0, TOKEN)


async def test_pairing_again_in_the_clear_is_possible_where_it_was_before(
    home: HomeAssistant, entry: MockConfigEntry
) -> None:
    server = FakeServer()
    server.secured = False
    async with serving(server):
        home.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: server.port, CONF_FINGERPRINT: ""})
        flow = await go_on(home, await entry.start_reauth_flow(home))
        assert flow["step_id"] == "in_the_clear"


@pytest.mark.parametrize("step", ["reauth", "reconfigure"])
async def test_another_server_does_not_take_an_entry_over(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, step: str
) -> None:
    server.server_id = "f" * 32
    flow = await (entry.start_reauth_flow(home) if step == "reauth" else entry.start_reconfigure_flow(home))
    data = {} if step == "reauth" else {CONF_HOST: "127.0.0.1", CONF_PORT: server.port}
    flow = await go_on(home, flow, **data)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "another_server")


async def test_an_address_can_be_changed(home: HomeAssistant, entry: MockConfigEntry, server: FakeServer) -> None:
    home.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: 1})
    flow = await go_on(home, await entry.start_reconfigure_flow(home), host="127.0.0.1", port=1)
    assert flow["errors"] == {"base": "cannot_connect"}
    flow = await go_on(home, flow, host="127.0.0.1", port=server.port)
    assert flow["reason"] == "reconfigure_successful"
    assert entry.data[CONF_PORT] == server.port
    await home.async_block_till_done()
    await home.config_entries.async_unload(entry.entry_id)


async def test_the_fallback_agent_is_an_option(home: HomeAssistant, loaded: MockConfigEntry) -> None:
    flow = await home.config_entries.options.async_init(loaded.entry_id)
    assert flow["step_id"] == "init"
    done = await home.config_entries.options.async_configure(
        flow["flow_id"], {CONF_FALLBACK_AGENT: "conversation.home_assistant"}
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == {CONF_FALLBACK_AGENT: "conversation.home_assistant"}


async def test_an_emptied_fallback_agent_is_none(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    options = {CONF_FALLBACK_AGENT: "conversation.home_assistant"}
    home.config_entries.async_update_entry(loaded, options=options)
    flow = await home.config_entries.options.async_init(loaded.entry_id)
    (field,) = flow["data_schema"].schema
    assert field.description == {"suggested_value": "conversation.home_assistant"}
    await home.config_entries.options.async_configure(flow["flow_id"], {})
    assert loaded.options == {}
    server.answers["ask"] = {"kind": "not-understood", "text": "Sorry"}
    agent = "conversation.test_server_conversation"
    result = await conversation.async_converse(home, "turn on the lamp", None, Context(), "en", agent)
    assert result.response.error_code == "no_intent_match"


def test_the_code_is_what_the_form_asks_for() -> None:
    assert CONF_CODE == "code"
