"""`hearth satellite install`: what it writes is taken by Hearth and by systemd, and nothing is lost."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hearth_core import trust
from hearth_core.config import load
from hearth_core.errors import ConfigError
from hearth_satellite.ears import trigger_of
from hearth_satellite.install import Wishes, configuration, places, unit, write
from hearth_satellite.wake_word import Trigger
from tests.real.parts import missing, program

ROOT = Path(__file__).parents[2]
WAIT_S = 60
THIS_TREE = {key: value for key, value in os.environ.items() if key == "PYTHONPATH"}


def hearth(*arguments: str, home: Path, answers: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hearth_core", "satellite", *arguments],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", **THIS_TREE}, cwd=home, input=answers, capture_output=True,
        text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip


def test_what_is_wished_is_what_is_configured(tmp_path: Path) -> None:
    wishes = Wishes(
        "Küche: 'oben' # 1", "Küche", "USB", "3", ("alexa", "hey_jarvis"), "0.0.0.0", 10701, "hearth-abc",
        token_file="/etc/hearth/token", cert_file="/c.pem", key_file="/k.pem",
    )  # fmt: skip
    file = tmp_path / "hearth.yaml"
    file.write_text(configuration(wishes))
    config = load(file).satellite
    assert (config.name, config.area, config.host, config.port) == ("Küche: 'oben' # 1", "Küche", "0.0.0.0", 10701)
    assert (config.microphone.device, config.speaker.device) == ("USB", "3")
    assert len(config.wake.words) == 2
    assert (config.control.id, config.control.security.token_file) == ("hearth-abc", "/etc/hearth/token")
    assert config.control.security.cert_file == "/c.pem"
    file.write_text(configuration(Wishes("x", all_speech=True)))
    assert load(file).satellite.wake.engine == "none"
    file.write_text(configuration(Wishes("x", wake_words=())))
    assert trigger_of(load(file).satellite.wake) is Trigger.BUTTON


@pytest.mark.parametrize("user", ["root", None])
def test_systemd_takes_the_unit(tmp_path: Path, user: str | None) -> None:
    file = tmp_path / "hearth-satellite.service"
    file.write_text(unit(Path("/etc/he arth/50%$x.yaml"), user=user))
    done = subprocess.run(
        [program("systemd-analyze", "systemd"), *(["--user"] if user is None else []), "verify", "--man=no", str(file)],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if "hearth-satellite.service" in line]
    assert complaints == [], done.stderr
    text = file.read_text()
    assert '"/etc/he arth/50%%$$x.yaml"' in text


def promised() -> dict[str, bool]:
    """Return the lines of a unit that the documentation promises, and whether a user's own has them too."""
    section = (ROOT / "docs" / "satellite.md").read_text().split("### What the service may do")[1].split("\n### ")[0]
    return {found[1]: found[2] == "*" for found in re.finditer(r"`([A-Z]\w+=[^`]*)`(\*?)", section)}


@pytest.mark.parametrize("user", ["hearth", None])
def test_the_unit_has_every_line_that_is_promised_and_each_is_told(user: str | None) -> None:
    service = unit(Path("/etc/hearth/hearth.yaml"), user=user)
    lines = {line for line in service.splitlines() if "=" in line and not line.startswith("#")}
    wanted = {
        f"User={user}" if line == "User=" else line for line, everybodys in promised().items() if user or everybodys
    }
    assert len(wanted) > 12
    assert wanted - lines == set()
    untold = {line.partition("=")[0] for line in lines - wanted}
    # What is neither a limit nor a promise: names, order, the command, and what is left as it is without the line.
    assert untold == {
        "Description", "Documentation", "Wants", "After", "ExecStart", "WantedBy", "RuntimeDirectoryPreserve",
        "RestrictRealtime",
    }  # fmt: skip


