"""Programs that users have and tests need: found, or installed where that is allowed, or missed loudly."""

from __future__ import annotations

import contextlib
import ctypes.util
import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.real.alone import alone
from tests.real.python314 import InstallError

# Debian puts servers where a plain user's PATH does not look.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def missing(what: str, remedy: str) -> NoReturn:
    """Say what a test lacks and how to get it; where all tests must run (CI), that is a failure."""
    text = f"{what}. {remedy}"
    if os.environ.get("CI"):
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


@contextlib.contextmanager
def needing(what: str) -> Iterator[None]:
    """Say so, as `missing` does, where what a test needs cannot be installed in the block."""
    try:
        yield
    except InstallError as error:
        missing(f"these tests need {what}: {error.message}", error.remedy)


@functools.cache
def program(name: str, package: str) -> str:
    """Return the path of a program, installing its Debian package first if this may be done here."""
    found = _found_or_installed(lambda: shutil.which(name, path=_PATH), package)
    if found is None:
        missing(f"this test needs {name}", f"Install it: sudo apt-get install {package}")
    return found


@functools.cache
def library(name: str, package: str) -> str:
    """Return the file name of a shared library, installing its Debian package first if this may be done here."""
    found = _found_or_installed(lambda: ctypes.util.find_library(name), package)
    if found is None:
        missing(f"this test needs lib{name}", f"Install it: sudo apt-get install {package}")
    return found


def alsa_plugin(name: str, package: str, folder: Path) -> Path:
    """Return the file of ALSA's plugin for a sound server.

    It is unpacked, not installed, where it is not there: the packages of two servers' plugins may exclude each other.

    Args:
        name: what ALSA calls it, e.g. "pipewire".
        package: the Debian package that has it.
        folder: where to unpack the package.
    """
    file = f"alsa-lib/libasound_module_pcm_{name}.so"
    places = [Path("/usr"), folder / "usr"]
    if (found := _first(places, file)) is None and shutil.which("apt-get"):
        folder.mkdir()
        with _apt(package):
            for command in (["apt-get", "update"], ["apt-get", "download", package]):
                subprocess.run(command, cwd=folder, capture_output=True, timeout=240, check=False)
        for deb in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb, folder], capture_output=True, timeout=60, check=False)
        found = _first(places, file)
    if found is None:
        missing(f"this test needs ALSA's plugin for {name}", f"Install it: sudo apt-get install {package}")
    return found


def _first(places: Iterable[Path], file: str) -> Path | None:
    """Return the first of a system's libraries of that name; Debian has one folder more than others."""
    found = (path for place in places for lib in ("lib/*", "lib*") for path in place.glob(f"{lib}/{file}"))
    return next(found, None)


@contextlib.contextmanager
def _apt(package: str) -> Iterator[None]:
    """Have apt-get to oneself: it does not wait for another of its kind, but fails."""
    with needing(package), alone(Path.home() / ".cache/hearth/apt.lock"):
        yield


def _found_or_installed(find: Callable[[], str | None], package: str) -> str | None:
    if (found := find()) is not None or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return found
    with _apt(package):
        if (found := find()) is None:
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            # Nothing that the machine has is taken away for a test.
            install = ["apt-get", "install", "-y", "--no-install-recommends", "--no-remove", package]
            for command in (["apt-get", "update"], install):
                subprocess.run(command, env=environment, capture_output=True, timeout=240, check=False)
            found = find()
    return found
