"""The regression gate: exact where it can be, honest where it cannot.

Three tiers, each of which sees what the one before cannot:

========= ============================================ =================================
tier      measures                                     compares with
========= ============================================ =================================
structure virtual time: makespan, latency, calls,      the baseline file, exactly
          overlap (``structure``)
work      Python and C calls, loop iterations, tasks   the baseline file, within 0.5 %
          (``work``)
time      CPU seconds per session, in pairs            another commit, in the same job
          (``time``)
========= ============================================ =================================

The first two are counts and virtual seconds: the same on every machine, so they cannot raise
a false alarm. The third has noise, and says how sure it is.
"""