def test_systemd_finds_the_service_well_locked(tmp_path: Path) -> None:
    file = tmp_path / "hearth-satellite.service"
    file.write_text(unit(Path("/etc/hearth/hearth.yaml"), user="root"))
    analyze = program("systemd-analyze", "systemd")
    # 50 of 100 is where "OK" ends; a service without any limits has 96.
    command = [analyze, "security", "--offline=true", "--no-pager", "--threshold=50", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    if "unrecognized option" in done.stderr:
        missing("this test needs systemd 250 or newer", "Its systemd-analyze judges a unit that is not installed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout
    bad = [line for line in done.stdout.splitlines() if line.startswith("✗") and "Protect" in line]
    assert {line.split()[1] for line in bad} <= {"ProtectHome=", "ProtectProc="}, "hooks may read what is at home"


def test_a_users_own_service_is_installed_and_a_second_time_nothing_is_lost(tmp_path: Path) -> None:
    asked = ("install", "--user", "--yes", "--name", "Attic", "--area", "Attic", "--tls", "--token")
    done = hearth(*asked, home=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / ".config" / "hearth"
    config = load(folder / "hearth.yaml").satellite
    assert (config.name, config.area) == ("Attic", "Attic")
    fingerprint = trust.fingerprint_of(folder / "satellite.pem")
    assert fingerprint in done.stdout
    token = trust.token_in(folder / "token")
    assert token not in done.stdout + done.stderr
    for secret in ("token", "satellite.key"):
        assert stat.S_IMODE((folder / secret).stat().st_mode) == 0o600
    assert (tmp_path / ".config" / "systemd" / "user" / "hearth-satellite.service").exists()
    assert "systemctl --user enable --now" in done.stdout
    again = hearth(*asked, home=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr
    forced = hearth(*asked, "--force", home=tmp_path)
    assert forced.returncode == 0, forced.stderr
    assert len(list(folder.glob("hearth.yaml.before-*"))) == 1


@pytest.mark.parametrize(
    ("wake", "keys"),
    [
        (["button"], {"words": []}),
        (["none"], {"engine": "none"}),
        (["alexa", "hey_jarvis"], {"words": ["alexa", "hey_jarvis"]}),
    ],
)
def test_what_begins_a_command_is_chosen_by_wake(tmp_path: Path, wake: list[str], keys: dict[str, Any]) -> None:
    options = [part for word in wake for part in ("--wake", word)]
    done = hearth("install", "--user", "--yes", "--dry-run", *options, home=tmp_path)
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load(done.stdout.partition("[Unit]")[0])
    assert written["satellite"]["wake"] == keys


def test_answers_may_be_written_beforehand(tmp_path: Path) -> None:
    done = hearth("install", "--user", "--microphone", "3", home=tmp_path, answers="Attic\nUpstairs\n")
    assert done.returncode == 0, done.stderr
    config = load(tmp_path / ".config" / "hearth" / "hearth.yaml").satellite
    assert (config.name, config.area, config.microphone.device) == ("Attic", "Upstairs", "3")


def test_where_nobody_answers_nothing_is_taken_for_granted(tmp_path: Path) -> None:
    done = hearth("install", "--user", "--name", "Attic", home=tmp_path)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_asked_for_a_satellite_that_is_there_already(tmp_path: Path) -> None:
    assert hearth("install", "--user", "--yes", home=tmp_path).returncode == 0
    done = hearth("install", "--user", home=tmp_path, answers="Attic\nAttic\n")
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert "Name of the satellite" not in done.stdout


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = hearth("install", "--user", "--yes", "--dry-run", "--name", "Attic", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "name: Attic" in done.stdout
    assert "[Service]" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--name", ""], "--name is empty"), (["--wake", ""], "--wake is empty"), (["--port", "0"], "port")],
)
def test_a_mistake_is_told(tmp_path: Path, options: list[str], says: str) -> None:
    done = hearth("install", "--user", "--yes", *options, home=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write(tmp_path / "file" / "x", "text", mode=0o644, force=False)


def test_the_same_text_is_no_change(tmp_path: Path) -> None:
    for _ in range(2):
        assert write(tmp_path / "x", "text", mode=0o600, force=False) is None
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert places(system=True)[0] == Path("/etc/hearth/hearth.yaml")
    assert places(system=False)[0] == tmp_path / "hearth" / "hearth.yaml"
