"""``tttbench run --dry-run``: what would run, what is missing, how big it is, how to get it; no system is built."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.dry_run import size
from tttbench.cli.main import main
from tttbench.core import extras
from tttbench.core.plugins import systems
from tttbench.core.system import System, SystemOptions

TWO = "audio\ttext\n1.wav\tone\n2.wav\ttwo\n"


@pytest.fixture(autouse=True)
def _empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache/tttbench"))
    monkeypatch.chdir(tmp_path)


def recordings(folder: Path) -> Path:
    folder.mkdir()
    (folder / "list.tsv").write_text(TWO)
    for name in ("1.wav", "2.wav"):
        (folder / name).write_bytes(b"x" * 500)
    return folder


def dry(capsys: pytest.CaptureFixture[str], *words: str, status: int = 1) -> tuple[str, dict[str, Any]]:
    assert main(["run", "--dry-run", "--device", "cpu", "--json", *words]) == status
    *lines, last = capsys.readouterr().out.splitlines()
    return "\n".join(lines), json.loads(last)


def test_a_suite_whose_parts_are_all_here_ends_with_0_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, document = dry(capsys, "mini", "--systems", "ttt:mini,echo", "--transcriber", "ttt:mini", status=0)
    assert "Everything is here." in text
    assert document["status"] == "complete"
    assert document["n_requests"] == 2 * 4 * 32
    assert [task["n"] for task in document["tasks"]] == [32] * 4
    assert all(task["n_bytes"] > 0 for task in document["tasks"])
    assert not list(tmp_path.iterdir())


def test_no_system_is_built_and_none_is_made_ready(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(spec: str, options: SystemOptions) -> System:
        raise AssertionError("built")

    def ready(spec: str, options: SystemOptions) -> None:
        raise AssertionError("fetched")

    known = replace(systems.get("whisper"), factory=build, ready=ready)
    monkeypatch.setitem(systems._entries, "whisper", known)
    folder = recordings(tmp_path / "own")
    words = ["--systems", "whisper:large-v3", "--tasks", "asr_folder", "--data", f"asr_folder={folder}"]
    text, document = dry(capsys, *words)
    (system,) = document["systems"]
    assert system["missing"][0]["n_bytes"] == 3_100_000_000
    assert system["missing"][0]["is_fetched"] is True
    assert "weights of Whisper large-v3, about 3.1 GB" in text
    (task,) = document["tasks"]
    assert (task["n"], task["is_listed"], task["n_bytes"], task["missing"]) == (2, True, 1000, [])
    assert not (tmp_path / "runs").exists()


def test_absent_data_say_where_to_get_them_and_how_many_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    text, document = dry(capsys, "--systems", "echo", "--tasks", "fleurs_zh,llama_questions", "--limit", "400")
    first, second, along = document["tasks"]
    assert (first["n"], first["is_listed"]) == (400, False)
    assert "--data fleurs_zh=PATH" in first["missing"][0]["get"]
    assert second["n"] == 300
    assert along["name"] == "llama_questions_asr"
    assert "--data llama_questions=PATH" in along["missing"][0]["get"]
    assert document["n_requests"] == 400 + 300 + 300
    assert "the data of 3 of 3 tasks" in text


def test_every_score_has_its_recipe_and_names_the_transcriber(capsys: pytest.CaptureFixture[str]) -> None:
    _, document = dry(capsys, "--systems", "echo", "--tasks", "mini_qa", "--transcriber", "whisper:small")
    recipes = {score["id"]: score["recipe"] for score in document["tasks"][0]["scores"]}
    assert recipes["spoken_accuracy"].endswith("transcriber: whisper:small")
    assert [one["name"] for one in document["derivers"]] == ["transcriber:whisper:small"]
    assert document["derivers"][0]["tasks"] == ["mini_qa"]


SPOKEN = '[[systems]]\nname = "ttt:mini"\n[[tasks]]\nname = "mini_qa"\nscores = ["text_accuracy", "spoken_accuracy"]\n'


def spoken_score(document: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in document["tasks"][0]["scores"] if one["id"] == "spoken_accuracy")


def test_a_spoken_score_that_nobody_transcribes_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text(SPOKEN)
    text, document = dry(capsys, "own.toml")
    (missing,) = spoken_score(document)["missing"]
    assert missing["what"] == "a transcriber, without which it has no value for spoken answers"
    assert missing["get"].startswith("name one, as with --transcriber whisper:tiny.en")
    assert "what scores of 1 task need" in text
    # Where the nearest one isn't here either, that is said, too.
    monkeypatch.setattr(extras, "is_installed", lambda module: module != "whisper")
    _, document = dry(capsys, "own.toml")
    assert "pip install 'tttbench[whisper]'" in spoken_score(document)["missing"][0]["get"]
    # One that is named, and lacks its package or its weights, is missing where the score stands, too.
    for name in ("whisper:tiny.en", "whisper:large-v3"):
        text, document = dry(capsys, "own.toml", "--transcriber", name)
        assert spoken_score(document)["waits_for"] == [f"transcriber:{name}"]
        assert f"missing: what transcriber:{name} needs, see below" in text
        assert document["derivers"][0]["missing"][0]
        monkeypatch.undo()
        monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache/tttbench"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.chdir(tmp_path)
    dry(capsys, "own.toml", "--transcriber", "ttt:mini", status=0)


def test_an_extra_that_is_not_installed_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda module: module not in ("opencc_purepy", "whisper"))
    words = ["--systems", "echo,whisper:tiny.en", "--tasks", "fleurs_zh", "--add", "cer_zh:recipe=zh-hans"]
    text, document = dry(capsys, *words)
    (missing,) = document["tasks"][0]["scores"][1]["missing"]
    assert "pip install 'tttbench[chinese]'" in missing["what"]
    assert "pip install 'tttbench[whisper]'" in document["systems"][1]["missing"][0]["what"]
    assert "what scores of 1 task need" in text


def test_data_that_cannot_be_read_are_told_beside_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = recordings(tmp_path / "own")
    (folder / "list.tsv").write_text("sound\twords\n1.wav\tone\n")
    words = ["--systems", "echo", "--tasks", "asr_folder,mini_qa", "--data", f"asr_folder={folder}"]
    _, document = dry(capsys, *words, "--transcriber", "")
    broken, fine = document["tasks"]
    assert "list.tsv" in broken["missing"][0]["what"]
    assert fine["missing"] == []


def test_a_checkpoint_without_codec_and_weights_lacks_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "checkpoint").mkdir()
    _, document = dry(capsys, "--systems", "ttt:checkpoint,ttt:TtT-3B", "--tasks", "mini_asr")
    first, second = document["systems"]
    assert ["codec" in one["what"] or "weights" in one["what"] for one in first["missing"]] == [True, True]
    assert "no such folder" in second["missing"][0]["what"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--systems", "ttt:mini@nope"], "nope"),
        (["--systems", "nothing"], "Unknown system 'nothing'"),
        (["--tasks", "nothing"], "Unknown task 'nothing'"),
        (["--add", "nothing"], "Unknown scorer 'nothing'"),
        (["--add", "wer:recipe=nothing"], "nothing"),
        (["--transcriber", "whisper:nothing"], "no such model"),
        (["--data", "fleurs_zh=."], "'fleurs_zh' is not in this run"),
        (["--data", "uro_*=."], "no task of this run is called 'uro_*'"),
        (["--resume", "--out", "x"], "--dry-run: says what a new run would take"),
    ],
)
def test_what_nothing_could_put_right_is_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--dry-run", "--device", "cpu", *words]) == 2
    assert says in capsys.readouterr().err


def test_a_switch_without_effect_is_refused_as_the_run_refuses_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.toml").write_text(
        '[[tasks]]\nname = "mini_qa"\n[[systems]]\nname = "ttt:mini"\n[[systems]]\nname = "ttt:none"\n'
        '[[ablate]]\nbase = "ttt:none"\noff = ["cfg"]\n[[ablate]]\nbase = "ttt:mini"\noff = ["audio_sampling"]\n'
    )
    assert main(["run", "own.toml", "--dry-run", "--device", "cpu"]) == 2
    assert "'audio_sampling' is off in ttt:mini already" in capsys.readouterr().err


def test_one_score_id_for_two_metrics_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = [("mini_qa", "text_accuracy=x"), ("mini_asr", "wer=x")]
    entries = [f'[[tasks]]\nname = "{name}"\nscores = ["{score}"]\n' for name, score in tasks]
    (tmp_path / "own.toml").write_text("".join(entries) + '[[systems]]\nname = "ttt:mini"\n')
    assert main(["run", "own.toml", "--dry-run", "--device", "cpu"]) == 2
    assert "score 'x' is another metric in task 'mini_asr' than in 'mini_qa'" in capsys.readouterr().err


def test_too_few_samples_for_a_score_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "captions"
    (folder / "evaluation").mkdir(parents=True)
    captions = ["file_name,caption_1,caption_2,caption_3,caption_4,caption_5"]
    lines = ["file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license"]
    for name in ("1.wav", "2.wav"):
        (folder / "evaluation" / name).write_bytes(b"x")
        captions.append(f"{name},a dog,a cat,a cow,a man,a car")
        lines.append(f'{name},rain,1,https://f/1,"[0, 9]",ann,CC0')
    (folder / "clotho_captions_evaluation.csv").write_text("\n".join(captions) + "\n")
    (folder / "clotho_metadata_evaluation.csv").write_text("\n".join(lines) + "\n")
    words = ["--systems", "ttt:mini", "--tasks", "clotho", "--data", f"clotho={folder}"]
    dry(capsys, *words, status=0)
    words += ["--limit", "1"]
    text, document = dry(capsys, *words)
    assert "needs at least 2 clips" in text
    assert "Everything is here" not in text
    assert any("at least 2 clips" in str(score["missing"]) for score in document["tasks"][0]["scores"])


def test_data_can_be_given_to_several_tasks_by_a_pattern(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--systems", "echo", "--tasks", "uro_repeat,uro_summary,mini_asr", "--data", f"uro_*={tmp_path}"]
    _, document = dry(capsys, *words)
    assert [task["data"] for task in document["tasks"]] == [str(tmp_path), str(tmp_path), ""]


def test_a_published_score_that_nothing_computes_is_missing_with_what_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, document = dry(capsys, "--systems", "echo", "--tasks", "uro_srt_en", "--data", f"uro_srt_en={tmp_path}")
    assert "missing: a judge that is given the recording" in " ".join(text.split())
    scores = document["tasks"][0]["scores"]
    assert [(one["id"], bool(one["missing"])) for one in scores] == [("answered", False), ("published score", True)]


def test_a_protocol_is_told_part_by_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.toml").write_text(
        """
        [[systems]]
        name = "ttt:gone"
        get = "train it: tttbench train ttt"
        [[tasks]]
        name = "mini_asr"
        [[protocol]]
        part = "judge"
        published = "a large one"
        here = "none"
        missing = true
        tasks = ["mini_a*"]
        [[protocol]]
        part = "prompts"
        here = "ours"
        [[protocol]]
        part = "captions"
        here = "none"
        missing = true
        tasks = ["clotho"]
        """
    )
    text, document = dry(capsys, "s.toml")
    assert [note["part"] for note in document["protocol"]] == ["judge", "prompts"]
    assert "judge: MISSING" in text
    assert "published: not published" in text
    assert "1 part of the protocol" in text
    assert "get: train it: tttbench train ttt" in text
    assert main(["run", "s.toml"]) == 2
    assert "train it: tttbench train ttt" in capsys.readouterr().err
    text, document = dry(capsys, "s.toml", "--systems", "echo")
    assert document["status"] == "incomplete"


def test_sizes_for_people() -> None:
    assert [size(n) for n in (0, 12, 1_500, 2_000_000, 3_100_000_000)] == ["", "12 B", "1.5 kB", "2 MB", "3.1 GB"]


def test_a_kind_that_cannot_tell_what_it_lacks_is_not_called_ok(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = replace(systems.get("whisper"), lacks=None)
    monkeypatch.setitem(systems._entries, "whisper", known)
    words = ["--systems", "whisper:tiny.en,echo", "--tasks", "mini_qa", "--transcriber", "whisper:tiny.en"]
    text, document = dry(capsys, *words, status=0)
    assert [one["is_checked"] for one in (*document["systems"], *document["derivers"])] == [False, True, False]
    assert text.count("not checked") == 2
    assert "a run finds out about 2 before it asks anything" in text
