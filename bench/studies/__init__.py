"""Questions that several runs answer: sweeps, advice, fidelity, a check of the machine."""
