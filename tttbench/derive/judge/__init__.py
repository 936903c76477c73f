"""``judge:openai_chat:MODEL``: answers graded by a language model behind a server with OpenAI's chat protocol."""
