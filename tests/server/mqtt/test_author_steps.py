"""An author's sentence, from its words to a message on a real broker and to the answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hearth_core.command import Context, ResponseKind
from hearth_core.config_mqtt import MqttConfig
from hearth_core.mqtt.broker import Broker
from hearth_intents.sentences import load_sentences
from hearth_server.house import House
from hearth_server.mqtt.bus import MqttBus
from hearth_server.pipeline import Pipeline
from hearth_server.understanding import understand_home
from tests.fakes import FakeEngine
from tests.real.mosquitto import Mosquitto
from tests.real.mqtt_device import Device

SENTENCES = """\
language: en
intents:
  Bell:
    data:
      - sentences: ["ring the bell {times} times"]
        response: "Rang {{ slots.times }} times"
        action: {mqtt: {topic: "bell/{{ times }}", payload: {times: "{{ times }}", loud: true}}}
  Siesta:
    data:
      - sentences: ["siesta"]
        action:
          - {mqtt: {topic: bell/quiet, payload: "1"}}
          - {knx: {address: 1/2/3, value: true}}
lists:
  times: {range: {from: 1, to: 9}}
"""


@pytest.fixture
def bell(mosquitto: Mosquitto) -> Device:
    return Device(mosquitto.port, "bell/3", "bell/quiet")


async def test_words_become_messages(
    mosquitto: Mosquitto, bell: Device, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "own.yaml").write_text(SENTENCES)
    sentences = load_sentences("en", [tmp_path], builtin=False)
    assert sentences.problems == ()
    config = MqttConfig.model_validate({"broker": mosquitto.config, "entities": []})
    house = House([MqttBus(config, Broker(config.broker, None))])
    await house.start()
    try:
        await house.settled(30)
        pipeline = Pipeline(FakeEngine(), house, understand_home(sentences, house.home))
        answer = await pipeline.answer_text("ring the bell three times", Context())
        assert (answer.response.text, answer.response.kind) == ("Rang three times", ResponseKind.DONE)
        assert await asyncio.to_thread(bell.next, "bell/3") == ('{"times": 3, "loud": true}', False)

        answer = await pipeline.answer_text("siesta", Context())
        assert answer.response.text == "Done, but the KNX bus is not connected to Hearth"
        assert answer.response.kind is ResponseKind.FAILED
        assert await asyncio.to_thread(bell.next, "bell/quiet") == ("1", False)
        assert "no bus knx is configured" in caplog.text
    finally:
        await house.stop()
        bell.close()
