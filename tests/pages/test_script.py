"""The page's script: it parses, and its pure part is run in node. ``test_browser.py`` opens the page."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace

import pytest

from tttbench.core.exchange import Trace
from tttbench.core.metric import TimedAnswers
from tttbench.core.shipped import shipped
from tttbench.pages.payload import payload
from tttbench.pages.view import ReportView, Row

STATIC = shipped("reports") / "static"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def in_node(expression: str, document: str = "{}") -> object:
    """Evaluate an expression that may use ``Rows`` and the unpacked ``rows``; return its JSON value."""
    program = (
        f"const Rows = require({json.dumps(str(STATIC / 'rows.js'))});"
        "const data = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "const rows = data.rows ? Rows.unpack(data) : [];"
        f"process.stdout.write(JSON.stringify({expression}));"
    )
    assert NODE is not None
    done = subprocess.run([NODE, "-e", program], input=document, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
@pytest.mark.parametrize(
    "script", ["rows.js", "sortable.js", "parts.js", "pictures.js", "report.js", "comparison.js", "index.js"]
)
def test_the_script_parses(script: str) -> None:
    assert NODE is not None
    done = subprocess.run([NODE, "--check", str(STATIC / script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@needs_node
def test_rows_are_unpacked_as_they_were(view: ReportView) -> None:
    unpacked = in_node("rows.map((r) => [r.system, r.task, r.id, r.status, r.text, r.wrong])", payload(view))
    assert unpacked == [[r.system, r.task, r.id, r.status, r.text or None, int(r.wrong)] for r in view.rows]


@needs_node
def test_rows_know_what_a_limit_cut_and_where_the_machine_was_busy(view: ReportView) -> None:
    rows = (
        Row("ttt:mini", "mini_asr", "1", "asr", "ok", finish_reason="MAX_TOKENS"),
        Row("ttt:mini", "mini_qa", "1", "qa", "ok", finish_reason="stop"),
    )
    timed = (TimedAnswers("ttt:mini", "mini_asr", 1, busy="much to do"),)
    document = payload(replace(view, rows=rows, timed=timed))
    assert in_node("rows.map((r) => [r.cut, r.busy])", document) == [[True, "much to do"], [False, ""]]
    assert in_node('Rows.filterRows(rows, {status: "cut"}).map((r) => r.task)', document) == ["mini_asr"]


@needs_node
def test_traces_are_unpacked_as_they_were(view: ReportView) -> None:
    unpacked = in_node("rows.map(Rows.traceOf).map((t) => t && [t.steps || [], t.tokens || []])", payload(view))
    traces = [row.trace for row in view.rows]
    assert unpacked == [t and [list(t.commit_step), list(t.text_tokens)] for t in traces]
    assert sum(t is not None and len(t.commit_step) > 1 for t in traces) > 10


@needs_node
@pytest.mark.parametrize("steps", [(7,), (2, 32), (2, 33), (40, 9), (40, 8), (15, 15, 18, 17, 16, 20, 19)])
def test_passes_near_and_far_apart_are_unpacked_as_they_were(view: ReportView, steps: tuple[int, ...]) -> None:
    row = Row("s", "t", "1", "qa", "ok", text="𝄞 漢!", trace=Trace(text_tokens=("𝄞 ", "漢", "!"), commit_step=steps))
    unpacked = in_node("rows.map(Rows.traceOf).map((t) => [t.steps, t.tokens])[0]", payload(replace(view, rows=(row,))))
    assert unpacked == [list(steps), ["𝄞 ", "漢", "!"]]


@needs_node
def test_wrong_only_leaves_what_is_wrong(view: ReportView) -> None:
    found = in_node("Rows.filterRows(rows, { wrongOnly: true }).map((r) => r.index)", payload(view))
    assert found == [index for index, row in enumerate(view.rows) if row.wrong]


@needs_node
def test_filters_work_together(view: ReportView) -> None:
    conditions = "{ query: 'NORWAY  oslo', system: 'ttt:mini', task: 'mini_qa', status: 'ok' }"
    found = in_node(f"Rows.filterRows(rows, {conditions}).map((r) => r.id)", payload(view))
    assert found == [r.id for r in view.rows if (r.system, r.task, r.reference) == ("ttt:mini", "mini_qa", "Oslo")]


@needs_node
def test_a_search_takes_every_character_literally(view: ReportView) -> None:
    assert in_node("Rows.filterRows(rows, { query: '.*' }).length", payload(view)) == 0
    assert in_node("Rows.filterRows(rows, { query: '</script>' }).length > 0", payload(view)) is True


@needs_node
@pytest.mark.parametrize(("descending", "order"), [("false", [2, 0, 3, 1, 4]), ("true", [0, 3, 2, 1, 4])])
def test_sorting_is_stable_and_missing_values_come_last(descending: str, order: list[int]) -> None:
    rows = "[3, null, 1, 3, null].map((rtf, index) => ({ rtf, index }))"
    assert in_node(f"Rows.sortRows({rows}, 'rtf', {descending}).map((r) => r.index)") == order


@needs_node
def test_numbers_in_names_are_sorted_as_numbers() -> None:
    rows = "['q10', 'q9', 'Q1'].map((id, index) => ({ id, index }))"
    assert in_node(f"Rows.sortRows({rows}, 'id').map((r) => r.id)") == ["Q1", "q9", "q10"]


@needs_node
def test_a_head_sorts_up_then_down_then_as_it_was() -> None:
    one = "Rows.nextOrder({ key: '', descending: false }, 'rtf')"
    assert in_node(one) == {"key": "rtf", "descending": False}
    assert in_node(f"Rows.nextOrder({one}, 'rtf')") == {"key": "rtf", "descending": True}
    assert in_node(f"Rows.nextOrder(Rows.nextOrder({one}, 'rtf'), 'rtf')") == {"key": "", "descending": False}
    assert in_node(f"Rows.nextOrder(Rows.nextOrder({one}, 'rtf'), 'id')") == {"key": "id", "descending": False}


@needs_node
def test_a_condition_is_an_equal_field_whatever_its_name() -> None:
    rows = "[{ suite: 'mini', haystack: '' }, { suite: 'mini-full', haystack: '' }]"
    assert in_node(f"Rows.filterRows({rows}, {{ suite: 'mini', status: '' }}).length") == 1


@needs_node
def test_pages_cover_everything_once() -> None:
    assert in_node("[1, 2, 3].flatMap((n) => Rows.paginate([1, 2, 3, 4, 5, 6, 7], n, 3).rows)") == list(range(1, 8))


@needs_node
def test_a_page_beyond_the_end_is_the_last_one() -> None:
    assert in_node("Rows.paginate([1, 2, 3], 9, 2)") == {"page": 2, "pages": 2, "from": 2, "to": 3, "rows": [3]}
    assert in_node("Rows.paginate([], 1, 2)") == {"page": 1, "pages": 1, "from": 0, "to": 0, "rows": []}


@needs_node
def test_a_late_chunk_stalls_the_player() -> None:
    assert in_node("Rows.replay([[100, 50], [120, 50], [260, 40]])") == {
        "played": [{"from": 100, "to": 200}, {"from": 260, "to": 300}],
        "stalls": [{"from": 200, "to": 260}],
        "end": 300,
    }


@needs_node
def test_blocks_start_where_they_were_committed_in_every_span() -> None:
    trace = "{ spans: [5, 3], commits: [[1, 4], [2, 1], [3, 3]] }"
    assert in_node(f"Rows.boundaries({trace})") == {"spans": [0, 5], "blocks": [0, 4, 5]}


@needs_node
def test_an_end_token_belongs_to_the_block_before_it() -> None:
    trace = "{ spans: [5, 3], commits: [[1, 4], [2, 3]] }"
    assert in_node(f"Rows.boundaries({trace})") == {"spans": [0, 5], "blocks": [0, 5]}


@needs_node
def test_a_block_that_held_only_an_end_token_is_none() -> None:
    trace = "{ spans: [4, 3], commits: [[1, 4], [2, 0], [3, 3]] }"
    assert in_node(f"Rows.boundaries({trace})") == {"spans": [0, 4], "blocks": [0, 4]}


@needs_node
def test_the_unmasking_picture_ranks_passes_and_knows_when_a_block_began() -> None:
    trace = "{ steps: [9, 4, 30, 31], confidence: '0oo0', spans: [4], commits: [[1, 2], [2, 2]] }"
    found = in_node(f"Rows.unmasking({trace})")
    assert isinstance(found, dict)
    assert found["passes"] == [4, 9, 30, 31]
    assert [(cell["position"], cell["row"], cell["first"], cell["confidence"]) for cell in found["cells"]] == [
        (0, 1, 0, 0),
        (1, 0, 0, 1),
        (2, 2, 2, 1),
        (3, 3, 2, 0),
    ]


@needs_node
def test_ticks_are_round_and_not_too_many() -> None:
    assert in_node("Rows.ticks(47, 8)") == [0, 10, 20, 30, 40]
    assert in_node("Rows.ticks(0, 8)") == [0]
