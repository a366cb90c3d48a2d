"""What a service of this machine is known by on the network for good, and whether the network reaches it at all."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path


def stable_id(kind: str, port: int) -> str:
    """Return an id that this machine's service on this port has after every start, and no other machine's has.

    Args:
        kind: what it is, e.g. `satellite`.
        port: where it listens.
    """
    try:
        machine = Path("/etc/machine-id").read_text("ascii").strip()
    except (OSError, UnicodeError):
        machine = ""
    # The machine's id is not for others to know (machine-id(5)): a hash of it is.
    own = machine or f"{uuid.getnode():012x}"
    return "hearth-" + hashlib.sha256(f"hearth {kind} {own} {port}".encode()).hexdigest()[:12]


def is_loopback(host: str) -> bool:
    """Return whether what listens on this host is for this machine alone."""
    return host in ("::1", "localhost") or host.startswith("127.")
