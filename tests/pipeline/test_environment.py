"""On what machine and with which versions: as the operating system tells it, and where it doesn't."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tttbench import __version__
from tttbench.pipeline import environment
from tttbench.pipeline.environment import PACKAGES, machine, memory_bytes, usable_cores, versions
from tttbench.store.manifest import Machine


def test_versions_are_those_of_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package in ("torch", "tttbench"):
            raise PackageNotFoundError(package)
        return f"{package}-1"

    monkeypatch.setattr("importlib.metadata.version", version)
    others = {name: f"{name}-1" for name in PACKAGES if name not in ("torch", "tttbench")}
    assert versions() == {"python": platform.python_version(), "tttbench": __version__, **others}
    # What can change an answer or a score: the network, the sound, the words.
    assert {"torch", "numpy", "tokenizers", "safetensors", "soundfile", "soxr", "jiwer", "openai-whisper"} < set(
        PACKAGES
    )


def test_a_machine_is_described_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_processor", lambda: "Abacus 1")
    monkeypatch.setattr(environment, "usable_cores", lambda: 3)
    monkeypatch.setattr(environment, "memory_bytes", lambda: 25_349_999_999)
    monkeypatch.setattr(environment, "calibration", lambda: "numpy")
    assert machine("cpu") == Machine("cpu", platform.platform(), "Abacus 1", 3, 25.3, "", "numpy")


@pytest.mark.parametrize(("there", "gpu"), [(True, "H of cuda:1"), (False, "")])
def test_a_cuda_device_has_a_name_where_there_is_one(monkeypatch: pytest.MonkeyPatch, there: bool, gpu: str) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"H of {device}")
    assert (machine("cuda:1").gpu, machine("cuda:1").device, machine("cpu").gpu) == (gpu, "cuda:1", "")


def test_cores_are_those_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 2, 5} if process == 0 else set(), raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    for count, cores in ((4, 4), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert usable_cores() == cores


def test_memory_is_pages_times_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__)
    assert memory_bytes() == 4_096_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vendor_id\t: X\nmodel name\t: Fast: 9000 \nmodel name\t: Slow\n", "Fast: 9000"),
        ("vendor_id\t: X\n", "of the platform"),
        (None, "of the platform"),
    ],
)
def test_the_processor_s_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, expected: str) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    asked: list[str] = []

    def path(name: str) -> Path:
        asked.append(name)
        return tmp_path / "cpuinfo"

    monkeypatch.setattr(environment, "Path", path)
    monkeypatch.setattr(platform, "processor", lambda: "of the platform")
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    assert (machine("cpu").processor, asked) == (expected, ["/proc/cpuinfo"])
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine("cpu").processor == (expected if text and "model name" in text else "abacus")
