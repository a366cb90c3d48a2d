"""Projects as ETS 6 exports them, as small as they can be."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

_NAMESPACE = "http://knx.org/xml/project/22"
_HEAD = f'<?xml version="1.0" encoding="utf-8"?>\n<KNX xmlns="{_NAMESPACE}" CreatedBy="ETS6" ToolVersion="6.1.0">\n'
_MASTER = """<MasterData>
<FunctionTypes>
<FunctionType Id="FT-0" Number="0" Text="custom" /><FunctionType Id="FT-1" Number="1" Text="switchable light" />
<FunctionType Id="FT-6" Number="6" Text="dimmable light" /><FunctionType Id="FT-7" Number="7" Text="sun protection" />
<FunctionType Id="FT-9" Number="9" Text="heating" />
</FunctionTypes></MasterData></KNX>"""
_META = """<Project Id="P-0001">
<ProjectInformation Name={name} GroupAddressStyle="ThreeLevel" Guid="0" /></Project></KNX>"""


class Project:
    """A project under construction; what is added gets its ids by itself."""

    def __init__(self, name: str = "House") -> None:
        self._name = name
        self._addresses: dict[str, str] = {}
        self._addresses_xml: list[str] = []
        self._spaces: list[str] = []
        self._count = 0

    def address(self, address: str, name: str, dpt: str | None = None) -> str:
        """Add a group address with a datapoint type like "1.001" or "1"; return the address."""
        main, middle, last = map(int, address.split("/"))
        number = main << 11 | middle << 8 | last
        identifier = f"GA-{len(self._addresses) + 1}"
        self._addresses[address] = identifier
        kind = ""
        if dpt is not None:
            parts = [str(int(part)) for part in dpt.split(".")]
            kind = f' DatapointType="{"DPST" if len(parts) > 1 else "DPT"}-{"-".join(parts)}"'
        self._addresses_xml.append(
            f'<GroupAddress Id="P-0001-0_{identifier}" Address="{number}" Name={quoteattr(name)}{kind} />'
        )
        return address

    def function(self, kind: str, name: str, roles: Iterable[tuple[str, str]]) -> str:
        """Return a function of group addresses and their roles, to be put into a space."""
        self._count += 1
        refs = "".join(
            f'<GroupAddressRef Id="x{self._count}-{i}" RefId="P-0001-0_{self._addresses[address]}" Role="{role}" />'
            for i, (address, role) in enumerate(roles)
        )
        return f'<Function Id="P-0001-0_F-{self._count}" Type="{kind}" Name={quoteattr(name)}>{refs}</Function>'

    def space(self, kind: str, name: str, *inside: str) -> str:
        """Return a space with functions and spaces in it."""
        self._count += 1
        return f'<Space Id="P-0001-0_BP-{self._count}" Type="{kind}" Name={quoteattr(name)}>{"".join(inside)}</Space>'

    def add(self, space: str) -> None:
        """Put a space into the project."""
        self._spaces.append(space)

    def write(self, file: Path, password: str | None = None) -> Path:
        """Write the .knxproj file, protected if there is a password."""
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("knx_master.xml", _HEAD + _MASTER)
            archive.writestr("P-0001.signature", b"")
            if password is None:
                for name, text in self._files().items():
                    archive.writestr(f"P-0001/{name}", text)
            else:
                archive.writestr("P-0001.zip", self._protected(password))
        return file

    def _files(self) -> dict[str, str]:
        ranges = (
            f'<GroupRanges><GroupRange Id="r" RangeStart="1" RangeEnd="65535" Name="all">{"".join(self._addresses_xml)}'
        )
        body = (
            f'<Project Id="P-0001"><Installations><Installation Name=""><Topology />'
            f"<Locations>{''.join(self._spaces)}</Locations>"
            f"<GroupAddresses>{ranges}</GroupRange></GroupRanges></GroupAddresses>"
            "</Installation></Installations></Project></KNX>"
        )
        return {"project.xml": _HEAD + _META.format(name=quoteattr(self._name)), "0.xml": _HEAD + body}

    def _protected(self, password: str) -> bytes:
        import pyzipper

        # ETS 6 derives the archive's password: PBKDF2 of the UTF-16 text, salted with the schema's name, in base64.
        key = hashlib.pbkdf2_hmac("sha256", password.encode("utf-16-le"), b"21.project.ets.knx.org", 65_536, 32)
        packed = io.BytesIO()
        with pyzipper.AESZipFile(packed, "w", encryption=pyzipper.WZ_AES) as archive:
            archive.setpassword(base64.b64encode(key))
            for name, text in self._files().items():
                archive.writestr(name, text)
        return packed.getvalue()
