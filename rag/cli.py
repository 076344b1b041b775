"""The `rag` command. Knows how results look in a terminal; what is heavy is imported by the command that needs it.

Exit codes: 0 done, or answered; 1 it failed; 2 bad use; 3 the documents do not say; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import os
import re
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import __version__, config
from rag.config import Settings
from rag.errors import ConfigError, DocumentMissing, ModelError, QuestionError, RagError
from rag.types import AddReport, Answer

if TYPE_CHECKING:
    from rag.assistant import Assistant

DONE, FAILED, BAD_USE, NOT_FOUND, INTERRUPTED = 0, 1, 2, 3, 130

_EMPTY = "The library is empty. Add articles with: rag add PATH"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code. No traceback reaches the user, unless RAG_DEBUG is set."""
    _quieten()
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except RagError as exc:
        _say(f"rag: {exc.message}" + (f"\n     {exc.hint}" if exc.hint else ""))
        return BAD_USE if isinstance(exc, QuestionError | ConfigError | DocumentMissing) else FAILED
    except Exception as exc:
        if os.environ.get("RAG_DEBUG"):
            raise
        _say(f"rag: Something went wrong: {type(exc).__name__}: {exc}\n     Run it again with RAG_DEBUG=1 for the details.")
        return FAILED


def run() -> None:
    """The console script. Leaves at once: threads that still load a model are not waited for."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rag", description="Answers questions from your own articles, with sources.")
    parser.add_argument("--version", action="version", version=f"Footnote {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(run=run)
        return added

    serve = command("serve", _serve, "Open the chat in the browser.")
    serve.add_argument("--host", help="address of this machine (default 127.0.0.1)")
    serve.add_argument("--port", help="0 for any free one (default 7860)")
    ask = command("ask", _ask, "Answer one question. Exits with 3 if the documents do not say, or if it asks back.")
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    add = command("add", _add, "Add files, and folders with all articles in them.")
    add.add_argument("paths", metavar="PATH", nargs="+")
    remove = command("remove", _remove, "Remove documents with all their versions.")
    remove.add_argument("ids", metavar="ID", nargs="+", help="as `rag list` shows it")
    command("list", _list, "List the documents.")
    command("rebuild", _rebuild, "Read all files again and build the index anew.")
    command("status", _status, "Tell what is in the index, and which models are there.")
    models = command("models", _models, "List, fetch or verify model weights.")
    models.add_argument("action", choices=("list", "fetch", "verify"), nargs="?", default="list")
    models.add_argument("names", metavar="NAME", nargs="*", help="of the registry; default: those that are used")
    verify = command("verify", _verify, "Check the quotes of a saved answer against the stored articles.")
    verify.add_argument("file", metavar="ANSWER.json", help="as `rag ask --json` prints it")
    _add_eval_options(command("eval", _evaluate, "Ask the questions of question sets and count what is right."))
    return parser


def _add_eval_options(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(misused=parser.error)
    parser.add_argument("packs", metavar="PACK", nargs="*", help="folder with corpus.jsonl and questions.jsonl")
    parser.add_argument("--ids", metavar="FILE", help="ask only these: ids, or {pack, id, drop_docs?} lines")
    parser.add_argument("--limit", metavar="N", type=_positive, help="ask the first N questions of each set")
    for kind in ("answerable", "unanswerable"):
        parser.add_argument(f"--limit-{kind}", metavar="N", type=_whole, help=f"ask the first N {kind} ones of each set")
    take_help = "ask the first A answerable and U unanswerable questions of the set NAME; a number, or all; may be repeated"
    parser.add_argument("--take", metavar="NAME=A+U", type=_taken, action="append", default=[], help=take_help)
    parser.add_argument("--retrieval", action="store_true", help="search only, do not answer")
    parser.add_argument("--reuse", action="store_true", help="keep what the models say and use it again; tells no times")
    parser.add_argument("--kinds", action="store_true", help="a table for the kinds of questions of each set, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", metavar="FILE", help="write a page with the figures and every wrong answer")
    parser.add_argument("--baseline", metavar="FILE", help="compare with a baseline, or with saved JSON")
    parser.add_argument("--save-baseline", metavar="FILE", help="write figures and outcomes without any text")
    parser.add_argument("--compare", metavar=("OLD", "NEW"), nargs=2, help="compare two saved runs; asks nothing")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _taken(text: str) -> tuple[str, int | None, int | None]:
    parts = re.fullmatch(r"(.+)=(\d+|all)\+(\d+|all)", text, re.ASCII)
    if parts is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=A+U, such as news=200+all")
    answerable, unanswerable = (None if n == "all" else int(n) for n in parts.group(2, 3))
    return parts[1], answerable, unanswerable


# --- asking --------------------------------------------------------------------------------------------------------


def _ask(options: argparse.Namespace) -> int:
    settings = config.load()
    with _opened(settings) as assistant:
        answer = assistant.ask(options.question)
        is_empty = not assistant.library.count()[0]
        readable = _readable(answer, lambda identity: assistant.document(identity).source)
    print(json.dumps(_as_dict(answer), ensure_ascii=False) if options.json else readable)
    if is_empty:
        _say(_EMPTY)
    return DONE if answer.found else NOT_FOUND


def _as_dict(answer: Answer) -> dict[str, Any]:
    return {**dataclasses.asdict(answer), "found": answer.found}


def _readable(answer: Answer, sources: Callable[[str], str]) -> str:
    """Returns an answer with its citations as text; `sources` gives a document's path by its id."""
    width = min(_columns(), 100)
    lines = [textwrap.fill(answer.text, width)]
    for citation in answer.citations:
        lines += ["", f"[{citation.number}] {citation.title}", f"    paragraph {citation.paragraph} of {citation.source}"]
        lines += [textwrap.fill(f"“{citation.quote}”", width, initial_indent="    ", subsequent_indent="    ")]
        places = {(hit.document, hit.paragraph): hit.also for hit in answer.evidence}
        if also := places.get((citation.document, citation.paragraph)):
            lines.append(f"    also in {', '.join(map(sources, also))}")
    if answer.status == "not_found" and answer.evidence:
        nearest = answer.evidence[0]
        lines += ["", f"Nearest: paragraph {nearest.paragraph} of {nearest.title}"]
    if answer.notice:
        lines += ["", textwrap.fill(answer.notice, width)]
    return "\n".join(lines)


