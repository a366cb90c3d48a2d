"""The integration in the Home Assistant that people have: added, used, its server killed, removed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.home_assistant.test_speech import GREEN, KITCHEN, pcm, until_green
from tests.real.home_assistant.assist import run_pipeline
from tests.real.home_assistant.browser import add_hearth, browsing, picture_folder
from tests.real.home_assistant.client import Client
from tests.real.home_assistant.house import rename
from tests.real.home_assistant.running import HomeAssistant
from tests.real.home_assistant.with_integration import FLOWS, HearthServer, act, entities, go_on, rest, say
from tests.real.satellite import SatelliteProcess

pytestmark = pytest.mark.timeout(1200)  # the first test of all installs Home Assistant

WAIT_S = 30.0


def at(value: int) -> Callable[[Mapping[str, Any]], bool]:
    return lambda state: state["state"] in (str(value), f"{value}.0")


async def test_the_flow_needs_an_address_and_the_code(
    house: HomeAssistant, server: HearthServer, observer: Client
) -> None:
    flow = await rest(house, "POST", FLOWS, {"handler": "hearth"})
    assert flow["step_id"] == "user", flow
    flow = await go_on(house, flow, host="127.0.0.1", port=server.port)
    assert flow["step_id"] == "pair", flow
    code = await asyncio.to_thread(server.code)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    flow = await go_on(house, flow, code=wrong)
    assert flow["errors"] == {"base": "wrong_code"}
    done = await go_on(house, flow, code=code)
    assert (done["type"], done["title"]) == ("create_entry", "Hearth"), done
    async with asyncio.timeout(WAIT_S):
        while "speech" not in await entities(observer):
            await asyncio.sleep(0.2)
    assert len(json.loads((server.state / "companion.json").read_text())["pairings"]) == 1


async def test_a_text_switches_a_light(observer: Client) -> None:
    async with asyncio.timeout(WAIT_S):
        while (await say(observer, "turn on the bed light"))["kind"] != "done":
            await asyncio.sleep(0.3)
    await observer.wait("light.bed_light", "on")
    answer = await say(observer, "turn off the bed light")
    assert answer["outcomes"] == {"light.bed_light": "done"}
    await observer.wait("light.bed_light", "off")


async def test_one_click_makes_a_pipeline_through_which_a_recording_switches_a_light(observer: Client) -> None:
    await observer.call("light.turn_on", KITCHEN, color_name="red")
    ours = await entities(observer)
    before = {p["id"] for p in (await observer.command("assist_pipeline/pipeline/list"))["pipelines"]}
    await observer.call("button.press", ours["create_pipeline"])
    made = [p for p in (await observer.command("assist_pipeline/pipeline/list"))["pipelines"] if p["id"] not in before]
    assert [(p["stt_engine"], p["conversation_engine"]) for p in made] == [(ours["speech"], ours["conversation"])]
    run = await run_pipeline(observer, made[0]["id"], pcm(GREEN))
    assert (run.text, run.kind) == ("set kitchen lights to green", "action_done")
    await until_green(observer)
    last = await observer.wait(ours["last_command"], "set kitchen lights to green")
    assert last["attributes"]["confidence"] > 0
    assert (await observer.state(ours["engine"]))["state"] == "micro"


async def test_a_rename_is_understood(observer: Client) -> None:
    await rename(observer, "light.bed_light", "Reading lamp")
    start = time.monotonic()
    try:
        async with asyncio.timeout(WAIT_S):
            while (await say(observer, "turn on the reading lamp"))["kind"] != "done":
                await asyncio.sleep(0.05)
        print(f"a rename was understood after {time.monotonic() - start:.2f} s")
        assert (await say(observer, "turn on the bed light"))["kind"] == "not-understood"
    finally:
        await rename(observer, "light.bed_light", None)


async def test_what_is_hidden_from_assist_is_not_there(observer: Client) -> None:
    await observer.call("light.turn_on", "light.ceiling_lights")
    assert (await say(observer, "turn off the ceiling lights"))["kind"] != "done"
    assert (await observer.state("light.ceiling_lights"))["state"] == "on"


async def test_a_satellite_that_is_started_comes_to_life(satellite: SatelliteProcess, observer: Client) -> None:
    ours = await entities(observer)
    assert (await observer.state(ours["Hallway/connected"]))["state"] == "off"
    assert (await observer.state(ours["Hallway/mute"]))["state"] == "unavailable"
    satellite.start()
    await observer.wait(ours["Hallway/connected"], "on")
    await observer.wait(ours["Hallway/satellite_state"], "listening")
    await observer.wait(ours["Hallway/microphone"], "off")
    devices = await observer.command("config/device_registry/list")
    (server,) = [d for d in devices if d["model"] == "Server" and d["manufacturer"] == "Hearth"]
    (hallway,) = [d for d in devices if d["name"] == "Hallway"]
    assert hallway["via_device_id"] == server["id"]


async def test_a_satellites_switch_select_and_sliders_set_it(satellite: SatelliteProcess, observer: Client) -> None:
    ours = await entities(observer)
    mute, word = ours["Hallway/mute"], ours["Hallway/wake_word"]
    # What is shown is what the satellite says of itself after each change.
    await observer.call("switch.turn_on", mute)
    await observer.wait(mute, "on")
    await observer.wait(ours["Hallway/satellite_state"], lambda state: state["state"] != "listening")
    await observer.call("switch.turn_off", mute)
    await observer.wait(mute, "off")
    await observer.wait(ours["Hallway/satellite_state"], "listening")
    state = await observer.wait(word, "okay_nabu")
    assert "hey_jarvis" in state["attributes"]["options"]
    await observer.call("select.select_option", word, option="hey_jarvis")
    await observer.wait(word, "hey_jarvis")
    for key, value in (("volume", 40), ("sensitivity", 70)):
        await observer.call("number.set_value", ours[f"Hallway/{key}"], value=value)
        await observer.wait(ours[f"Hallway/{key}"], at(value))


async def test_an_announcement_is_played_and_a_question_listened_to(
    satellite: SatelliteProcess, observer: Client
) -> None:
    ours = await entities(observer)
    before = satellite.played_s()
    announcer = ours["Hallway/satellite"]
    await observer.call("assist_satellite.announce", announcer, message="Dinner is ready", preannounce=False)
    assert satellite.played_s() > before
    devices = await observer.command("config/device_registry/list")
    (hallway,) = [d["id"] for d in devices if d["name"] == "Hallway"]
    await act(observer, "ask", message="What shall I do", device_id=hallway)
    await observer.wait(ours["Hallway/satellite_state"], "streaming")
    async with asyncio.timeout(WAIT_S):
        while "no-speech" not in satellite.log.read_text():  # it listened without a wake word, and nobody spoke
            await asyncio.sleep(0.1)
    await observer.wait(ours["Hallway/satellite_state"], "listening")


async def test_a_satellite_that_goes_and_comes_back(satellite: SatelliteProcess, observer: Client) -> None:
    ours = await entities(observer)
    satellite.kill()
    await observer.wait(ours["Hallway/connected"], "off")
    assert (await observer.state(ours["Hallway/volume"]))["state"] == "unavailable"
    satellite.start()
    await observer.wait(ours["Hallway/connected"], "on")
    # It kept what was set from Home Assistant.
    await observer.wait(ours["Hallway/volume"], at(40))


async def test_a_server_that_is_killed_and_started_again(
    house: HomeAssistant, server: HearthServer, observer: Client
) -> None:
    state = (await entities(observer))["state"]
    since = len(house.log.read_text())
    server.kill()
    await observer.wait(state, "unavailable")
    await asyncio.sleep(3)  # some attempts
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(2 * WAIT_S):
        while (await observer.state(state))["state"] == "unavailable":
            await asyncio.sleep(0.2)
    said = [line for line in house.log.read_text()[since:].splitlines() if "custom_components.hearth" in line]
    assert [("is away" in line, "is back" in line) for line in said] == [(True, False), (False, True)], said
    async with asyncio.timeout(WAIT_S):
        while (await say(observer, "turn on the bed light"))["kind"] != "done":
            await asyncio.sleep(0.3)


async def test_removed_nothing_is_left(house: HomeAssistant, server: HearthServer, observer: Client) -> None:
    (entry,) = await observer.command("config_entries/get", domain="hearth")
    token = _token(house)
    await rest(house, "DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}")
    assert await entities(observer) == {}
    devices = await observer.command("config/device_registry/list")
    assert not [d for d in devices if any(domain == "hearth" for domain, _ in d["identifiers"])]
    pipelines = (await observer.command("assist_pipeline/pipeline/list"))["pipelines"]
    assert not [p for p in pipelines if "hearth" in str(p["stt_engine"])]
    assert not [i for i in (await observer.command("repairs/list_issues"))["issues"] if i["domain"] == "hearth"]
    assert json.loads((server.state / "companion.json").read_text())["pairings"] == []
    assert token not in house.log.read_text() + server.log.read_text()


def _token(house: HomeAssistant) -> str:
    stored = json.loads((Path(house.folder) / "config/.storage/core.config_entries").read_text())
    (entry,) = [e for e in stored["data"]["entries"] if e["domain"] == "hearth"]
    return str(entry["data"]["token"])


async def test_a_person_adds_it_in_the_browser_and_sees_the_devices(
    house: HomeAssistant, server: HearthServer, observer: Client, tmp_path: Path
) -> None:
    pictures = picture_folder(tmp_path)

    async def code() -> str:
        return await asyncio.to_thread(server.code)

    async with browsing(house) as page:
        await add_hearth(page, server.port, code, pictures)
        async with asyncio.timeout(WAIT_S):
            while (await say(observer, "turn on the bed light"))["kind"] != "done":
                await asyncio.sleep(0.3)
        await page.goto("/config/devices/dashboard?historyBack=1&domain=hearth")
        await page.get_by_text("Server", exact=True).first.wait_for()
        devices = await observer.command("config/device_registry/list")
        (device,) = [d for d in devices if d["model"] == "Server" and d["manufacturer"] == "Hearth"]
        await page.goto(f"/config/devices/device/{device['id']}")
        await page.get_by_text("Last command").first.wait_for()
        await page.get_by_text("turn on the bed light").first.wait_for()
        await page.screenshot(path=pictures / "server.png")
    for name in ("pairing.png", "server.png"):
        assert (pictures / name).stat().st_size > 10_000
