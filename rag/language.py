"""Which language a text is in, and whether a model that reads some languages only can judge it. Knows no model."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LANGUAGES = tuple(
    """ar bg bn ca cs da de el en es et eu fa fi fr ga gl he hi hr hu hy id it ja ka km ko lo lt lv ms my nl no pl pt ro ru
    sk sl sr sv ta te th tl tr uk ur vi zh""".split()
)
"""ISO 639-1. Those that articles are often written in: of all that py3langid knows, a tenth of the Chinese questions were
taken for another kind of Chinese. Source: docs/experiments.md, "Languages"."""

_SURE = 0.5
"""From this share of all languages' probability on, a language is named. Source: as above."""

_MAX_CHARS = 500  # of a text that are looked at


def language(text: str) -> str:
    """Returns one of `LANGUAGES`, or "" for a text that is too short to tell or has no letters."""
    if not any(char.isalpha() for char in text):
        return ""
    name, probability = _identifier().classify(text[:_MAX_CHARS])
    return str(name) if probability >= _SURE else ""


def can_judge(languages: Collection[str], text: str) -> bool:
    """True if a model that reads these languages can judge a text; also if the text's language cannot be told.

    Args:
        languages: ISO 639-1; empty for a model that reads any.
    """
    return not languages or language(text) in {"", *languages}


def load() -> None:
    """Reads the model, which takes some tenths of a second, so that the first question need not wait for it."""
    _identifier()


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
