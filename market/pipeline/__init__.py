"""From decoded records to decisions: merging sources by receive time, books, quote events, settlement.

``layout`` fixes the flat state; ``intake`` turns the next record in time into an event; ``settlement`` sends
settles and heartbeats as ordered control messages; ``journal`` keeps what is looked at afterwards;
``loop`` runs it all over what has arrived.
"""
