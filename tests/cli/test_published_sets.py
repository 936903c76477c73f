"""Published data sets as they lie on disk, in small: from the command line to results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.cli.main import main
from tttbench.data.sources.voicebench import SUBSETS

from ..data.tables import held, tone, write_table
from ..data.test_gigaspeech import released as write_gigaspeech
from ..data.test_packed import LJSPEECH, pack
from ..data.test_parquet import FLEURS
from ..data.test_uro_bench import write as write_uro_bench
from ..data.test_voicebench import write as write_voicebench
from ..data.test_voxpopuli import FIRST, ROWS, SECOND
from ..data.test_voxpopuli import released as write_voxpopuli

ANSWERS = {
    "fleurs_en": {"10164": "he said no", "10200": "he said", "99": "yes"},
    "asr_folder": {"LJ1": "mister five", "LJ2": "six"},
    "uro_repeat": {"0000": "one", "0001": "won"},
    "gigaspeech": {"POD1_S0000000": "Um, four o'clock tomorrow", "POD1_S0000002": "state of the art"},
    "voxpopuli_en": {FIRST: "Thank you, Madam.", SECOND: "never"},
    "llama_questions_hub": {"1": "It is Ann.", "2": "Bob?"},
    "web_questions_hub": {"1": "Ann.", "2": "I think Rob"},
    "trivia_qa_hub": {"1": "ann", "2": "none"},
    "voicebench_advbench": {"0001": "I'm sorry.", "0002": "Sure."},
    "voicebench_bbh": {"0001": "The answer is yes.", "0002": "(A)"},
    "voicebench_ifeval": {"0001": "Too short.", "0002": "no comma here"},
    "voicebench_mmsu": {"biology-0001": "B", "biology-0002": "hm", "law-0001": "B", "law-0002": "C."},
    "voicebench_sd_qa": {"0001": "It is Paris.", "0002": "In 1970."},
}


def results(folder: Path) -> dict[tuple[str, str], float]:
    summary = json.loads((folder / "summary.json").read_text())
    return {(one["task"], one["metric"]): round(one["value"], 4) for one in summary["results"]}


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Path]:
    """Where the data of each task lie."""
    voicebench = write_voicebench(tmp_path / "voicebench")
    write_table(tmp_path / "fleurs/en_us/test/0000.parquet", FLEURS)
    write_uro_bench(tmp_path / "uro", ["Repeat", "AlpacaEval", "GenEmotion-en", "MtBenchEval-en"])
    audio = [held(100, None), held(200, None)]
    for name, column, right in (
        ("llama_questions_hub", "Answer", ["Ann", "Bob"]),
        ("web_questions_hub", "answers", [["Ann", "A."], ["Bob", "Rob"]]),
        ("trivia_qa_hub", "answer", ["['ann', 'anna']", "['bob']"]),
        ("alpaca_eval_hub", "output", ["[1] First, …", "{x}"]),
    ):
        table = {"audio": audio, column: right, "instruction": ["Who?", "Him?"]}
        write_table(tmp_path / name / "data/test-00000-of-00001.parquet", table)
    hub = ("llama_questions_hub", "web_questions_hub", "trivia_qa_hub", "alpaca_eval_hub")
    tasks = dict.fromkeys(("uro_repeat", "uro_alpacaeval", "uro_genemotion_en", "uro_mtbencheval_en"), tmp_path / "uro")
    tasks |= {name: tmp_path / name for name in hub}
    for name in ("gigaspeech", "voxpopuli_en"):
        tasks[name] = tmp_path / name
        tasks[name].mkdir()
    write_gigaspeech(tasks["gigaspeech"])
    recording = tasks["gigaspeech"] / "audio/podcast/P0001/POD1.opus"
    recording.parent.mkdir(parents=True)
    soundfile.write(recording, np.linspace(-0.5, 0.5, 160_000), 16_000, format="OGG", subtype="OPUS")
    write_voxpopuli(tasks["voxpopuli_en"], *ROWS)
    for clip in (FIRST, SECOND):
        (tasks["voxpopuli_en"] / "2018").mkdir(exist_ok=True)
        (tasks["voxpopuli_en"] / f"2018/{clip}.ogg").write_bytes(tone(100))
    (tmp_path / "alpaca_eval/audios").mkdir(parents=True)
    (tmp_path / "alpaca_eval/audios/1.mp3").write_bytes(tone(100))
    (tmp_path / "alpaca_eval/alpaca_eval.csv").write_text("instruction,output,audio_filename\nWho?,Him.,1.mp3\n")
    tasks["alpaca_eval"] = tmp_path / "alpaca_eval"
    tasks |= {f"voicebench_{subset.replace('-', '_')}": voicebench for subset in SUBSETS}
    return {**tasks, "fleurs_en": tmp_path / "fleurs", "asr_folder": pack(tmp_path / "LJSpeech.zip", LJSPEECH)}


def run(tmp_path: Path, data: dict[str, Path], system: str) -> dict[tuple[str, str], float]:
    given = [word for task, path in data.items() for word in ("--data", f"{task}={path}")]
    out = tmp_path / "run"
    assert main(["run", "--systems", system, "--tasks", ",".join(data), *given, "--out", str(out)]) == 0
    return results(out)


def test_recorded_answers_are_scored(tmp_path: Path, data: dict[str, Path]) -> None:
    lines = [{"task": task, "id": key, "text": text} for task, own in ANSWERS.items() for key, text in own.items()]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = {task: data[task] for task in ANSWERS}
    found = run(tmp_path, asked, f"recorded:{tmp_path / 'answers.jsonl'}")
    assert found[("fleurs_en", "wer")] == round(1 / 7, 4)
    assert found[("asr_folder", "wer")] == 0
    assert found[("uro_repeat", "wer")] == 0.5
    # FOUR O'CLOCK TOMORROW AFTERNOON SAID WILLIAMS, UH STATE-OF-THE-ART: "UM," is no filler, as its comma stays.
    assert found[("gigaspeech", "wer_gigaspeech")] == 0.4
    assert found[("voxpopuli_en", "wer")] == 0.25
    assert found[("llama_questions_hub", "text_accuracy")] == 1
    assert found[("web_questions_hub", "text_accuracy")] == 1
    assert found[("trivia_qa_hub", "text_accuracy")] == 0.5
    assert found[("voicebench_advbench", "refusal")] == 0.5
    assert found[("voicebench_bbh", "multiple_choice")] == 0.5
    assert found[("voicebench_ifeval", "ifeval")] == 0.5
    assert found[("voicebench_ifeval", "ifeval_instructions_loose")] == 0.5
    assert found[("voicebench_mmsu", "multiple_choice")] == 0.75
    assert found[("voicebench_mmsu", "multiple_choice_chance")] == 0.8125
    assert found[("voicebench_sd_qa", "text_accuracy")] == 0.5


def test_open_questions_are_answered_and_not_judged(tmp_path: Path, data: dict[str, Path]) -> None:
    open_ones = [
        *(f"voicebench_{name}" for name in ("alpacaeval", "alpacaeval_full", "commoneval", "wildvoice")),
        *("uro_alpacaeval", "uro_genemotion_en", "uro_mtbencheval_en", "alpaca_eval", "alpaca_eval_hub"),
    ]
    found = run(tmp_path, {task: data[task] for task in open_ones}, "echo")
    assert found == {(task, "answered"): 1 for task in open_ones}
