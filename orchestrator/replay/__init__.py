"""``tickwire replay``: from recordings to decisions, markouts and a report.

``plan`` turns settings and files into a session; ``collect`` gathers what it produces in bounded memory;
``triggers``, ``markouts`` and ``opportunities`` look at it; ``result`` is its JSON form, ``tables`` the one for people.
"""
