"""The shapes of the field's wire protocols, read and written: what both a client and a server of ours are made of.

Nothing here opens a connection, reads a file or a clock: JSON values and bytes come in, frozen dataclasses go out, and
the other way round. Where servers differ, what arrives decides, never a flag. The sources of the shapes are the types
of the package ``openai`` 3.57.0 ("OpenAI" below) and the server of vLLM-Omni 0.30.0.

- ``sse``: server-sent events, which carry every stream over HTTP.
- ``sound``: base64, WAV and raw PCM to waveforms and back, whole or as pieces arrive.
- ``chat_request``, ``chat_reply``, ``chat_stream``: ``/v1/chat/completions`` with audio in and out.
- ``speech``: ``/v1/audio/speech``, a voice. ``transcription``: ``/v1/audio/transcriptions``, a transcriber.
- ``realtime``: events of the websocket ``/v1/realtime``, the old names and the new.
- ``extension``: the object ``tttbench`` that a reply carries where it was asked for: codes, passes, stages.
- ``usage``: token counts. ``faults``: what a server says of an error. ``fields``: JSON values, taken for what they are.
"""
