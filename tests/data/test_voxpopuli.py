"""VoxPopuli as its code cuts it and in parquet, in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef
from tttbench.data.samples import list_samples
from tttbench.data.sources.voxpopuli import list_voxpopuli

from .tables import held, write_table

HEADER = "id\traw_text\tnormalized_text\tspeaker_id\tsplit\tgender\tis_gold_transcript\taccent"
FIRST, SECOND, THIRD = (f"20180611-0900-PLENARY-{at}-en_20180611-20:16:2{at}_{at}" for at in (1, 2, 3))
ROWS = [
    f'{FIRST}\tThank you, "Madam".\tthank you madam\t28345\ttest\tmale\tTrue\tNone',
    f"{SECOND}\t\tagain\tNone\ttest\tfemale\tFalse\tNone",
    f"{THIRD}\tNothing\t\t28346\ttest\tfemale\tFalse\tNone",
]


def released(folder: Path, *rows: str, name: str = "asr_test.tsv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("inside", ["", "en", "transcribed_data/en"])
def test_the_year_is_the_folder_and_rows_without_a_text_are_counted(tmp_path: Path, inside: str) -> None:
    at = released(tmp_path / inside, *ROWS)
    found = list_samples(build_task("voxpopuli_en"), tmp_path)
    assert [(one.id, one.audio, one.reference, one.cluster) for one in found] == [
        (FIRST, AudioRef(at / f"2018/{FIRST}.ogg"), "thank you madam", "28345"),
        (SECOND, AudioRef(at / f"2018/{SECOND}.ogg"), "again", ""),
    ]
    assert found[0].metadata["left_out"] == "rows without a text: 1"
    raw = list_voxpopuli(tmp_path, text="raw_text")
    assert [one.reference for one in raw] == ['Thank you, "Madam".', "Nothing"]


TABLE = {
    "audio_id": [FIRST, SECOND, THIRD],
    "language": [0, 0, 0],
    "audio": [held(1600, f"{at}.wav") for at in range(3)],
    "raw_text": ['Thank you, "Madam".', "", "Nothing"],
    "normalized_text": ["thank you madam", "again", ""],
    "gender": ["male", "female", "female"],
    "speaker_id": ["28345", "None", "28346"],
    "is_gold_transcript": [True, False, False],
    "accent": ["None"] * 3,
}


@pytest.mark.parametrize(
    "name",
    ["en/test-00000-of-00001.parquet", "en/test/0000.parquet", "test-00000-of-00001.parquet", "test/0000.parquet"],
)
def test_its_tables_give_the_same_texts(tmp_path: Path, name: str) -> None:
    table = write_table(tmp_path / name, TABLE)
    found = list_voxpopuli(tmp_path)
    assert [(one.id, one.reference, one.cluster) for one in found] == [
        *((FIRST, "thank you madam", "28345"), (SECOND, "again", ""))
    ]
    assert found[1].audio is not None
    assert (found[1].audio.path, found[1].audio.member) == (table, "audio[1]")


def test_a_language_of_its_own_and_the_list_of_the_release_come_before_tables_beside_them(tmp_path: Path) -> None:
    write_table(tmp_path / "test-00000-of-00001.parquet", TABLE)
    own = write_table(tmp_path / "de/test-00000-of-00001.parquet", TABLE)
    assert {one.audio.path for one in list_voxpopuli(tmp_path, config="de") if one.audio} == {own}
    released(tmp_path / "transcribed_data/en", ROWS[0])
    assert [one.id for one in list_voxpopuli(tmp_path)] == [FIRST]


def test_the_folder_that_is_asked_for_has_the_tables_of_the_split(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"or that with validation-….parquet\.$"):
        list_voxpopuli(tmp_path, split="dev")
    write_table(tmp_path / "validation-00000-of-00001.parquet", TABLE)
    assert [one.id for one in list_voxpopuli(tmp_path, split="dev")] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([ROWS[0], ROWS[0]], rf"asr_test\.tsv, line 3 \(id\): the id '{FIRST[:40]}"),
        ([ROWS[0].replace("\tNone", "")], r"asr_test\.tsv, line 2: has 7 fields, not 8"),
        ([ROWS[0].replace(FIRST, "")], r"asr_test\.tsv, line 2: field 'id': is empty"),
        ([ROWS[2]], "no row has a text in 'normalized_text'"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, rows: list[str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        list_voxpopuli(released(tmp_path, *rows))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no en/asr_test\.tsv\. Give the folder of the language"):
        list_voxpopuli(tmp_path)
    with pytest.raises(UserError, match="option 'text' of voxpopuli: must be one of normalized_text, raw_text"):
        list_voxpopuli(tmp_path, text="text")
