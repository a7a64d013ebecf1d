"""Pages for people: self-contained HTML of charts and tables, without anything from the network."""
