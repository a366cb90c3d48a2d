"""What hassfest and HACS check of an integration, as far as it is in files: it must be true before it is published."""

from __future__ import annotations

import ast
import json
import re
import struct
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from hearth_core import __version__
from hearth_core.companion import SERVICE_TYPE

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "custom_components" / "hearth"
LANGUAGES = ("en", "de", "fr", "nl", "es")
MANIFEST: Mapping[str, Any] = json.loads((COMPONENT / "manifest.json").read_text())
ENGLISH: Mapping[str, Any] = json.loads((COMPONENT / "translations/en.json").read_text())
ICONS: Mapping[str, Any] = json.loads((COMPONENT / "icons.json").read_text())
SERVICES: Mapping[str, Any] = yaml.safe_load((COMPONENT / "services.yaml").read_text())
# https://developers.home-assistant.io/docs/core/integration-quality-scale, read in November 2026.
RULES: Mapping[str, frozenset[str]] = {
    "bronze": frozenset({
        "action-setup", "appropriate-polling", "brands", "common-modules", "config-flow", "config-flow-test-coverage",
        "dependency-transparency", "docs-actions", "docs-conditions", "docs-high-level-description",
        "docs-installation-instructions", "docs-removal-instructions", "docs-triggers", "entity-event-setup",
        "entity-unique-id", "has-entity-name", "runtime-data", "test-before-configure", "test-before-setup",
        "unique-config-entry",
    }),
    "silver": frozenset({
        "action-exceptions", "config-entry-unloading", "docs-configuration-parameters", "docs-installation-parameters",
        "entity-unavailable", "integration-owner", "log-when-unavailable", "parallel-updates",
        "reauthentication-flow", "test-coverage",
    }),
    "gold": frozenset({
        "devices", "diagnostics", "discovery", "discovery-update-info", "docs-data-update", "docs-examples",
        "docs-known-limitations", "docs-supported-devices", "docs-supported-functions", "docs-troubleshooting",
        "docs-use-cases", "dynamic-devices", "entity-category", "entity-device-class", "entity-disabled-by-default",
        "entity-translations", "exception-translations", "icon-translations", "reconfiguration-flow", "repair-issues",
        "stale-devices",
    }),
    "platinum": frozenset({"async-dependency", "inject-websession", "strict-typing"}),
}  # fmt: skip
# Those of the rules that allow of no exception, for custom integrations neither.
NEVER_EXEMPT = {"dependency-transparency", "integration-owner"}


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    else:
        yield path, str(value)


def sources() -> Iterator[tuple[str, str]]:
    for file in sorted(COMPONENT.glob("*.py")):
        yield file.name, file.read_text()


def test_the_manifest_says_what_is_asked_for() -> None:
    required = {
        "domain",
        "name",
        "codeowners",
        "documentation",
        "issue_tracker",
        "version",
        "requirements",
        "iot_class",
    }
    assert required <= MANIFEST.keys()
    assert list(MANIFEST) == ["domain", "name", *sorted(MANIFEST.keys() - {"domain", "name"})]
    assert (MANIFEST["domain"], MANIFEST["iot_class"]) == (COMPONENT.name, "local_push")
    assert MANIFEST["config_flow"] is True
    assert MANIFEST["zeroconf"] == [SERVICE_TYPE]


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__ == MANIFEST["version"]
    (requirement,) = MANIFEST["requirements"]
    low, high = re.fullmatch(r"hearth-voice>=([\d.]+),<([\d.]+)", requirement).groups()  # type: ignore[union-attr]
    version, lowest, beyond = (tuple(int(part) for part in text.split(".")) for text in (__version__, low, high))
    assert lowest <= version < beyond
    assert low == __version__  # both are released together; an older wheel has not what this integration needs


# What HACS 2 takes in hacs.json, and of which kind; anything else it refuses.
HACS_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "name": str, "content_in_root": bool, "country": (str, list), "filename": str, "hacs": str,
    "hide_default_branch": bool, "homeassistant": str, "persistent_directory": str, "render_readme": bool,
    "zip_release": bool,
}  # fmt: skip


def test_hacs_takes_the_repository() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert hacs["name"] == MANIFEST["name"]
    for key, value in hacs.items():
        assert isinstance(value, HACS_KEYS[key]), key
    assert re.fullmatch(r"20\d\d\.\d{1,2}\.\d", hacs["homeassistant"])
    if hacs.get("zip_release"):
        assert hacs["filename"].endswith(".zip")
    assert "content_in_root" not in hacs, "the integration lies in custom_components"
    folders = [path.name for path in (ROOT / "custom_components").iterdir() if path.is_dir() and path.name[0] != "_"]
    assert folders == ["hearth"], "HACS takes the first folder, whichever that is"
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"!\[[^\]]+\]\(", readme), "HACS shows the README, and wants a picture in it"
    assert (ROOT / "LICENSE").stat().st_size > 500


