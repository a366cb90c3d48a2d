"""An example of lights and a button without its hardware: gpiozero's own mock pins, and an SPI bus of three APA102.

    python leds_on_a_desk.py respeaker SOCKET

`press` and `release` on standard input move the button; each light that is shown is a line, "red green blue" of 0 to
255. It ends with its input.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from pathlib import Path
from types import ModuleType

from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin

LEDS = Path(__file__).parents[2] / "examples" / "leds"
BUTTON, RGB = 17, (22, 23, 24)
HOLD_S, RETRY_S = 0.2, 0.05  # a test waits for neither


class Pin(MockPWMPin):  # type: ignore[misc]
    """Tells the light of its three pins when one of them changes."""

    def _change_state(self, value: float) -> bool:
        changed = bool(super()._change_state(value))
        if changed and self.info.name != f"GPIO{BUTTON}":
            print(*(round(255 * self.factory.pin(number).state) for number in RGB), flush=True)
        return changed


class SpiDev:
    """A bus with three lights on it."""

    def open(self, bus: int, device: int) -> None:
        """Open the one that the HAT is on."""
        if (bus, device) != (0, 1):
            raise FileNotFoundError(f"/dev/spidev{bus}.{device}")

    def writebytes(self, data: list[int]) -> None:
        """Take what is written, as the APA102C data sheet has it; every light has to be the same."""
        frames = bytes(data)
        start, lights, end = frames[:4], frames[4:-4], frames[-4:]
        if (start, end, len(lights)) != (bytes(4), b"\xff" * 4, 12) or lights != lights[:4] * 3 or lights[0] < 0xE1:
            raise ValueError(frames.hex())
        print(*reversed(lights[1:4]), flush=True)


def move_button(factory: MockFactory) -> None:
    """Move the button as the input says; end with it."""
    for line in sys.stdin:
        pin = factory.pin(BUTTON)
        (pin.drive_low if line.strip() == "press" else pin.drive_high)()
    os._exit(0)


def main() -> None:
    """Run the example that is named."""
    name, local = sys.argv[1:]
    factory = Device.pin_factory = MockFactory(pin_class=Pin)
    spidev = ModuleType("spidev")
    spidev.SpiDev = SpiDev  # type: ignore[attr-defined]
    sys.modules["spidev"] = spidev
    sys.path.insert(0, str(LEDS))
    vars(importlib.import_module("gpio"))["HOLD_S"] = HOLD_S
    vars(importlib.import_module("satellite_socket"))["RETRY_S"] = RETRY_S
    threading.Thread(target=move_button, args=(factory,), daemon=True).start()
    sys.argv = [f"{name}.py", local]
    importlib.import_module(name).main()


if __name__ == "__main__":
    main()
