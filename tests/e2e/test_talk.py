"""A guarded door, from the configuration file to the lock, over the server's own port and with its real recogniser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hearth_core.config import load
from hearth_server.ask import ask_server
from hearth_server.server import Server, running_server

POLICY = """
server: {port: 0, speak: {voice: none}}
schedule: {file: schedule.sqlite}
policy:
  pin_file: pin
  rules:
    - {name: garden, services: [lock.unlock, lock.open], entities: [lock.back_door], decision: pin}
    - {name: never, domains: [vacuum], decision: deny}
"""


@asynccontextmanager
async def guarded(folder: Path) -> AsyncIterator[tuple[Server, str]]:
    (folder / "hearth.yaml").write_text(POLICY)
    (folder / "pin").write_text("1357\n")
    async with running_server(load(folder / "hearth.yaml")) as server:
        yield server, f"tcp://127.0.0.1:{server.listener.port}"


def lock(server: Server, entity_id: str) -> str:
    return server.pipeline.house.home.entities[entity_id].state.value


async def test_doors_are_guarded_as_the_configuration_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with guarded(tmp_path) as (server, uri):
        # Asked about by default: yes does it, no does not.
        assert (await ask_server(uri, "lock the front door")).done
        assert (await ask_server(uri, "unlock the front door")).text == "Unlock the Front Door?"
        assert (await ask_server(uri, "no")).done
        assert lock(server, "lock.front_door") == "locked"
        await ask_server(uri, "unlock the front door")
        assert (await ask_server(uri, "yes")).done
        assert lock(server, "lock.front_door") == "unlocked"
        # Denied by a rule.
        assert not (await ask_server(uri, "start the vacuum cleaner")).done
        # By PIN: right, then three times wrong.
        assert (await ask_server(uri, "unlock the back door")).text == "Please say your PIN"
        assert (await ask_server(uri, "thirteen fifty-seven")).done
        assert lock(server, "lock.back_door") == "unlocked"
        assert (await ask_server(uri, "lock the back door")).done
        await ask_server(uri, "unlock the back door")
        for wrong in ("one one one one", "two two two two"):
            assert "not the PIN" in (await ask_server(uri, wrong)).text
        assert "wrong PIN" in (await ask_server(uri, "three three three three")).text
        assert "wrong PIN" in (await ask_server(uri, "unlock the back door")).text
        await ask_server(uri, "one three five seven")
        assert lock(server, "lock.back_door") == "locked"
        # The recogniser's grammar has as many digits as the PIN.
        graph = server.pipeline.understanding.grammar.graph
        assert graph.accepts(["one", "two", "three", "four"])
        assert not graph.accepts(["one", "two", "three", "four", "five"])
    assert "policy: pin by garden" in caplog.text
    for secret in ("thirteen", "1357", "one three five seven", "two two two"):
        assert secret not in caplog.text
