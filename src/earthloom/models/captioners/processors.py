"""Processors of a saved model: those of the Pillow backend, whether or not torchvision is there."""

from __future__ import annotations

from typing import Any

from earthloom.models.weights.transformers_files import TransformersFiles


def load_tokenizer(files: TransformersFiles) -> Any:
    """Load the tokenizer of a model. Raises what transformers raises."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(files.folder), local_files_only=True, trust_remote_code=False)


def load_image_processor(files: TransformersFiles) -> Any:
    """Load what makes a network's input of pictures. Raises what transformers raises."""
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
        str(files.folder), backend="pil", local_files_only=True, trust_remote_code=False
    )


def load_chat_processor(files: TransformersFiles, config: Any) -> Any:
    """Load the processor of a chat model, for pictures alone. Raises what transformers raises.

    It is put together from its tokenizer and its image processor: what many models have for films besides wants
    torchvision, and is left away.
    """
    from transformers import PROCESSOR_MAPPING

    known = PROCESSOR_MAPPING[type(config)]
    parts = {"tokenizer": load_tokenizer, "image_processor": load_image_processor}

    class PictureProcessor(known):  # type: ignore[misc,valid-type]
        """The model's processor, without films."""

        @classmethod
        def _get_arguments_from_pretrained(cls, *_args: Any, **_options: Any) -> list[Any]:
            return [parts[name](files) if name in parts else None for name in cls.get_attributes()]

        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if argument is None:
                return None
            return super().check_argument_for_proper_class(argument_name, argument)

    return PictureProcessor.from_pretrained(str(files.folder), local_files_only=True)