def test_hacs_takes_the_manifest() -> None:
    for key in ("documentation", "issue_tracker"):
        address = urlsplit(MANIFEST[key])
        assert (address.scheme, "." in address.netloc) == ("https", True), key
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    assert MANIFEST["codeowners"]
    assert all(re.fullmatch(r"@[\w/-]+", owner) for owner in MANIFEST["codeowners"])


def test_hassfest_takes_the_manifest() -> None:
    assert MANIFEST.keys() <= {
        "after_dependencies", "codeowners", "config_flow", "dependencies", "documentation", "domain",
        "integration_type", "iot_class", "issue_tracker", "loggers", "name", "quality_scale", "requirements",
        "single_config_entry", "version", "zeroconf",
    }  # fmt: skip
    assert MANIFEST["integration_type"] in ("device", "hub", "service")
    for key in ("dependencies", "after_dependencies", "loggers", "requirements", "zeroconf"):
        assert all(isinstance(item, str) for item in MANIFEST[key])
        assert MANIFEST[key] == sorted(set(MANIFEST[key])), key
    assert not set(MANIFEST["dependencies"]) & set(MANIFEST["after_dependencies"])


def test_what_home_assistant_is_asked_for_is_depended_upon() -> None:
    """An integration whose parts are imported must be set up before, or be one that every Home Assistant has."""
    imported = {found for _, text in sources() for found in re.findall(r"homeassistant\.components\.(\w+)", text)}
    imported |= {
        name.strip()
        for _, text in sources()
        for names in re.findall(r"from homeassistant\.components import ([\w, ]+)", text)
        for name in names.split(",")
    }
    platforms = {
        "assist_satellite", "binary_sensor", "button", "conversation", "diagnostics", "event", "number", "repairs",
        "select", "sensor", "stt", "switch", "system_health", "update",
    }  # fmt: skip
    known = {*MANIFEST["dependencies"], *MANIFEST["after_dependencies"], *platforms}
    assert imported <= known, imported - known


def test_no_text_has_an_address_in_it() -> None:
    # Addresses change, and translators copy the old ones: they come as placeholders.
    for language in LANGUAGES:
        for path, text in leaves(json.loads((COMPONENT / f"translations/{language}.json").read_text())):
            assert "://" not in text, (language, path)
    assert not (COMPONENT / "strings.json").exists(), "a custom integration has its texts in translations alone"


def test_the_owner_is_named_once() -> None:
    """Whoever forks the project, or moves it, changes the first two lines of this test and what it then names."""
    home, owner = "https://github.com/hearth-voice/hearth", "@hearth-voice"
    assert MANIFEST["documentation"] == f"{home}/blob/main/docs/integration.md"
    assert MANIFEST["issue_tracker"] == f"{home}/issues"
    assert MANIFEST["codeowners"] == [owner]
    for blueprint in sorted((ROOT / "blueprints").glob("*/hearth/*.yaml")):
        where = blueprint.relative_to(ROOT).as_posix()
        assert f"source_url: {home}/blob/main/{where}\n" in blueprint.read_text(), where
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for address in re.findall(r"https://github\.com/[\w-]+/hearth\b", file.read_text()):
            assert address == home, file


def test_the_oldest_home_assistant_is_the_one_that_is_tested() -> None:
    from tests.real.home_assistant.component import VERSION

    lowest = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    blueprints = [file.read_text() for file in (ROOT / "blueprints").rglob("*.yaml")]
    stated = {lowest, *(re.search(r"min_version: \"?([\d.]+)", text).group(1) for text in blueprints)}  # type: ignore[union-attr]
    assert len(blueprints) == 2
    assert stated == {VERSION}
    assert f"Home Assistant {VERSION} or newer" in (ROOT / "docs" / "integration.md").read_text()


