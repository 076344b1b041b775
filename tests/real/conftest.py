"""The real models: skipped by name where they are not fetched, a failure where RAG_REQUIRE_MODELS=1 says they must be."""

from __future__ import annotations

import os

import pytest

from rag import config, models
from rag.errors import ModelError

DEFAULTS = (
    ("answers", "qwen2.5-coder-1.5b"),
    ("embedding", "bge-small-en-v1.5"),
    ("reranking", "ms-marco-minilm-l12"),
)


@pytest.fixture(scope="session")
def models_folder():
    """Returns the folder of the default models' weights."""
    folder = config.load().models
    for role, name in DEFAULTS:
        try:
            models.locate(name, role, folder)
        except ModelError as exc:
            if os.environ.get("RAG_REQUIRE_MODELS") == "1":
                pytest.fail(str(exc))
            pytest.skip(str(exc))
    return folder
