"""A button and a light on the pins of a Raspberry Pi: press to talk or to stop, hold to mute.

    python gpio.py /run/hearth/satellite.sock --button 17 --red 22 --green 23 --blue 24

What is stopped is a timer that rings, an answer, or a command.

Wiring: the button between its pin and ground; each LED, with 330 ohms, between its pin and ground. The ReSpeaker
2-mic's own button is on pin 17. Needs `pip install gpiozero lgpio`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from satellite_socket import Satellite, SatelliteSocket

HOLD_S = 1.0


def serve(connection: SatelliteSocket, button: Any, light: Any) -> None:
    """Show what the satellite tells on the light, and command it by the button, for ever."""
    satellite = Satellite()
    held = False

    def released() -> None:
        nonlocal held
        if not held:
            connection.command("stop" if satellite.interruptible else "wake")
        held = False

    def hold() -> None:
        nonlocal held
        held = True
        connection.command("toggle-mute")

    button.when_released, button.when_held = released, hold
    for event in connection.events():
        satellite.take(event)
        light.value = tuple(part / 255 for part in satellite.colour)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("socket", type=Path, help="satellite.control.socket.path")
    for pin, default in (("button", 17), ("red", 22), ("green", 23), ("blue", 24)):
        parser.add_argument(f"--{pin}", type=int, default=default, help="pin, as BCM counts (default: %(default)s)")
    options = parser.parse_args()
    from gpiozero import RGBLED, Button

    serve(
        SatelliteSocket(options.socket),
        Button(options.button, hold_time=HOLD_S, bounce_time=0.05),
        RGBLED(options.red, options.green, options.blue),
    )


if __name__ == "__main__":
    main()
