"""One frozen `Settings`: defaults < rag.toml < RAG_* environment < arguments. Knows values, not what is done with them."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: defaults for `index`, `models` and `seeds` lie here."""

_RANGES: dict[str, tuple[float, float]] = {
    "top_k": (1, 50),
    "rerank_depth": (1, 100),
    "evidence": (1, 10),
    "context_tokens": (512, 131072),
    "states_mb": (0, 1_048_576),
    "answer_tokens": (16, 2048),
    "threads": (1, 1024),
    "max_question_chars": (1, 100_000),
    "max_file_mb": (1, 1024),
    "read_seconds": (1, 3600),
    "port": (0, 65535),
}

CAUTION = ("careful", "balanced", "talkative", "always")
_CHOICES = {"caution": CAUTION, "page_access": ("change", "read")}

_PROMPT_TOKENS = 350
"""Room that a prompt needs at least: the chat template and instructions, a question, and a paragraph of some length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. Each field can be given in rag.toml or as RAG_<FIELD> in the environment.

    Why each default is what it is stands in docs/experiments.md, "Defaults".
    """

    index: Path = ROOT / "index"  # folder of the library
    models: Path = ROOT / "models"  # folder of the model weights
    seeds: Path = ROOT / "seeds"  # folder of the articles that an empty library starts with
    answer_model: str = "qwen2.5-coder-1.5b"  # a name in the registry, or PATH.gguf, or "none" for quotes only
    embedding_model: str = "bge-small-en-v1.5"  # a name in the registry, or a folder that sentence-transformers loads
    reranking_model: str = "ms-marco-minilm-l12"  # a name in the registry, or a folder that CrossEncoder loads
    top_k: int = 50  # paragraphs taken from each of the dense and the lexical index
    rerank_depth: int = 20  # fused paragraphs that are reranked
    evidence: int = 10  # hits shown with an answer, at most
    context_tokens: int = 4096  # room of the answer model: prompt and answer
    states_mb: int = 2048  # on disk for what the answer model keeps of passages; 0 keeps nothing
    answer_tokens: int = 120  # tokens of one draft, at most
    caution: str = "balanced"  # how sure an answer must be: careful, balanced, talkative; always: whatever was drafted
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))  # cores that the models may use
    max_question_chars: int = 2000  # a longer question is refused
    max_file_mb: int = 50  # a larger file is refused
    read_seconds: int = 50  # so long reading a file may go on without getting anywhere
    host: str = "127.0.0.1"  # address that the page is served on
    port: int = 7860  # 0 takes any free port
    page_access: str = "change"  # what the page may do to the library: change it, or only read it

    def __post_init__(self) -> None:
        for name in (*_RANGES, *_CHOICES):
            _check(name, getattr(self, name), name)
        if self.answer_tokens + _PROMPT_TOKENS > self.context_tokens:
            raise ConfigError(
                f"answer_tokens is {self.answer_tokens}, context_tokens {self.context_tokens}; "
                f"with {_PROMPT_TOKENS} tokens for question and passage they do not fit.",
                "Lower answer_tokens, or raise context_tokens.",
            )


def load(
    arguments: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Builds the settings from all four places.

    Args:
        arguments: settings given by the caller; None values are left out.
        environ: the environment, `os.environ` if None.
        file: a TOML file; else RAG_CONFIG, else rag.toml in the working directory if there is one.

    Raises:
        ConfigError: an unknown setting, or a value that cannot be used.
    """
    environ = os.environ if environ is None else environ
    if named := file or environ.get("RAG_CONFIG"):
        file = Path(named)
    elif (usual := Path("rag.toml")).is_file():
        file = usual
    values: dict[str, Any] = {}
    if file:
        values |= {name: _value(name, value, f"{name} in {file}") for name, value in _read_toml(file).items()}
    for name in (f.name for f in dataclasses.fields(Settings)):
        variable = f"RAG_{name.upper()}"
        if environ.get(variable):
            values[name] = _value(name, environ[variable], variable)
    for name, value in (arguments or {}).items():
        if value is not None:
            values[name] = _value(name, value, name)
    return Settings(**values)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        hint = "Give the path of another one with RAG_CONFIG, or none."
        raise ConfigError(f"The settings file {file} cannot be read: {exc.strerror}.", hint) from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"The settings file {file} cannot be read: {exc}.", "Correct it, or remove it.") from exc


def _value(name: str, value: Any, label: str) -> Any:
    kinds = {f.name: f.type for f in dataclasses.fields(Settings)}
    if name not in kinds:
        raise ConfigError(f"{label} is not a setting.", f"Settings are: {', '.join(kinds)}.")
    if kinds[name] == "Path":
        try:
            return Path(os.path.abspath(Path(value).expanduser()))  # the working directory may change
        except (TypeError, RuntimeError) as exc:  # RuntimeError: no home of that user
            raise ConfigError(f"{label} is {value!r}; expected a path.", f"{exc}.") from exc
    if kinds[name] == "int":
        try:
            value = int(str(value))
        except ValueError:
            low, high = _RANGES[name]
            raise ConfigError(f"{label} is {value!r}; expected a whole number from {low} to {high}.") from None
    else:
        value = str(value)
    _check(name, value, label)
    return value


def _check(name: str, value: Any, label: str) -> None:
    """Raises ConfigError for a value of its type that cannot be."""
    low, high = _RANGES.get(name, (0, 0))
    if name in _RANGES and not low <= value <= high:
        raise ConfigError(f"{label} is {value}; expected a whole number from {low} to {high}.")
    if name in _CHOICES and value not in _CHOICES[name]:
        *others, last = _CHOICES[name]
        raise ConfigError(f"{label} is {value!r}; expected {', '.join(others)} or {last}.")
