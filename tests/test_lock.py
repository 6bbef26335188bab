"""The pinned packages are those that setup.cfg asks for: `make run` installs the pins alone."""

from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def asked(extra: str) -> list[Requirement]:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options"]["install_requires"] + config["options.extras_require"][extra]
    requirements = (Requirement(line) for line in lines.splitlines() if line and not line.startswith("#"))
    return [requirement for requirement in requirements if requirement.name != "citytwin"]


def pinned(lock: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines()
    return [Requirement(line.removesuffix("\\")) for line in lines if "==" in line and not line.startswith(" ")]


@pytest.mark.parametrize(
    ("lock", "extra"), [("server.txt", "server"), ("server.txt", "engines"), ("dev.txt", "server"), ("dev.txt", "dev")]
)
def test_every_package_asked_for_is_pinned(lock: str, extra: str) -> None:
    versions = {pin.name: str(pin.specifier).removeprefix("==") for pin in pinned(lock)}
    unmet = [
        str(requirement)
        for requirement in asked(extra)
        if requirement.name.lower() not in versions
        or not requirement.specifier.contains(versions[requirement.name.lower()], prereleases=True)
    ]
    assert unmet == [], "run `make lock`"
