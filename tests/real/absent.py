"""What a test does whose real part is not there: say so loudly, and in CI fail."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from hearth_core.errors import HearthError


def absent(part: str, error: HearthError) -> NoReturn:
    """Skip with the reason and the remedy; fail where CI is set, for there nothing may be skipped."""
    message = f"{part} IS NOT TESTED: {error}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