def _columns() -> int:
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stdout.fileno()).columns
    return 100


def _verify(options: argparse.Namespace) -> int:
    from rag.library import Library

    citations = _saved_citations(Path(options.file))
    library = Library(config.load().index)
    n_wrong = 0
    for number, document, version, start, end, quote in citations:
        try:
            held = library.document(document, version)
            right = held.text[start:end] == quote
            reason = f"{held.title}" if right else f"{held.title}: the text there is {held.text[start:end]!r}"
        except DocumentMissing as exc:
            right, reason = False, exc.message
        n_wrong += not right
        print(f"[{number}] {'exact' if right else 'WRONG'}  {reason}")
    library.close()
    print(f"{len(citations) - n_wrong} of {len(citations)} quotes are exact.")
    return FAILED if n_wrong else DONE


_CITED = (("number", int), ("document", str), ("version", str), ("start", int), ("end", int), ("quote", str))


def _saved_citations(path: Path) -> list[tuple[Any, ...]]:
    hint = "Save one with: rag ask QUESTION --json > FILE"
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}.", hint) from exc
    except ValueError as exc:  # UnicodeDecodeError too, whose text would hold the whole file
        raise ConfigError(f"{path} is no saved answer: it is not JSON.", hint) from exc
    cited = answer.get("citations") if isinstance(answer, dict) else None
    if not isinstance(cited, list):
        raise ConfigError(f"{path} is no saved answer: it has no citations.", hint)
    for citation in cited:
        for name, kind in _CITED:
            value = citation.get(name) if isinstance(citation, dict) else citation
            if not isinstance(value, kind):
                raise ConfigError(f"{path} is no saved answer: {name} is {value!r}.", hint)
    return [tuple(citation[name] for name, _ in _CITED) for citation in cited]


# --- the library ---------------------------------------------------------------------------------------------------