def test_every_repair_issue_has_its_text() -> None:
    tree = ast.parse((COMPONENT / "issues.py").read_text())
    kinds = {
        node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant) and node.value.value != "hearth"
    }
    assert kinds == {"version", "ambiguous_names", "language", "microphone"} == ENGLISH["issues"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_every_language_with_the_same_gaps(language: str) -> None:
    here = dict(leaves(json.loads((COMPONENT / f"translations/{language}.json").read_text())))
    english = dict(leaves(ENGLISH))
    assert here.keys() == english.keys()
    for path, text in english.items():
        assert sorted(re.findall(r"{(\w+)}", here[path])) == sorted(re.findall(r"{(\w+)}", text)), path
        assert here[path].strip() == here[path] != ""
    if language != "en":
        same = [path for path, text in english.items() if here[path] == text and len(text) > 12]
        assert not [path for path in same if english[path] != "{name}"]


def test_no_language_is_left_over() -> None:
    assert {file.stem for file in (COMPONENT / "translations").glob("*.json")} == set(LANGUAGES)


def test_every_action_has_its_texts_and_icon() -> None:
    assert SERVICES.keys() == ENGLISH["services"].keys() == ICONS["services"].keys()
    for name, action in SERVICES.items():
        assert action["fields"].keys() == ENGLISH["services"][name]["fields"].keys()
        assert all("selector" in field for field in action["fields"].values())
    (registered,) = [text for name, text in sources() if name == "services.py"]
    assert set(re.findall(r'add\(DOMAIN, "(\w+)"', registered)) == SERVICES.keys()


def test_every_error_that_is_raised_has_a_text() -> None:
    keys = {key for _, text in sources() for key in re.findall(r'translation_key="(\w+)"', text)}
    exceptions = ENGLISH["exceptions"].keys()
    assert keys <= exceptions
    errors = next(text for name, text in sources() if name == "errors.py")
    reasons = re.search(r"frozenset\(({.*?})\)", errors, re.DOTALL)
    assert reasons is not None
    assert {reason.replace("-", "_") for reason in ast.literal_eval(reasons[1])} <= exceptions


def test_every_step_and_error_of_the_flow_has_a_text() -> None:
    flow = next(text for name, text in sources() if name == "config_flow.py")
    steps = set(re.findall(r'step_id="(\w+)"', flow))
    assert steps == ENGLISH["config"]["step"].keys() | ENGLISH["options"]["step"].keys()
    errors = set(re.findall(r'"base": "(\w+)"', flow)) | set(re.findall(r'"[\w-]+": "(\w+)"[,}]', flow))
    assert errors <= ENGLISH["config"]["error"].keys()
    assert set(re.findall(r'reason="(\w+)"', flow)) <= ENGLISH["config"]["abort"].keys()


def test_every_icon_is_of_an_entity_that_has_a_name() -> None:
    for platform, icons in ICONS["entity"].items():
        assert icons.keys() <= ENGLISH["entity"][platform].keys()
        assert all(icon["default"].startswith("mdi:") for icon in icons.values())


# What only the owner can do, by publishing: nothing else may be left open.
OPEN_RULES = {"dependency-transparency", "integration-owner"}
QUALITY: Mapping[str, Any] = yaml.safe_load((COMPONENT / "quality_scale.yaml").read_text())["rules"]


def is_open(rule: str) -> bool:
    return isinstance(QUALITY[rule], dict) and QUALITY[rule]["status"] == "todo"


def test_every_rule_of_the_quality_scale_is_done_or_exempt_with_a_reason() -> None:
    assert QUALITY.keys() == frozenset().union(*RULES.values())
    for rule, status in QUALITY.items():
        if status != "done":
            assert status["status"] == ("todo" if rule in OPEN_RULES else "exempt"), rule
            assert rule not in NEVER_EXEMPT or status["status"] == "todo", rule
            assert len(status["comment"]) > 20, rule


def test_the_manifest_claims_no_tier_of_which_a_rule_is_open() -> None:
    """As hassfest has it: a tier is reached when its rules and those of the tiers below are done or exempt."""
    claimed = MANIFEST["quality_scale"]
    assert claimed in ("custom", *RULES)
    reached = list(RULES)[: list(RULES).index(claimed) + 1] if claimed in RULES else []
    assert not [rule for tier in reached for rule in RULES[tier] if is_open(rule)]


def test_the_brand_has_its_images() -> None:
    for name, side in (("icon.png", 256), ("icon@2x.png", 512)):
        raw = (COMPONENT / "brand" / name).read_bytes()
        assert raw[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", raw[16:24]) == (side, side)


def test_the_brand_is_as_the_marketplace_shows_it() -> None:
    """Icons are square and their twice as large; logos have the same shape in both sizes; nothing is heavy."""
    shapes = {}
    for file in sorted((COMPONENT / "brand").iterdir()):
        assert file.name in ("icon.png", "icon@2x.png", "logo.png", "logo@2x.png")
        raw = file.read_bytes()
        assert len(raw) < 200_000, file.name
        shapes[file.name] = struct.unpack(">II", raw[16:24])
    for name in ("icon", "logo"):
        width, height = shapes[f"{name}.png"]
        assert shapes[f"{name}@2x.png"] == (2 * width, 2 * height), name
    assert 128 <= min(shapes["logo.png"]) <= 256


def test_it_imports_the_light_base_alone() -> None:
    allowed = {"hearth_core", "homeassistant", "probatio", "wyoming"}
    import sys

    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            found = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and node.level == 0
                else []
            )
            for module in found:
                top = module.partition(".")[0]
                assert top in allowed or top in sys.stdlib_module_names, f"{name} imports {module}"


def test_the_page_of_docs_has_what_the_rules_ask_for() -> None:
    text = (ROOT / "docs" / "integration.md").read_text()
    for heading in (
        "What it is for", "Install", "Remove", "How it stays up to date", "Devices", "Entities", "Triggers", "Actions",
        "Examples", "Known limitations", "When something is wrong",
    ):  # fmt: skip
        assert f"## {heading}\n" in text
    for action in SERVICES:
        assert f"`hearth.{action}`" in text
    for entity in (e["name"] for kind in ENGLISH["entity"].values() for e in kind.values() if "name" in e):
        assert entity in text, entity
