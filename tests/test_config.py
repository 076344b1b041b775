"""Settings: where they come from, and what is said about those that cannot be used."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from rag.config import ROOT, Settings, load
from rag.errors import ConfigError


def test_arguments_beat_the_environment_beats_the_file_beats_the_defaults(write):
    file = write("rag.toml", 'top_k = 11\nevidence = 3\nport = 1\nhost = "a"\n')
    settings = load({"port": 3, "host": None}, environ={"RAG_EVIDENCE": "4", "RAG_PORT": "2"}, file=file)
    assert (settings.top_k, settings.evidence, settings.port, settings.host) == (11, 4, 3, "a")
    assert settings.rerank_depth == Settings().rerank_depth


def test_the_file_of_the_working_directory_is_read_and_may_be_missing(write):
    assert load(environ={}) == Settings()
    write("rag.toml", "top_k = 12\n")
    assert load(environ={}).top_k == 12


def test_another_file_can_be_named(write):
    write("rag.toml", "top_k = 12\n")
    other = write("other.toml", 'top_k = 13\nindex = "~/x"\n')
    settings = load(environ={"RAG_CONFIG": str(other)})
    assert settings.top_k == 13
    assert settings.index == Path.home() / "x"
    assert load(environ={"RAG_CONFIG": ""}).top_k == 12  # an empty variable used to name a file ""


@pytest.mark.parametrize("file", [Path("gone.toml"), None])
def test_a_file_that_was_named_must_be_there(file):
    environ = {} if file else {"RAG_CONFIG": "gone.toml"}
    with pytest.raises(
        ConfigError, match=r"settings file gone\.toml cannot be read: No such file or directory\. .*RAG_CONFIG"
    ):
        load(environ=environ, file=file)


@pytest.mark.parametrize("content", ["top_k =", b"top_k = 1 # \xff"])
def test_a_file_that_cannot_be_parsed_is_named(write, content):
    with pytest.raises(ConfigError, match=r"settings file rag\.toml cannot be read"):
        load(environ={}, file=write("rag.toml", content).relative_to(Path.cwd()))


def test_a_setting_that_is_not_known_is_named_with_those_that_are():
    with pytest.raises(ConfigError, match=r"topk is not a setting\. Settings are: index, .*top_k.*page_access\."):
        load({"topk": 3}, environ={})


@pytest.mark.parametrize("value", ["", "write", "Change", True, None, 3])
def test_what_the_page_may_do_is_one_of_two(value):
    expected = re.escape(f"page_access is {value!r}; expected change or read.")
    with pytest.raises(ConfigError, match=expected):
        Settings(page_access=value)
    assert load({}, environ={"RAG_PAGE_ACCESS": "read"}).page_access == "read"
    assert Settings().page_access == "change"


@pytest.mark.parametrize("value", ["ten", "", "3.5", True, [3]])
def test_a_number_that_is_none_is_told_with_its_range(value):
    with pytest.raises(ConfigError, match=re.escape(f"top_k is {value!r}; expected a whole number from 1 to 50.")):
        load({"top_k": value}, environ={})


def test_the_place_of_a_wrong_value_is_named(write):
    with pytest.raises(ConfigError, match=r"RAG_TOP_K is 'ten'; expected a whole number from 1 to 50\."):
        load(environ={"RAG_TOP_K": "ten"})
    write("rag.toml", 'port = "x"\n')
    with pytest.raises(ConfigError, match=r"port in rag\.toml is 'x'; expected a whole number from 0 to 65535\."):
        load(environ={})


@pytest.mark.parametrize(("name", "value"), [("top_k", 0), ("top_k", 51), ("port", 65536), ("evidence", 11), ("threads", 0)])
def test_a_number_out_of_range_is_told_with_its_range(name, value):
    with pytest.raises(ConfigError, match=rf"{name} is {value}; expected a whole number from \d+ to \d+\."):
        load({name: value}, environ={})


@pytest.mark.parametrize("value", [5, ["a"], "~nobody-of-that-name/x"])
def test_a_path_that_is_none_is_told(value):
    # These used to end in a TypeError and a RuntimeError.
    with pytest.raises(ConfigError, match=re.escape(f"index is {value!r}; expected a path.")):
        load({"index": value}, environ={})


def test_a_relative_path_is_that_of_the_start(monkeypatch, tmp_path):
    settings = load({"index": "mine"}, environ={})
    monkeypatch.chdir("/")
    assert settings.index == tmp_path / "mine"


def test_an_answer_longer_than_the_context_is_refused():
    with pytest.raises(ConfigError, match=r"answer_tokens is 300, context_tokens 512; .*Lower answer_tokens"):
        load({"context_tokens": 512, "answer_tokens": 300}, environ={})


def test_defaults_lie_in_the_checkout_and_can_be_used():
    settings = Settings()
    assert (settings.index, settings.models, settings.seeds) == (ROOT / "index", ROOT / "models", ROOT / "seeds")
    assert settings.host == "127.0.0.1"
    assert len(dataclasses.fields(settings)) <= 20
    with pytest.raises(dataclasses.FrozenInstanceError, match="port"):
        settings.port = 1