def _add(options: argparse.Namespace) -> int:
    settings = _without_answers(config.load())
    with _opened(settings, seeds=False) as assistant, _bar("file") as progress:
        try:
            report = assistant.add(options.paths, progress=progress)
        except KeyboardInterrupt:
            _say("\nWhat was added is kept; the same command goes on from there.")
            raise
    _print_report(report)
    return FAILED if report.failed else DONE


def _remove(options: argparse.Namespace) -> int:
    from rag.library import Library

    library = Library(config.load().index)  # the derived indexes follow when they are used next
    try:
        titles = [library.document(identity).title for identity in options.ids]
        with library.writing():
            library.remove(options.ids)
    finally:
        library.close()
    for title in titles:
        print(f"removed    {title}")
    return DONE


def _list(options: argparse.Namespace) -> int:
    from rag.library import Library

    library = Library(config.load().index)
    documents = library.documents()
    library.close()
    for document in documents:
        print(f"{document.id}  {document.date or '          '}  {document.title}\n{'':26}{document.source}")
    if not documents:
        _say(_EMPTY)
    return DONE


def _rebuild(options: argparse.Namespace) -> int:
    settings = _without_answers(config.load())
    with _opened(settings, seeds=False) as assistant, _bar("document") as progress:
        report = assistant.rebuild(progress=progress)
    _print_report(report)
    return FAILED if report.failed else DONE


def _status(options: argparse.Namespace) -> int:
    from rag import models
    from rag.library import Library

    settings = config.load()
    library = Library(settings.index)
    n_documents, n_paragraphs = library.count()
    print(f"index      {library.folder}")
    print(f"           {_counted(n_documents, 'document')}, {_counted(n_paragraphs, 'paragraph')}")
    if library.embedding_model:
        print(f"           built with {library.embedding_model}")
    library.close()
    wanted: tuple[tuple[models.Role, str], ...] = (
        ("answers", settings.answer_model),
        ("embedding", settings.embedding_model),
        ("reranking", settings.reranking_model),
    )
    for role, name in wanted:
        try:
            state = f"at {models.locate(name, role, settings.models)}" if name != "none" else "quotes only"
        except (ModelError, ConfigError) as exc:
            state = f"{exc.message} {exc.hint}"
        print(f"{role:9}  {name}: {state}")
    return DONE


def _print_report(report: AddReport) -> None:
    for name in ("added", "changed", "unchanged"):
        if ids := getattr(report, name):
            print(f"{name:9}  {_counted(len(ids), 'document')}")
    for copy, original in report.duplicates:
        print(f"duplicate  {copy} has the same text as {original}")
    for copy, original, share in report.similar:
        print(f"similar    {copy} tells the same story as {original} ({share:.0%} of the shorter one is in both)")
    for path, reason in report.failed:
        print(f"failed     {path}\n           {reason}")
    if report == AddReport():
        print("nothing to do")


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _without_answers(settings: Settings) -> Settings:
    return dataclasses.replace(settings, answer_model="none")


# --- models --------------------------------------------------------------------------------------------------------


def _models(options: argparse.Namespace) -> int:
    from rag import models

    settings = config.load()
    chosen = [models.named(name) for name in options.names]
    if options.action == "fetch":
        with _bar("B") as progress:
            checks = models.fetch(options.names, settings.models, progress)
    else:
        anew = options.action == "verify"
        chosen = chosen or [
            m for m in models.registry().values() if not anew or m.default or (settings.models / m.name).is_dir()
        ]
        checks = tuple(models.check(model, settings.models, anew=anew) for model in chosen)
    print(f"models in {settings.models}")
    for check in checks:
        model = check.model
        default = ", default" if model.default else ""
        print(f"{check.status:8} {model.name:24} {model.role}{default}, {model.size / 1e6:,.0f} MB, {model.licence}")
        if check.status == "corrupt":
            print(f"{'':9}{check.detail} Run: rag models fetch {model.name}")
        if options.action == "list":
            print(f"{'':9}{model.about}")
    wanted = {check.model.name for check in checks if options.names or check.model.default}
    wrong = any(check.status == "corrupt" or (check.status == "missing" and check.model.name in wanted) for check in checks)
    return FAILED if wrong and options.action != "list" else DONE


