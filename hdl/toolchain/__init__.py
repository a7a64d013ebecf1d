"""From components to what tools read: Verilog text and lists of ports."""
