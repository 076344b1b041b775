"""Books (EPUB) to articles: the chapters in their order, as one article."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from rag.errors import ReadError
from rag.read.archive import Budget, opened, taken
from rag.read.article import iso_day
from rag.read.encoding import decode
from rag.read.html import page_parts
from rag.read.parts import Article, Part

_SEALED = "META-INF/encryption.xml"
_OF_FONTS = (b"idpf.org/2008/embedding", b"ns.adobe.com/pdf/enc#RC")  # only these are hidden then
_EVENT = "{http://www.idpf.org/2007/opf}event"
_EVENTS = {"publication": -1, "creation": 1, "modification": 2}
_DC = "{http://purl.org/dc/elements/1.1/}"


def read_epub(data: bytes, max_bytes: int) -> Iterator[Article | ReadError]:
    """Yields the article of a book.

    Raises:
        ReadError: it is damaged, or its text is sealed.
    """
    budget = Budget(max_bytes)
    with opened(data, max_bytes) as archive:
        names = set(archive.namelist())
        sealed = taken(archive, _SEALED, max_bytes) if _SEALED in names else b""
        if b"EncryptedData" in sealed and not any(name in sealed for name in _OF_FONTS):
            raise ReadError("The book is protected against copying.", "Add one without protection.")
        package = _package(archive, names, max_bytes)
        tree = _tree(taken(archive, package, max_bytes))
        parts: list[Part] = []
        problems: list[ReadError] = []
        for name in _chapters(tree, package):
            try:
                parts += _chapter(archive, name, max_bytes, budget) if name in names else ()
            except ReadError as exc:  # one bad chapter does not take the others with it
                problems.append(ReadError(f"{posixpath.basename(name)}: {exc.message}", exc.hint))
        title = _stated(tree, "title")
        date = iso_day(_stated(tree, "date"))
    yield Article(parts, title=title, date=date)
    yield from problems


def _package(archive: zipfile.ZipFile, names: set[str], max_bytes: int) -> str:
    """Returns the name of the file that lists the chapters."""
    if "META-INF/container.xml" in names:
        for element in _tree(taken(archive, "META-INF/container.xml", max_bytes)).iter("{*}rootfile"):
            if (name := element.get("full-path", "")) in names:
                return str(name)
    found = next((name for name in sorted(names) if name.endswith(".opf")), "")
    if not found:
        raise ReadError("The EPUB is damaged: it does not list its chapters.", "Download or convert it again.")
    return found


def _tree(data: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    tree = etree.fromstring(data, parser)
    if tree is None:
        raise ReadError("The EPUB is damaged: its list of chapters cannot be read.", "Download or convert it again.")
    return tree


def _chapters(package: Any, name: str) -> Iterator[str]:
    items = {item.get("id"): item for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and "html" in (item.get("media-type") or "") and "nav" not in (item.get("properties") or ""):
            yield posixpath.normpath(
                posixpath.join(posixpath.dirname(name), unquote(item.get("href", "").partition("#")[0]))
            )


def _chapter(archive: zipfile.ZipFile, name: str, max_bytes: int, budget: Budget) -> Iterator[Part]:
    yield from page_parts(decode(taken(archive, name, max_bytes, budget), is_markup=True))


def _stated(package: Any, name: str) -> str:
    """Returns what the first element with a name says, of days that of publication before others; "" if there is none."""
    found = sorted(package.iter(f"{_DC}{name}"), key=lambda one: _EVENTS.get(one.get(_EVENT, ""), 0))
    return " ".join((found[0].text or "").split()) if found else ""
