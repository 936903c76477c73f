"""The second world's tokenizer: byte-level BPE in which a word is one token, and TtT's special tokens behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tttbench.miniworld.second import corpus
from tttbench.miniworld.second.corpus import CorpusSize

if TYPE_CHECKING:
    from reference_model.tokens import TtTTokenizer

N_TEXT_TOKENS = 1024

ASR_PROMPT = "Transcribe."
CHAT_PROMPT = "Answer."
"""What the mini models are told: the first word of what the released prompts say, since every sample pays for it."""

_SIZE = CorpusSize(questions=4000, sentences=2000, test_questions=0, test_sentences=0)


def build(n_codes: int) -> TtTTokenizer:
    """A tokenizer with codes ``<|audio_0|>`` to ``<|audio_{n_codes - 1}|>``; the same on every machine."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    from reference_model.tokens import TtTTokenizer

    world = corpus.make(_SIZE, seed=0)
    texts = [text for question in world.questions for text in (question.text, question.answer)]
    texts += [sentence.text for sentence in world.sentences]
    # Often enough that every word of the prompts becomes one token: they stand in front of every sample.
    texts += [ASR_PROMPT, CHAT_PROMPT, "system\nuser\nassistant\n"] * 20_000
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=N_TEXT_TOKENS, initial_alphabet=sorted(alphabet), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    special = ["<|im_start|>", "<|im_end|>", "<|begin_of_audio|>", "<|begin_of_quad|>", "<|end_of_audio|>", "<|audio|>"]
    special += [f"<|audio_{code}|>" for code in range(n_codes)]
    special += ["<|mask_token|>", "<|end_of_audio_new|>", "<|end_of_audio_span_last|>"]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return TtTTokenizer(tokenizer)
