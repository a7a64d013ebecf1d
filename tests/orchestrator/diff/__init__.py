"""Tests of orchestrator.diff."""
