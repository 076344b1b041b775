"""The `rag` command. Knows how results look in a terminal; what is heavy is imported by the command that needs it.

Exit codes: 0 done, or answered; 1 it failed; 2 bad use; 3 the documents do not say, or nothing is found; 130 Ctrl-C, but of
`serve` and `add --watch`, which go on until then.

    output      lines, bars, exit codes        opening     an assistant for one command
    filtering   which documents are meant
    asking      ask, search, verify        library     add, remove, list, rebuild, status
    models      models                         serving     serve
    keeping     backup, restore, repair        evaluating  eval, with its options

The commands import from output, opening and filtering, and not from each other or from here.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence

from rag import __version__
from rag.cli import asking, evaluating, filtering, keeping, library, models, serving
from rag.cli.output import BAD_USE, DONE, FAILED, INTERRUPTED, printable, quieten, say
from rag.errors import ConfigError, DocumentMissing, FilterError, QuestionError, RagError

__all__ = ["main", "run"]

_COLLECTED = 20_000
"""New objects after which Python looks for garbage, in place of 700: while libraries are imported, such looks take an
eighth of the time and find nothing. Source: docs/experiments.md, "Times"."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code. No traceback reaches the user, unless RAG_DEBUG is set."""
    quieten()
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except RagError as exc:
        lines = [*exc.message.splitlines(), *exc.hint.splitlines()]
        say("rag: " + "\n     ".join(map(printable, lines)))
        return BAD_USE if isinstance(exc, QuestionError | ConfigError | DocumentMissing | FilterError) else FAILED
    except Exception as exc:
        if os.environ.get("RAG_DEBUG"):
            raise
        say(f"rag: Something went wrong: {type(exc).__name__}: {exc}\n     Run it again with RAG_DEBUG=1 for the details.")
        return FAILED


def run() -> None:
    """The console script. Leaves at once: threads that still load a model are not waited for."""
    gc.set_threshold(_COLLECTED)
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rag", description="Answers questions from your own articles, with sources.")
    parser.add_argument("--version", action="version", version=f"Footnote {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], about: str, *parents: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about, parents=parents)
        added.set_defaults(run=run)
        return added

    serve = command("serve", serving.serve, "Open the chat in the browser.")
    serve.add_argument("--host", help="address of this machine (default 127.0.0.1)")
    serve.add_argument("--port", help="0 for any free one (default 7860)")
    filtered = filtering.options()
    about = "Answer one question. Exits with 3 if the documents do not say, or if it asks back."
    ask = command("ask", asking.ask, about, filtered)
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    about = "Show the paragraphs for a question, best first, without an answer. Exits with 3 if there are none."
    search = command("search", asking.search, about, filtered)
    search.add_argument("question", metavar="QUESTION")
    search.add_argument("--json", action="store_true", help="print the paragraphs as JSON")
    add = command("add", library.add, "Add files, and folders with all articles in them.")
    add.add_argument("paths", metavar="PATH", nargs="+")
    add.add_argument("--watch", action="store_true", help="then go on, and add what comes or changes there, until Ctrl-C")
    remove = command("remove", library.remove, "Remove documents with all their versions.")
    remove.add_argument("ids", metavar="ID", nargs="+", help="as `rag list` shows it")
    command("list", library.list_documents, "List the documents.", filtered)
    command("rebuild", library.rebuild, "Read all files again and build the index anew.")
    command("status", library.show_status, "Tell what is in the index, and which models are there.")
    backup = command("backup", keeping.backup, "Write the library into one file, also while it is in use.")
    backup.add_argument("file", metavar="FILE", help="an older backup of this name is replaced")
    backup.add_argument("--force", action="store_true", help="replace any file, also by a backup of no documents")
    restore = command("restore", keeping.restore, "Put a backup in the place of the library.")
    restore.add_argument("file", metavar="FILE", help="as `rag backup` wrote it")
    restore.add_argument("--yes", action="store_true", help="replace documents without asking")
    command("repair", keeping.repair, "Save what can be read of a damaged library.")
    weights = command("models", models.act, "List, fetch or verify model weights.")
    weights.add_argument("action", choices=("list", "fetch", "verify"), nargs="?", default="list")
    weights.add_argument("names", metavar="NAME", nargs="*", help="of the registry; default: those that are used")
    verify = command("verify", asking.verify, "Check the quotes of a saved answer against the stored articles.")
    verify.add_argument("file", metavar="ANSWER.json", help="as `rag ask --json` prints it")
    evaluating.add_options(
        command("eval", evaluating.evaluate, "Ask the questions of question sets and count what is right.")
    )
    return parser
