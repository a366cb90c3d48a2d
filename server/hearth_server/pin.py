"""The PIN: where it comes from, and how a spoken one is checked. It is never repeated, logged or told."""

from __future__ import annotations

import hmac
import math
import re
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from hearth_core.config_policy import MAX_PIN_DIGITS, MIN_PIN_DIGITS, PolicyConfig
from hearth_core.errors import ConfigError

MAX_FILE_BYTES = 64
REMEDY = f"Write {MIN_PIN_DIGITS} to {MAX_PIN_DIGITS} digits and nothing else into it, and let only Hearth read it"


class PinGate:
    """Checks PINs, for the whole house: wrong ones count together, whichever satellite they are said to.

    Args:
        pin: the right one, None if there is none.
        attempts: wrong ones in a row after which none is taken, not even the right one.
        locked_s: seconds for which none is taken; wrong ones are forgotten after as long, too.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        pin: SecretStr | None = None,
        attempts: int = 3,
        locked_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pin = pin
        self._attempts = attempts
        self._locked_s = locked_s
        self._clock = clock
        self._wrong = 0
        self._wrong_at = -math.inf

    @property
    def exists(self) -> bool:
        """Whether there is a PIN."""
        return self._pin is not None

    @property
    def digits(self) -> int:
        """How many digits the PIN has, 0 if there is none; a recogniser has to know."""
        return 0 if self._pin is None else len(self._pin.get_secret_value())

    @property
    def locked_minutes(self) -> int:
        """Minutes, rounded up, for which no PIN is taken; 0 if one is."""
        if self._wrong < self._attempts:
            return 0
        return max(0, math.ceil((self._wrong_at + self._locked_s - self._clock()) / 60))

    def check(self, digits: str) -> bool:
        """Return whether it is the PIN; while none is taken, it never is."""
        if self._pin is None or self.locked_minutes:
            return False
        now = self._clock()
        if now - self._wrong_at >= self._locked_s:
            self._wrong = 0
        right = hmac.compare_digest(digits.encode(), self._pin.get_secret_value().encode())
        self._wrong = 0 if right else self._wrong + 1
        if not right:
            self._wrong_at = now
        return right


def pin_gate(config: PolicyConfig) -> PinGate:
    """Return the gate of a configuration.

    Raises:
        ConfigError: the file cannot be read, or holds no PIN.
    """
    pin = config.pin
    if config.pin_file is not None:
        pin = _read(Path(config.pin_file))
    return PinGate(pin, config.pin_attempts, config.pin_locked_s)


def _read(file: Path) -> SecretStr:
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_FILE_BYTES + 1).decode("ascii", errors="replace").strip()
    except OSError as error:
        raise ConfigError(f"policy.pin_file {file} cannot be read: {error.strerror}", remedy=REMEDY) from None
    if not re.fullmatch(rf"[0-9]{{{MIN_PIN_DIGITS},{MAX_PIN_DIGITS}}}", text):
        raise ConfigError(f"policy.pin_file {file} holds no PIN", remedy=REMEDY)
    return SecretStr(text)