# --- serving and measuring -----------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> int:
    settings = config.load({"host": options.host, "port": options.port})
    from rag import server

    sock = server.bind(settings)  # before anything heavy is imported: a taken port is known at once
    from rag import app
    from rag.assistant import Assistant

    assistant = Assistant(settings)
    threading.Thread(target=_prepare, args=(assistant,), daemon=True, name="rag-preparing").start()
    try:
        app.serve(assistant, settings, _announce, sock)
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            assistant.close()
    return DONE


def _prepare(assistant: Assistant) -> None:
    try:
        assistant.prepare()
        if notice := assistant.notice():
            _say(f"rag: {notice}")
    except Exception as exc:  # the library is closed under it when the page ends
        logging.getLogger(__name__).debug("preparing ended: %r", exc)


def _announce(url: str) -> None:
    print(f"Footnote is at {url}  (Ctrl-C ends it)", flush=True)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _evaluate(options: argparse.Namespace) -> int:
    from rag import evaluate

    if bool(options.packs) == bool(options.compare):
        options.misused("give either PACK... or --compare OLD NEW")
    if options.compare:
        comparison = evaluate.compare(*(evaluate.read_run(Path(path)) for path in options.compare))
        plain = evaluate.comparison_as_dict(comparison)
        print(json.dumps(plain, ensure_ascii=False) if options.json else evaluate.comparison_as_table(comparison))
        return DONE
    for path in filter(None, (options.html, options.save_baseline)):
        _write(Path(path), None)  # not after an hour of asking
    before = evaluate.read_run(Path(options.baseline)) if options.baseline else None
    limit = evaluate.Limit(options.limit, options.limit_answerable, options.limit_unanswerable)
    with _bar("step") as progress:
        report = evaluate.evaluate(
            [Path(pack) for pack in options.packs],
            config.load(),
            ids=Path(options.ids) if options.ids else None,
            limit=limit,
            takes={name: evaluate.Limit(None, *numbers) for name, *numbers in options.take},
            answers=not options.retrieval,
            reuse=options.reuse,
            progress=progress,
        )
    changed = evaluate.compare(before, evaluate.outcomes(report.rows, report.answers)) if before else None
    if options.html:
        _write(Path(options.html), evaluate.as_page(report, changed))
    if options.save_baseline:
        _write(Path(options.save_baseline), evaluate.baseline(report))
    print(evaluate.as_json(report, changed) if options.json else evaluate.as_table(report, kinds=options.kinds))
    if changed and not options.json:
        print(f"\ncompared with {options.baseline}: {evaluate.comparison_as_table(changed)}")
    return DONE


def _write(path: Path, text: str | None) -> None:
    """Writes a file; None only sees whether that can be done, and leaves it as it is."""
    try:
        if text is None:
            path.open("a").close()
        else:
            path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror}.", "Choose another file.") from exc


# --- inside --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(settings: Settings, *, seeds: bool = True) -> Iterator[Assistant]:
    from rag.assistant import Assistant

    with Assistant(settings) as assistant:
        if seeds:
            assistant.add_seeds()
        yield assistant


@contextlib.contextmanager
def _bar(unit: str) -> Iterator[Callable[[int, int, str], object]]:
    """Shows a progress bar on stderr from the first call of what it gives."""
    from tqdm import tqdm

    bars: list[tqdm] = []

    def progress(done: int, total: int, label: str) -> None:
        if not total:  # of nothing there is no progress
            return
        if not bars:
            scaled = {"unit_scale": True, "unit_divisor": 1000} if unit == "B" else {}
            bars.append(
                tqdm(total=total, unit=unit if unit == "B" else f" {unit}", leave=True, dynamic_ncols=True, **scaled)
            )
        bar = bars[0]
        bar.total = total
        bar.set_description_str(label[:40], refresh=False)
        bar.n = done
        bar.refresh()

    try:
        yield progress
    finally:
        for bar in bars:
            bar.close()


def _say(message: str) -> None:
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr, flush=True)


def _quieten() -> None:
    """Keeps libraries from printing and from phoning home; what the user set stays."""
    quiet = {
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "TQDM_MONITOR_INTERVAL": "0",
    }
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(level=logging.DEBUG if os.environ.get("RAG_DEBUG") == "2" else logging.ERROR)


if __name__ == "__main__":
    run()
