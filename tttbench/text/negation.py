"""Whether words that were found in a clause are denied there: "it is not Paris", "Paris is wrong". Knows tokens.

Only what surely denies counts: fixed patterns around the words. A hedge ("I'm not sure it's Paris") denies nothing, nor
does what only resembles a denial ("not only Paris", "Paris, isn't it?").
"""

from __future__ import annotations

from collections.abc import Sequence

_NOT = frozenset({"not", "never", "isnt", "wasnt", "arent", "dont", "doesnt", "didnt", "cant"})
_AUXILIARIES = frozenset({"do", "does", "did", "will", "would", "can", "could", "should", "may", "might", "must"})
_COPULAS = frozenset({"is", "was", "are", "were", "be", "been", "seems", "sounds"})
_LIGHT = frozenset(
    (
        "a an the in on at by from of for to with as be been being really actually definitely certainly possibly "
        "probably even quite exactly in fact called named known made say call guess pick choose likely necessarily"
    ).split()
)
"""What may stand between a "not" and the words that it denies."""
_NOT_AFTER = frozenset({"why", "or", "whether"})
"""Before these "not" denies nothing: "why not Paris"."""
_NO_DENIAL = frozenset("know doubt forget care mind need hesitate matter remember recall have wonder".split())
"""What can be denied without denying what follows."""
_THINK = frozenset("think believe suppose say guess assume feel expect agree".split())
_BREAKS = frozenset("but however although though yet because whereas while since instead unless until before".split())
"""Words that begin another clause."""
_LONGEST_THOUGHT = 8
_WRONG = frozenset(["wrong", "incorrect", "false", "untrue", "mistaken", "impossible"])
_RIGHT = frozenset(["right", "correct", "true", "it", "accurate"])
_IS_NOT = frozenset("the a an right correct true accurate what where who why how one my in among".split())
"""What follows "Paris is not" where it denies that Paris is the answer."""
_SAME_SUBJECT = frozenset({"it", "he", "she", "they", "is", "was", "are", "were"})
"""What follows "but" where the same thing is spoken of."""
_EXCEPT = (
    *(("anything", "but"), ("everything", "but"), ("anyone", "but"), ("everyone", "but"), ("all", "but")),
    *(("other", "than"), ("rather", "than"), ("instead", "of"), ("opposed", "to"), ("apart", "from")),
    *(("except",), ("except", "for"), ("excluding",)),
)
_DENIES_EXCEPT = frozenset({"not", "nothing", "none", "no", "nobody", "never", "else"})

_CHINESE_BEFORE = ("不是", "并非", "並非", "不叫", "不在", "不会是", "不會是", "不可能是", "不为", "不為")
_CHINESE_THINK = ("不认为", "不認為", "不觉得", "不覺得", "不相信")
_CHINESE_AFTER = ("不对", "不對", "不正确", "不正確", "是错", "是錯", "错了", "錯了", "不是")
_LONGEST_CHINESE_THOUGHT = 8


def is_denied(
    tokens: Sequence[str], start: int, end: int, following: Sequence[str] = (), *, asks: bool = False
) -> bool:
    """Say whether ``tokens[start:end]`` are denied.

    Args:
        tokens: of a clause.
        start, end: where the words stand.
        following: tokens of the next clause, which may say "that's wrong".
        asks: whether the clause is a question, which the next one may answer with "no".
    """
    before, after = list(tokens[:start]), list(tokens[end:])
    return (
        _not_before(before)
        or _not_thought(before)
        or _excepted(before)
        or _listed(before)
        or _wrong_after(after, list(following))
        or _rejected(list(following), asks=asks)
        or _in_chinese("".join(before), "".join(after))
    )


def _clause(before: list[str]) -> list[str]:
    """What stands behind the last word that begins a clause."""
    at = next((at for at in range(len(before) - 1, -1, -1) if before[at] in _BREAKS), -1)
    return before[at + 1 :]


def _not_before(before: list[str]) -> bool:
    """``not Paris``, ``not in Paris``, ``would not be Paris``, ``did not happen in Paris``."""
    clause = _clause(before)
    at = len(clause) - 1
    while at >= 0 and clause[at] in _LIGHT:
        at -= 1
    if at >= 1 and clause[at] in ("it", "him", "her", "them", "that") and clause[at - 1] == "call":
        at -= 2
    if at < 0:
        return False
    if clause[at] in _NOT:
        return clause[at - 1 : at] == [] or clause[at - 1] not in _NOT_AFTER
    return (
        at >= 2
        and clause[at - 1] in _NOT
        and (clause[at - 2] in _AUXILIARIES or clause[at - 1] not in ("not", "never") or clause[-1] == "by")
        and clause[at] not in _NO_DENIAL | _THINK | {"only", "just"}
        and not clause[at].endswith("ly")
    )


