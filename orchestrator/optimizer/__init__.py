"""The search for parameters: trials of a strategy over recordings, judged on data that did not choose them."""
