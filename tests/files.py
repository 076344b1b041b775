"""Files of the formats that are read, made here, so that what is in them is known."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage

PAGE_SIZE = (595, 842)


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """Returns a ZIP of some files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


WESTERN = "/Encoding /WinAnsiEncoding"  # else signs beyond ASCII have no letter


def pdf(
    pages: Sequence[Sequence[tuple[float, float, float, str]]],
    *,
    title: str = "",
    extra: str = "",
    encoding: str = WESTERN,
    drawn: str = "",
) -> bytes:
    """Returns a PDF.

    Args:
        pages: of each page lines, with left, bottom and size in points.
        extra: of the trailer.
        drawn: a line in a drawing that all pages name.
    """
    n = len(pages)
    kids = " ".join(f"{3 + 2 * i} 0 R" for i in range(n))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {n} >>",
    ]
    form, font = 4 + 2 * n, f"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica {encoding} >> >>"
    for i, lines in enumerate(pages):
        text = "".join(f"BT /F {size} Tf {x} {y} Td ({_escaped(line)}) Tj ET\n" for x, y, size, line in lines)
        text += "/D Do\n" if drawn else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE_SIZE[0]} {PAGE_SIZE[1]}] /Contents {4 + 2 * i} 0 R "
            f"/Resources << {font} /XObject << /D {form} 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(text)} >>\nstream\n{text}endstream")
    objects.append(f"<< /Title ({_escaped(title)}) >>")
    text = f"BT /F 11 Tf 60 400 Td ({_escaped(drawn)}) Tj ET\n"
    objects.append(
        f"<< /Type /XObject /Subtype /Form /BBox [0 0 {PAGE_SIZE[0]} {PAGE_SIZE[1]}] /Resources << {font} >> "
        f"/Length {len(text)} >>\nstream\n{text}endstream"
    )
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects) - 1} 0 R {extra} >>"
    at = len(out)
    return (
        out
        + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n{trailer}\nstartxref\n{at}\n%%EOF\n".encode()
    )


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def paragraph(lines: Sequence[str], x: float, top: float, size: float = 11) -> list[tuple[float, float, float, str]]:
    """Returns lines one below the other."""
    return [(x, top - 1.2 * size * n, size, line) for n, line in enumerate(lines)]


def scanned(text: str) -> bytes:
    """Returns a PDF of one picture of a text."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (1240, 600), 255)
    ImageDraw.Draw(picture).multiline_text((80, 80), text, fill=0, font=ImageFont.load_default(40), spacing=16)
    out = io.BytesIO()
    picture.save(out, "PDF", resolution=150)
    return out.getvalue()


def docx() -> bytes:
    """Returns a DOCX with a title, a heading, paragraphs, a list, a quotation, a table and a deleted word."""
    from docx import Document
    from docx.oxml import OxmlElement

    document = Document()
    document.add_heading("Owls return to Arlen", 0)
    document.add_paragraph("Forty snowy owls were counted in the harbour this winter.")
    document.add_heading("What they eat", 1)
    document.add_paragraph("Voles", style="List Bullet")
    document.add_paragraph("Mice", style="List Bullet")
    document.add_paragraph("They come back each year.", style="Quote")
    table = document.add_table(2, 2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("Place", "Owls", "Marrow", "12"), strict=True):
        cell.text = text
    last = document.add_paragraph("The count goes on ")
    deleted = OxmlElement("w:del")
    deleted.append(document.add_paragraph("never").runs[0]._r)
    last._p.append(deleted)
    last.add_run("until March.")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>\
<rootfile full-path="O/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>The owls of Arlen</dc:title><dc:date>2024-02-01T00:00:00Z</dc:date></metadata><manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="b" href="two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="nav"/><itemref idref="a"/><itemref idref="b"/></spine></package>"""


def epub(**more: bytes | str) -> bytes:
    """Returns a book of two chapters."""
    chapter = "<?xml version='1.0' encoding='utf-8'?><html><body><h1>{}</h1><p>{}</p></body></html>"
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "O/book.opf": PACKAGE,
            "O/nav.xhtml": chapter.format("Contents", "One. Two."),
            "O/a.xhtml": chapter.format("One", "Forty owls came in the first year."),
            "O/two b.xhtml": chapter.format("Two", "Fifty owls came in the second."),
            **{name.replace("__", "/"): content for name, content in more.items()},
        }
    )


def mail(attached: Mapping[str, bytes] | None = None, *, html: str = "") -> bytes:
    """Returns a mail with a quotation and a signature."""
    message = EmailMessage()
    message["Subject"] = "Zählung der Eulen"
    message["From"] = "Ilse Varga <ilse@arlen.example>"
    message["Date"] = "Fri, 02 Feb 2024 10:00:00 +0100"
    if html:
        message.set_content(html, subtype="html")
    else:
        message.set_content("Forty owls were counted.\n\n> How many owls did you count?\n\n-- \nIlse Varga, Arlen\n")
    for name, content in (attached or {}).items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


PAGE = """<!doctype html><html lang="en"><head><title>Owls return to Arlen | Arlen Post</title>
<meta property="og:site_name" content="Arlen Post"><meta property="og:title" content="Owls return to Arlen">
<meta property="article:published_time" content="2024-02-01T08:00:00+01:00"></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li><li><a href="/sport">Sport</a></li></ul></nav>
<article><h1>Owls return to Arlen</h1><p class="byline">By Jon Reyk</p>
<figure><img src="http://elsewhere.example/owl.jpg"><figcaption>An owl. Photo: J. Reyk</figcaption></figure>
<p>Forty snowy owls were counted in the harbour of Arlen this winter, the largest number since the year 1987.</p>
<p>The biologist Tomas Reyk says that mild winters bring more voles to the fields, which the owls hunt at night.</p>
<h2>What comes next</h2>
<p>The town wants to close the northern quay to ships until the end of March, so that the birds are left in peace.</p>
<blockquote><p>We have never seen so many of them in one place, said the mayor.</p>- Ilse Varga</blockquote>
<table><tr><th>Place</th><th>Owls</th></tr><tr><td>Harbour</td><td>40</td></tr>
<tr><td>Marrow forest</td><td>12</td></tr></table>
</article><aside><h3>Related</h3><ul><li><a href="/a">Storks arrive early</a></li></ul></aside>
<footer>We use cookies. Accept all. Copyright Arlen Post</footer></body></html>"""
