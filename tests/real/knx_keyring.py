"""Keyrings as ETS exports them, made from KNX's description of the format and not with the code that reads them."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CREATED = "2026-11-20T12:00:00"


def write_keyring(file: Path, password: str, backbone_key: bytes, multicast_group: str) -> None:
    """Write a keyring that holds the key of a secure backbone."""
    secret = hashlib.pbkdf2_hmac("sha256", password.encode(), b"1.keyring.ets.knx.org", 65_536, 16)
    vector = hashlib.sha256(CREATED.encode()).digest()[:16]
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(vector)).encryptor()
    key = base64.b64encode(encryptor.update(backbone_key) + encryptor.finalize()).decode()
    keyring = ElementTree.Element(
        "Keyring", {"Project": "House", "CreatedBy": "ETS", "Created": CREATED, "xmlns": "http://knx.org/xml/keyring/1"}
    )
    ElementTree.SubElement(keyring, "Backbone", {"MulticastAddress": multicast_group, "Latency": "1000", "Key": key})
    signed = _signed(keyring) + _counted(base64.b64encode(secret))
    keyring.set("Signature", base64.b64encode(hashlib.sha256(signed).digest()[:16]).decode())
    ElementTree.ElementTree(keyring).write(file, encoding="utf-8", xml_declaration=True)


def _signed(element: ElementTree.Element) -> bytes:
    found = b"\x01" + _counted(element.tag.encode())
    for name, value in sorted(element.attrib.items()):
        if name not in ("xmlns", "Signature"):
            found += _counted(name.encode()) + _counted(value.encode())
    return found + b"".join(_signed(child) for child in element) + b"\x02"


def _counted(text: bytes) -> bytes:
    return bytes([len(text)]) + text
