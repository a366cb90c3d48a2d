"""The ways to a Python 3.14, as far as they can be tried without installing one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.real import python314
from tests.real.alone import alone
from tests.real.python314 import DEBIAN_MIRROR, InstallError


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "debian.sources",
            "# one\nURIs: http://mirror.example/debian\n\nTypes: deb\nURIs: http://mirror.example/debian-security\n",
            "http://mirror.example/debian",
        ),
        (
            "debian.list",
            "deb [signed-by=/k.gpg] https://mirror.example/debian/ trixie main\n",
            "https://mirror.example/debian/",
        ),
        ("other.list", "deb https://packages.example/cloud-sdk bookworm main\n", DEBIAN_MIRROR),
        ("debian.sources.off", "URIs: http://mirror.example/debian\n", DEBIAN_MIRROR),
        ("debian.sources", "", DEBIAN_MIRROR),
    ],
)
def test_the_mirror_is_the_one_of_this_machine(tmp_path: Path, name: str, text: str, expected: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / name).write_text(text)
    assert python314.mirror(tmp_path) == expected


def test_an_interpreter_that_is_too_old_or_not_there_is_not_usable(tmp_path: Path) -> None:
    assert sys.version_info < python314.OLDEST
    assert not python314.usable(sys.executable)
    assert not python314.usable(tmp_path / "python3.14")


def test_a_named_interpreter_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "python3.14"
    named.write_text("#!/bin/sh\necho 3 14 2\n")
    named.chmod(0o755)
    monkeypatch.setenv("HEARTH_PYTHON314", str(named))
    assert python314.make(tmp_path / "folder") == named


def test_when_no_way_works_each_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python314, "_present", lambda: iter(()))
    monkeypatch.setattr(python314, "_by_uv", _fails("uv: no network"))
    monkeypatch.setattr(python314, "_by_debian", _fails("apt-get: not Debian"))
    with pytest.raises(InstallError, match=r"uv: no network.*apt-get: not Debian.*HEARTH_PYTHON314"):
        python314.make(tmp_path)


def _fails(why: str) -> object:
    def way(folder: Path) -> Path:
        raise InstallError(why)

    return way


def test_two_runs_do_not_install_at_once(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    probe = ["flock", "--nonblock", str(lock), "true"]
    with alone(lock):
        assert subprocess.run(probe, check=False).returncode == 1
        with pytest.raises(InstallError, match=r"another run has been installing for 0 s.*lock"), alone(lock, 0):
            pass
    assert subprocess.run(probe, check=False).returncode == 0
