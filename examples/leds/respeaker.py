"""The three lights and the button of a ReSpeaker 2-mic HAT (APA102 on SPI, button on pin 17).

    python respeaker.py /run/hearth/satellite.sock

Switch SPI on with `sudo raspi-config nonint do_spi 0`. Needs `pip install gpiozero lgpio spidev`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gpio import HOLD_S, serve
from satellite_socket import SatelliteSocket

LIGHTS = 3
BRIGHTNESS = 8  # of 31; in a bedroom that is plenty


class Apa102:
    """A row of APA102 lights of one colour; looks like gpiozero's RGBLED.

    Args:
        spi: anything with `writebytes`.

    Source: APA102C data sheet, Shiji Lighting 2014: start frame of 32 zeros, a frame of 0b111 + brightness, blue,
    green, red for each light, end frame.
    """

    def __init__(self, spi: Any) -> None:
        self._spi = spi

    @property
    def value(self) -> tuple[float, ...]:
        """Not known: the lights cannot be read."""
        raise AttributeError("the lights cannot be read")

    @value.setter
    def value(self, rgb: tuple[float, ...]) -> None:
        red, green, blue = (round(255 * part) for part in rgb)
        self._spi.writebytes([0] * 4 + [0xE0 | BRIGHTNESS, blue, green, red] * LIGHTS + [0xFF] * 4)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("socket", type=Path, help="satellite.control.socket.path")
    options = parser.parse_args()
    from gpiozero import Button
    from spidev import SpiDev

    spi = SpiDev()
    spi.open(0, 1)
    spi.max_speed_hz = 8_000_000
    serve(SatelliteSocket(options.socket), Button(17, hold_time=HOLD_S, bounce_time=0.05), Apa102(spi))


if __name__ == "__main__":
    main()
