"""Risk: what may be sent, when trading stops, and how everything is taken back.

``checks`` judge every order; ``guard`` and ``supervisor`` decide whether the run trades; ``closing`` empties it;
``reconciliation`` compares it with the venues; ``dead_man`` and ``countdown`` cancel when it dies; ``own_costs`` and
``queue_position`` follow our own orders; ``assembly`` puts it together. Limits are integers, see ``limits``.
"""
