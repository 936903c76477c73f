"""How the values of options are read."""

import pytest

from tttbench.cli.main import main
from tttbench.cli.options import names, system_labels
from tttbench.config.suite import SystemPlan, system_plan
from tttbench.core.errors import UserError


def test_names_are_split_at_commas_and_gathered() -> None:
    assert names(["a, b", "c,", ""]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["a:x,b:y"], ["a:x", "b:y"]),
        (["a:x@s:tau=0.8,a:x"], ["a:x@s:tau=0.8", "a:x"]),
        (["a:x@s:p=4,q=2,b:y"], ["a:x@s:p=4,q=2", "b:y"]),
        (["b:y,a:x@s:p=4, q=2 , c"], ["b:y", "a:x@s:p=4,q=2", "c"]),
        (["a:x@s:p=4,q=2,a:x@s:p=1,q=1,a:x@t"], ["a:x@s:p=4,q=2", "a:x@s:p=1,q=1", "a:x@t"]),
        (["b:y", "a:x@s:p=4,q=2"], ["b:y", "a:x@s:p=4,q=2"]),
        (["a:/runs/lr=2e-5,a:/runs/me@work/x"], ["a:/runs/lr=2e-5", "a:/runs/me@work/x"]),
        (["a:/me@work (old)/x,a:/me@work(old)/x"], ["a:/me@work (old)/x", "a:/me@work(old)/x"]),
    ],
)
def test_commas_between_options_of_a_strategy_do_not_split(values: list[str], labels: list[str]) -> None:
    assert system_labels(values) == labels


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["a,b"], ["a,b"]),
        (["c,a,b,echo"], ["c", "a,b", "echo"]),
        (["a,b,c"], ["a,b,c"]),
        (["a,b, c"], ["a,b", "c"]),
        (["a,bc"], ["a", "bc"]),
        (["a,b", "x (S=1, B=2)"], ["a,b", "x (S=1, B=2)"]),
        (["x=1, y=2,b"], ["x=1, y=2", "b"]),
        (["echo@s:p=4,q=2 , a,b"], ["echo@s:p=4,q=2", "a,b"]),
    ],
)
def test_a_label_of_the_suite_may_hold_commas(values: list[str], labels: list[str]) -> None:
    assert system_labels(values, ["a,b", "a,b,c", "x (S=1, B=2)", "x=1, y=2", "c"]) == labels


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("p=4,a:x", "--systems p=4,a:x: 'p=4' is no system. Options follow a colon: NAME@STRATEGY:p=4"),
        ("a:x,p=4", "'p=4' is no system. Options follow a colon: a:x@STRATEGY:p=4"),
        ("a:x@s,p=4", "'p=4' is no system. Options follow a colon: a:x@s:p=4"),
        ("a:x@s(p=4,q=2),b", "options stand behind a colon, without brackets: a:x@s:p=4"),
        ("a:x@s()", "options stand behind a colon, without brackets: a:x@s:OPTION=VALUE"),
    ],
)
def test_options_in_the_wrong_place_are_refused_with_the_right_one(value: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        system_labels([value])
    assert said in str(caught.value)


def test_options_of_one_call_do_not_go_on_in_the_next() -> None:
    with pytest.raises(UserError, match="'q=2' is no system"):
        system_labels(["a:x@s:p=4", "q=2"])


def test_a_strategy_with_options_is_one_plan() -> None:
    assert system_plan("a:x@s:p=4,q=2") == SystemPlan("a:x", "s:p=4,q=2")


def test_an_unknown_option_is_refused_before_anything_is_generated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--systems", "ttt:mini@par:share=0.5,rounds=2,whisper:tiny.en", "--device", "cpu"]) == 2
    assert "strategy 'par' has no option 'rounds'; it has: refinements, share" in capsys.readouterr().err


def test_listed_strategies_show_their_options_as_they_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "strategies"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert "par:refinements=1,share=0.25" in listed
    assert "topk" in listed
