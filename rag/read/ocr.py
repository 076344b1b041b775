"""Scanned pages to text, by tesseract where it is installed."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator, Sequence

from rag.errors import ReadError
from rag.read.parts import Tick

_DPI = 200
_PAGE_SECONDS = 40
_MAX_PIXELS = 30_000_000  # of a page: a poster is drawn smaller


def recognised(data: bytes, pages: Sequence[int], tick: Tick) -> Iterator[tuple[int, list[str]]]:
    """Yields the number and the paragraphs of some pages of a PDF, as tesseract reads their pictures.

    Raises:
        ReadError: it is not installed, or fails.
    """
    program = shutil.which("tesseract")
    if program is None:
        raise ReadError(
            "The PDF is scanned, or its signs have no letters: it holds no text that can be read.",
            "Install tesseract (Debian: tesseract-ocr), and add it again.",
        )
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    languages = _languages(program)
    for number in pages:
        page = document[number - 1]
        scale = min(_DPI / 72, (_MAX_PIXELS / max(1, page.get_width() * page.get_height())) ** 0.5)
        picture = io.BytesIO()
        page.render(scale=scale, grayscale=True).to_pil().save(picture, "PNG")
        try:
            done = subprocess.run(
                [program, "stdin", "stdout", "-l", languages],
                input=picture.getvalue(),
                capture_output=True,
                timeout=_PAGE_SECONDS,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as exc:
            raise ReadError(f"tesseract could not read page {number}: {type(exc).__name__}.", "Save it with text.") from exc
        text = done.stdout.decode("utf-8", "replace").replace("\f", "")
        tick(number, len(document))
        yield number, [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


def _languages(program: str) -> str:
    """Returns the languages that are installed, as tesseract wants them; English first, and alone if it does not tell."""
    listed = subprocess.run([program, "--list-langs"], capture_output=True, timeout=_PAGE_SECONDS, check=False)
    names = [name for name in listed.stdout.decode().split("\n")[1:] if name and name != "osd"]
    return "+".join(sorted(names, key=lambda name: name != "eng")) or "eng"
