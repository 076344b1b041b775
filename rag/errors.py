"""What can go wrong, as one tree.

Every error says what is wrong, with which value, and what to do next. Expected outcomes (nothing found, refused,
unsupported) are values of `Answer`, never errors.

    RagError
    ├── ConfigError          a setting that cannot be used
    ├── QuestionError        a question that cannot be asked: empty, too long
    ├── FilterError          a filter with a value that cannot be: a date that is none, since after until
    ├── ConversationError    a conversation's title that is empty, a comment that is too long
    ├── ReadError            a file that cannot be read as an article
    ├── LibraryError         the library cannot be used as it is
    │   ├── LibraryNewer     written by a newer version of this program
    │   ├── LibraryMismatch  built with another embedding model
    │   ├── LibraryReadOnly  the folder cannot be written to
    │   ├── LibraryDamaged   the file is damaged, or no library
    │   ├── DocumentMissing  no such document or version
    │   ├── ConversationChanged  changed in another window of its browser
    │   └── ConversationMissing  no such conversation of this browser, or no such turn
    ├── ModelError           a model cannot be used
    │   ├── ModelMissing     its files are not there
    │   ├── ModelCorrupt     its files are not what the registry says
    │   ├── DependencyMissing  a Python package is not installed
    │   └── GenerationFailed the answer model stopped with an error
    ├── EvaluationError      a question set that cannot be read
    └── ServerError          the page cannot be served: port in use, address refused
"""

from __future__ import annotations


class RagError(Exception):
    """Base of all errors of this package.

    Attributes:
        message: what is wrong, with the value that is wrong.
        hint: what to do next; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class ConfigError(RagError):
    """A setting has a value that cannot be used."""


class QuestionError(RagError):
    """A question cannot be asked: it is empty or too long."""


class FilterError(RagError):
    """A filter has a value that cannot be used."""


class ConversationError(RagError):
    """A conversation cannot have this title, or a turn this comment."""


class ReadError(RagError):
    """A file cannot be read as an article."""


class LibraryError(RagError):
    """The library cannot be used as it is."""


class LibraryNewer(LibraryError):
    """The library was written by a newer version of this program."""


class LibraryMismatch(LibraryError):
    """The library was built with another embedding model."""


class LibraryReadOnly(LibraryError):
    """The library's folder cannot be written to."""


class LibraryDamaged(LibraryError):
    """The library's file is damaged, or is no library."""


class DocumentMissing(LibraryError):
    """The library does not hold this document, or not in this version."""


class ConversationChanged(LibraryError):
    """A conversation was changed in another window of its browser."""


class ConversationMissing(LibraryError):
    """This browser has no such conversation, or it has no such turn."""


class ModelError(RagError):
    """A model cannot be used."""


class ModelMissing(ModelError):
    """A model's files are not where they should be."""


class ModelCorrupt(ModelError):
    """A model's files differ from what the registry says they are."""


class DependencyMissing(ModelError):
    """A Python package that a model needs is not installed."""


class GenerationFailed(ModelError):
    """The answer model stopped with an error."""


class EvaluationError(RagError):
    """A question set cannot be read."""


class ServerError(RagError):
    """The page cannot be served."""
