"""Home Assistant's own Assist: its Wyoming integration pointed at a service, and a pipeline run with a recording."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from .client import WAIT_S, Client
from .running import HomeAssistant

CHUNK_BYTES = 3200  # 100 ms, in real time, as a microphone does


@asynccontextmanager
async def wyoming(home_assistant: HomeAssistant, host: str, port: int) -> AsyncIterator[dict[str, str]]:
    """Add a Wyoming service as a person would, for the length of the block.

    Yields:
        Its entities, by domain.

    Raises:
        AssertionError: the integration does not take it.
    """
    headers = {"Authorization": f"Bearer {home_assistant.token}"}
    timeout = aiohttp.ClientTimeout(WAIT_S)
    async with aiohttp.ClientSession(home_assistant.base, headers=headers, timeout=timeout) as session:
        flows = "/api/config/config_entries/flow"
        async with session.post(flows, json={"handler": "wyoming"}) as answer:
            flow = await answer.json()
        async with session.post(f"{flows}/{flow['flow_id']}", json={"host": host, "port": port}) as answer:
            entry = await answer.json()
        assert entry["type"] == "create_entry", entry
        entry_id = entry["result"]["entry_id"]
        try:
            async with home_assistant.observer() as client:
                yield await _entities(client, entry_id)
        finally:
            async with session.delete(f"/api/config/config_entries/entry/{entry_id}") as answer:
                await answer.read()


async def _entities(client: Client, entry_id: str) -> dict[str, str]:
    """Return the entities of a config entry when they are there."""
    async with asyncio.timeout(WAIT_S):
        while True:
            entries = await client.command("config/entity_registry/list")
            mine = [e["entity_id"] for e in entries if e["config_entry_id"] == entry_id and not e["disabled_by"]]
            states = {state["entity_id"] for state in await client.command("get_states")}
            if mine and states.issuperset(mine):
                return {entity_id.partition(".")[0]: entity_id for entity_id in mine}
            await asyncio.sleep(0.1)


async def make_pipeline(client: Client, stt: str, conversation: str, tts: str | None = None) -> str:
    """Make an English pipeline of these entities and let it be the preferred one; return its id."""
    pipeline = await client.command(
        "assist_pipeline/pipeline/create",
        name=f"{stt} and {conversation}",
        language="en",
        stt_engine=stt,
        stt_language="en",
        conversation_engine=conversation,
        conversation_language="en",
        tts_engine=tts,
        tts_language="en" if tts else None,
        tts_voice=None,
        wake_word_entity=None,
        wake_word_id=None,
        prefer_local_intents=False,
    )
    await client.command("assist_pipeline/pipeline/set_preferred", pipeline_id=pipeline["id"])
    if tts:  # what another test let a voice say would come from Home Assistant's cache, and this voice hear nothing
        await client.command("call_service", domain="tts", service="clear_cache")
    return str(pipeline["id"])


@dataclass
class Run:
    """What a run of a pipeline told.

    Attributes:
        text: what was heard.
        speech: what is answered.
        kind: e.g. "action_done" or "error".
        events: everything, in order.
    """

    text: str
    speech: str
    kind: str
    events: list[tuple[str, Any]]


async def run_pipeline(client: Client, pipeline_id: str, pcm: bytes) -> Run:
    """Run a pipeline from speech to answer.

    Args:
        client: the connection; nothing else may use it meanwhile.
        pipeline_id: which.
        pcm: 16 kHz s16le mono.
    """
    number = await client.start(
        "assist_pipeline/run", start_stage="stt", end_stage="intent", pipeline=pipeline_id, input={"sample_rate": 16000}
    )
    events: list[tuple[str, Any]] = []
    feeding: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(3 * WAIT_S):
            async for event in client.events(number):
                events.append((event["type"], event.get("data")))
                if event["type"] == "run-start":
                    handler = event["data"]["runner_data"]["stt_binary_handler_id"]
                    feeding = asyncio.create_task(_feed(client, handler, pcm))
                if event["type"] == "run-end":
                    break
    finally:
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
    told = dict(events)
    response = told.get("intent-end", {}).get("intent_output", {}).get("response", {})
    speech = response.get("speech", {}).get("plain", {}).get("speech", "")
    text = told.get("stt-end", {}).get("stt_output", {}).get("text", "")
    return Run(text, speech, response.get("response_type", "none"), events)


async def _feed(client: Client, handler: int, pcm: bytes) -> None:
    prefix = bytes([handler])
    for start in range(0, len(pcm), CHUNK_BYTES):
        await client.socket.send_bytes(prefix + pcm[start : start + CHUNK_BYTES])
        await asyncio.sleep(CHUNK_BYTES / 32_000)
    await client.socket.send_bytes(prefix)
