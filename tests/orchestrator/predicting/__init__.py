"""Models that watch a run."""
