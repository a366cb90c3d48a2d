"""A certificate for the tests that speak TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from hearth_core import trust


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, by both of its ends: what a listener needs, and what who connects knows of it."""

    context: ssl.SSLContext
    fingerprint: str


def certified(folder: Path, name: str) -> Certificate:
    """Make a certificate in a folder."""
    fingerprint = trust.make_certificate(folder / "cert.pem", folder / "key.pem", name)
    return Certificate(trust.server_context(folder / "cert.pem", folder / "key.pem"), fingerprint)
