"""What the tests share: stand-in servers, made-up records, and readers of what is drawn."""
