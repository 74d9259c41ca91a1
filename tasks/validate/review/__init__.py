"""The evaluation evaluated: what has to be true of splits, labels, scorer and detectors to trust a number."""