def _not_thought(before: list[str]) -> bool:
    """``I do not think that it is Paris``, ``I doubt it is Paris``."""
    clause = _clause(before)
    for at in range(len(clause) - 1, max(-1, len(clause) - _LONGEST_THOUGHT - 2), -1):
        denied = clause[at] in _THINK and at > 0 and clause[at - 1] in _NOT
        doubted = clause[at] == "doubt" and clause[at - 1 : at] not in (["no"], ["not"], ["a"], ["without"])
        unlikely = clause[at] == "unlikely"
        if denied or doubted or unlikely:
            return sum(token in _COPULAS for token in clause[at + 1 :]) <= 1
    return False


def _excepted(before: list[str]) -> bool:
    """``anything but Paris``, ``rather than Paris``; but ``none other than Paris`` is Paris."""
    at = len(before)
    while at > 0 and before[at - 1] in ("the", "a", "an", "in", "by"):
        at -= 1
    for words in _EXCEPT:
        if tuple(before[max(0, at - len(words)) : at]) == words:
            earlier = before[max(0, at - len(words) - 3) : at - len(words)]
            return _DENIES_EXCEPT.isdisjoint(earlier)
    return at >= 3 and before[at - 1] == "but" and before[at - 3] == "every"


def _listed(before: list[str]) -> bool:
    """``neither Rome nor Paris``, ``not Rome or Paris``."""
    clause = _clause(before)
    at = len(clause) - 1
    while at >= 0 and clause[at] in _LIGHT:
        at -= 1
    if at < 0:
        return False
    if clause[at] in ("nor", "neither"):
        return True
    return clause[at] == "or" and any(token in _NOT | {"neither"} for token in clause[max(0, at - 4) : at])


def _wrong_after(after: list[str], following: list[str]) -> bool:
    """``Paris is wrong``, ``Paris is not the capital``, ``Paris did not do it``; not ``… but it is the largest``."""
    if not after:
        return False
    if after[0] in ("not", "never") and len(after) >= 3:
        return after[0] == "never" and after[2] in ("it", "that", "this")
    if after[0] == "never":
        return False
    rest = after[1:]
    if after[0] in _AUXILIARIES:
        if rest[:1] == ["not"]:
            return len(rest) >= 3 and rest[2] in ("it", "that", "this", "so")
        if rest[:1] != ["be"]:
            return False
        rest = rest[1:]
    elif after[0] not in _COPULAS:
        return after[:5] == ["had", "nothing", "to", "do", "with"]
    if rest[:1] == ["not"]:
        goes_on = rest[rest.index("but") :] if "but" in rest else following
        if goes_on[:1] == ["but"] and goes_on[1:2] and goes_on[1] in _SAME_SUBJECT:
            return False
        return len(rest) == 1 or rest[1] in _IS_NOT
    while (rest and rest[0].endswith("ly")) or rest[:1] == ["just"]:
        rest = rest[1:]
    return rest[:1] != [] and rest[0] in _WRONG


def _rejected(following: list[str], *, asks: bool) -> bool:
    """The next clause: ``but that is wrong``, ``you would be wrong``; of a question also ``no``."""
    rest = [token for token in following if token not in ("but", "and", "though")]
    if asks and (rest[:1] in (["no"], ["nope"], ["wrong"]) or rest == ["i", "do", "not", "think", "so"]):
        return True
    if rest[:4] == ["you", "would", "be", "wrong"]:
        return True
    if rest[:1] not in (["that"], ["it"], ["this"], ["which"]):
        return False
    rest = rest[1:]
    if rest[:2] == ["would", "be"]:
        rest = rest[1:]
    if rest[:1] == [] or rest[0] not in _COPULAS:
        return False
    if rest[1:2] == ["not"]:
        return len(rest) == 3 and rest[2] in _RIGHT
    return len(rest) == 2 and rest[1] in _WRONG


def _in_chinese(before: str, after: str) -> bool:
    if before.endswith(_CHINESE_BEFORE) and not before.endswith("是不是"):
        return True
    thought = before[-_LONGEST_CHINESE_THOUGHT:]
    return any(words in thought for words in _CHINESE_THINK) or after.startswith(_CHINESE_AFTER)
