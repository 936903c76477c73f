import json
from dataclasses import replace

import pytest

from tttbench.core.exchange import AudioCommit, Chunk, Trace
from tttbench.pages.payload import COLUMNS, embed, payload
from tttbench.pages.view import DiffChunk, ReportView, Row


def only_row(row: Row, view: ReportView) -> dict[str, object]:
    document = json.loads(payload(replace(view, rows=(row,))))
    return dict(zip(document["columns"], document["rows"][0], strict=True))


@pytest.mark.parametrize("text", ["</script><script>", "<!--", "a & b", "line\u2028separator"])
def test_embedded_text_cannot_leave_the_script_and_is_read_back_unchanged(text: str) -> None:
    written = embed({"text": text})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"text": text}


def test_every_row_has_every_column(view: ReportView) -> None:
    document = json.loads(payload(view))
    assert tuple(document["columns"]) == COLUMNS
    assert len(document["rows"]) == len(view.rows)
    assert {len(row) for row in document["rows"]} == {len(COLUMNS)}


def test_a_busy_machine_is_told_once_for_a_system_and_task(view: ReportView) -> None:
    assert json.loads(payload(view))["busy"] == []
    timed = tuple(
        replace(one, busy="much to do") if (one.system, one.task) == ("ttt:mini", "mini_asr") else one
        for one in view.timed
    )
    document = json.loads(payload(replace(view, timed=timed)))
    at = document["systems"].index("ttt:mini"), document["tasks"].index("mini_asr")
    assert document["busy"] == [[*at, "much to do"]]


def test_a_trace_is_packed_into_milliseconds_and_characters(view: ReportView) -> None:
    trace = Trace(
        stages_s={"decode": 0.25},
        prefill_end_s=0.1,
        text_times_s=(0.12345,),
        text_tokens=(" hi",),
        audio_commits=(AudioCommit(0.2, 2),),
        chunks=(Chunk(0.25, 4000),),
        end_s=0.3,
        nfe=7,
        commit_step=(3, 4),
        commit_confidence=(0.0, 1.0),
        spans=(2,),
    )
    row = only_row(Row("s", "t", "1", "qa", "ok", text=" hi", trace=trace, sample_rate=16_000), view)
    assert row["trace"] == {
        "prefill": 100,
        "text": [123.5],
        "tokens": [3],
        "commits": [[200, 2]],
        "chunks": [[250, 250]],
        "end": 300,
        "nfe": 7,
        "stages": {"decode": 250},
        "steps": [3, "W"],
        "confidence": "0o",
        "spans": [2],
    }


def test_what_cannot_be_packed_is_written_as_it_is(view: ReportView) -> None:
    trace = Trace(text_tokens=("a", "b"), commit_step=(1, 33), spans=(2,))
    row = only_row(Row("s", "t", "1", "qa", "ok", text="a b", trace=trace), view)
    assert row["trace"] == {"nfe": 0, "end": 0, "tokens": ["a", "b"], "steps": [1, 33], "spans": [2]}


def test_confidence_that_is_no_number_counts_as_none(view: ReportView) -> None:
    trace = Trace(commit_step=(1, 1, 1), commit_confidence=(float("nan"), -1.0, 2.0), spans=(3,))
    row = only_row(Row("s", "t", "1", "qa", "ok", trace=trace), view)
    assert isinstance(row["trace"], dict)
    assert row["trace"]["confidence"] == "00o"


def test_differences_are_written_only_where_there_are_some(view: ReportView) -> None:
    same = Row("s", "t", "1", "qa", "ok", text="a b", text_diff=(DiffChunk("equal", "a b", "A b"),))
    assert only_row(same, view)["textDiff"] is None
    chunks = (DiffChunk("equal", "a", "a"), DiffChunk("substitute", "b", "c"), DiffChunk("delete", "d", ""))
    other = Row("s", "t", "1", "qa", "ok", text="a c", text_diff=chunks)
    assert only_row(other, view)["textDiff"] == [["=", "a"], ["s", "b", "c"], ["d", "d"]]
