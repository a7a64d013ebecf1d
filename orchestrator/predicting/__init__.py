"""Models that watch a run: predictions beside the fast loop, as shadow, filter or trader."""
