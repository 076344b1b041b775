"""The options that say which documents are meant, for every command that asks or shows some."""

from __future__ import annotations

import argparse

from rag.errors import FilterError
from rag.types import Filter


def options() -> argparse.ArgumentParser:
    """Returns a parent of the parsers of commands that take a filter."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group(
        "which documents", "Those for which all that is given holds; of what is given several times, one value is enough."
    )
    repeated = (
        ("--document", "ID", "as `rag list` shows it"),
        ("--source", "PATH", "a file, or a folder with all that is in it"),
        ("--language", "CODE", "ISO 639-1, such as en"),
    )
    for name, shown, about in repeated:
        group.add_argument(name, dest=f"{name[2:]}s", metavar=shown, action="append", help=about)
    group.add_argument("--since", metavar="DATE", help="published on 2026-03-31, in 2026-03, in 2026, or later")
    group.add_argument("--until", metavar="DATE", help="likewise, or earlier")
    return parser


def chosen(options: argparse.Namespace) -> Filter:
    """Returns the filter of a command line; to be called before an index is opened or built, as a bad date needs none.

    Raises:
        FilterError: a value cannot be used.
    """
    from rag.library.filtering import checked

    for name in ("since", "until"):
        if getattr(options, name) == "":
            raise FilterError(f"{name} is empty.", "Leave it out, or give a date such as 2026-03-31, 2026-03 or 2026.")
    dates = options.since or "", options.until or ""
    return checked(Filter(options.documents, options.sources, options.languages, *dates))
