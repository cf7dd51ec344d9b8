"""Trainer exports: one module a trainer over one image tree; each file is read back by its loader's own rules before a release is moved."""

from pipelines.exports.companion import checked, grpo_row, sft_row
from pipelines.exports.preference import write_pairs
from pipelines.exports.rules import ExportFault
from pipelines.exports.write import write_exports

__all__ = ["ExportFault", "checked", "grpo_row", "sft_row", "write_exports", "write_pairs"]
