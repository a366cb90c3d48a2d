"""An encrypted broker that wants a certificate of its clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_core.config_mqtt import BrokerConfig
from hearth_core.mqtt.broker import Broker
from hearth_core.mqtt.session import Delivery
from tests.real.certificates import Certificates, make_certificates
from tests.real.mosquitto import Mosquitto


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def encrypted(tmp_path: Path, certificates: Certificates) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        tmp_path,
        f"cafile {certificates.authority}\ncertfile {certificates.server}\nkeyfile {certificates.server_key}\n"
        "require_certificate true",
    )
    broker.start()
    yield broker
    broker.kill()


def config(mosquitto: Mosquitto, **tls: Path) -> BrokerConfig:
    files = {key: str(file) for key, file in tls.items()}
    return BrokerConfig.model_validate({**mosquitto.config.model_dump(), "tls": files})


async def test_broker_is_trusted_by_its_authority_and_shown_our_certificate(
    encrypted: Mosquitto, certificates: Certificates
) -> None:
    broker = Broker(
        config(
            encrypted,
            ca_file=certificates.authority,
            cert_file=certificates.client,
            key_file=certificates.client_key,
        ),
        None,
    )
    await broker.start()
    async with asyncio.timeout(10):
        while await broker.publish("x", "y") not in (Delivery.TAKEN, Delivery.UNHEARD):
            await asyncio.sleep(0.02)
    await broker.stop()


async def test_broker_of_an_unknown_authority_is_not_talked_to(
    encrypted: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker(config(encrypted), None)  # only the system's authorities
    await broker.start()
    async with asyncio.timeout(10):
        while "CERTIFICATE_VERIFY_FAILED" not in caplog.text:
            await asyncio.sleep(0.02)
    assert not broker.connected
    await broker.stop()
