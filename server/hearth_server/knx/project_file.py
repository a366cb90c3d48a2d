"""Reading an ETS project from its file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hearth_core.errors import InputError
from hearth_core.extras import load

# A project carries the descriptions of its devices; large ones have some tens of megabytes, packed ten to one.
MAX_BYTES = 300 * 1024 * 1024
MAX_UNPACKED_BYTES = 3 * 1024 * 1024 * 1024


class PasswordNeededError(InputError):
    """The project is protected, and no password or a wrong one was given."""


def read_project(file: Path, password: str | None = None) -> Mapping[str, Any]:
    """Return a .knxproj file as xknxproject parses it.

    Raises:
        InputError: the package is not installed, or the file cannot be read or is no project.
        PasswordNeededError: it is protected.
    """
    xknxproject = load("xknxproject", extra="knx-import", error=InputError)
    exceptions = load("xknxproject.exceptions", extra="knx-import", error=InputError)
    _check(file)
    try:
        project: Mapping[str, Any] = xknxproject.XKNXProj(file, password).parse()
    except exceptions.InvalidPasswordException as error:
        what = "is protected by a password" if password is None else "has another password"
        raise PasswordNeededError(f"{file} {what}") from error
    except Exception as error:  # a damaged project comes out of the parsers in any form
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{file} is not a project that can be read: {reason}", remedy="Export it from ETS again"
        ) from error
    return project


def _check(file: Path) -> None:
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{file} has {size} bytes", remedy=f"{MAX_BYTES} are the most")
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}", remedy="Give the path of a .knxproj file"
        ) from error
    except zipfile.BadZipFile as error:
        raise InputError(f"{file} is no .knxproj file: {error}", remedy="Export it from ETS again") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise InputError(f"{file} unpacks to {unpacked} bytes", remedy=f"{MAX_UNPACKED_BYTES} are the most")
