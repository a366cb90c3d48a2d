"""What every part of Hearth agrees on: the command's types, errors, audio, configuration and the wire guard."""

__version__ = "0.1.0"
