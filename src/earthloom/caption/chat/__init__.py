"""Captions by a vision-language model behind an endpoint that speaks OpenAI's chat completions."""

from earthloom.caption.chat.conversation import name_author, write_chat
from earthloom.caption.chat.prompts import Prompts, read_prompts

__all__ = ["Prompts", "name_author", "read_prompts", "write_chat"]
