"""The integration looked after: actions, blueprints, diagnostics, repairs, pairing again, being found."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hearth_core import announce
from tests.real.home_assistant.client import Client
from tests.real.home_assistant.house import rename
from tests.real.home_assistant.running import HomeAssistant
from tests.real.home_assistant.with_integration import HearthServer, act, entities, go_on, pair, rest, say, until
from tests.real.parts import missing
from tests.real.satellite import SatelliteProcess

pytestmark = pytest.mark.timeout(1200)  # the first test of all installs Home Assistant

BLUEPRINTS = Path(__file__).parents[4] / "blueprints"
COSY = """
language: en
intents:
  MakeCosy:
    data:
      - sentences: ["make it cosy"]
        action:
          service: light.turn_on
          target: {entity_id: light.bed_light}
"""
PROBE = "_hearth-probe._tcp.local."


@pytest.fixture(autouse=True)
async def paired(house: HomeAssistant, server: HearthServer, observer: Client) -> Mapping[str, Any]:
    """The server, added and understanding; what came before may have removed it."""
    await pair(house, server)
    await done(observer, "turn off the bed light")
    return await entry(observer)


async def entry(observer: Client) -> Mapping[str, Any]:
    (found,) = await observer.command("config_entries/get", domain="hearth")
    return found  # type: ignore[no-any-return]


async def done(observer: Client, text: str) -> None:
    """Say it until it is done: the names are told a moment after the connection is there."""

    async def said() -> bool:
        try:
            return bool((await say(observer, text))["kind"] == "done")
        except Exception as error:  # no server is connected yet
            print(error)
            return False

    await until(said)


@pytest.fixture
async def hallway(satellite: SatelliteProcess, observer: Client) -> str:
    """The device of the satellite, which is there."""
    if not satellite.running:
        satellite.start()
    connected = (await entities(observer))["Hallway/connected"]

    async def there() -> bool:
        return bool((await observer.state(connected))["state"] == "on")

    await until(there)
    return await device(observer, "Satellite")


async def device(observer: Client, model: str) -> str:
    devices = await observer.command("config/device_registry/list")
    (found,) = [d["id"] for d in devices if d["manufacturer"] == "Hearth" and d["model"] == model]
    return str(found)


async def test_an_announcement_is_heard(satellite: SatelliteProcess, hallway: str, observer: Client) -> None:
    before = satellite.played_s()
    await act(observer, "announce", message="Dinner is ready", device_id=hallway)
    assert satellite.played_s() > before


async def test_sentences_that_were_written_since_are_understood_after_a_reload(
    house: HomeAssistant, observer: Client
) -> None:
    file = house.folder / "config/custom_sentences/en/cosy.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    assert (await say(observer, "make it cosy"))["kind"] == "not-understood"
    file.write_text(COSY)
    try:
        assert await act(observer, "reload", response=True) == {"problems": []}
        await done(observer, "make it cosy")
        await observer.wait("light.bed_light", "on")
    finally:
        file.unlink()
    await act(observer, "reload")


async def test_a_policy_is_kept_to(server: HearthServer, observer: Client) -> None:
    await act(observer, "set_policy", rules=[{"target": "light.bed_light", "action": "deny"}])
    answer = await say(observer, "turn on the bed light")
    assert (answer["kind"], answer["outcomes"]) == ("failed", {}), answer
    assert (await observer.state("light.bed_light"))["state"] == "off"
    assert json.loads((server.state / "policy.json").read_text())[0]["target"] == "light.bed_light"
    await act(observer, "set_policy", rules=[])
    await done(observer, "turn on the bed light")


async def blueprint(house: HomeAssistant, observer: Client, kind: str, name: str, inputs: Mapping[str, Any]) -> None:
    """Save a blueprint as an import does, and make something of it."""
    path, text = f"hearth/{name}.yaml", (BLUEPRINTS / kind / f"hearth/{name}.yaml").read_text()
    await observer.command("blueprint/save", domain=kind, path=path, yaml=text, allow_override=True)
    use = {"alias": name, "use_blueprint": {"path": path, "input": inputs}}
    answer = await rest(house, "POST", f"/api/config/{kind}/config/{name}", use)
    assert answer == {"result": "ok"}, answer

    async def there() -> bool:  # it is read a moment after it was written
        return any(s["entity_id"] == f"{kind}.{name}" for s in await observer.command("get_states"))

    await until(there)


async def test_the_blueprint_reacts_to_what_was_not_understood(house: HomeAssistant, observer: Client) -> None:
    await blueprint(house, observer, "automation", "not_understood", {"satellite": await device(observer, "Server")})
    await observer.wait("automation.not_understood", "on")  # it listens
    assert (await say(observer, "purple monkeys whistle"))["kind"] == "not-understood"

    async def told() -> list[str]:
        notes = await observer.command("persistent_notification/get")
        return [note["message"] for note in notes if note["title"] == "Not understood"]

    assert await until(told) == ["purple monkeys whistle"]


async def test_the_blueprint_says_good_night(
    house: HomeAssistant, satellite: SatelliteProcess, hallway: str, observer: Client
) -> None:
    inputs = {"satellite": hallway, "lights": ["light.kitchen_lights"], "locks": ["lock.back_door"]}
    await blueprint(house, observer, "script", "goodnight", inputs)
    await observer.call("light.turn_on", "light.kitchen_lights")
    before = satellite.played_s()
    await observer.call("script.turn_on", "script.goodnight")
    await observer.wait("light.kitchen_lights", "off")
    await observer.wait("lock.back_door", "locked")
    await observer.wait("script.goodnight", lambda state: state["state"] == "off" and satellite.played_s() > before)


async def test_diagnostics_and_system_health_tell_no_secret(
    house: HomeAssistant, server: HearthServer, paired: Mapping[str, Any], observer: Client
) -> None:
    told = await rest(house, "GET", f"/api/diagnostics/config_entry/{paired['entry_id']}")
    assert told["data"]["connected"] is True
    assert told["data"]["fed"]["exposed"]["light"] > 1
    text = json.dumps(told["data"])
    for secret in (token(house), server.code(), "127.0.0.1", "Hallway", "bed light", "bed_light"):
        assert secret not in text
    assert token(house) not in json.dumps(told)
    number = await observer.start("system_health/info")
    async with asyncio.timeout(30):
        async for event in observer.events(number):
            if event["type"] == "initial":
                health = event["data"]["hearth"]["info"]
                break
    assert (health["servers"], health["connected"], health["satellites"]) == (1, 1, 1)
    assert health["engines"] == "micro"


def token(house: HomeAssistant) -> str:
    stored = json.loads((house.folder / "config/.storage/core.config_entries").read_text())
    (found,) = [e for e in stored["data"]["entries"] if e["domain"] == "hearth"]
    return str(found["data"]["token"])


async def issues(observer: Client) -> list[str]:
    found = (await observer.command("repairs/list_issues"))["issues"]
    return [issue["issue_id"] for issue in found if issue["domain"] == "hearth"]


async def test_names_that_cannot_be_told_apart_are_repaired(house: HomeAssistant, observer: Client) -> None:
    assert await issues(observer) == []
    await rename(observer, "switch.ac", "Decorative Lights")  # there is one of this name in the same place
    try:
        (issue_id,) = await until(lambda: issues(observer))
        assert issue_id.startswith("ambiguous_names_")
        flow = await rest(house, "POST", "/api/repairs/issues/fix", {"handler": "hearth", "issue_id": issue_id})
        assert "switch.decorative_lights" in flow["description_placeholders"]["names"], flow
    finally:
        await rename(observer, "switch.ac", None)
    fixed = await rest(house, "POST", f"/api/repairs/issues/fix/{flow['flow_id']}", {})
    assert fixed["type"] == "create_entry", fixed
    await done(observer, "turn on the bed light")  # it has connected and looked again
    assert await issues(observer) == []


async def progress(observer: Client, source: str) -> Mapping[str, Any] | None:
    flows = await observer.command("config_entries/flow/progress")
    return next((f for f in flows if f["handler"] == "hearth" and f["context"]["source"] == source), None)


async def test_a_pairing_that_was_taken_back_is_asked_for_again_and_five_wrong_codes_lock(
    house: HomeAssistant, server: HearthServer, observer: Client
) -> None:
    (pairing,) = json.loads((server.state / "companion.json").read_text())["pairings"]
    removing = server.command("server", "pair", "--remove", pairing["id"])
    await asyncio.to_thread(subprocess.run, removing, check=True, timeout=60)
    flow = await until(lambda: progress(observer, "reauth"))
    flow = await go_on(house, flow)
    assert flow["step_id"] == "pair", flow
    code = await asyncio.to_thread(server.code)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    errors = []
    for _ in range(5):
        flow = await go_on(house, flow, code=wrong)
        errors.append(flow["errors"]["base"])
    assert errors == [*["wrong_code"] * 4, "locked"]
    assert flow["description_placeholders"]["minutes"] == "10"
    assert (await go_on(house, flow, code=code))["errors"] == {"base": "locked"}, "the right one comes too late"
    assert "wrong pairing codes" in server.log.read_text()
    server.kill()  # who can start it anew can read its codes
    await asyncio.to_thread(server.start)
    flow = await go_on(house, flow, code=code)
    assert flow["errors"] == {"base": "no_code"}, flow
    again = await go_on(house, flow, code=await asyncio.to_thread(server.code))
    assert (again["type"], again["reason"]) == ("abort", "reauth_successful"), again
    await done(observer, "turn on the bed light")
    (new,) = json.loads((server.state / "companion.json").read_text())["pairings"]
    assert new["id"] != pairing["id"]


async def test_a_server_on_the_network_is_found(
    house: HomeAssistant, server: HearthServer, paired: Mapping[str, Any], observer: Client
) -> None:
    await need_multicast()
    await rest(house, "DELETE", f"/api/config/config_entries/entry/{paired['entry_id']}")
    server.kill()
    server.listen_on("0.0.0.0")
    await asyncio.to_thread(server.start)
    flow = await until(lambda: progress(observer, "zeroconf"))
    assert flow["context"]["title_placeholders"] == {"name": "Hearth"}
    flow = await go_on(house, flow)
    assert flow["step_id"] == "pair", flow
    made = await go_on(house, flow, code=await asyncio.to_thread(server.code))
    assert made["type"] == "create_entry", made
    await done(observer, "turn on the bed light")


async def need_multicast() -> None:
    """Look whether this machine hears its own multicast; a container without a network does not."""
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

    heard = asyncio.Event()
    async with announce.announced(PROBE, "hearth-probe", 1, {}):
        listening = AsyncZeroconf()
        browser = AsyncServiceBrowser(listening.zeroconf, PROBE, handlers=[lambda **_: heard.set()])
        try:
            async with asyncio.timeout(15):
                await heard.wait()
        except TimeoutError:
            missing("a server is found by multicast, which this machine does not hear", "Run it with a network")
        finally:
            await browser.async_cancel()
            await listening.async_close()
