"""The live loop: clock, network thread, and the assembly of feeds, gateways, storage and strategies into one run."""
