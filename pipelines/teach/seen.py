"""Whether a server's model saw the picture: the prompt tokens that it counted, against what the model's own processor must produce."""

from functools import lru_cache
from typing import Any

from pipelines.teach.pictures import Picture, image_size, tokens_of
from pipelines.teach.requests import Answer, EngineUnavailable


class Seen:
    """The processor of the served model, loaded once."""

    def __init__(self, folder: str) -> None:
        """Loads it. Raises EngineUnavailable for a folder that holds none."""
        from transformers import AutoProcessor

        try:
            self._processor: Any = AutoProcessor.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise EngineUnavailable(f"endpoint.processor {folder}: {error}") from error
        self._words = lru_cache(maxsize=64)(self._count)

    def judged(self, prompt: str, picture: Picture, answer: Answer) -> Answer:
        """The answer with its image tokens, or a failure where they are not what the picture must give."""
        from dataclasses import replace

        size = image_size(picture)
        due = tokens_of(self._processor, size) if size else 0
        if answer.prompt_tokens is None or due is None:
            return answer
        # The template holds one placeholder for the picture, which stands for all of its tokens.
        seen = answer.prompt_tokens - self._words(prompt, size is not None) + (size is not None)
        if seen == due:
            return replace(answer, image_tokens=seen)
        told = f"{seen} image tokens in the prompt, {due} are due"
        return replace(answer, text=None, failure="image_not_seen", finish_reason=told, image_tokens=seen)

    def _count(self, prompt: str, pictured: bool) -> int:
        content = [{"type": "image"}] * pictured + [{"type": "text", "text": prompt}]
        chat = [{"role": "user", "content": content}]
        text = self._processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        return len(self._processor.tokenizer(text, add_special_tokens=False)["input_ids"])
