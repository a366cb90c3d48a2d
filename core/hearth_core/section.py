"""What every section of the configuration is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo


def _resolved(text: str, info: ValidationInfo) -> str:
    """Return a path as it is meant: ~ is the home folder, a relative one starts at the configuration file's folder."""
    if not text:
        return text
    path = Path(text).expanduser()
    folder = (info.context or {}).get("folder")
    return str(path if folder is None else Path(folder) / path)


# Does not check that the thing exists: a configuration may be checked on another machine than the one it is for.
PathText = Annotated[str, Field(max_length=4096), AfterValidator(_resolved)]


class Section(BaseModel):
    """A part of the configuration: immutable; a key that it does not know is a mistake, not a comment."""

    # Inputs are hidden, because a password in the wrong place would stand in the error.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)
