"""Publishing: a finished release to the Hugging Face Hub or to any fsspec URL, so that it cannot half-happen."""
