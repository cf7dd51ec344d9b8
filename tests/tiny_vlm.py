"""Write a tiny random vision-language model that the real vLLM engine serves: `python tests/tiny_vlm.py OUT_DIR [--seed 0]`.

A Qwen2.5-VL of about 0.4 million parameters with a byte-level tokenizer. Its words are noise; its images, grammar and tokens are
handled by the same code as a real model's.
"""

import argparse
import json
from pathlib import Path
from typing import Any

TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if 'text' in c %}{{ c['text'] }}"
    "{% else %}<|vision_start|><|image_pad|><|vision_end|>{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HIDDEN = 64


def tokenizer() -> Any:
    """Byte-level, with merges learnt from this file, so that it is the same everywhere."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=480, initial_alphabet=alphabet, show_progress=False)
    plain.train_from_iterator([str(__doc__)] * 3, trainer)
    plain.add_special_tokens(list(TOKENS))
    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_start_token": "<|vision_start|>",
        "vision_end_token": "<|vision_end|>",
    }
    out = PreTrainedTokenizerFast(
        tokenizer_object=plain,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=8192,
        extra_special_tokens=named,
    )
    out.chat_template = CHAT
    return out


def write(folder: Path, seed: int = 0) -> Path:
    """Write config, weights, tokenizer and processor files; the same seed gives the same weights."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig

    words = tokenizer()
    token = {name: words.convert_tokens_to_ids(name) for name in TOKENS}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]}
    text = {
        **{"vocab_size": len(words), "hidden_size": HIDDEN, "intermediate_size": 2 * HIDDEN, "num_hidden_layers": 2},
        **{"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 8192, "rope_parameters": rope},
        **{"bos_token_id": token["<|endoftext|>"], "eos_token_id": token["<|im_end|>"], "pad_token_id": token["<|endoftext|>"]},
        "tie_word_embeddings": False,
    }
    vision = {
        **{"depth": 2, "hidden_size": HIDDEN, "intermediate_size": 2 * HIDDEN, "num_heads": 2, "patch_size": 14},
        **{"spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": HIDDEN, "fullatt_block_indexes": [1]},
        "window_size": 112,
    }
    ids = {f"{name}_token_id": token[f"<|{name}_pad|>"] for name in ("image", "video")}
    ids |= {f"vision_{end}_token_id": token[f"<|vision_{end}|>"] for end in ("start", "end")}
    config = AutoConfig.for_model("qwen2_5_vl", text_config=text, vision_config=vision, tie_word_embeddings=False, **ids)
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    ends = [token["<|im_end|>"], token["<|endoftext|>"]]
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=token["<|endoftext|>"])
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(CHAT)
    _write_processors(folder)
    return folder


def _write_processors(folder: Path) -> None:
    """Image and video processors for pictures of at most 224 x 224 pixels."""
    common = {
        **{"do_resize": True, "do_rescale": True, "do_normalize": True, "do_convert_rgb": True, "rescale_factor": 1 / 255},
        **{"resample": 3, "image_mean": [0.5] * 3, "image_std": [0.25] * 3, "patch_size": 14, "temporal_patch_size": 2},
        **{"merge_size": 2, "min_pixels": 56 * 56, "max_pixels": 224 * 224, "processor_class": "Qwen2_5_VLProcessor"},
        "size": {"shortest_edge": 56 * 56, "longest_edge": 224 * 224},
    }
    image = {**common, "image_processor_type": "Qwen2VLImageProcessorFast"}
    video = {**common, "video_processor_type": "Qwen2VLVideoProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(image, indent=1))
    (folder / "video_preprocessor_config.json").write_text(json.dumps(video, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(write(arguments.folder, arguments.seed))
