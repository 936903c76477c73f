"""What is wrong with a Paraformer's folder is said before sherpa-onnx sees it, which would end the process."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from tttbench.core.errors import AbsentError, UserError
from tttbench.core.missing import lacking
from tttbench.core.plugins import check_system, make_ready, systems
from tttbench.core.system import SystemOptions
from tttbench.systems.paraformer.folder import ARCHIVE, check_files, find_files
from tttbench.systems.paraformer.onnx_metadata import read_metadata

from .paraformer_models import METADATA, TOKENS, write_paraformer, write_tokens


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda module: module != "sherpa_onnx")
    with pytest.raises(AbsentError, match=r"paraformer:zh needs sherpa-onnx, which is not installed: pip install"):
        check_system("paraformer:zh", SystemOptions())


def test_a_model_that_is_not_there_is_named_with_its_size_and_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path))
    (missing,) = lacking("paraformer:zh", SystemOptions(), systems) or ()
    assert (missing.what, round(missing.n_bytes / 1e6)) == ("weights of Paraformer zh", 864)
    assert missing.get.startswith(
        f"unpack {ARCHIVE}.tar.bz2 (release asr-models of k2-fsa/sherpa-onnx) into {tmp_path}"
    )
    with pytest.raises(AbsentError, match=rf"there is no folder .*{ARCHIVE}\. Fix: unpack .*model\.onnx 864\.0 MB"):
        make_ready("paraformer:zh", SystemOptions(), systems)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match=r"lacks model\.onnx or model\.int8\.onnx\. Fix: .*model\.onnx 864\.0 MB"):
        find_files(str(tmp_path))
    (tmp_path / "model.int8.onnx").touch()
    with pytest.raises(AbsentError, match=r"lacks tokens\.txt\. Fix: .*tokens\.txt 0\.1 MB"):
        find_files(str(tmp_path))
    (missing,) = lacking(f"paraformer:{tmp_path}", SystemOptions(), systems) or ()
    assert "lacks tokens.txt" in missing.what
    with pytest.raises(AbsentError, match=r"lacks other\.onnx"):
        find_files(f"{tmp_path}/other.onnx")


def test_what_is_complete_lacks_nothing(tmp_path: Path) -> None:
    write_paraformer(tmp_path)
    assert lacking(f"paraformer:{tmp_path}", SystemOptions(), systems) == ()
    make_ready(f"paraformer:{tmp_path}", SystemOptions(), systems)
    assert read_metadata(tmp_path / "model.onnx") == METADATA


def _without(name: str) -> Mapping[str, str]:
    return {key: value for key, value in METADATA.items() if key != name}


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({}, r"model\.onnx: is no Paraformer for sherpa-onnx: its metadata lack vocab_size, lfr_window_size"),
        (_without("inv_stddev"), r"its metadata lack inv_stddev\. Export the model for sherpa-onnx"),
        ({**METADATA, "lfr_window_shift": "0"}, r"metadata 'lfr_window_shift': is '0', not a number above 0"),
        ({**METADATA, "vocab_size": "many"}, r"metadata 'vocab_size': is 'many', not a number above 0"),
        (
            {**METADATA, "neg_mean": "0,0"},
            r"metadata 'neg_mean': 2 numbers, expected 80 for each of lfr_window_size = 560",
        ),
        ({**METADATA, "neg_mean": "0,x"}, r"metadata 'neg_mean': could not convert string to float: 'x'"),
        ({**METADATA, "vocab_size": "8404"}, r"tokens\.txt: lacks the token of number 6, 7, 8; model\.onnx has 8,404"),
    ],
)
def test_a_model_that_is_no_paraformer_is_refused(tmp_path: Path, metadata: Mapping[str, str], says: str) -> None:
    write_paraformer(tmp_path, metadata)
    with pytest.raises(UserError, match=says):
        make_ready(f"paraformer:{tmp_path}", SystemOptions(), systems)


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (TOKENS[:-1], r"tokens\.txt: lacks the token of number 5"),
        (tuple("abcdef"), r"tokens\.txt: has no token </s>"),
        (("a b", "c\n", *TOKENS), r"tokens\.txt, line 2: 'c' isn't a token and its number"),
    ],
)
def test_tokens_of_another_model_are_refused(tmp_path: Path, tokens: tuple[str, ...], says: str) -> None:
    write_paraformer(tmp_path)
    write_tokens(tmp_path, tokens)
    with pytest.raises(UserError, match=says):
        check_files(find_files(str(tmp_path)))


def test_a_damaged_file_is_refused_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    write_paraformer(tmp_path)
    path = tmp_path / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"model\.onnx: can't be read as ONNX: it ends at byte .* is needed"):
        check_files(find_files(str(tmp_path)))
    draw = random.Random(0)
    for _ in range(200):
        path.write_bytes(draw.randbytes(draw.randrange(200)))
        with pytest.raises(UserError, match=r"model\.onnx"):
            check_files(find_files(str(tmp_path)))
