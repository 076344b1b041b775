"""The tree of errors is the one that is drawn, and each error says what is wrong and what to do."""

from __future__ import annotations

import re

from rag import errors
from rag.errors import RagError


def test_the_drawn_tree_is_the_tree():
    drawn, parents = {}, {0: "RagError"}
    for line in errors.__doc__.splitlines():
        if match := re.match(r"    ([│ ├└─]*)(\w+) +\S", line):
            depth = len(match[1]) // 4
            parents[depth] = match[2]
            drawn[match[2]] = parents[depth - 1]
    defined = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert drawn == {name: kind.__base__.__name__ for name, kind in defined.items() if kind is not RagError}


def test_an_error_carries_its_message_and_its_hint():
    error = RagError("The file is empty.", "Add words.")
    assert (error.message, error.hint, str(error)) == ("The file is empty.", "Add words.", "The file is empty. Add words.")
    assert str(RagError("The file is empty.")) == "The file is empty."
