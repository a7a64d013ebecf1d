"""From decoded records to decisions: merging sources by receive time, books, quote events, settlement.

``layout`` fixes the flat state and ``sources`` fills it; ``intake`` turns the next record in time into an event;
``settlement`` sends settles and heartbeats as ordered control messages; ``journal`` keeps what is looked at
afterwards; ``loop`` runs it all over what has arrived. Beside them and apart from the decisions, ``signal_stage``
samples the market signals of each source's records, and ``samples`` puts those of all sources in order of time.
"""
