"""Addresses of Wyoming peers: tcp://host:port."""

from __future__ import annotations

from urllib.parse import urlsplit

from .errors import InputError

_REMEDY = "Write it as tcp://host:port, for example tcp://192.168.1.20:10700"


def split(uri: str) -> tuple[str, int]:
    """Return host and port of a `tcp://host:port` address; an IPv6 host stands in brackets.

    Raises:
        InputError: it is not of this form.
    """
    # What stands before an @ may be a password, so it is not repeated.
    shown = "an address with a user name" if "@" in uri else ascii(uri[:100])
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:  # a port over 65535 or that is no number, a bracket that is not closed
        raise InputError(f"{shown} is not an address of a Wyoming peer", remedy=_REMEDY) from error
    rest = parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme != "tcp" or not host or not port or rest or any(c.isspace() for c in uri):
        raise InputError(f"{shown} is not an address of a Wyoming peer", remedy=_REMEDY)
    return host, port


def join(host: str, port: int) -> str:
    """Return `host:port` for people and logs, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
