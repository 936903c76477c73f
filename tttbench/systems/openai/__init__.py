"""Systems behind servers with OpenAI's protocols: ``openai_chat:``, ``openai_speech:`` and ``openai_transcriptions:``.

What goes over the wire is ``tttbench.wire``'s, how it is sent and what may go wrong ``tttbench.client``'s.
"""
