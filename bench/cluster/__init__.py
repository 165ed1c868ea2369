"""Many trials at one time, each on a worker that a cluster lends."""
