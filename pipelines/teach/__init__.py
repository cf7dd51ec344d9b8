"""Teachers: the engines that answer the two stages, the ledger of their answers, and the composer without a model."""
