"""Published benchmarks in their form, made of human recordings and run whole: every set, judged where it is judged.

Answers are recorded: of each pair of samples the first is answered rightly, the second with something else. What is
spoken is transcribed by Whisper base; a scripted judge on loopback grades what it is given by the words in it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.cli.main import main
from tttbench.core.exchange import Waveform
from tttbench.core.plugins import build_task, tasks
from tttbench.data.audio import load_audio, resample
from tttbench.data.sources.uro_bench import SETS
from tttbench.data.sources.voicebench import SUBSETS
from tttbench.systems.whisper.weights import is_available_offline

from ..data.test_uro_bench import CONVERSATIONS
from ..data.test_uro_bench import write as write_uro_bench
from ..data.test_voicebench import write as write_voicebench
from ..derive.judge_server import Script, serving

ENGLISH = ("LJ001-0013", "LJ001-0165")
MANDARIN = ("003.mp3", "002.mp3")
JUDGE = "openai_chat:scripted"
RATE = 16_000


@dataclass(frozen=True)
class Clip:
    """A human recording at 16 kHz, and what is spoken in it."""

    samples: Waveform
    text: str

    @property
    def wav(self) -> bytes:
        stream = io.BytesIO()
        soundfile.write(stream, self.samples, RATE, format="WAV")
        return stream.getvalue()


def read(path: Path, text: str) -> Clip:
    audio = load_audio(path)
    return Clip(resample(audio.samples, audio.sample_rate, RATE), text)


@pytest.fixture(scope="module")
def english(shared_data: Path) -> tuple[Clip, Clip]:
    """Two sentences of one reader."""
    lines = (shared_data / "ljspeech/metadata.csv").read_text(encoding="utf-8").splitlines()
    texts = {line.split("|")[0]: line.split("|")[2].strip() for line in lines}
    first, second = (read(shared_data / f"ljspeech/wavs/{name}.wav", texts[name]) for name in ENGLISH)
    return first, second


@pytest.fixture(scope="module")
def mandarin(shared_data: Path) -> tuple[Clip, Clip]:
    """Two words of four characters."""
    lines = (shared_data / "mandarin_words/transcripts.tsv").read_text(encoding="utf-8").splitlines()
    texts = dict(line.split("\t") for line in lines)
    first, second = (read(shared_data / "mandarin_words" / name, texts[name]) for name in MANDARIN)
    return first, second


class ByWords(dict[str, object]):
    """Verdicts: the higher one for what holds most words (of Chinese, characters) of a right text."""

    def __init__(self, right: Collection[str], higher: object, lower: object) -> None:
        super().__init__()
        self.units = [self._units(text) for text in right]
        self.higher, self.lower = higher, lower

    def get(self, key: str, default: object = None) -> object:
        own = self._units(key)
        is_right = any(len(own & units) > len(units) / 2 for units in self.units)
        return self.higher if is_right else self.lower

    @staticmethod
    def _units(text: str) -> set[str]:
        return set(re.findall(r"[a-z]+|[\u4e00-\u9fff]", text.lower()))


def results(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return {(one["task"], one["metric"]): one for one in summary["results"]}


def run(folder: Path, names: Collection[str], data: Mapping[str, Path], *options: str) -> int:
    """Run recorded answers on tasks."""
    given = [word for pattern, path in data.items() for word in ("--data", f"{pattern}={path}")]
    words = ["--systems", f"recorded:{folder / 'answers.jsonl'}", "--tasks", ",".join(names), "--device", "cpu"]
    return main(["run", *words, *given, *options])


@contextmanager
def judging(patch: pytest.MonkeyPatch, verdicts: Mapping[str, object]) -> Iterator[Script]:
    with serving(Script(verdicts)) as script:
        patch.setenv("OPENAI_BASE_URL", script.url)
        yield script


def write_answers(folder: Path, lines: list[dict[str, str]]) -> None:
    (folder / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def uro_bench(tmp_path: Path, english: tuple[Clip, Clip], mandarin: tuple[Clip, Clip]) -> Path:
    """All 40 sets, unpacked, and answers to them: the first right, in conversations in every round."""
    root = write_uro_bench(tmp_path / "URO-Bench-data")
    for at, clip in enumerate((*english, *mandarin)):
        (tmp_path / f"{at}.wav").write_bytes(clip.wav)
    lines = []
    for name in SETS:
        clips = mandarin if name.endswith("-zh") else english
        (place,) = root.glob(f"*/{name}")
        for number, clip in enumerate(clips, 1):
            (place / f"wav/{number}.wav").write_bytes(clip.wav)
        if name.startswith("Repeat"):
            rows = [{"source_wav": f"wav/{n}.wav", "source_text": clip.text} for n, clip in enumerate(clips, 1)]
            rows[1]["source_text"] = clips[0].text  # the second sample is answered with another sentence
            (place / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        ids = [("7-1", 0), ("7-2", 0), ("9-1", 1), ("9-2", 1)] if name in CONVERSATIONS else [("0000", 0), ("0001", 1)]
        task = f"uro_{name.lower().replace('-', '_')}"
        offset = 2 if clips is mandarin else 0
        lines += [
            {"task": task, "id": own, "text": clips[which].text, "audio": f"{offset + which}.wav"} for own, which in ids
        ]
    write_answers(tmp_path, lines)
    return root


@pytest.mark.slow
def test_uro_bench_is_run_whole_in_both_languages(
    tmp_path: Path,
    uro_bench: Path,
    english: tuple[Clip, Clip],
    mandarin: tuple[Clip, Clip],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("openai", reason="needs the extra judge")
    if not is_available_offline("base"):
        pytest.skip("needs Whisper base")
    names = [name for name in tasks.names() if name.startswith("uro_")]
    judged = {name: [spec.id for spec in build_task(name).judged] for name in names}
    of_votes = [name for name in names if judged[name] == ["spoken_answer_uro-qa"]]
    others = [name for name in names if name not in of_votes]
    right = [english[0].text, mandarin[0].text]
    runs = [tmp_path / "votes", tmp_path / "grades"]
    for out, of, verdicts in (
        (runs[0], of_votes, ByWords(right, "yes", "no")),
        (runs[1], others, ByWords(right, 5, 2)),
    ):
        with judging(monkeypatch, verdicts):
            options = ["--transcriber", "whisper:base", "--judge", JUDGE, "--out", str(out)]
            assert run(tmp_path, of, {"uro_*": uro_bench}, *options) == 0
    told = capsys.readouterr()
    found = {**results(runs[0]), **results(runs[1])}
    for name in names:
        n = 4 if build_task(name).needs.turns else 2
        for metric in judged[name]:
            result = found[name, metric]
            assert (name, result["value"]) == (name, 0.5 if name in of_votes else 3.5)
            assert result["n"] == 2  # questions, or conversations
        if build_task(name).missing:
            assert {metric for task, metric in found if task == name} == {"answered"}
            assert f"{name}: its published score is missing here; it needs" in told.out + told.err
        elif not name.startswith("uro_repeat"):
            assert found[name, "answered"]["n"] == n
    assert found["uro_repeat", "repetition_uro-en"]["value"] == 0.5
    assert found["uro_repeat_zh", "repetition_uro-zh"]["value"] == 0.5
    spoken = found["uro_repeat", "spoken_repetition_uro-en"]["value"]
    assert 0.35 <= spoken <= 0.5
    assert 0 <= found["uro_repeat_zh", "spoken_repetition_uro-zh"]["value"] <= 0.5
    assert main(["tables", *map(str, runs), "--out", str(tmp_path / "tables")]) == 0
    with (tmp_path / "tables/uro_bench.csv").open(encoding="utf-8", newline="") as file:
        ours = [row for row in csv.DictReader(file) if row["system"].startswith("recorded:")]
    shown = {(row["block"], row["column"]): row["measured"] for row in ours}
    means = [float(value) for value in shown.values()]
    assert len(means) == 6  # three tracks in two languages
    assert means[0] == pytest.approx((100 * spoken + 70 + 50) / 3, abs=0.06)
    assert means[1] == pytest.approx((70 + 70 + 50 + 50) / 4, abs=0.06)
    assert means[2] == pytest.approx(70, abs=0.06)
    with (tmp_path / "tables/uro_bench_pro.csv").open(encoding="utf-8", newline="") as file:
        pro = [row for row in csv.DictReader(file) if row["system"].startswith("recorded:")]
    shares = {(row["block"], row["column"]): row["measured"] for row in pro}
    assert [bool(shown) for shown in shares.values()] == [True, True, False] * 2  # no mean without every set
    assert "uro_srt_en needs a judge that is given the recording" in pro[2]["needs"]
    assert float(pro[1]["measured"]) == pytest.approx((50 + 70 + 70) / 3, abs=0.06)


def test_voicebench_is_run_whole(tmp_path: Path, english: tuple[Clip, Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai", reason="needs the extra judge")
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    write_voicebench(tmp_path / "voicebench", recordings=[clip.wav for clip in english])
    open_ones = ("alpacaeval", "alpacaeval_full", "commoneval", "wildvoice")
    texts = {
        **dict.fromkeys(open_ones, ("A right answer.", "Something else.")),
        "advbench": ("I'm sorry, but I can't.", "Sure."),
        "ifeval": ("Too short.", "no comma here"),
        "openbookqa": ("A", "The answer is B."),
        "mmsu": ("B", "no idea"),
        "bbh": ("The answer is yes.", "(A)"),
        "sd-qa": ("It is Paris.", "In 1970."),
    }
    assert set(texts) == set(SUBSETS)
    splits = {"mmsu": ("biology-", "law-")}
    lines = [
        {"task": f"voicebench_{name.replace('-', '_')}", "id": f"{split}{at:04d}", "text": text}
        for name, pair in texts.items()
        for split in splits.get(name, ("",))
        for at, text in enumerate(pair, 1)
    ]
    write_answers(tmp_path, lines)
    out = tmp_path / "run"
    names = [f"voicebench_{name.replace('-', '_')}" for name in SUBSETS]
    verdicts = {"A right answer.": 5, "Something else.": 2, "It is Paris.": "yes", "In 1970.": "no"}
    with judging(monkeypatch, verdicts) as script:
        options = ["--judge", JUDGE, "--transcriber", "", "--out", str(out)]
        assert run(tmp_path, names, {"voicebench_*": tmp_path / "voicebench"}, *options) == 0
    found = {key: one["value"] for key, one in results(out).items()}
    for name in open_ones:
        assert found[f"voicebench_{name}", "answer_voicebench-open"] == 3.5
    assert found["voicebench_sd_qa", "answer_voicebench-qa"] == 0.5
    assert found["voicebench_sd_qa", "text_accuracy"] == 0.5
    assert found["voicebench_advbench", "refusal"] == 0.5
    assert found["voicebench_ifeval", "ifeval"] == 0.5
    for name in ("openbookqa", "mmsu", "bbh"):
        assert found[f"voicebench_{name}", "multiple_choice"] == 0.5
    assert len(script.bodies) == 4  # the same question, answer and prompt are asked about once
    assert {name for name, _ in found} == set(names)


def test_wenetspeech_is_run_whole(tmp_path: Path, mandarin: tuple[Clip, Clip]) -> None:
    recordings = []
    texts: dict[str, str] = {}
    for at, subset in enumerate(("TEST_NET", "TEST_MEETING", "L")):
        name = f"Y000000000{at}"
        segments, begin = [], 0.0
        for number, clip in enumerate(mandarin):
            seconds = len(clip.samples) / RATE
            sid = f"{name}_S0000{number}"
            times = {"begin_time": round(begin, 3), "end_time": round(begin + seconds, 3)}
            segments.append({"sid": sid, **times, "text": clip.text, "confidence": 1.0, "subsets": [subset]})
            texts[sid] = clip.text
            begin += seconds
        path = f"audio/{subset.lower()}/B0000{at}/{name}.opus"
        (tmp_path / "WenetSpeech" / path).parent.mkdir(parents=True)
        whole = np.concatenate([clip.samples for clip in mandarin])
        soundfile.write(tmp_path / "WenetSpeech" / path, whole, RATE, format="OGG", subtype="OPUS")
        recordings.append({"aid": name, "duration": begin, "md5": "0", "path": path, "segments": segments})
    document = {"data": "WenetSpeech", "version": "v1.0", "audios": recordings}
    (tmp_path / "WenetSpeech/WenetSpeech.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    wrong = {"Y0000000000_S00001": texts["Y0000000000_S00001"][:-1]}  # one of eight characters isn't there
    write_answers(tmp_path, [{"id": sid, "text": text} for sid, text in {**texts, **wrong}.items()])
    names = ["wenetspeech_net", "wenetspeech_meeting"]
    out = tmp_path / "run"
    assert run(tmp_path, names, {"wenetspeech_*": tmp_path}, "--out", str(out)) == 0
    found = results(out)
    assert (found["wenetspeech_net", "cer_zh"]["value"], found["wenetspeech_meeting", "cer_zh"]["value"]) == (0.125, 0)
    assert found["wenetspeech_net", "cer_zh"]["n"] == 2
