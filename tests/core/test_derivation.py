"""Under which keys derivations are kept: they must never change, or all that was paid for is paid for again."""

from __future__ import annotations

import hashlib

from tttbench.core.derivation import DerivationInput, Derived, Need, recipe_digest


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_recording_alone_is_its_own_key() -> None:
    assert Need("transcriber:ears", "a" * 64).input_sha256 == "a" * 64


def test_else_the_key_is_the_hash_of_all_that_goes_in() -> None:
    assert Need("judge:x").input_sha256 == sha256('["", {}, ""]')
    assert Need("judge:x", "a" * 64, language="de").input_sha256 == sha256(f'["{"a" * 64}", {{}}, "de"]')
    # Names sorted, characters as they are.
    fields = {"question": "Wo?", "answer": "Köln 科隆"}
    assert Need("judge:x", fields=fields).input_sha256 == sha256('["", {"answer": "Köln 科隆", "question": "Wo?"}, ""]')
    assert Need("another", fields=fields).input_sha256 == Need("judge:x", fields=fields).input_sha256


def test_a_lone_surrogate_has_a_key_too() -> None:
    keys = {Need("judge:x", fields={"answer": text}).input_sha256 for text in ("\ud800", "\ud801", "?")}
    assert len(keys) == 3


def test_a_recipe_is_kept_under_sixteen_digits() -> None:
    assert recipe_digest("ears 1") == sha256("ears 1")[:16]


def test_what_is_not_given_is_nothing() -> None:
    need = Need("judge:x")
    assert need == Need("judge:x", audio_sha256="", fields={}, language="")
    assert DerivationInput(need) == DerivationInput(need, audio=None, sample_rate=0, seed=0)
    assert Derived("failed") == Derived("failed", content="", error="", cost={})
