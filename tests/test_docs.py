"""What the documents say of settings, commands and versions is what the program has."""

from __future__ import annotations

import dataclasses
import re

import pytest

import rag
from rag import cli
from rag.config import ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_the_readme_lists_every_setting_with_its_default(field):
    (row,) = re.findall(rf"^\| `{field.name}` \| (.*?) \|", README, re.MULTILINE)
    default = field.default
    if isinstance(default, str | int):
        assert row == f"`{default}`"


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_every_default_has_its_reason_among_the_experiments(field):
    section = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8").split("## Defaults\n")[1].split("\n## ")[0]
    (row,) = [line for line in section.splitlines() if line.startswith("|") and f"`{field.name}`" in line.split("|")[1]]
    shown = row.split("|")[2].strip()
    if shown and isinstance(field.default, str | int):
        assert str(field.default) in shown


def test_the_readme_lists_every_command():
    (commands,) = [a for a in cli._parser()._actions if a.dest not in ("help", "version")]
    for name in commands.choices:
        assert re.search(rf"`rag {name}\b", README), name


def test_ci_runs_the_command_of_the_readme():
    command = README.split("<!-- test -->\n```\n")[1].split("\n```")[0]
    assert command.count("\n") == 0
    assert command.endswith("&& pytest")
    assert "<!-- test -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_changelog_has_this_version():
    assert re.search(
        rf"^## .*\b{re.escape(rag.__version__)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
