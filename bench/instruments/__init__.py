"""What measures a trial while it runs: the probe, vital signs, the watchdog, call counts."""
